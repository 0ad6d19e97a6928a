package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
)

func TestSubscribers(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	all := create(t, s, 5)
	want := all[3].Subscriber
	for _, identity := range all[3].Identities {
		got, err := s.SubscriberByIdentity(t.Context(), identity)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "subscriber by identity", got, want)
	}
	for _, identity := range []ocs.Identity{
		{Kind: ocs.E164, Value: "4999"}, {Kind: ocs.IMSI, Value: want.MSISDN}, {Kind: ocs.E164, Value: ""},
	} {
		if _, err := s.SubscriberByIdentity(t.Context(), identity); !errors.Is(err, postgres.ErrNotFound) {
			t.Errorf("%+v: got %v, want not found", identity, err)
		} else if identity.Value != "" && strings.Contains(err.Error(), identity.Value) {
			t.Errorf("%v tells the identity", err)
		}
	}
	located, err := s.Resolve(t.Context(), []ocs.Identity{{Kind: ocs.E164, Value: "4999"}, all[1].Identities[1], all[0].Identities[0], all[1].Identities[0]})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "located", located, []postgres.Located{
		{}, {Subscriber: all[1].Subscriber.ID, Version: 1}, {Subscriber: all[0].Subscriber.ID, Version: 1}, {Subscriber: all[1].Subscriber.ID, Version: 1},
	})

	var listed []string
	after := ""
	for {
		page, err := s.ListSubscribers(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, n := range page {
			listed, after = append(listed, n.MSISDN), n.MSISDN
		}
	}
	if len(listed) != 5 || !slices.IsSorted(listed) {
		t.Errorf("listed %v", listed)
	}

	if err := s.SetState(t.Context(), want.ID, ocs.Blocked, now); err != nil {
		t.Fatal(err)
	}
	want.State = ocs.Blocked
	got, err := s.Subscriber(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "blocked", got, want)
	if err := s.SetState(t.Context(), ocs.SubscriberID(newID()), ocs.Blocked, now); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("got %v, want not found", err)
	}
	if err := s.SetState(t.Context(), want.ID, "asleep", now); postgres.Classify(err) != postgres.Bug {
		t.Errorf("got %v, want a bug", err)
	}
	postgrestest.CheckInvariants(t, s)
}

// Names beside MSISDN and IMSI are found, and told for those who have them.
func TestNames(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	plain, named := newSubscriber(1, 10), newSubscriber(2, 0)
	named.Identities = append(slices.Clone(named.Identities),
		ocs.Identity{Kind: ocs.SIPURI, Value: "sip:a@x"}, ocs.Identity{Kind: ocs.NAI, Value: "a@y"}, ocs.Identity{Kind: ocs.Private, Value: "a"})
	if err := s.CreateSubscribers(t.Context(), []postgres.NewSubscriber{plain, named}, now); err != nil {
		t.Fatal(err)
	}
	for _, identity := range named.Identities {
		got, err := s.SubscriberByIdentity(t.Context(), identity)
		if err != nil || got.ID != named.Subscriber.ID {
			t.Errorf("%+v finds %q, %v", identity, got.ID, err)
		}
	}
	got, err := s.Names(t.Context(), []ocs.SubscriberID{plain.Subscriber.ID, named.Subscriber.ID, ocs.SubscriberID(newID())})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "names", got, map[ocs.SubscriberID]postgres.Names{named.Subscriber.ID: {SIPURI: "sip:a@x", NAI: "a@y", Private: "a"}})
}

func TestTakenIdentityCreatesNobody(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	there := create(t, s, 3)
	withIdentity := func(n postgres.NewSubscriber, id ocs.Identity) postgres.NewSubscriber {
		n.Identities = append(slices.Clone(n.Identities), id)
		return n
	}
	twin := newSubscriber(101, 10)
	for _, test := range []struct {
		what string
		rows []postgres.NewSubscriber
		row  int
		kind ocs.IdentityKind
	}{
		{"of an older subscriber", []postgres.NewSubscriber{newSubscriber(100, 10), withIdentity(newSubscriber(101, 10), there[1].Identities[1])}, 1, ocs.IMSI},
		{"of each other", []postgres.NewSubscriber{newSubscriber(100, 10), newSubscriber(102, 10), withIdentity(newSubscriber(101, 10), ocs.Identity{Kind: ocs.E164, Value: "493010000100"})}, 2, ocs.E164},
		{"first of many", []postgres.NewSubscriber{newSubscriber(100, 10), newSubscriber(1, 10), newSubscriber(0, 10)}, 1, ocs.E164},
		{"the very same again", []postgres.NewSubscriber{twin, twin}, 1, ocs.E164},
	} {
		err := s.CreateSubscribers(t.Context(), test.rows, now)
		taken, ok := errors.AsType[*postgres.IdentityTakenError](err)
		if test.what == "of each other" {
			test.rows[2].Identities[2].Value = test.rows[0].Identities[0].Value
			err = s.CreateSubscribers(t.Context(), test.rows, now)
			taken, ok = errors.AsType[*postgres.IdentityTakenError](err)
		}
		if !ok || !errors.Is(err, postgres.ErrIdentityTaken) || postgres.Classify(err) != postgres.Refused || taken.Row != test.row || taken.Kind != test.kind {
			t.Errorf("%s: got %v %+v, want row %d kind %d", test.what, err, taken, test.row, test.kind)
		}
		for _, n := range test.rows {
			if strings.Contains(fmt.Sprint(err), n.Subscriber.MSISDN) {
				t.Errorf("%v tells an MSISDN", err)
			}
		}
	}
	listed, err := s.ListSubscribers(t.Context(), "", 100)
	if err != nil || len(listed) != 3 {
		t.Errorf("%d subscribers, %v, want the 3 from before", len(listed), err)
	}
	postgrestest.CheckInvariants(t, s)
}

