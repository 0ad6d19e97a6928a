package charging_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

const (
	ann = "491700000001"
	ben = "491700000002"
	cem = "491700000003"
)

// openPolicy bounds nothing.
func openPolicy() *transfer.Policy {
	p := transfer.Default()
	p.Version, p.Limits = "open", nil
	p.Cooling = transfer.Cooling{}
	return p
}

func withPolicy(p *transfer.Policy) func(*charging.Config) {
	return func(c *charging.Config) { c.Policy = func() *transfer.Policy { return p } }
}

// send is a request of from to send seconds to another.
func send(from, to, reference string, seconds rating.Units) charging.Transfer {
	return charging.Transfer{
		Acting: ocs.Identity{Kind: ocs.E164, Value: from},
		Request: transfer.Request{
			Operation: transfer.OpSend, Kind: transfer.P2P, Channel: transfer.API, By: transfer.BySender, Caller: "test",
			Reference: reference, Counterparty: "tel:" + to, Seconds: seconds, Confirmed: true,
		},
	}
}

// on is a request of who about a stored transfer.
func on(who string, o transfer.Operation, original transfer.Reference, reference string) charging.Transfer {
	return charging.Transfer{
		Acting: ocs.Identity{Kind: ocs.E164, Value: who},
		Request: transfer.Request{
			Operation: o, Kind: transfer.P2P, Channel: transfer.API, By: transfer.BySender, Caller: "test", Reference: reference,
			Original: string(original), Confirmed: true,
		},
	}
}

func do(t testing.TB, e *charging.Engine, r charging.Transfer) transfer.Outcome {
	t.Helper()
	o, err := e.Transfer(context.Background(), r)
	if err != nil {
		t.Fatalf("%s: %v", r.Request.Operation, err)
	}
	return o
}

