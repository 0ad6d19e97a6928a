package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// An update of a call changes no index: all of them stay on their page (S15).
func TestUpdatesStayHOT(t *testing.T) {
	t.Parallel()
	dsn := ownCluster(t).DSN() // dead rows are kept while any transaction of a cluster runs, also in other databases
	s := openMigrated(t, dsn, postgres.Options{MaxConns: 1})
	subscribers := create(t, s, 400)
	calls := make([]postgres.Changes, 10) // batches of 40, as they meet: not neighbours in the table
	var begin postgres.Changes
	for i, n := range subscribers {
		session, bucket := newSession(n, fmt.Sprint("call", i), 60)
		session.Conditions = ocs.Conditions{
			Calling: "sip:+49301234567@ims.example.net", Called: "tel:+49307654321", ICID: "icid-0123456789abcdef", Network: "26201", CallStart: now,
		}
		session.Origin = ocs.Origin{Host: "tas1.ims.example.net", Realm: "ims.example.net", Peer: "dra1.example.net"}
		c := &calls[i%len(calls)]
		c.Sessions, c.Buckets = append(c.Sessions, session), append(c.Buckets, bucket)
		begin.Sessions = append(begin.Sessions, session)
	}
	save(t, s, begin)
	const updates = 6
	for range updates {
		for _, c := range calls {
			for i := range c.Sessions { // as an update that reports 60 s and gets 60 more
				session := &c.Sessions[i]
				session.DueAt = session.DueAt.Add(time.Minute)
				session.ReportedAt = session.DueAt
				session.Quotas[0].Used += 60
				session.Memory.Answers = append(session.Memory.Answers, ocs.Remembered{
					Type: ocs.Update, Number: uint32(len(session.Memory.Answers)), At: now,
					Answer: ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{Verdict: ocs.Granted, Measure: "seconds", Granted: 60}}},
				})
				c.Buckets[i].Balance -= 10
			}
			save(t, s, c)
		}
	}
	if err := s.Close(); err != nil { // a backend tells its counts when it ends
		t.Fatal(err)
	}
	db := raw(t, dsn)
	for table, want := range map[string]int{"session": updates * len(subscribers), "bucket": updates * len(subscribers)} {
		updated := func() int {
			return ask[int](t, db, `SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = $1`, table)
		}
		eventually(t, "the counts of "+table, func() bool { return updated() >= want })
		hot := ask[int](t, db, `SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = $1`, table)
		t.Logf("%s: %d updates, %d HOT", table, updated(), hot)
		if hot*100 < updated()*95 { // a page may be full for once; with an index in the way there would be none
			t.Errorf("%s: %d of %d updates were HOT", table, hot, updated())
		}
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	s := postgrestest.Open(t, dsn, postgres.Options{})
	n := create(t, s, 1)[0]
	session := func(key string, state ocs.SessionState, due time.Duration) ocs.Session {
		made, _ := newSession(n, key, 0)
		made.State, made.DueAt = state, now.Add(due)
		return made
	}
	alive := session("alive", ocs.Open, time.Minute)
	save(t, s, postgres.Changes{Sessions: []ocs.Session{
		alive, session("silent", ocs.Open, 0), session("silent for long", ocs.Expired, 2*time.Hour),
		session("remembered", ocs.Ended, time.Hour), session("forgotten", ocs.Refused, 0),
	}})
	alive.DueAt = now.Add(time.Hour) // an update came
	save(t, s, postgres.Changes{Sessions: []ocs.Session{alive}})
	sweep := func(after time.Duration) (keys []string) {
		due, err := s.Sweep(t.Context(), now.Add(after), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range due {
			if ref.Subscriber != n.Subscriber.ID {
				t.Errorf("%+v has the wrong subscriber", ref)
			}
			keys = append(keys, ref.Key.ID)
		}
		slices.Sort(keys)
		return keys
	}
	left := func() (keys []string) {
		all, err := s.Sessions(t.Context(), postgres.SessionFilter{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range all {
			keys = append(keys, found.Key.ID)
		}
		slices.Sort(keys)
		return keys
	}
	same(t, "at 0", sweep(0), []string{"silent"})
	same(t, "left at 0", left(), []string{"alive", "remembered", "silent", "silent for long"})
	same(t, "again: it is claimed", sweep(0), nil)
	same(t, "10 s later, not decided", sweep(10*time.Second), []string{"silent"})
	save(t, s, postgres.Changes{Sessions: []ocs.Session{session("silent", ocs.Expired, 48*time.Hour)}})
	same(t, "decided", sweep(30*time.Second), nil)
	same(t, "where the first due time was, an update came", sweep(time.Minute), nil)
	same(t, "an hour later", sweep(time.Hour), []string{"alive"})
	same(t, "left after an hour", left(), []string{"alive", "silent", "silent for long"})
	same(t, "two hours later", sweep(2*time.Hour), []string{"alive"})
	same(t, "left after two hours", left(), []string{"alive", "silent"})

	db := raw(t, dsn)
	if got := ask[time.Time](t, db, `SELECT sweep_at FROM session WHERE session_id = 'silent'`); !got.Equal(now.Add(48 * time.Hour)) {
		t.Errorf("the sweep looks at the expired session again at %v, want at its due time", got)
	}

	// A session that begins anew under the key of one that is remembered is supervised again.
	save(t, s, postgres.Changes{Sessions: []ocs.Session{session("silent", ocs.Open, 3*time.Hour)}})
	same(t, "begun anew, due", sweep(3*time.Hour), []string{"alive", "silent"})
}

// Many due sessions are handed out once each, to two servers at the same time.
func TestTwoServersSweep(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	first, second := postgrestest.Open(t, dsn, postgres.Options{}), postgrestest.Open(t, dsn, postgres.Options{})
	n := create(t, first, 1)[0]
	var c postgres.Changes
	for i := range 500 {
		session, _ := newSession(n, fmt.Sprint("call", i), 0)
		c.Sessions = append(c.Sessions, session)
	}
	save(t, first, c)
	later := now.Add(time.Hour)
	type result struct {
		due []postgres.SessionRef
		err error
	}
	results := make(chan result, 2)
	for _, s := range []*postgres.Store{first, second} {
		go func() {
			var all []postgres.SessionRef
			for {
				due, err := s.Sweep(t.Context(), later, 64)
				all = append(all, due...)
				if err != nil || len(due) == 0 {
					results <- result{all, err}
					return
				}
			}
		}()
	}
	seen := map[postgres.SessionRef]int{}
	for range 2 {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
		}
		for _, ref := range r.due {
			seen[ref]++
		}
	}
	// Rows that the other one had locked come with the next sweep.
	for {
		rest, err := first.Sweep(t.Context(), later, 64)
		if err != nil {
			t.Fatal(err)
		}
		if len(rest) == 0 {
			break
		}
		for _, ref := range rest {
			seen[ref]++
		}
	}
	if len(seen) != 500 {
		t.Errorf("%d sessions were handed out, want 500", len(seen))
	}
	for ref, times := range seen {
		if times != 1 {
			t.Errorf("%v was handed out %d times", ref.Key, times)
		}
	}
}

func TestSessionLists(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	subscribers := create(t, s, 3)
	var c postgres.Changes
	for i, n := range subscribers {
		for j := range 4 {
			session, _ := newSession(n, fmt.Sprintf("call%d-%d", i, j), 0)
			if j == 3 {
				session.State = ocs.Ended
			}
			c.Sessions = append(c.Sessions, session)
		}
	}
	save(t, s, c)
	pages := func(f postgres.SessionFilter) (keys []string) {
		for {
			page, err := s.Sessions(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				return keys
			}
			for _, found := range page {
				keys = append(keys, found.Key.ID)
				f.After = postgres.SessionRef{Subscriber: found.Subscriber, Key: found.Key}
			}
		}
	}
	for _, test := range []struct {
		what   string
		filter postgres.SessionFilter
		want   int
	}{
		{"all", postgres.SessionFilter{Limit: 5}, 12},
		{"open", postgres.SessionFilter{State: ocs.Open, Limit: 2}, 9},
		{"of one subscriber", postgres.SessionFilter{Subscriber: subscribers[1].Subscriber.ID, Limit: 3}, 4},
		{"open, of one", postgres.SessionFilter{Subscriber: subscribers[1].Subscriber.ID, State: ocs.Open, Limit: 2}, 3},
		{"of nobody", postgres.SessionFilter{Subscriber: ocs.SubscriberID(newID()), Limit: 2}, 0},
	} {
		keys := pages(test.filter)
		slices.Sort(keys)
		if got := len(slices.Compact(slices.Clone(keys))); got != test.want || len(keys) != test.want {
			t.Errorf("%s: got %v, want %d", test.what, keys, test.want)
		}
	}
	got, err := s.Session(t.Context(), c.Sessions[5].Key)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "session by key", got, c.Sessions[5])
	if _, err := s.Session(t.Context(), ocs.SessionKey{ID: "nobody's"}); postgres.Classify(err) != postgres.Refused {
		t.Errorf("got %v, want not found", err)
	}
}

// On Citus a batch has one slot, and its statements name it.
func TestStatementsOfOneSlot(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	postgres.Spread(s)
	n := create(t, s, 1)[0]
	session, bucket := newSession(n, "a", 60)
	save(t, s, postgres.Changes{Sessions: []ocs.Session{session}, Buckets: []ocs.Bucket{bucket}})
	ids := []ocs.SubscriberID{n.Subscriber.ID}
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		locked, err := tx.LockSubscribers(t.Context(), ids)
		if err != nil {
			return err
		}
		same(t, "subscribers", locked, []ocs.Subscriber{n.Subscriber})
		buckets, err := tx.LoadBuckets(t.Context(), ids, now)
		if err != nil {
			return err
		}
		same(t, "buckets", buckets, []ocs.Bucket{bucket})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "session", load(t, s, postgres.SessionRef{Subscriber: n.Subscriber.ID, Key: session.Key}), &session)
}