// Two imports of overlapping files: one of them wins as a whole.
func TestTwoImportsAtOnce(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	first, second := postgrestest.Open(t, dsn, postgres.Options{}), postgrestest.Open(t, dsn, postgres.Options{})
	var all sync.WaitGroup
	errs := make([]error, 2)
	for i, s := range []*postgres.Store{first, second} {
		rows := make([]postgres.NewSubscriber, 300)
		for n := range rows {
			rows[n] = newSubscriber((n*7)%300+i*100, 10)
		}
		all.Go(func() { errs[i] = s.CreateSubscribers(t.Context(), rows, now) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, postgres.ErrIdentityTaken) {
			t.Error(err)
		}
	}
	listed, err := first.ListSubscribers(t.Context(), "", 1000)
	if err != nil || won != 1 || len(listed) != 300 {
		t.Errorf("%d imports won, %d subscribers, %v; want 1 and 300", won, len(listed), err)
	}
}

// 100,000 subscribers are created in well under a minute, with 500,000 other rows.
func TestManySubscribers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	s := postgrestest.New(t)
	begin := time.Now()
	create(t, s, 100_000)
	took := time.Since(begin)
	t.Logf("100,000 subscribers in %v", took.Round(time.Millisecond))
	if took > 50*time.Second {
		t.Errorf("took %v, want well under a minute", took)
	}
}

func TestGrant(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	id := n.Subscriber.ID
	grant := func(movement string, units rating.Units, at time.Time) (bool, error) {
		bucket, postings := ocs.GrantBucket(ocs.Grant{
			Movement: movement, Subscriber: id, Bucket: ocs.BucketID(newID()), Unit: rating.Seconds, Units: units,
			Class: "gift", ExpiresAt: now.Add(24 * time.Hour), Offer: "birthday",
		}, at)
		return s.Grant(t.Context(), movement, id, bucket, postings)
	}
	for i, step := range []struct {
		movement string
		units    rating.Units
		repeated bool
		err      error
	}{
		{"one", 100, false, nil},
		{"one", 100, true, nil},
		{"one", 101, false, postgres.ErrMovementDiffers},
		{"two", 100, false, nil},
	} {
		repeated, err := grant(step.movement, step.units, now.Add(time.Duration(i)*time.Second))
		if repeated != step.repeated || !errors.Is(err, step.err) || (err != nil && postgres.Classify(err) != postgres.Refused) {
			t.Errorf("step %d: got %v %v, want %v %v", i, repeated, err, step.repeated, step.err)
		}
	}
	buckets, err := s.Buckets(t.Context(), id)
	if err != nil || len(buckets) != 3 {
		t.Errorf("%d buckets, %v, want 3", len(buckets), err)
	}
	id = ocs.SubscriberID(newID())
	if _, err := grant("three", 5, now); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("got %v, want not found", err)
	}
	postgrestest.CheckInvariants(t, s)
}

// The same grant five times at once, over two servers: it is made once.
func TestGrantAtOnce(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	servers := []*postgres.Store{postgrestest.Open(t, dsn, postgres.Options{}), postgrestest.Open(t, dsn, postgres.Options{})}
	n := create(t, servers[0], 1)[0]
	var all sync.WaitGroup
	made := make([]bool, 5)
	for i := range made {
		all.Go(func() {
			bucket, postings := ocs.GrantBucket(ocs.Grant{
				Movement: "once", Subscriber: n.Subscriber.ID, Bucket: ocs.BucketID(newID()), Unit: rating.Seconds, Units: 7, Class: "gift",
			}, now)
			repeated, err := servers[i%2].Grant(t.Context(), "once", n.Subscriber.ID, bucket, postings)
			if err != nil {
				t.Error(err)
			}
			made[i] = !repeated
		})
	}
	all.Wait()
	count := 0
	for _, m := range made {
		if m {
			count++
		}
	}
	buckets, err := servers[1].Buckets(t.Context(), n.Subscriber.ID)
	if err != nil || count != 1 || len(buckets) != 2 {
		t.Errorf("made %d times, %d buckets, %v; want once and 2", count, len(buckets), err)
	}
}

