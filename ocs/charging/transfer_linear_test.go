package charging_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A small history: few people and clients, so that whether it is linear can be decided.
const (
	linearPeople  = 3
	linearClients = 5
	linearSteps   = 7
	linearOpening = 420 // so little that much is refused
)

// A step is what one client asked for.
type step struct {
	what      stepKind
	who, to   int
	seconds   rating.Units // to send, or used by a call
	reference int          // of a transfer: a small number, used again by other clients; of a call: the client
}

type stepKind uint8

const (
	sends    stepKind = iota
	begins            // a call: up to a minute is held
	goesOn            // some of it is used, and a minute held again
	hangsUp           // some of it is used, the rest is free again
	asksOne           // the balance of one
	asksAll           // the balances of all, at one instant
	allSteps          // how many there are
)

// A seen is what the client was told.
type seen struct {
	refusal transfer.Refusal
	left    rating.Units // free at the sender after a transfer
	granted rating.Units
	purses  [linearPeople]purse
}

type purse struct{ balance, reserved rating.Units }

// A bank is the model: what everybody has, what every client's call holds, and what every reference came to.
type bank struct {
	purses   [linearPeople]purse
	calls    [linearClients]call
	outcomes [linearReferences]outcome
}

const linearReferences = 12

type call struct {
	open bool
	who  int
	held rating.Units
}

type outcome struct {
	known bool
	of    step
	told  seen
}

func (b bank) free(who int) rating.Units { return b.purses[who].balance - b.purses[who].reserved }

// hold reserves up to a minute for a call.
func (b *bank) hold(client int) rating.Units {
	c := &b.calls[client]
	c.held = min(60, b.free(c.who))
	b.purses[c.who].reserved += c.held
	return c.held
}

// use charges a call, and frees what it held.
func (b *bank) use(client int, used rating.Units) {
	c := &b.calls[client]
	b.purses[c.who].reserved -= c.held
	b.purses[c.who].balance -= used
	c.held = 0
}

// after is the bank after a step, and what must be told.
func (b bank) after(s step) (bank, seen) {
	var told seen
	switch s.what {
	case sends:
		return b.afterSending(s)
	case begins:
		b.calls[s.reference] = call{open: true, who: s.who}
		told.granted = b.hold(s.reference)
	case goesOn:
		b.use(s.reference, s.seconds)
		told.granted = b.hold(s.reference)
	case hangsUp:
		b.use(s.reference, s.seconds)
		b.calls[s.reference] = call{}
	case asksOne:
		told.purses[s.who] = b.purses[s.who]
	case asksAll:
		told.purses = b.purses
	case allSteps:
	}
	return b, told
}

// afterSending: a reference is good for one content of one sender, and always comes to the same.
func (b bank) afterSending(s step) (bank, seen) {
	first := &b.outcomes[s.reference]
	if first.known {
		if first.of != s {
			return b, seen{refusal: transfer.ReferenceReused}
		}
		return b, first.told
	}
	var told seen
	switch {
	case s.seconds <= b.free(s.who):
		b.purses[s.who].balance -= s.seconds
		b.purses[s.to].balance += s.seconds
		told.left = b.free(s.who)
	case s.seconds <= b.purses[s.who].balance:
		told.refusal = transfer.NotTransferable
	default:
		told.refusal = transfer.NotEnough
	}
	*first = outcome{known: true, of: s, told: told}
	return b, told
}

func newBank() (b bank) {
	for i := range b.purses {
		b.purses[i].balance = linearOpening
	}
	return b
}

