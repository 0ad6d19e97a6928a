package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/internal/filltest"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
)

// Whatever the core gives to be saved is there again, with every field, for one slot and for many.
func TestSavedAsGiven(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 20} {
		t.Run(fmt.Sprint(count, " subscribers"), func(t *testing.T) {
			t.Parallel()
			s := postgrestest.New(t)
			subscribers := create(t, s, count)
			var want postgres.Changes
			var refs []postgres.SessionRef
			var ids []ocs.SubscriberID
			for i, n := range subscribers {
				var session ocs.Session
				var event ocs.RatedEvent
				var record ocs.Record
				filltest.Fill(&session)
				filltest.Fill(&event)
				filltest.Fill(&record)
				id := n.Subscriber.ID
				key := ocs.SessionKey{ID: fmt.Sprintf(`ctf "%d";\{},NULL`, i), Sub: "7"}
				session.Key, session.Subscriber, session.State = key, id, ocs.Open
				event.Subscriber, record.Subscriber = id, id
				bucket := *n.Bucket
				bucket.Balance, bucket.Reserved = 900, 100
				extra := ocs.Bucket{
					ID: ocs.BucketID(newID()), Subscriber: id, Unit: "EUR", Class: `odd "class"`, Priority: -5, Balance: 1 << 60,
					ExpiresAt: now.Add(time.Hour), CreatedAt: now,
					Root: ocs.BucketID(newID()), Parent: ocs.BucketID(newID()), Hops: 2,
				}
				want.Sessions = append(want.Sessions, session)
				want.Buckets = append(want.Buckets, bucket)
				want.NewBuckets = append(want.NewBuckets, extra)
				want.Events = append(want.Events, event)
				want.Records = append(want.Records, record)
				refs = append(refs, postgres.SessionRef{Subscriber: id, Key: key})
				ids = append(ids, id)
			}
			save(t, s, want)

			var sessions []ocs.Session
			var buckets []ocs.Bucket
			err := s.InTx(t.Context(), func(tx *postgres.Tx) (err error) {
				if buckets, err = tx.LoadBuckets(t.Context(), ids, now); err != nil {
					return err
				}
				sessions, err = tx.LoadSessions(t.Context(), refs)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			sortSessions(sessions)
			sortSessions(want.Sessions)
			same(t, "sessions", sessions, want.Sessions)
			byID := func(a, b ocs.Bucket) int { return strings.Compare(string(a.ID), string(b.ID)) }
			wantBuckets := append(slices.Clone(want.Buckets), want.NewBuckets...)
			slices.SortFunc(wantBuckets, byID)
			slices.SortFunc(buckets, byID)
			same(t, "buckets", buckets, wantBuckets)
			for i, id := range ids {
				events, err := s.RatedEvents(t.Context(), postgres.RatedEventFilter{Subscriber: id, Limit: 10})
				if err != nil {
					t.Fatal(err)
				}
				same(t, "rated events", events, want.Events[i:i+1])
				records, err := s.Records(t.Context(), postgres.RecordFilter{Subscriber: id, Limit: 10})
				if err != nil {
					t.Fatal(err)
				}
				same(t, "records", records, want.Records[i:i+1])
			}

			// and once more over what is there now
			for i := range want.Sessions {
				want.Sessions[i].State, want.Sessions[i].Records = ocs.Ended, 9
				want.Sessions[i].Memory.Answers = nil
				want.Sessions[i].ReportedAt = time.Time{}
			}
			save(t, s, postgres.Changes{Sessions: want.Sessions})
			for _, session := range want.Sessions {
				same(t, "session saved again", load(t, s, postgres.SessionRef{Subscriber: session.Subscriber, Key: session.Key}), &session)
			}
		})
	}
}

func TestLoadsOnlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	two := create(t, s, 2)
	a, _ := newSession(two[0], "same", 0)
	b, _ := newSession(two[1], "same", 0) // Session-Id of another subscriber, which no honest client makes
	c := a
	c.Key.Sub = "1"
	save(t, s, postgres.Changes{Sessions: []ocs.Session{a, b, c}})
	for _, want := range []ocs.Session{a, b, c} {
		got := load(t, s, postgres.SessionRef{Subscriber: want.Subscriber, Key: want.Key})
		same(t, "session", got, &want)
	}
	if got := load(t, s, postgres.SessionRef{Subscriber: two[1].Subscriber.ID, Key: c.Key}); got != nil {
		t.Errorf("got the session of another subscriber: %+v", got)
	}
}