func TestRecordsAndEventsByPages(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	two := create(t, s, 2)
	var c postgres.Changes
	for i := range 20 { // some at the same instant, over three months
		n := two[i%2].Subscriber
		key := ocs.SessionKey{ID: fmt.Sprint("call", i)}
		at := now.AddDate(0, i%3, i/6)
		c.Records = append(c.Records, ocs.Record{Subscriber: n.ID, MSISDN: n.MSISDN, Session: key, Number: 1, StartedAt: at, EndedAt: at})
		c.Events = append(c.Events, ocs.RatedEvent{Subscriber: n.ID, Session: key, Type: ocs.Update, At: at, Used: 1, Charged: 0})
	}
	save(t, s, c)
	for _, test := range []struct {
		what       string
		subscriber ocs.SubscriberID
		from, to   time.Time
		want       int
	}{
		{"all", "", time.Time{}, time.Time{}, 20},
		{"of one", two[0].Subscriber.ID, time.Time{}, time.Time{}, 10},
		{"the first month", "", now.AddDate(0, 0, -1), now.AddDate(0, 0, 20), 7},
		{"from is in, to is out", "", now, now.AddDate(0, 1, 0), 7},
		{"nothing", "", now.AddDate(1, 0, 0), time.Time{}, 0},
	} {
		records := postgres.RecordFilter{Subscriber: test.subscriber, From: test.from, To: test.to, Limit: 3}
		var seen []ocs.Record
		for {
			page, err := s.Records(t.Context(), records)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			seen = append(seen, page...)
			records.After = postgres.RecordCursor(page[len(page)-1])
		}
		inTime := slices.IsSortedFunc(seen, func(a, b ocs.Record) int { return a.EndedAt.Compare(b.EndedAt) })
		if len(seen) != test.want || !inTime {
			t.Errorf("records, %s: got %d, in order of time %v, want %d", test.what, len(seen), inTime, test.want)
		}
		events := postgres.RatedEventFilter{Subscriber: test.subscriber, From: test.from, To: test.to, Limit: 3}
		var rated []ocs.RatedEvent
		for {
			page, err := s.RatedEvents(t.Context(), events)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			rated = append(rated, page...)
			events.After = postgres.RatedEventCursor(page[len(page)-1])
		}
		if len(rated) != test.want {
			t.Errorf("rated events, %s: got %d, want %d", test.what, len(rated), test.want)
		}
	}
	of, err := s.RatedEvents(t.Context(), postgres.RatedEventFilter{Session: ocs.SessionKey{ID: "call7"}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rated events of a session", of, c.Events[7:8])
	for _, cursor := range []postgres.Cursor{"nonsense!", "bm9uc2Vuc2U"} {
		if _, err := s.Records(t.Context(), postgres.RecordFilter{After: cursor, Limit: 1}); !errors.Is(err, postgres.ErrBadCursor) {
			t.Errorf("got %v, want a bad cursor", err)
		}
		if _, err := s.RatedEvents(t.Context(), postgres.RatedEventFilter{After: cursor, Limit: 1}); !errors.Is(err, postgres.ErrBadCursor) {
			t.Errorf("got %v, want a bad cursor", err)
		}
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	two := create(t, s, 2)
	a, bucketA := newSession(two[0], "a", 60)
	b, bucketB := newSession(two[1], "b", 40)
	ended, _ := newSession(two[1], "c", 0)
	ended.State = ocs.Ended
	save(t, s, postgres.Changes{Sessions: []ocs.Session{a, b, ended}, Buckets: []ocs.Bucket{bucketA, bucketB}})
	got, err := s.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := postgres.Totals{OpenSessions: 2, Reserved: map[rating.Unit]rating.Units{rating.Seconds: 100}}
	same(t, "totals", got, want)
	a.State = ocs.Ended
	save(t, s, postgres.Changes{Sessions: []ocs.Session{a}})
	if got, err = s.Totals(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "totals at once again", got, want)
}

func TestCatalogs(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	for _, document := range []string{"first: 1\n", "second: 2\n"} { // a version never changes
		if err := s.SaveCatalog(t.Context(), "v1", []byte(document), "anna", now); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Catalog(t.Context(), "v1")
	if err != nil || string(got.Document) != "first: 1\n" || got.SavedBy != "anna" || !got.SavedAt.Equal(now) {
		t.Errorf("got %+v, %v", got, err)
	}
	inForce := func(want postgres.CatalogInForce) {
		t.Helper()
		if got, err := s.CatalogInForce(t.Context()); err != nil || got != want {
			t.Errorf("in force: got %+v, %v, want %+v", got, err, want)
		}
	}
	inForce(postgres.CatalogInForce{})
	if err := s.PutCatalogInForce(t.Context(), "v0", "own", "ben", now); err != nil {
		t.Fatal(err)
	}
	inForce(postgres.CatalogInForce{Version: "v0", Before: "own", ChangedAt: now, ChangedBy: "ben"})
	for i, version := range []string{"v1", "v2", "v2"} { // what is in force already is not put there again
		if err := s.PutCatalogInForce(t.Context(), version, "own", "ben", now.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	inForce(postgres.CatalogInForce{Version: "v2", Before: "v1", ChangedAt: now.Add(time.Hour), ChangedBy: "ben"})
	if _, err := s.Catalog(t.Context(), "v2"); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("got %v, want not found", err)
	}
}
