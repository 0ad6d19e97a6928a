package charging_test

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
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

// A killing has a server that dies and one that goes on, on one database.
type killing struct {
	*bench
	cutter       *postgrestest.Cutter
	mortal, next *charging.Engine
	from, to     ocs.SubscriberID
	trader       string // short code of ben
	drawn        int
	texts        int // that one act writes
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	k := &killing{bench: newBench(t)}
	k.cutter = postgrestest.NewCutter(t, k.dsn)
	k.from, k.to = k.subscriber(ann, 600000), k.subscriber(ben, 6000)
	quiet := func(c *charging.Config) {
		c.CodeKey, c.Sweep, c.Logger = []byte("key"), time.Hour, slog.New(slog.DiscardHandler)
		p := openPolicy()
		p.Limits = transfer.Default().Limits // counters are written too
		for i := range p.Limits {
			p.Limits[i].Count, p.Limits[i].Seconds = 1<<40, 0
		}
		c.Policy = func() *transfer.Policy { return p }
	}
	k.mortal = k.engine(postgrestest.Open(t, k.cutter.DSN(), postgres.Options{MaxConns: 4}), quiet)
	k.next = k.engine(k.store, quiet)
	k.role(transfer.AgentRole, "2222", k.from)
	k.trader = k.role(transfer.TraderRole, "3333", k.to)
	lot, postings := ocs.GrantBucket(ocs.Grant{
		Movement: "float", Subscriber: k.from, Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: rating.Seconds, Units: 600000,
		Class: "float", Offer: "float",
	}, k.clock())
	if _, err := k.store.Grant(t.Context(), "float", k.from, lot, postings); err != nil {
		t.Fatal(err)
	}
	return k
}

func (b *bench) role(kind transfer.RoleKind, digits string, of ocs.SubscriberID) (code string) {
	b.t.Helper()
	code, _ = transfer.NewShortCode(digits)
	err := b.store.CreateRole(b.t.Context(), postgres.Role{Role: transfer.Role{Kind: kind, Code: code}, Subscriber: of, CreatedAt: b.clock()})
	if err != nil {
		b.t.Fatal(err)
	}
	return code
}

// reference draws one for what comes before the act that is looked at.
func (k *killing) reference() string {
	k.drawn++
	return fmt.Sprint("before-", k.drawn)
}

// sent is a transfer of a minute from ann to ben that is done.
func (k *killing) sent() transfer.Reference {
	k.t.Helper()
	o := do(k.t, k.next, send(ann, ben, k.reference(), 60))
	wantRefusal(k.t, o, transfer.None)
	return o.Answer.Reference
}

func (k *killing) prepared(r charging.Transfer) transfer.Reference {
	k.t.Helper()
	r.Request.Operation = transfer.OpPrepare
	o := do(k.t, k.next, r)
	wantRefusal(k.t, o, transfer.None)
	return o.Answer.Reference
}

func (k *killing) cashOut(reference string) charging.Transfer {
	r := send(ann, "", reference, 600)
	r.Request.Operation, r.Request.Kind, r.Request.Counterparty, r.Payout = transfer.OpPrepare, transfer.CashOut, "agent:"+k.trader, "123456"
	return r
}

// An effect is what an act does to the balances of ann and ben, once.
type effect struct{ fromBalance, fromReserved, toBalance, toReserved rating.Units }

// acts are all kinds of acts: what goes before one of them, its request, and what it does.
var acts = []struct {
	name   string
	of     func(k *killing, reference string) charging.Transfer
	effect effect
}{
	{"send", func(_ *killing, r string) charging.Transfer { return send(ann, ben, r, 60) }, effect{-60, 0, 60, 0}},
	{"prepare", func(_ *killing, r string) charging.Transfer {
		p := send(ann, ben, r, 60)
		p.Request.Operation = transfer.OpPrepare
		return p
	}, effect{0, 60, 0, 0}},
	{"confirm", func(k *killing, r string) charging.Transfer {
		return on(ann, transfer.OpConfirm, k.prepared(send(ann, ben, k.reference(), 60)), r)
	}, effect{-60, -60, 60, 0}},
	{"cancel", func(k *killing, r string) charging.Transfer {
		return on(ann, transfer.OpCancel, k.prepared(send(ann, ben, k.reference(), 60)), r)
	}, effect{0, -60, 0, 0}},
	{"claim", func(k *killing, r string) charging.Transfer { return on(ann, transfer.OpReverse, k.sent(), r) }, effect{0, 0, 0, 60}},
	{"grant a claim", func(k *killing, r string) charging.Transfer {
		claim := do(k.t, k.next, on(ann, transfer.OpReverse, k.sent(), k.reference()))
		wantRefusal(k.t, claim, transfer.None)
		return on(ben, transfer.OpReverseAccept, claim.Answer.Reference, r)
	}, effect{60, 0, -60, -60}},
	{"give back", func(k *killing, r string) charging.Transfer { return on(ben, transfer.OpReverse, k.sent(), r) }, effect{60, 0, -60, 0}},
	{"sale of an agent", func(_ *killing, r string) charging.Transfer {
		sale := send(ann, ben, r, 60)
		sale.Request.Kind = transfer.Agent
		return sale
	}, effect{-60, 0, 60, 0}},
	{"cash-out", func(k *killing, r string) charging.Transfer { return k.cashOut(r) }, effect{0, 660, 0, 0}}, // a minute of fee
	{"pay-out", func(k *killing, r string) charging.Transfer {
		p := on(ben, transfer.OpConfirm, k.prepared(k.cashOut(k.reference())), r)
		p.Payout = "123456"
		return p
	}, effect{-660, -660, 600, 0}},
}

