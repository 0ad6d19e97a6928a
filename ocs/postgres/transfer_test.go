package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// saveTransfers stores what a batch came to.
func saveTransfers(t testing.TB, s *postgres.Store, b postgres.Changes, c postgres.TransferChanges) error {
	t.Helper()
	return s.InTx(t.Context(), func(tx *postgres.Tx) error {
		if err := saveIn(t.Context(), tx, b); err != nil {
			return err
		}
		return tx.SaveTransfers(t.Context(), c)
	})
}

// moveTo stores a transfer of seconds that was done, from the bucket of one as it is stored to a new one of another.
func moveTo(t testing.TB, s *postgres.Store, from, to postgres.NewSubscriber, seconds rating.Units) transfer.Transfer {
	t.Helper()
	source, err := s.Bucket(t.Context(), from.Bucket.ID)
	if err != nil {
		t.Fatal(err)
	}
	source.Balance -= seconds
	lot := ocs.Bucket{
		ID: ocs.BucketID(newID()), Subscriber: to.Subscriber.ID, Unit: source.Unit, Class: source.Class, Balance: seconds, CreatedAt: now,
		Root: source.Root, Parent: source.ID, Hops: source.Hops + 1,
	}
	moved := transfer.Transfer{
		Reference: transfer.NewReference(from.Subscriber.ID, 7), Operation: transfer.OpSend, Kind: transfer.P2P, Channel: transfer.USSD,
		Sender: from.Subscriber.ID, Receiver: to.Subscriber.ID, Seconds: seconds, Status: transfer.Completed, CreatedAt: now, EndedAt: now,
		Moves: []transfer.Move{{From: source.ID, To: lot.ID, Units: seconds, Class: source.Class}},
	}
	leg := func(n int, of ocs.Bucket, units rating.Units) ocs.Posting {
		return ocs.Posting{
			Movement: "transfer:" + string(moved.Reference), Leg: n, Subscriber: of.Subscriber, At: now, Kind: transfer.TransferPosting,
			Account: "lot:" + string(of.ID), Bucket: of.ID, Unit: rating.Seconds, Units: units,
		}
	}
	err = saveTransfers(t, s, postgres.Changes{
		Buckets: []ocs.Bucket{source}, NewBuckets: []ocs.Bucket{lot}, Postings: []ocs.Posting{leg(0, source, -seconds), leg(1, lot, seconds)},
	}, postgres.TransferChanges{New: []*transfer.Transfer{&moved}})
	if err != nil {
		t.Fatal(err)
	}
	return moved
}

// fullTransfer has every field set.
func fullTransfer(from, to ocs.SubscriberID, number uint64) transfer.Transfer {
	return transfer.Transfer{
		Reference: transfer.NewReference(from, number), Operation: transfer.OpReverse, Kind: transfer.CashOut, Channel: transfer.SMS,
		Caller: "realm", ClientRef: "ref", Counterparty: "agent:33331", Sender: from, Receiver: to, Seconds: 600, Fee: 12,
		Bearer: transfer.Originator, Note: "for \"bread\" \\ 빵",
		Moves:   []transfer.Move{{From: "a", To: "b", Units: 600, Class: "plan", ExpiresAt: now.Add(time.Hour)}, {From: "a", Units: 12, Fee: true}},
		Shares:  []transfer.Share{{Agent: "33331", Units: 7}},
		Counted: []transfer.Counter{{Subscriber: from, Row: "day", Other: to, Start: now, Count: 1, Seconds: 600}},
		Status:  transfer.Pending, Awaits: transfer.AwaitsConsent, Refusal: transfer.PairLimit,
		Checks: []transfer.Check{{Rule: "a", Have: "b", Want: "c", Passed: true}, {Rule: "d", NextAt: now}},
		Policy: "v1", PayoutHash: "hash", WrongCodes: 2, Reverses: "7K3M-9QTA-5", ReversedBy: "7K3M-9QTA-6", Returned: 3, Claims: 1,
		Persons: []string{"eve"}, Needed: 2, CreatedAt: now, DueAt: now.Add(time.Minute), EndedAt: now.Add(time.Second),
	}
}

