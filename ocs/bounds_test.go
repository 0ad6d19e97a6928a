package ocs

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// One event may not be charged for every service times every recipient that fits into a message.
func TestEventIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("491", rating.Seconds, 1_000_000, "plan", 0, time.Time{})
	r := Request{
		Session: SessionKey{ID: "s"}, Type: Event, Context: Context{Name: "32274@3gpp.org"}, Conditions: &Conditions{},
		Services: make([]ServiceRequest, 256),
	}
	for i := range 256 {
		r.Conditions.Recipients = append(r.Conditions.Recipients, fmt.Sprintf("+49170%06d", i))
	}
	if a := w.send("491", r); a.Verdict != ResourcesExceeded || len(w.events) != 0 {
		t.Errorf("verdict %d, %d rated events; want it to be refused", a.Verdict, len(w.events))
	}
	if err := w.check(); err != nil {
		t.Error(err)
	}
}

// A session does not gather Rating-Groups without end: it is stored whole with every request.
func TestSessionIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("491", rating.Octets, 1_000_000, "plan", 0, time.Time{})
	group := uint32(0)
	ask := func(kind RequestType, number uint32) Answer {
		r := Request{Session: SessionKey{ID: "s"}, Type: kind, Number: number, Context: Context{Name: "32251@3gpp.org"}}
		for range 200 {
			group++
			r.Services = append(r.Services, ServiceRequest{RatingGroup: new(group), Requested: &Measured{}})
		}
		return w.send("491", r)
	}
	if a := ask(Initial, 0); a.Verdict != Granted {
		t.Fatalf("verdict %d", a.Verdict)
	}
	verdict := Granted
	for number := uint32(1); number < 20; number++ {
		if a := ask(Update, number); a.Verdict != Granted {
			verdict = a.Verdict
			break
		}
	}
	if verdict != ResourcesExceeded {
		t.Errorf("verdict %d after %d Rating-Groups", verdict, group)
	}
	before := len(w.sessions[w.subscriber("491").ID][SessionKey{ID: "s"}].Quotas)
	ask(Update, 100) // late
	if after := len(w.sessions[w.subscriber("491").ID][SessionKey{ID: "s"}].Quotas); after != before {
		t.Errorf("a late request that reports nothing made %d quotas of %d", after, before)
	}
	if err := w.check(); err != nil {
		t.Error(err)
	}
}

// A client that counts all its sessions by one counter leaves a gap before every number. All are served, the last ones are
// answered again alike, and the termination is never refused. GY-096
func TestNumbersWithGaps(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("491", rating.Seconds, 100_000, "plan", 0, time.Time{})
	ask := func(kind RequestType, number uint32, used uint64) Answer {
		r := Request{Session: SessionKey{ID: "s"}, Type: kind, Number: number, Context: Context{Name: "32260@3gpp.org"}}
		r.Services = []ServiceRequest{{Requested: &Measured{}, Used: []Used{{Measured: Measured{Time: &used}}}}}
		return w.send("491", r)
	}
	ask(Initial, 0, 0)
	var answers []string
	for i := range uint32(700) {
		answers = append(answers, describe(ask(Update, 7*i+3, 1)))
	}
	for i := uint32(500); i < 700; i++ {
		if again := describe(ask(Update, 7*i+3, 1)); again != answers[i] {
			t.Fatalf("number %d was answered %s and then %s", 7*i+3, answers[i], again)
		}
	}
	if a := ask(Termination, 4_294_967_295, 2); a.Verdict != Granted {
		t.Errorf("the termination got verdict %d", a.Verdict)
	}
	s := w.sessions[w.subscriber("491").ID][SessionKey{ID: "s"}]
	if len(s.Memory.Seen) > maxSpans || len(s.Memory.Answers) > maxRemembered {
		t.Errorf("%d spans and %d answers are kept", len(s.Memory.Seen), len(s.Memory.Answers))
	}
	if charged := s.Quotas[0].Charged; charged != 702 {
		t.Errorf("charged %d, want 702", charged)
	}
	if err := w.check(); err != nil {
		t.Error(err)
	}
}

// A report of more than anybody can have used counts as the most that one report is taken for: it drains the bucket, what is
// not covered is an overrun, and no sum leaves the range, however often it comes.
func TestAbsurdReportsAreBounded(t *testing.T) {
	t.Parallel()
	most := uint64(math.MaxUint64)
	for what, used := range map[string]Measured{
		"in all": {TotalOctets: &most}, "both ways": {InputOctets: &most, OutputOctets: &most}, "all three": {TotalOctets: &most, InputOctets: &most, OutputOctets: &most},
	} {
		w := newWorld()
		w.grant("491", rating.Octets, 1_000_000, "plan", 0, time.Time{})
		send := func(kind RequestType, number uint32, reports int) {
			r := Request{Session: SessionKey{ID: "s"}, Type: kind, Number: number, Context: Context{Name: "32251@3gpp.org"}}
			r.Services = []ServiceRequest{{RatingGroup: new(uint32(10)), Requested: &Measured{}}}
			for range reports {
				r.Services[0].Used = append(r.Services[0].Used, Used{Measured: used})
			}
			w.send("491", r)
			if err := w.check(); err != nil {
				t.Fatalf("%s: after request %d: %v", what, number, err)
			}
		}
		send(Initial, 0, 0)
		for number := uint32(1); number < 20; number++ {
			send(Update, number, 3)
		}
		send(Termination, 20, 256)
		for _, b := range w.buckets {
			if b.Balance != 0 || b.Reserved != 0 {
				t.Errorf("%s: %d left, %d reserved; want it drained", what, b.Balance, b.Reserved)
			}
		}
		if len(w.events) == 0 {
			t.Errorf("%s: nothing was charged", what)
		}
		for _, e := range w.events {
			if e.Used < 0 || e.Used > 512*maxReport || e.Charged < 0 || e.Overrun < 0 {
				t.Errorf("%s: rated event of %d used, %d charged, %d overrun", what, e.Used, e.Charged, e.Overrun)
			}
		}
	}
}