func wantRefusal(t testing.TB, o transfer.Outcome, r transfer.Refusal) {
	t.Helper()
	if o.Answer.Refusal != r {
		t.Errorf("refusal %q, want %q; checks %+v", o.Answer.Refusal, r, o.Checks)
	}
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 0+60)
	o := do(t, e, send(ann, ben, "r1", 900))
	wantRefusal(t, o, transfer.None)
	b.wantBalance(from, 5100, 0)
	b.wantBalance(to, 960, 0)
	stored, err := b.store.TransferByReference(t.Context(), o.Answer.Reference)
	if err != nil || stored.Status != transfer.Completed || stored.Sender != from || stored.Receiver != to || stored.Policy != "default" {
		t.Errorf("stored %+v, %v", stored, err)
	}
	checks, err := b.store.TransferChecks(t.Context(), o.Answer.Reference)
	if err != nil || !reflect.DeepEqual(checks, o.Checks) || len(checks) == 0 {
		t.Errorf("checks %+v, %v; want %+v", checks, err, o.Checks)
	}
	for _, id := range []ocs.SubscriberID{from, to} {
		list, err := b.store.TransfersOf(t.Context(), id, 10)
		if err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], stored) {
			t.Errorf("transfers of %s: %+v, %v", id, list, err)
		}
	}
	texts, err := b.store.OutboxOf(t.Context(), string(o.Answer.Reference))
	if err != nil || len(texts) != 2 || len(o.Texts) != 2 {
		t.Errorf("texts %+v, %v; want two", texts, err)
	}
	acts, _, err := b.store.AuditList(t.Context(), postgres.AuditFilter{Subject: string(from), Limit: 10})
	if err != nil || len(acts) != 1 || acts[0].Action != "transfer send" || acts[0].Reference != string(o.Answer.Reference) {
		t.Errorf("audit %+v, %v", acts, err)
	}
	lots, err := b.store.Buckets(t.Context(), to)
	if err != nil || len(lots) != 2 || lots[1].Hops != 1 {
		t.Fatalf("lots %+v, %v", lots, err)
	}
	trace, err := b.store.BucketTrace(t.Context(), lots[1].ID)
	if err != nil || len(trace) != 2 || trace[0].Subscriber != from || trace[1].ID != lots[1].ID || trace[1].Parent != trace[0].ID {
		t.Errorf("trace %+v, %v", trace, err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// I4, I5: the same reference five times over two servers, at once: moved once, identical answers; another content is
// refused.
func TestTransferCopiesOverTwoServers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := []*charging.Engine{b.engine(b.store, nil), b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), nil)}
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	answers := make(chan transfer.Answer, 5)
	var all sync.WaitGroup
	for i := range 5 {
		all.Go(func() { answers <- do(t, engines[i%2], send(ann, ben, "once", 600)).Answer })
	}
	all.Wait()
	first := <-answers
	for range 4 {
		if again := <-answers; !reflect.DeepEqual(first, again) {
			t.Errorf("answered %+v and %+v", first, again)
		}
	}
	b.wantBalance(from, 5400, 0)
	b.wantBalance(to, 660, 0)
	wantRefusal(t, do(t, engines[1], send(ann, ben, "once", 660)), transfer.ReferenceReused)
	wantRefusal(t, do(t, engines[1], send(ann, cem, "once", 600)), transfer.ReferenceReused)
	b.wantBalance(from, 5400, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// I6: a refused reference stays refused after the balance changes.
func TestRefusedStaysRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	b.subscriber(ann, 60)
	rich := b.subscriber(ben, 6000)
	refused := do(t, e, send(ann, ben, "r1", 600))
	wantRefusal(t, refused, transfer.NotEnough)
	wantRefusal(t, do(t, e, send(ben, ann, "r1", 1200)), transfer.None)
	if again := do(t, e, send(ann, ben, "r1", 600)); !again.Repeated || !reflect.DeepEqual(again.Answer, refused.Answer) {
		t.Errorf("answered %+v and then %+v", refused.Answer, again.Answer)
	}
	b.wantBalance(rich, 4800, 0)
	wantRefusal(t, do(t, e, send(ann, ben, "r2", 600)), transfer.None)
	stored, err := b.store.TransferByReference(t.Context(), refused.Answer.Reference)
	if err != nil || stored.Status != transfer.Failed || stored.Refusal != transfer.NotEnough {
		t.Errorf("stored %+v, %v", stored, err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

func TestTransferParties(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	b.subscriber(ann, 6000)
	b.subscriber(ben, 6000)
	wantRefusal(t, do(t, e, send(ann, ann, "self", 60)), transfer.SameParty)
	wantRefusal(t, do(t, e, send(ann, "49999", "nobody", 60)), transfer.ReceiverUnknown)
	wantRefusal(t, do(t, e, send("49999", ann, "stranger", 60)), transfer.SenderUnknown)
	wantRefusal(t, do(t, e, send("49999", "49998", "strangers", 60)), transfer.SenderUnknown)
	wantRefusal(t, do(t, e, send(ann, ben, "", 60)), transfer.Incomplete)
	wantRefusal(t, do(t, e, send(ann, ben, "nul\x00", 60)), transfer.Malformed)
	o := do(t, e, send(ann, ben, "good", 60))
	wantRefusal(t, do(t, e, on(ben, transfer.OpEnquire, o.Answer.Reference, "")), transfer.None)
	b.subscriber(cem, 60)
	wantRefusal(t, do(t, e, on(cem, transfer.OpEnquire, o.Answer.Reference, "")), transfer.OriginalUnknown)
	wantRefusal(t, do(t, e, on(cem, transfer.OpReverse, o.Answer.Reference, "theft")), transfer.OriginalUnknown)
	wantRefusal(t, do(t, e, on(ann, transfer.OpEnquire, "0000-0000-0", "")), transfer.OriginalUnknown)
	postgrestest.CheckInvariants(t, b.store)
}

func TestTransferInTwoPhases(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	prepare := func(reference string) transfer.Reference {
		t.Helper()
		r := send(ann, ben, reference, 600)
		r.Request.Operation = transfer.OpPrepare
		o := do(t, e, r)
		wantRefusal(t, o, transfer.None)
		if o.Answer.Status != transfer.Pending {
			t.Fatalf("status %s", o.Answer.Status)
		}
		return o.Answer.Reference
	}
	confirmed := prepare("p1")
	b.wantBalance(from, 6000, 600)
	postgrestest.CheckInvariants(t, b.store)
	wantRefusal(t, do(t, e, on(ann, transfer.OpConfirm, confirmed, "c1")), transfer.None)
	b.wantBalance(from, 5400, 0)
	b.wantBalance(to, 660, 0)
	wantRefusal(t, do(t, e, on(ann, transfer.OpCancel, confirmed, "c2")), transfer.AlreadyDone)

	cancelled := prepare("p2")
	wantRefusal(t, do(t, e, on(ann, transfer.OpCancel, cancelled, "c3")), transfer.None)
	wantRefusal(t, do(t, e, on(ann, transfer.OpConfirm, cancelled, "c4")), transfer.AlreadyDone)
	b.wantBalance(from, 5400, 0)

	lapsed := prepare("p3")
	b.wantBalance(from, 5400, 600)
	b.wait(25 * time.Hour)
	eventually(t, func() bool {
		_, reserved := b.balance(from)
		return reserved == 0
	})
	b.wantBalance(from, 5400, 0)
	stored, err := b.store.TransferByReference(t.Context(), lapsed)
	if err != nil || stored.Status != transfer.Expired {
		t.Errorf("stored %+v, %v", stored, err)
	}
	wantRefusal(t, do(t, e, on(ann, transfer.OpConfirm, lapsed, "c5")), transfer.WindowClosed)
	postgrestest.CheckInvariants(t, b.store)
}

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for again := time.Tick(5 * time.Millisecond); !is(); {
		select {
		case <-again:
		case <-ctx.Done():
			t.Fatal("it did not happen")
		}
	}
}

// I19: claimed, consented, given back to the lots that it came from; not twice, and not more than is left.
func TestReversal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	o := do(t, e, send(ann, ben, "r1", 900))
	wantRefusal(t, do(t, e, send(ben, ann, "r2", 360)), transfer.None) // 60 of its own and 300 of what came
	claim := do(t, e, on(ann, transfer.OpReverse, o.Answer.Reference, "claim"))
	wantRefusal(t, claim, transfer.None)
	if claim.Answer.Seconds+claim.Answer.Short != 900 {
		t.Errorf("claim %+v", claim.Answer)
	}
	left := claim.Answer.Seconds
	b.wantBalance(to, 600, left)
	postgrestest.CheckInvariants(t, b.store)
	wantRefusal(t, do(t, e, on(ann, transfer.OpReverse, o.Answer.Reference, "claim-again")), transfer.AlreadyDone)
	wantRefusal(t, do(t, e, on(ben, transfer.OpReverseAccept, claim.Answer.Reference, "yes")), transfer.None)
	b.wantBalance(to, 600-left, 0)
	b.wantBalance(from, 5460+left, 0)
	wantRefusal(t, do(t, e, on(ben, transfer.OpReverseAccept, claim.Answer.Reference, "yes-again")), transfer.AlreadyDone)
	stored, err := b.store.TransferByReference(t.Context(), o.Answer.Reference)
	if err != nil || stored.Status != transfer.Reversed || stored.ReversedBy != claim.Answer.Reference {
		t.Errorf("stored %+v, %v", stored, err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// I14: what a call holds never moves, and what moves is missing at its next update.
func TestTransferDuringCall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	from, to := b.subscriber(ann, 660), b.subscriber(ben, 60)
	want(t, ask(e, ccr(ann, "a", ocs.Initial, 0, 0, true)), ocs.Granted)
	b.wantBalance(from, 660, 60)
	wantRefusal(t, do(t, e, send(ann, ben, "r1", 660)), transfer.NotTransferable)
	wantRefusal(t, do(t, e, send(ann, ben, "r2", 600)), transfer.None)
	b.wantBalance(from, 60, 60)
	last := ask(e, ccr(ann, "a", ocs.Update, 1, 30, true))
	if want(t, last, ocs.Granted); !last.Services[0].Final || last.Services[0].Granted != 30 {
		t.Errorf("granted %+v, want the last 30 s", last.Services)
	}
	b.wantBalance(from, 30, 30)
	wantRefusal(t, do(t, e, send(ben, ann, "r3", 120)), transfer.None)
	b.wantBalance(from, 150, 30)
	want(t, ask(e, ccr(ann, "a", ocs.Update, 2, 30, true)), ocs.Granted)
	b.wantBalance(from, 120, 60)
	want(t, ask(e, ccr(ann, "a", ocs.Termination, 3, 30, false)), ocs.Granted)
	b.wantBalance(from, 90, 0)
	b.wantBalance(to, 540, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// I17: of many at the limit exactly the allowed number succeeds.
func TestLimitUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := openPolicy()
	p.Limits = []transfer.Limit{{Name: "day", Scope: transfer.PerSender, Window: transfer.Window{Period: transfer.Day}, Count: 7}}
	engines := []*charging.Engine{
		b.engine(b.store, withPolicy(p)), b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), withPolicy(p)),
	}
	from := b.subscriber(ann, 60000)
	b.subscriber(ben, 60)
	var all sync.WaitGroup
	var done atomic.Int64
	for i := range 40 {
		all.Go(func() {
			if do(t, engines[i%2], send(ann, ben, fmt.Sprint(i), 60)).Answer.Refusal == transfer.None {
				done.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() != 7 {
		t.Errorf("%d succeeded, want 7", done.Load())
	}
	b.wantBalance(from, 60000-7*60, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// I1, I7, I8: opposite, circular and self transfers over two servers, beside calls: no deadlock, and the sums are exact.
func TestTransfersCross(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stores := []*postgres.Store{b.store, postgrestest.Open(t, b.dsn, postgres.Options{})}
	var engines []*charging.Engine
	for _, s := range stores {
		engines = append(engines, b.engine(s, withPolicy(openPolicy())))
	}
	const people, workers, opening = 6, 64, 100_000
	ids := make([]ocs.SubscriberID, people)
	number := func(i int) string { return fmt.Sprintf("49170000%04d", i%people) }
	for i := range ids {
		ids[i] = b.subscriber(number(i), opening)
	}
	var all sync.WaitGroup
	var moved, used atomic.Int64
	end := time.Now().Add(3 * time.Second)
	for w := range workers {
		all.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				e, who := engines[(w+n)%2], rand.IntN(people)
				switch w % 4 {
				case 0, 1: // opposite
					who = n % 2
					do(t, e, send(number(who), number(1-who), fmt.Sprint(w, ".", n), 60))
				case 2: // in circles, and to oneself
					do(t, e, send(number(who), number(who+n%2), fmt.Sprint(w, ".", n), 60))
				case 3:
					session := fmt.Sprint(w, ".", n)
					if ask(e, ccr(number(who), session, ocs.Initial, 0, 0, true)).Verdict == ocs.Granted {
						want(t, ask(e, ccr(number(who), session, ocs.Termination, 1, 7, false)), ocs.Granted)
						used.Add(7)
					}
				}
				moved.Add(1)
			}
		})
	}
	all.Wait()
	var sum rating.Units
	for _, id := range ids {
		balance, reserved := b.balance(id)
		sum += balance
		if reserved != 0 {
			t.Errorf("%d reserved", reserved)
		}
	}
	if sum != people*opening-rating.Units(used.Load()) {
		t.Errorf("sum %d, want %d", sum, people*opening-used.Load())
	}
	t.Logf("%d done in 3 s", moved.Load())
	postgrestest.CheckInvariants(t, b.store)
}

// I28: after the switch no new transfer commits, on any server; calls go on, and what is pending can be cancelled.
func TestKillSwitch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	from := b.subscriber(ann, 6000)
	b.subscriber(ben, 60)
	r := send(ann, ben, "p", 600)
	r.Request.Operation = transfer.OpPrepare
	pending := do(t, e, r).Answer.Reference
	if err := b.store.StopTransfers(t.Context(), "maintenance", "eve", b.clock()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, do(t, e, send(ann, ben, "r1", 60)), transfer.Stopped)
	want(t, ask(e, ccr(ann, "a", ocs.Initial, 0, 0, true)), ocs.Granted)
	want(t, ask(e, ccr(ann, "a", ocs.Termination, 1, 5, false)), ocs.Granted)
	wantRefusal(t, do(t, e, on(ann, transfer.OpCancel, pending, "c")), transfer.None)
	b.wantBalance(from, 5995, 0)
	if err := b.store.ResumeTransfers(t.Context(), "eve", b.clock()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, do(t, e, send(ann, ben, "r2", 60)), transfer.None)
	postgrestest.CheckInvariants(t, b.store)
}

// A quote is a promise for one transfer.
func TestQuote(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	b.subscriber(ann, 6000)
	b.subscriber(ben, 60)
	q := send(ann, ben, "", 600)
	q.Request.Operation = transfer.OpQuote
	quote := do(t, e, q)
	wantRefusal(t, quote, transfer.None)
	r := send(ann, ben, "r1", 600)
	r.Request.QuoteID = quote.Answer.QuoteID
	wantRefusal(t, do(t, e, r), transfer.None)
	r.Request.Reference = "r2"
	wantRefusal(t, do(t, e, r), transfer.QuoteExpired)
	postgrestest.CheckInvariants(t, b.store)
}

// A cash-out waits in escrow for the code.
func TestCashOut(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, func(c *charging.Config) { c.CodeKey = []byte("key") })
	from, trader := b.subscriber(ann, 60000), b.subscriber(ben, 60)
	code, _ := transfer.NewShortCode("3333")
	err := b.store.CreateRole(t.Context(), postgres.Role{Role: transfer.Role{Kind: transfer.TraderRole, Code: code}, Subscriber: trader, CreatedAt: b.clock()})
	if err != nil {
		t.Fatal(err)
	}
	r := send(ann, "", "r1", 6000)
	r.Request.Operation, r.Request.Kind, r.Request.Counterparty, r.Payout = transfer.OpPrepare, transfer.CashOut, "agent:"+code, "123456"
	o := do(t, e, r)
	wantRefusal(t, o, transfer.None)
	b.wantBalance(from, 60000, 6120) // and 2 % of fee
	confirm := on(ben, transfer.OpConfirm, o.Answer.Reference, "c1")
	confirm.Payout = "654321"
	wantRefusal(t, do(t, e, confirm), transfer.WrongCode)
	confirm.Payout, confirm.Request.Reference = "123456", "c2"
	wantRefusal(t, do(t, e, confirm), transfer.None)
	b.wantBalance(from, 53880, 0)
	b.wantBalance(trader, 6060, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// A new card makes its owner wait, calls aside.
func TestNewCardCoolsOff(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	from := b.subscriber(ann, 6000)
	b.subscriber(ben, 60)
	r := send(ann, ben, "r1", 60)
	r.IMSI = "262010000000001"
	wantRefusal(t, do(t, e, r), transfer.None)
	r.Request.Reference, r.IMSI = "r2", "262010000000002"
	wantRefusal(t, do(t, e, r), transfer.CoolingOff)
	r.Request.Reference = "r3"
	wantRefusal(t, do(t, e, r), transfer.CoolingOff)
	b.wait(73 * time.Hour)
	r.Request.Reference = "r4"
	wantRefusal(t, do(t, e, r), transfer.None)
	b.wantBalance(from, 5880, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// A vendor sells from its float, whose seconds become the buyer's own; who is no vendor cannot.
func TestAgentSells(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	vendor, buyer := b.subscriber(ann, 60), b.subscriber(ben, 60)
	code, _ := transfer.NewShortCode("2222")
	lot, postings := ocs.GrantBucket(ocs.Grant{
		Movement: "float", Subscriber: vendor, Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: rating.Seconds, Units: 6000,
		Class: "float", Offer: "float",
	}, b.clock())
	if _, err := b.store.Grant(t.Context(), "float", vendor, lot, postings); err != nil {
		t.Fatal(err)
	}
	sale := func(from, to, reference string) charging.Transfer {
		r := send(from, to, reference, 600)
		r.Request.Kind = transfer.Agent
		return r
	}
	wantRefusal(t, do(t, e, sale(ann, ben, "s1")), transfer.KindNotAllowed)
	err := b.store.CreateRole(t.Context(), postgres.Role{Role: transfer.Role{Kind: transfer.AgentRole, Code: code}, Subscriber: vendor, CreatedAt: b.clock()})
	if err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, do(t, e, sale(ann, ben, "s2")), transfer.None)
	wantRefusal(t, do(t, e, sale(ben, ann, "s3")), transfer.KindNotAllowed)
	b.wantBalance(vendor, 5460, 0)
	b.wantBalance(buyer, 660, 0)
	lots, err := b.store.Buckets(t.Context(), buyer)
	if err != nil || len(lots) != 2 || lots[1].Class != "purchased" {
		t.Errorf("lots %+v, %v", lots, err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// A shop is named by its code, and gives back at once.
func TestMerchantRefunds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	customer, shop := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	code, _ := transfer.NewShortCode("4444")
	err := b.store.CreateRole(t.Context(), postgres.Role{Role: transfer.Role{Kind: transfer.MerchantRole, Code: code}, Subscriber: shop, CreatedAt: b.clock()})
	if err != nil {
		t.Fatal(err)
	}
	r := send(ann, "", "bill", 90)
	r.Request.Kind, r.Request.Counterparty, r.Request.Note = transfer.Merchant, "merchant:"+code, "bill 12"
	paid := do(t, e, r)
	wantRefusal(t, paid, transfer.None)
	b.wantBalance(shop, 150, 0)
	r.Request.Reference, r.Request.Counterparty = "bill2", "merchant:00000"
	wantRefusal(t, do(t, e, r), transfer.ReceiverUnknown)
	wantRefusal(t, do(t, e, on(ben, transfer.OpReverse, paid.Answer.Reference, "refund")), transfer.None)
	b.wantBalance(shop, 60, 0)
	b.wantBalance(customer, 6000, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// A claim of the operator takes two persons, and the audit names both.
func TestOperatorDecides(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	sent := do(t, e, send(ann, ben, "r1", 600)).Answer.Reference
	act := func(o transfer.Operation, person string, original transfer.Reference) transfer.Outcome {
		r := on("", o, original, o.String()+"-"+person)
		r.Acting, r.Request.By, r.Request.Person = ocs.Identity{}, transfer.ByOperator, person
		return do(t, e, r)
	}
	claim := act(transfer.OpReverse, "eve", sent)
	wantRefusal(t, claim, transfer.None)
	b.wantBalance(to, 660, 600)
	wantRefusal(t, act(transfer.OpReverseAccept, "eve", claim.Answer.Reference), transfer.AlreadyDone)
	b.wantBalance(to, 660, 600)
	wantRefusal(t, act(transfer.OpReverseAccept, "bob", claim.Answer.Reference), transfer.None)
	b.wantBalance(to, 60, 0)
	b.wantBalance(from, 6000, 0)
	acts, _, err := b.store.AuditList(t.Context(), postgres.AuditFilter{Reference: string(claim.Answer.Reference), Limit: 10})
	if err != nil || len(acts) != 3 || acts[0].Actor != "eve" || acts[2].Actor != "bob" || acts[2].Role != "operator" {
		t.Errorf("audit %+v, %v", acts, err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// Without a database nothing is written, and the client may go elsewhere.
func TestTransferWithoutDatabase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := postgrestest.Open(t, b.dsn, postgres.Options{})
	e := b.engine(other, func(c *charging.Config) { c.Logger = slog.New(slog.DiscardHandler) })
	b.subscriber(ann, 6000)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Transfer(t.Context(), send(ann, ben, "r1", 60)); !errors.Is(err, charging.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Transfer(ctx, send(ann, ben, "r2", 60)); !errors.Is(err, charging.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
}

// BenchmarkTransfers moves a minute between two of 2,000 subscribers, 256 at a time. One operation is one transfer that is
// durable.
func BenchmarkTransfers(b *testing.B) {
	w := newBench(b)
	const subscribers, inFlight = 2000, 256
	for i := range subscribers {
		w.subscriber(fmt.Sprintf("4917%06d", i), 1_000_000)
	}
	policy := transfer.Default()
	for i := range policy.Limits {
		policy.Limits[i].Count, policy.Limits[i].Seconds = 1<<40, 0
	}
	e := w.engine(w.store, withPolicy(policy))
	free := make(chan struct{}, inFlight)
	b.ResetTimer()
	for n := range b.N {
		free <- struct{}{}
		go func() {
			from := rand.IntN(subscribers)
			to := (from + 1 + rand.IntN(subscribers-1)) % subscribers
			o := do(b, e, send(fmt.Sprintf("4917%06d", from), fmt.Sprintf("4917%06d", to), fmt.Sprint(n), 60))
			wantRefusal(b, o, transfer.None)
			<-free
		}()
	}
	for range inFlight {
		free <- struct{}{}
	}
	b.StopTimer()
	postgrestest.CheckInvariants(b, w.store)
}
