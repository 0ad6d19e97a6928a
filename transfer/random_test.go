package transfer

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"pgregory.net/rapid"
)

// A model is the simplest thing that transfers could be: whole minutes, each knowing only whose it is and from which
// grant. No two grants die at once, so that which minute comes first is never a question of taste.
type model struct {
	free   map[string]map[ocs.BucketID]int
	expiry map[ocs.BucketID]time.Time
	held   map[Reference]promise
	fee    int
}

type promise struct {
	from, to    string
	amount, fee []part
	due         time.Time
}

type part struct {
	root    ocs.BucketID
	minutes int
}

// take removes the oldest n minutes that are alive, or nothing when there are not so many.
func (m *model) take(who string, n int, now time.Time) (taken []part, ok bool) {
	alive := 0
	roots := slices.SortedFunc(maps.Keys(m.free[who]), func(a, b ocs.BucketID) int { return m.expiry[a].Compare(m.expiry[b]) })
	roots = slices.DeleteFunc(roots, func(r ocs.BucketID) bool { return !now.Before(m.expiry[r]) })
	for _, r := range roots {
		alive += m.free[who][r]
	}
	if alive < n {
		return nil, false
	}
	for _, r := range roots {
		if some := min(n, m.free[who][r]); some > 0 {
			m.free[who][r] -= some
			n -= some
			taken = append(taken, part{r, some})
		}
	}
	return taken, true
}

func (m *model) give(who string, parts []part) {
	for _, p := range parts {
		m.free[who][p.root] += p.minutes
	}
}

var people = []string{"ann", "bob", "cem", "dia"}

// Random grants, calls, transfers in one and two phases, copies, reversals and the passing of time do what the model does,
// and after every step nothing has appeared or vanished (I1, I2, I3, I4, I10, I12, I14, I19, I21, I25).
func TestRandomAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		w.policy.Limits = nil
		w.policy.Fees = []FeeRule{{Name: "one", Bands: []FeeBand{{Flat: minute}}}}
		m := &model{free: map[string]map[ocs.BucketID]int{}, expiry: map[ocs.BucketID]time.Time{}, held: map[Reference]promise{}}
		for _, p := range people {
			m.free[p] = map[ocs.BucketID]int{}
		}
		r := &run{w: w, m: m}
		t.Repeat(map[string]func(*rapid.T){
			"grant":   r.grant,
			"call":    r.call,
			"hang up": func(*rapid.T) { w.hangUp() },
			"send":    r.send,
			"prepare": r.prepare,
			"settle":  r.settle,
			"refund":  r.refund,
			"copy":    r.copy,
			"wait":    r.wait,
			"":        r.check,
		})
	})
}

type run struct {
	w        *world
	m        *model
	grants   int
	requests []sentRequest
	done     []Reference
}

type sentRequest struct {
	from, to string
	request  Request
	answer   Answer
}

func (r *run) pair(t *rapid.T) (from, to string) {
	i := rapid.IntRange(0, len(people)-1).Draw(t, "from")
	j := rapid.IntRange(1, len(people)-1).Draw(t, "to")
	return people[i], people[(i+j)%len(people)]
}

func (r *run) do(from, to string, q Request) Outcome {
	q.Reference = fmt.Sprintf("r%d", len(r.requests))
	o := r.w.do(from, to, q)
	r.requests = append(r.requests, sentRequest{from, to, q, o.Answer})
	return o
}

func (r *run) grant(t *rapid.T) {
	who, minutes := rapid.SampledFrom(people).Draw(t, "who"), rapid.IntRange(1, 40).Draw(t, "minutes")
	r.grants++
	expires := r.w.now.Add(time.Duration(rapid.IntRange(1, 72).Draw(t, "hours"))*time.Hour + time.Duration(r.grants))
	root := r.w.grantUntil(who, rating.Units(minutes)*minute, "purchased", expires)
	r.m.expiry[root] = expires
	r.m.free[who][root] += minutes
}

func (r *run) call(t *rapid.T) {
	who, want := rapid.SampledFrom(people).Draw(t, "who"), rapid.IntRange(1, 20).Draw(t, "minutes")
	got := int(r.w.call(who, rating.Units(want)*minute) / minute)
	if _, ok := r.m.take(who, got, r.w.now); !ok {
		t.Fatalf("%s calls with %d minutes, more than the model has", who, got)
	}
}

// promise takes amount and fee in the model; false: there is not enough, and nothing is taken.
func (r *run) promise(from, to string, n int) (promise, bool) {
	all, ok := r.m.take(from, n+1, r.w.now)
	if !ok {
		return promise{}, false
	}
	r.m.give(from, all)
	amount, _ := r.m.take(from, n, r.w.now)
	fee, _ := r.m.take(from, 1, r.w.now)
	return promise{from: from, to: to, amount: amount, fee: fee}, true
}

func (r *run) send(t *rapid.T) {
	from, to := r.pair(t)
	n := rapid.IntRange(1, 30).Draw(t, "minutes")
	o := r.do(from, to, send(n))
	p, ok := r.promise(from, to, n)
	if got := o.Answer.Refusal == None; got != ok {
		t.Fatalf("%d from %s to %s: %s, the model says %v", n, from, to, o.Answer.Refusal, ok)
	}
	if ok {
		r.m.give(to, p.amount)
		r.m.fee++
		r.done = append(r.done, o.Answer.Reference)
	}
}