// What is stored of a transfer is all of it; its checks are read by themselves, and stay when nothing was decided anew.
func TestTransferIsKept(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	parties := create(t, s, 2)
	from, to := parties[0].Subscriber.ID, parties[1].Subscriber.ID
	stored := fullTransfer(from, to, 1)
	if err := saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{New: []*transfer.Transfer{&stored}}); err != nil {
		t.Fatal(err)
	}
	want := stored
	want.Checks = nil
	got, err := s.TransferByReference(t.Context(), stored.Reference)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "transfer", got, want)
	got.Status, got.DueAt, got.Awaits = transfer.Cancelled, time.Time{}, ""
	if err := saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{Changed: []*transfer.Transfer{&got}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ocs.SubscriberID{from, to} {
		list, err := s.TransfersOf(t.Context(), id, 5)
		if err != nil || len(list) != 1 {
			t.Fatalf("transfers %+v, %v", list, err)
		}
		same(t, "changed transfer", list[0], got)
	}
	checks, err := s.TransferChecks(t.Context(), stored.Reference)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "checks", checks, stored.Checks)
	if _, err := s.TransferByReference(t.Context(), "0000-0000-0"); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	again := fullTransfer(from, to, 1)
	err = saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{New: []*transfer.Transfer{&again}})
	if !errors.Is(err, postgres.ErrReferenceTaken) {
		t.Errorf("got %v, want ErrReferenceTaken", err)
	}
}

func TestDueTransfers(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	parties := create(t, s, 2)
	due := fullTransfer(parties[0].Subscriber.ID, parties[1].Subscriber.ID, 1)
	later := fullTransfer(parties[0].Subscriber.ID, parties[1].Subscriber.ID, 2)
	later.DueAt = due.DueAt.Add(time.Microsecond)
	if err := saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{New: []*transfer.Transfer{&due, &later}}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		at   time.Time
		want int
	}{{due.DueAt.Add(-1), 0}, {due.DueAt, 1}, {later.DueAt, 2}} {
		found, err := s.DueTransfers(t.Context(), test.at, 10)
		if err != nil || len(found) != test.want {
			t.Errorf("due at %s: %v, %v; want %d", test.at, found, err, test.want)
		}
	}
}

// Every answer is kept whole, under caller, subscriber and reference, and none of these can be taken for another.
func TestAnswersAreKept(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	id := create(t, s, 1)[0].Subscriber.ID
	answer := transfer.Answer{
		Refusal: transfer.NotTransferable, Status: transfer.Failed, RetryAfter: time.Minute, Reference: "r", QuoteID: "q", Original: "o",
		Kind: transfer.Merchant, Seconds: 1, Fee: 2, Bearer: transfer.Receiver, ValidTo: now, Name: "KIM M***", TriesLeft: 3, Short: 4,
		Lots: []transfer.LotLine{{Seconds: 1, ExpiresAt: now, Class: "plan"}}, Left: 5, May: 6,
		Purse: &transfer.Purse{Total: 10, Movable: 3, InUse: 4, Kept: []transfer.Kept{{Class: "bonus", Reason: transfer.ByClass, Units: 3}}},
	}
	all := []transfer.Remembered{
		{Caller: "a", Subscriber: id, Reference: "bc", Fingerprint: "1", Answer: answer, At: now},
		{Caller: "ab", Subscriber: id, Reference: "c", Fingerprint: "2", At: now},
	}
	if err := saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{Answers: all}); err != nil {
		t.Fatal(err)
	}
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		keys := []postgres.AnswerKey{postgres.KeyOf(&all[0]), postgres.KeyOf(&all[1]), {Caller: "a", Subscriber: id, Reference: "other"}}
		found, err := tx.LoadAnswers(t.Context(), keys)
		if len(found) != 2 {
			t.Errorf("%d answers, want 2", len(found))
		}
		for i, key := range keys[:2] {
			same(t, "answer", found[key], all[i])
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if is, err := s.Answered(t.Context(), postgres.KeyOf(&all[0])); err != nil || !is {
		t.Errorf("answered %v, %v", is, err)
	}
}