func TestLoadBuckets(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	bucket := func(balance, reserved int64, expires time.Time) ocs.Bucket {
		return ocs.Bucket{
			ID: ocs.BucketID(newID()), Subscriber: n.Subscriber.ID, Unit: rating.Seconds, Balance: rating.Units(balance),
			Reserved: rating.Units(reserved), ExpiresAt: expires, CreatedAt: now,
		}
	}
	counts := bucket(1, 0, now.Add(time.Microsecond))
	heldAndExpired := bucket(5, 5, now.Add(-time.Hour))
	drained := bucket(0, 0, time.Time{})
	atExpiry := bucket(5, 0, now) // the instant itself is already expired
	save(t, s, postgres.Changes{NewBuckets: []ocs.Bucket{counts, heldAndExpired, drained, atExpiry}})
	ids := func(also ...ocs.BucketID) (ids []ocs.BucketID) {
		err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
			found, err := tx.LoadBuckets(t.Context(), []ocs.SubscriberID{n.Subscriber.ID}, now, also...)
			for _, b := range found {
				ids = append(ids, b.ID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(ids)
		return ids
	}
	want := []ocs.BucketID{n.Bucket.ID, counts.ID, heldAndExpired.ID}
	slices.Sort(want)
	same(t, "buckets that count", ids(), want)
	want = append(want, drained.ID)
	slices.Sort(want)
	same(t, "with a drained one that was named", ids(drained.ID), want)
}

func TestBucketThatIsNotThereIsNoticed(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	two := create(t, s, 2)
	ghost := *two[0].Bucket
	ghost.ID = ocs.BucketID(newID())
	taken := *two[1].Bucket
	taken.Balance = 1
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		return saveIn(t.Context(), tx, postgres.Changes{Buckets: []ocs.Bucket{ghost, taken}})
	})
	if postgres.Classify(err) != postgres.Bug {
		t.Errorf("got %v, want a bug", err)
	}
	left, err := s.Buckets(t.Context(), two[1].Subscriber.ID)
	if err != nil || left[0].Balance != 1000 {
		t.Errorf("the other bucket has %+v, %v: want it untouched", left, err)
	}
}

func TestConstraintsGuardBuckets(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	for _, wrong := range []struct{ balance, reserved rating.Units }{{-1, 0}, {1, 2}, {5, -1}} {
		b := *n.Bucket
		b.Balance, b.Reserved = wrong.balance, wrong.reserved
		err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
			return saveIn(t.Context(), tx, postgres.Changes{Buckets: []ocs.Bucket{b}})
		})
		if postgres.Classify(err) != postgres.Bug || !strings.Contains(err.Error(), "bucket_reserved_within_balance") {
			t.Errorf("balance %d reserved %d: got %v", wrong.balance, wrong.reserved, err)
		}
	}
}

