package ocs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

// However a debit is given back, in whatever parts and however often each is sent: never more than was taken, and when all
// is back every bucket is as it was.
func TestRefundsSumToTheDebit(t *testing.T) {
	t.Parallel()
	for i := range uint64(500) {
		if err := playRefunds(rand.New(rand.NewPCG(*seed+i, 1))); err != nil {
			t.Fatalf("%v\nreplay with: go test ./ocs -run TestRefundsSumToTheDebit -seed %d", err, *seed+i)
		}
	}
}

func playRefunds(random *rand.Rand) error {
	const msisdn = "491700000005"
	w := newWorld()
	for range 1 + random.IntN(4) {
		w.grant(msisdn, rating.Seconds, rating.Units(1+random.IntN(3000)), "", random.IntN(2), w.now.AddDate(0, 0, random.IntN(5)))
	}
	before := maps.Clone(w.buckets)
	event := func(action Action, debit string, services []ServiceRequest, conditions Conditions) Answer {
		r := Request{
			Session: SessionKey{ID: fmt.Sprintf("%d", random.Uint64())}, Type: Event, Number: random.Uint32(), Action: action, Services: services,
			Context: Context{Name: "32274@3gpp.org"}, CommandLevel: len(services) == 1 && random.IntN(2) == 0, Conditions: &conditions,
		}
		if conditions.Called != "" {
			r.Context.Name = "32260@3gpp.org"
		}
		r.RefundOf, _ = ParseRefund(debit)
		answer := w.send(msisdn, r)
		for range random.IntN(3) {
			w.send(msisdn, r)
		}
		return answer
	}
	var debits []string
	for range 5 {
		conditions := Conditions{Recipients: []string{"+49170111", "+49170222", "+49800123"}[random.IntN(3):]}
		if random.IntN(2) == 0 {
			conditions = Conditions{Called: []string{"+33123456789", "+49301234567", "+49700123456", "+491701234567"}[random.IntN(4)]}
		}
		if a := event(DirectDebiting, "", randomServices(random, 4), conditions); a.Refund != "" {
			debits = append(debits, a.Refund)
		}
		for _, debit := range debits {
			for range random.IntN(4) {
				event(RefundAccount, debit, randomServices(random, 3), Conditions{})
				if err := w.check(); err != nil {
					return err
				}
			}
		}
	}
	for _, debit := range debits {
		event(RefundAccount, debit, nil, Conditions{})
		if a := event(RefundAccount, debit, nil, Conditions{}); a.Verdict != InvalidValue {
			return fmt.Errorf("%s was given back whole, and then came to verdict %d", debit, a.Verdict)
		}
	}
	if !maps.Equal(w.buckets, before) {
		return fmt.Errorf("all is back and buckets are\n%+v, before\n%+v", w.buckets, before)
	}
	return w.check()
}

// randomServices returns some services, each with or without a name and an amount. Names occur more than once.
func randomServices(random *rand.Rand, most int) (services []ServiceRequest) {
	for range random.IntN(most + 1) {
		var s ServiceRequest
		if random.IntN(3) > 0 {
			s.RatingGroup = new(random.Uint32N(2))
		}
		if random.IntN(3) > 0 {
			s.ServiceIDs = []uint32{random.Uint32N(2)}
		}
		switch n := random.Uint64N(100); random.IntN(4) {
		case 0:
			s.Requested = &Measured{Specific: &n}
		case 1:
			s.Requested = &Measured{Time: &n}
		case 2:
			s.Requested = &Measured{Time: &n, Specific: &n}
		}
		services = append(services, s)
	}
	return services
}