// Counters are added to, also in one batch and below zero, and read by their ranges.
func TestCountersAddUp(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	id := create(t, s, 1)[0].Subscriber.ID
	one := transfer.Counter{Subscriber: id, Row: "day", Start: now, Count: 1, Seconds: 60}
	back := transfer.Counter{Subscriber: id, Row: "day", Start: now, Count: -3, Seconds: -180}
	pair := transfer.Counter{Subscriber: id, Row: "day", Other: "x", Start: now, Count: 9}
	old := transfer.Counter{Subscriber: id, Row: "day", Start: now.Add(-time.Hour), Count: 5}
	for _, added := range [][]transfer.Counter{{one, one, pair, old}, {back}} {
		if err := saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{Counters: added}); err != nil {
			t.Fatal(err)
		}
	}
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		r := transfer.CounterRange{Subscriber: id, Row: "day", Since: now}
		found, err := tx.LoadCounters(t.Context(), []transfer.CounterRange{r, r})
		same(t, "counters", found, []transfer.Counter{{Subscriber: id, Row: "day", Start: now, Count: -1, Seconds: -60}})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestQuotesAreKept(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	id := create(t, s, 1)[0].Subscriber.ID
	q := transfer.Quote{
		ID: string(transfer.NewReference(id, 5)), Sender: id, Receiver: "r", Kind: transfer.P2P, Channel: transfer.App, Seconds: 60, Fee: 1,
		Bearer: transfer.Originator, ExpiresAt: now, Policy: "v1", Counted: []transfer.Counter{{Subscriber: id, Row: "free", Start: now, Count: 1}},
	}
	store := func(q transfer.Quote) error {
		return saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{Quotes: []*transfer.Quote{&q}})
	}
	if err := store(q); err != nil {
		t.Fatal(err)
	}
	if err := store(q); !errors.Is(err, postgres.ErrReferenceTaken) {
		t.Errorf("another quote with a number that is taken: %v", err)
	}
	q.UsedBy = "7K3M-9QTA-5"
	if err := store(q); err != nil {
		t.Fatal(err)
	}
	load := func() (found []transfer.Quote) {
		err := s.InTx(t.Context(), func(tx *postgres.Tx) (err error) {
			found, err = tx.LoadQuotes(t.Context(), []string{q.ID})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	same(t, "quotes", load(), []transfer.Quote{q})
	if err := s.ForgetQuotes(t.Context(), now.Add(time.Second)); err != nil || len(load()) != 0 {
		t.Errorf("quote is not forgotten: %v", err)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	parties := create(t, s, 2)
	agent := postgres.Role{
		Role: transfer.Role{Kind: transfer.AgentRole, Code: "11111", Owner: parties[1].Subscriber.ID}, Subscriber: parties[0].Subscriber.ID,
		CreatedAt: now,
	}
	shop := postgres.Role{Role: transfer.Role{Kind: transfer.MerchantRole, Code: "22222", Parent: "11111"}, Subscriber: agent.Subscriber, CreatedAt: now}
	if err := s.CreateRole(t.Context(), shop); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("a parent that is not there: %v", err)
	}
	for _, r := range []postgres.Role{agent, shop} {
		if err := s.CreateRole(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := s.CreateRole(t.Context(), r); !errors.Is(err, postgres.ErrCodeTaken) || postgres.Classify(err) != postgres.Refused {
			t.Errorf("twice: %v", err)
		}
		got, err := s.Role(t.Context(), r.Code)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "role", got, r)
	}
	if err := s.CloseRole(t.Context(), "22222", true); err != nil {
		t.Fatal(err)
	}
	shop.Closed = true
	got, err := s.RolesOf(t.Context(), agent.Subscriber)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "roles", got, []postgres.Role{agent, shop})
}

func TestProfile(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	parties := create(t, s, 2)
	id, other := parties[0].Subscriber.ID, parties[1].Subscriber.ID
	want := postgres.Profile{Subscriber: id}
	check := func() {
		t.Helper()
		got, err := s.Profile(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "profile", got, want)
	}
	check()
	want.Profile = transfer.Profile{
		Name: "Kim", Language: "ko", PlanFamily: "f", Postpaid: true, Roaming: true, SharedAccount: "s", Advance: true, OnNetSince: now,
		RechargedAt: now, SIMChangedAt: now, PortedAt: now, DeviceChangedAt: now, Freeze: transfer.Closing, FrozenUntil: now,
	}
	if err := s.SetProfile(t.Context(), id, want.Profile); err != nil {
		t.Fatal(err)
	}
	check()
	for range 2 {
		if err := s.Block(t.Context(), id, other); err != nil {
			t.Fatal(err)
		}
	}
	want.Blocks = []ocs.SubscriberID{other}
	check()
	if err := s.Unblock(t.Context(), id, other); err != nil {
		t.Fatal(err)
	}
	want.Blocks = nil
	seen := []postgres.Card{{Subscriber: id, IMSI: "1"}}
	for range 2 {
		if err := saveTransfers(t, s, postgres.Changes{}, postgres.TransferChanges{Cards: seen}); err != nil {
			t.Fatal(err)
		}
		want.IMSI = seen[0].IMSI
		if at := seen[0].ChangedAt; !at.IsZero() {
			want.SIMChangedAt = at
		}
		check()
		seen[0] = postgres.Card{Subscriber: id, IMSI: "2", ChangedAt: now.Add(time.Hour)}
	}
	if err := s.SetProfile(t.Context(), ocs.SubscriberID(newID()), want.Profile); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("profile of nobody: %v", err)
	}
}