func (r *run) prepare(t *rapid.T) {
	from, to := r.pair(t)
	n := rapid.IntRange(1, 30).Draw(t, "minutes")
	q := send(n)
	q.Operation, q.ValidFor = OpPrepare, time.Duration(rapid.IntRange(1, 48).Draw(t, "hours"))*time.Hour
	o := r.do(from, to, q)
	p, ok := r.promise(from, to, n)
	if got := o.Answer.Refusal == None; got != ok {
		t.Fatalf("%d from %s to %s: %s, the model says %v", n, from, to, o.Answer.Refusal, ok)
	}
	if !ok {
		return
	}
	p.due = r.w.now.Add(min(q.ValidFor, r.w.policy.HoldLife))
	for _, part := range slices.Concat(p.amount, p.fee) {
		p.due = sooner(p.due, r.m.expiry[part.root])
	}
	if !o.Answer.ValidTo.Equal(p.due) {
		t.Fatalf("held until %v, the model says %v", o.Answer.ValidTo, p.due)
	}
	r.m.held[o.Answer.Reference] = p
}

func (r *run) settle(t *rapid.T) {
	if len(r.m.held) == 0 {
		t.Skip("nothing is held")
	}
	ref := rapid.SampledFrom(slices.Sorted(maps.Keys(r.m.held))).Draw(t, "reference")
	op := rapid.SampledFrom([]Operation{OpConfirm, OpCancel, OpLapse}).Draw(t, "operation")
	p := r.m.held[ref]
	by := BySender
	if op == OpLapse {
		by = BySystem
	}
	o := r.do(p.from, p.to, Request{Operation: op, By: by, Original: string(ref)})
	late := !r.w.now.Before(p.due)
	wanted := None
	switch {
	case op == OpLapse && !late:
		if o.Answer.Refusal == None {
			t.Fatal("lapsed before it was due")
		}
		return
	case op != OpLapse && late:
		wanted = WindowClosed
	}
	if o.Answer.Refusal != wanted {
		t.Fatalf("%s: %s, want %s", op, o.Answer.Refusal, wanted)
	}
	delete(r.m.held, ref)
	if op == OpConfirm && !late {
		r.m.give(p.to, p.amount)
		r.m.fee++
		r.done = append(r.done, ref)
		return
	}
	r.m.give(p.from, slices.Concat(p.amount, p.fee))
}

// refund gives back a transfer. Which of the receiver's minutes are traceable to it only the lots know; the model checks
// that they go back to the sender, of the same grants, and never more than were sent.
func (r *run) refund(t *rapid.T) {
	if len(r.done) == 0 {
		t.Skip("nothing is done")
	}
	ref := rapid.SampledFrom(r.done).Draw(t, "reference")
	original := r.w.transfers[ref]
	from, to := string(original.Sender), string(original.Receiver)
	o := r.do(from, to, Request{Operation: OpReverse, By: ByReceiver, Original: string(ref)})
	if original.Status == Reversed && o.Answer.Refusal != AlreadyDone {
		t.Fatalf("reversed twice: %s", o.Answer.Refusal)
	}
	if o.Answer.Refusal != None {
		return
	}
	sent, back := map[ocs.BucketID]rating.Units{}, r.w.transfers[o.Answer.Reference]
	for _, m := range original.Moves {
		if !m.Fee {
			sent[m.From] += m.Units
		}
	}
	for _, m := range back.Moves {
		sent[m.To] -= m.Units
		if sent[m.To] < 0 {
			t.Fatalf("more went back to %s than had left it", m.To)
		}
		root := r.w.buckets[m.To].Root
		r.m.free[to][root] -= int(m.Units / minute)
		r.m.free[from][root] += int(m.Units / minute)
	}
}

// copy sends an old request again.
func (r *run) copy(t *rapid.T) {
	if len(r.requests) == 0 {
		t.Skip("no request yet")
	}
	s := rapid.SampledFrom(r.requests).Draw(t, "request")
	o := r.w.do(s.from, s.to, s.request)
	if !o.Repeated || !reflect.DeepEqual(o.Answer, s.answer) {
		t.Fatalf("a copy of %s was answered %+v, first %+v", s.request.Reference, o.Answer, s.answer)
	}
}

func (r *run) wait(t *rapid.T) {
	r.w.now = r.w.now.Add(time.Duration(rapid.IntRange(1, 12).Draw(t, "hours")) * time.Hour)
}

func (r *run) check(t *rapid.T) {
	if err := r.w.check(); err != nil {
		t.Fatal(err)
	}
	if got := int(r.w.account("fee") / minute); got != r.m.fee {
		t.Fatalf("fee of %d minutes, the model says %d", got, r.m.fee)
	}
	free := map[string]map[ocs.BucketID]int{}
	for _, p := range people {
		free[p] = map[ocs.BucketID]int{}
	}
	for id, b := range r.w.buckets {
		free[string(b.Subscriber)][b.Root] += int(b.Free() / minute)
		if !b.ExpiresAt.Equal(r.m.expiry[b.Root]) {
			t.Fatalf("%s dies at %v, its root at %v", id, b.ExpiresAt, r.m.expiry[b.Root])
		}
	}
	for _, p := range people {
		for root := range r.m.expiry {
			if free[p][root] != r.m.free[p][root] {
				t.Fatalf("%s has %d free of %s, the model says %d", p, free[p][root], root, r.m.free[p][root])
			}
		}
	}
}