// A server dies before and after each statement of each kind of act, BEGIN and COMMIT too. Whoever asks another server again, with
// the same reference, gets what was done once: the same answer each time, the books exact, one record, both texts.
func TestKilledAtEachWrite(t *testing.T) {
	t.Parallel()
	for _, act := range acts {
		t.Run(act.name, func(t *testing.T) {
			t.Parallel()
			k := newKilling(t)
			warm := act.of(k, "warm")
			k.texts = len(do(t, k.mortal, warm).Texts) // and its connections and caches are there
			died := map[string]int{}
			for _, after := range []bool{false, true} {
				for step := 1; ; step++ {
					statement := k.kill(step, after, act.of(k, fmt.Sprintf("act-%v-%d", after, step)), act.effect)
					if statement == "" {
						break // it was done before it came to that
					}
					died[fmt.Sprint(kindOf(statement), " ", side(after))]++
				}
			}
			for _, must := range []string{"BEGIN before", "BEGIN after", "COMMIT before", "COMMIT after", "INSERT before", "INSERT after", "UPDATE before", "UPDATE after"} {
				if died[must] == 0 {
					t.Errorf("no server died %s", must)
				}
			}
			t.Logf("servers died: %v", died)
			postgrestest.CheckInvariants(t, k.store)
		})
	}
}

func kindOf(statement string) string {
	kind, _, _ := strings.Cut(strings.TrimSpace(statement), " ")
	return strings.TrimSpace(strings.ToUpper(strings.TrimSuffix(kind, ";")))
}

// kill has an act done by a server that dies at a step, and then by another. It returns the statement that it died at, or "" when
// the act was done first.
func (k *killing) kill(step int, after bool, act charging.Transfer, want effect) (statement string) {
	k.t.Helper()
	before := k.balances()
	texts, entries := k.rows("outbox"), k.rows("audit")
	cut := k.cutter.Arm(step, after)
	ctx, cancel := context.WithCancel(k.t.Context())
	defer cancel()
	type result struct {
		outcome transfer.Outcome
		err     error
	}
	done := make(chan result, 1)
	go func() {
		o, err := k.mortal.Transfer(ctx, act)
		done <- result{o, err}
	}()
	var first result
	select {
	case statement = <-cut:
		statement = strings.Join(strings.Fields(statement), " ")
		cancel() // nobody is there any more who would wait
		first = <-done
		if first.err == nil {
			k.t.Errorf("died %s %q, and answered %+v", side(after), statement, first.outcome.Answer)
		}
		committed := after && kindOf(statement) == "COMMIT"
		if got := k.balances() != before; got != committed {
			k.t.Errorf("died %s %q: something is done: %v, want %v", side(after), statement, got, committed)
		}
	case first = <-done:
		if first.err != nil {
			k.t.Fatalf("step %d: %v", step, first.err)
		}
	}
	k.cutter.Mend()
	again := do(k.t, k.next, act)
	wantRefusal(k.t, again, transfer.None)
	once := do(k.t, k.next, act)
	if !once.Repeated || !reflect.DeepEqual(again.Answer, once.Answer) {
		k.t.Errorf("died %s %q: answered %+v, and then %+v", side(after), statement, again.Answer, once.Answer)
	}
	if first.err == nil && !reflect.DeepEqual(first.outcome.Answer, again.Answer) {
		k.t.Errorf("answered %+v, and then %+v", first.outcome.Answer, again.Answer)
	}
	wanted := effect{
		before.fromBalance + want.fromBalance, before.fromReserved + want.fromReserved,
		before.toBalance + want.toBalance, before.toReserved + want.toReserved,
	}
	if got := k.balances(); got != wanted {
		k.t.Errorf("died %s %q: balances %+v, want %+v", side(after), statement, got, wanted)
	}
	if got := k.rows("outbox") - texts; got != k.texts {
		k.t.Errorf("died %s %q: %d texts, want %d", side(after), statement, got, k.texts)
	}
	if got := k.rows("audit") - entries; got != 1 {
		k.t.Errorf("died %s %q: %d entries in the audit, want 1", side(after), statement, got)
	}
	return statement
}

func side(after bool) string {
	if after {
		return "after"
	}
	return "before"
}

func (k *killing) balances() (e effect) {
	e.fromBalance, e.fromReserved = k.balance(k.from)
	e.toBalance, e.toReserved = k.balance(k.to)
	return e
}

func (k *killing) rows(table string) int { return one[int](k.bench, `SELECT count(*) FROM `+table) }