func TestPINRecord(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	id := create(t, s, 1)[0].Subscriber.ID
	if got, err := s.PIN(t.Context(), id); err != nil || got != (pin.Record{}) {
		t.Errorf("got %+v, %v", got, err)
	}
	want := pin.Record{Hash: "h", MustChange: true, Tries: 1, Locks: 2, LockedUntil: now, ChangedAt: now, Resets: 3, ResetsSince: now}
	want.Asked[0] = pin.Asked{Key: "k", Owner: "o", At: now, Result: transfer.Locked, Left: 1, Until: now}
	want.Asked[1] = pin.Asked{Key: "l", Owner: "p", At: now}
	if err := s.UpdatePIN(t.Context(), id, func(pin.Record) (pin.Record, error) { return want, nil }); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no")
	err := s.UpdatePIN(t.Context(), id, func(r pin.Record) (pin.Record, error) {
		same(t, "PIN", r, want)
		r.Tries++
		return r, broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if got, err := s.PIN(t.Context(), id); err != nil || got != want {
		t.Errorf("got %+v, %v; want it unchanged", got, err)
	}
}

// A message is claimed by one, comes again when its claim is over, is put off, given up, or gone.
func TestOutbox(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	m := outbox.Message{ID: newID(), Kind: outbox.Text, To: "49", Body: "hello {\"}", Secret: "s", Reference: "r", CreatedAt: now}
	for range 2 {
		if err := s.OutboxAppend(t.Context(), []outbox.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	until := now.Add(time.Minute)
	claim := func(kind outbox.Kind, at time.Time, want ...outbox.Message) {
		t.Helper()
		got, err := s.OutboxClaim(t.Context(), kind, at, at.Add(time.Minute), 10)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "claimed", got, want)
	}
	done := func(r outbox.Result) {
		t.Helper()
		r.ID = m.ID
		if err := s.OutboxDone(t.Context(), []outbox.Result{r}); err != nil {
			t.Fatal(err)
		}
	}
	claim(outbox.Event, now)
	claim(outbox.Text, now.Add(-time.Second))
	m.Tries = 1
	claim(outbox.Text, now, m)
	claim(outbox.Text, now)
	m.Tries = 2
	claim(outbox.Text, until, m)
	done(outbox.Result{Tries: 1, State: outbox.Failed}) // of a server that was slow
	done(outbox.Result{Tries: 2, State: outbox.Waiting, NextAt: until.Add(time.Hour), Problem: "timeout"})
	claim(outbox.Text, until.Add(time.Hour-1))
	m.Tries = 3
	claim(outbox.Text, until.Add(time.Hour), m)
	done(outbox.Result{Tries: 3, State: outbox.Failed, Problem: "refused"})
	claim(outbox.Text, until.AddDate(1, 0, 0))
	if kept, err := s.OutboxOf(t.Context(), "r"); err != nil || len(kept) != 1 {
		t.Errorf("%+v, %v; want that what was given up is kept", kept, err)
	}
	done(outbox.Result{Tries: 1, State: outbox.Sent})
	if kept, err := s.OutboxOf(t.Context(), "r"); err != nil || len(kept) != 0 {
		t.Errorf("%+v, %v; want that what was sent is gone", kept, err)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	var all []postgres.AuditEntry
	for i := range 5 {
		all = append(all, postgres.AuditEntry{
			ID: newID(), At: now.Add(time.Duration(i/2) * time.Second), Actor: "eve", Role: "operator", Channel: "api", Action: "act", Subject: "s",
			Reference: "r", Before: []byte(`{"a": 1}`), After: []byte(`null`), Policy: "v1",
		})
	}
	if err := s.AuditAppend(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	if err := s.AuditAppend(t.Context(), postgres.AuditEntry{At: now, Subject: "other"}); err != nil {
		t.Fatal(err)
	}
	var got []postgres.AuditEntry
	var after postgres.Cursor
	for {
		page, next, err := s.AuditList(t.Context(), postgres.AuditFilter{Subject: "s", After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page...)
		if next == "" {
			break
		}
		after = next
	}
	same(t, "audit", got, all)
	if _, _, err := s.AuditList(t.Context(), postgres.AuditFilter{After: "x", Limit: 2}); !errors.Is(err, postgres.ErrBadCursor) {
		t.Errorf("got %v", err)
	}
}

// The kill switch waits for the transactions that do not know of it.
func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	for range 2 {
		if err := s.SavePolicy(t.Context(), "v1", []byte("kinds: {}"), "eve", now); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Policy(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	want := postgres.PolicyVersion{Version: "v1", Document: []byte("kinds: {}"), SavedAt: now, SavedBy: "eve"}
	same(t, "policy", got, want)
	want.Document = []byte{}
	list, err := s.PolicyVersions(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "policies", list, []postgres.PolicyVersion{want})
	if err := s.PutPolicyInForce(t.Context(), "v1", "eve", now); err != nil {
		t.Fatal(err)
	}
	if err := s.StopTransfers(t.Context(), "fire", "eve", now); err != nil {
		t.Fatal(err)
	}
	inForce, err := s.PolicyInForce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "in force", inForce, postgres.InForce{Version: "v1", StoppedAt: now, StopReason: "fire", ChangedAt: now, ChangedBy: "eve"})

	shares, release, stopped := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		stopped <- s.InTx(t.Context(), func(tx *postgres.Tx) error {
			if _, err := tx.ShareInForce(t.Context()); err != nil {
				return err
			}
			close(shares)
			<-release
			return nil
		})
	}()
	<-shares
	resumed := make(chan error, 1)
	go func() { resumed <- s.ResumeTransfers(t.Context(), "eve", now) }()
	eventually(t, "the switch to wait", func() bool {
		var waiting int
		if err := postgres.HotPool(s).GetContext(t.Context(), &waiting, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`); err != nil {
			t.Fatal(err)
		}
		return waiting > 0
	})
	close(release)
	if err := errors.Join(<-stopped, <-resumed); err != nil {
		t.Error(err)
	}
}

func TestBucketTrace(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	parties := create(t, s, 2)
	moved := moveTo(t, s, parties[0], parties[1], 30)
	lot := moved.Moves[0].To
	for _, id := range []ocs.BucketID{parties[0].Bucket.ID, lot} {
		trace, err := s.BucketTrace(t.Context(), id)
		if err != nil || len(trace) != 2 || trace[0].ID != parties[0].Bucket.ID || trace[1].ID != lot || trace[1].Root != trace[0].ID {
			t.Errorf("trace %+v, %v", trace, err)
		}
	}
	if _, err := s.BucketTrace(t.Context(), ocs.BucketID(newID())); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	postgrestest.CheckInvariants(t, s)
}