var bankModel = porcupine.Model{
	Init: func() any { return newBank() },
	Step: func(state, input, output any) (bool, any) {
		after, told := state.(bank).after(input.(step))
		return told == output.(seen), after
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// A linearWorld is the people of one history, and two servers.
type linearWorld struct {
	*bench
	name    string // of the history: part of every number, reference and session
	engines []*charging.Engine
	ids     [linearPeople]ocs.SubscriberID
	start   time.Time
}

func (w *linearWorld) number(who int) string { return "49170" + w.name + fmt.Sprint(who) }

// do takes a step on one of the servers.
func (w *linearWorld) do(s step, e *charging.Engine, request uint32) (told seen) {
	w.t.Helper()
	session := fmt.Sprint(w.name, ".", s.reference, ".", request>>8)
	switch s.what {
	case sends:
		// One sender for one reference: a reference is the client's, and the sender's own.
		o := do(w.t, e, send(w.number(s.who), w.number(s.to), fmt.Sprint(w.name, ".", s.reference), s.seconds))
		told.refusal = o.Answer.Refusal
		if told.refusal == transfer.None {
			told.left = o.Answer.Left
		}
	case begins:
		told.granted = granted(ask(e, ccr(w.number(s.who), session, ocs.Initial, 0, 0, true)))
	case goesOn:
		told.granted = granted(ask(e, ccr(w.number(s.who), session, ocs.Update, request&0xff, int(s.seconds), true)))
	case hangsUp:
		want(w.t, ask(e, ccr(w.number(s.who), session, ocs.Termination, request&0xff, int(s.seconds), false)), ocs.Granted)
	case asksOne:
		told.purses[s.who].balance, told.purses[s.who].reserved = w.balance(w.ids[s.who])
	case asksAll:
		told.purses = w.all()
	case allSteps:
	}
	return told
}

// all reads what everybody has in one statement, so at one instant.
func (w *linearWorld) all() (purses [linearPeople]purse) {
	w.t.Helper()
	rows := query[struct {
		ID       string       `db:"id"`
		Balance  rating.Units `db:"balance"`
		Reserved rating.Units `db:"reserved"`
	}](w.bench, `SELECT subscriber_id AS id, sum(balance)::bigint AS balance, sum(reserved)::bigint AS reserved FROM bucket GROUP BY 1`)
	for _, r := range rows {
		for i, id := range w.ids {
			if string(id) == r.ID {
				purses[i] = purse{r.Balance, r.Reserved}
			}
		}
	}
	return purses
}

// granted is what a call was given; nothing when there was nothing left.
func granted(a ocs.Answer) rating.Units {
	if len(a.Services) == 0 {
		return 0
	}
	return a.Services[0].Granted
}

// client takes steps at random, and notes when each was begun and ended.
func (w *linearWorld) client(number int, random *rand.Rand) (history []porcupine.Operation) {
	var open *call
	var request uint32 // of the open call; its number in the upper bits
	for range linearSteps {
		s := step{what: stepKind(random.IntN(int(allSteps))), who: random.IntN(linearPeople)}
		if open == nil && (s.what == goesOn || s.what == hangsUp) {
			s.what = begins
		}
		if open != nil && s.what == begins {
			s.what = goesOn
		}
		switch s.what {
		case sends:
			s.reference = random.IntN(linearReferences)
			s.who = s.reference % linearPeople // the reference is the sender's
			s.to = (s.who + 1 + random.IntN(2)) % linearPeople
			s.seconds = 60 * rating.Units(1+random.IntN(5))
		case begins:
			s.reference = number
			request = (request>>8 + 1) << 8
		case goesOn, hangsUp:
			s.reference, s.who = number, open.who
			s.seconds = rating.Units(random.Int64N(int64(open.held) + 1))
			request++
		case asksOne, asksAll, allSteps:
		}
		o := porcupine.Operation{ClientId: number, Input: s, Call: int64(time.Since(w.start))}
		told := w.do(s, w.engines[random.IntN(2)], request)
		o.Output, o.Return = told, int64(time.Since(w.start))
		history = append(history, o)
		switch s.what {
		case begins:
			open = &call{who: s.who, held: told.granted}
			if told.granted == 0 {
				open = nil // refused: there is no call
			}
		case goesOn:
			open.held = told.granted
		case hangsUp:
			open = nil
		case sends, asksOne, asksAll, allSteps:
		}
	}
	return history
}

// Whatever five clients of two servers do to three purses - transfers, some with a reference that another used, calls, and
// looks at one purse or all - might have happened one after the other, each between its beginning and its end.
func TestTransfersAreLinear(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	policy := withPolicy(openPolicy())
	engines := []*charging.Engine{b.engine(b.store, policy), b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), policy)}
	const histories = 12
	from := seed(t)
	counts := map[transfer.Refusal]int{}
	for i := range histories {
		w := &linearWorld{bench: b, name: fmt.Sprintf("%04d", i), engines: engines, start: time.Now()}
		for who := range w.ids {
			w.ids[who] = b.subscriber(w.number(who), linearOpening)
		}
		seed := from + uint64(i)
		var all sync.WaitGroup
		parts := make([][]porcupine.Operation, linearClients)
		for client := range linearClients {
			all.Go(func() { parts[client] = w.client(client, rand.New(rand.NewPCG(seed, uint64(client)))) })
		}
		all.Wait()
		var history []porcupine.Operation
		for _, part := range parts {
			history = append(history, part...)
		}
		for _, o := range history {
			if o.Input.(step).what == sends {
				counts[o.Output.(seen).refusal]++
			}
		}
		if got := porcupine.CheckOperationsTimeout(bankModel, history, 20*time.Second); got != porcupine.Ok {
			for _, o := range history {
				t.Logf("%9d %9d client %d: %+v -> %+v", o.Call, o.Return, o.ClientId, o.Input, o.Output)
			}
			t.Fatalf("history with -seed %d: %s", seed, got)
		}
	}
	for _, r := range []transfer.Refusal{transfer.None, transfer.NotEnough, transfer.ReferenceReused} {
		if counts[r] == 0 {
			t.Errorf("nothing was answered %q: the histories are too tame", r)
		}
	}
	t.Logf("%d histories of %d steps; transfers: %v", histories, linearClients*linearSteps, counts)
	postgrestest.CheckInvariants(t, b.store)
}

// The check finds what is wrong: histories that no order explains.
func TestLinearCheckRefuses(t *testing.T) {
	t.Parallel()
	moved, _ := newBank().after(step{what: sends, to: 1, seconds: 60})
	sent := porcupine.Operation{
		ClientId: 0, Input: step{what: sends, to: 1, seconds: 60}, Output: seen{left: linearOpening - 60}, Call: 10, Return: 20,
	}
	look := func(p [linearPeople]purse, call, end int64) porcupine.Operation {
		return porcupine.Operation{ClientId: 1, Input: step{what: asksAll}, Output: seen{purses: p}, Call: call, Return: end}
	}
	half := moved.purses
	half[1].balance -= 60 // taken and not given
	twice, _ := moved.after(step{what: sends, to: 1, seconds: 60, reference: 1})
	for _, test := range []struct {
		name string
		look porcupine.Operation
		want bool
	}{
		{"new balance after it", look(moved.purses, 30, 40), true},
		{"old balance while it is sent", look(newBank().purses, 15, 40), true},
		{"old balance after it", look(newBank().purses, 30, 40), false},
		{"new balance before it", look(moved.purses, 1, 5), false},
		{"half of it", look(half, 15, 40), false},
		{"twice of it", look(twice.purses, 15, 40), false},
	} {
		if got := porcupine.CheckOperations(bankModel, []porcupine.Operation{sent, test.look}); got != test.want {
			t.Errorf("%s: linear %v, want %v", test.name, got, test.want)
		}
	}
}