func TestUnknownSubscribersAreLeftOut(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		ids := []ocs.SubscriberID{ocs.SubscriberID(newID()), n.Subscriber.ID, n.Subscriber.ID}
		got, err := tx.LockSubscribers(t.Context(), ids)
		same(t, "locked", got, []ocs.Subscriber{n.Subscriber})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Two servers: the second waits in the database until the first has committed, and then reads what that wrote.
func TestLockKeepsTheOtherServerOut(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	first, second := postgrestest.Open(t, dsn, postgres.Options{}), postgrestest.Open(t, dsn, postgres.Options{})
	n := create(t, first, 1)[0]
	ids := []ocs.SubscriberID{n.Subscriber.ID}
	db := raw(t, dsn)

	locked, other := make(chan struct{}), make(chan error, 1)
	var seen []ocs.Bucket
	go func() {
		<-locked
		other <- second.InTx(context.Background(), func(tx *postgres.Tx) error {
			if _, err := tx.LockSubscribers(context.Background(), ids); err != nil {
				return err
			}
			var err error
			seen, err = tx.LoadBuckets(context.Background(), ids, now)
			return err
		})
	}()
	err := first.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := tx.LockSubscribers(t.Context(), ids); err != nil {
			return err
		}
		close(locked)
		eventually(t, "the second server to wait for the lock", func() bool {
			return ask[bool](t, db, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR NO KEY UPDATE%')`)
		})
		b := *n.Bucket
		b.Balance = 777
		return saveIn(t.Context(), tx, postgres.Changes{Buckets: []ocs.Bucket{b}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-other; err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Balance != 777 {
		t.Errorf("the second server saw %+v, want what the first wrote", seen)
	}
}

// Whatever order they are named in, subscribers are locked in one order: many transactions over the same ones never deadlock.
func TestLockOrderPreventsDeadlock(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	s := postgrestest.Open(t, dsn, postgres.Options{MaxConns: 8})
	subscribers := create(t, s, 12)
	db := raw(t, dsn)
	var all sync.WaitGroup
	failures := make(chan error, 8)
	for worker := range 8 {
		all.Go(func() {
			for round := range 20 {
				var ids []ocs.SubscriberID
				for i := range subscribers {
					ids = append(ids, subscribers[(i*(worker*2+1)+round)%len(subscribers)].Subscriber.ID)
				}
				err := s.InTx(context.Background(), func(tx *postgres.Tx) error {
					_, err := tx.LockSubscribers(context.Background(), ids)
					return err
				})
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	if n := ask[int](t, db, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
}

// Two transactions that lock one by one in opposite orders deadlock; the one that Postgres chooses is tried again.
func TestDeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	two := create(t, s, 2)
	var all sync.WaitGroup
	var meet sync.WaitGroup
	meet.Add(2)
	errs := make([]error, 2)
	calls := make([]int, 2)
	for worker := range 2 {
		all.Go(func() {
			first, then := two[worker].Subscriber.ID, two[1-worker].Subscriber.ID
			errs[worker] = s.InTx(context.Background(), func(tx *postgres.Tx) error {
				calls[worker]++
				if _, err := tx.LockSubscribers(context.Background(), []ocs.SubscriberID{first}); err != nil {
					return err
				}
				if calls[worker] == 1 {
					meet.Done()
					meet.Wait()
				}
				_, err := tx.LockSubscribers(context.Background(), []ocs.SubscriberID{then})
				return err
			})
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if calls[0]+calls[1] < 3 {
		t.Errorf("calls %v: there was no deadlock", calls)
	}
}

func TestErrorRollsBack(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	session, bucket := newSession(n, "a", 60)
	mine := errors.New("mine")
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		if err := saveIn(t.Context(), tx, postgres.Changes{Sessions: []ocs.Session{session}, Buckets: []ocs.Bucket{bucket}}); err != nil {
			return err
		}
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("got %v, want my own error", err)
	}
	if got := load(t, s, postgres.SessionRef{Subscriber: session.Subscriber, Key: session.Key}); got != nil {
		t.Errorf("%+v was saved", got)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("panic was swallowed")
			}
		}()
		_ = s.InTx(t.Context(), func(tx *postgres.Tx) error {
			if err := saveIn(t.Context(), tx, postgres.Changes{Sessions: []ocs.Session{session}}); err != nil {
				return err
			}
			panic("mine")
		})
	}()
	if got := load(t, s, postgres.SessionRef{Subscriber: session.Subscriber, Key: session.Key}); got != nil {
		t.Errorf("%+v was saved", got)
	}
}

func TestClosedStore(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	create(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := s.InTx(t.Context(), func(*postgres.Tx) error { return nil })
	if err == nil || postgres.Classify(err) != postgres.Unavailable {
		t.Errorf("got %v", err)
	}
	if _, err := s.Resolve(t.Context(), []ocs.Identity{{Value: "1"}}); err == nil || postgres.Classify(err) != postgres.Unavailable {
		t.Errorf("got %v", err)
	}
}

// A Session-Id of the longest kind fits into every index.
func TestLongestSessionID(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	var id strings.Builder
	for i := range ocs.MaxSessionID { // hard to compress: an index compresses before it looks at the length
		fmt.Fprintf(&id, "%c", 33+(i*i*7+i*31+i/3)%90)
	}
	session, bucket := newSession(n, id.String()[:ocs.MaxSessionID], 60)
	event := ocs.RatedEvent{Subscriber: n.Subscriber.ID, Session: session.Key, Type: ocs.Update, At: now, Measure: rating.Seconds, Unit: rating.Seconds}
	record := ocs.Record{Subscriber: n.Subscriber.ID, Session: session.Key, Number: 1, StartedAt: now, EndedAt: now}
	posting := ocs.Posting{Movement: "refund:" + session.Key.ID, Subscriber: n.Subscriber.ID, At: now, Account: "refund:" + session.Key.ID}
	save(t, s, postgres.Changes{
		Sessions: []ocs.Session{session}, Buckets: []ocs.Bucket{bucket}, Events: []ocs.RatedEvent{event},
		Records: []ocs.Record{record}, Postings: []ocs.Posting{posting},
	})
	owners, err := s.Locate(t.Context(), []ocs.SessionKey{session.Key, {ID: "unknown"}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "owners", owners, []ocs.SubscriberID{n.Subscriber.ID, ""})
}
