package charging_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A mixture is a little of everything, on two servers, while the time goes on: what the journal must account for.
type mixture struct {
	*bench
	test    *testing.T
	engines []*charging.Engine
	ids     map[string]ocs.SubscriberID
	answers []transfer.Answer
}

// minutes is how long a mixture lasts: each does something else at its end.
const minutes = 6

// mix runs a mixture. look is called once in every minute of it, when all is quiet.
func mix(t *testing.T, b *bench, look func(*mixture)) *mixture {
	t.Helper()
	p := transfer.Default()
	for i := range p.Limits {
		p.Limits[i].Count, p.Limits[i].Seconds = 1_000_000, 0
	}
	p.Fees = []transfer.FeeRule{{Name: "two percent", Bands: []transfer.FeeBand{{BasisPoints: 200}}, Least: 1}}
	m := &mixture{bench: b, test: t, engines: b.twoEngines(withPolicy(p)), ids: map[string]ocs.SubscriberID{}}
	for _, number := range []string{ann, ben, cem} {
		m.ids[number] = b.subscriber(number, 6000)
		m.grant(number, 600)
	}
	look(m)
	for minute := range minutes {
		b.wait(time.Minute)
		m.minute(minute)
		look(m)
	}
	return m
}

// grant sells minutes that end in 90 days.
func (m *mixture) grant(number string, seconds rating.Units) {
	m.t.Helper()
	lot, postings := ocs.GrantBucket(ocs.Grant{
		Movement: "top-up", Subscriber: m.ids[number], Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: rating.Seconds,
		Units: seconds, Class: "purchased", Offer: "shop", ExpiresAt: m.clock().Add(90 * 24 * time.Hour),
	}, m.clock())
	if _, err := m.store.Grant(m.t.Context(), "top-up", m.ids[number], lot, postings); err != nil {
		m.t.Error(err)
	}
}

func (m *mixture) minute(minute int) {
	m.t.Helper()
	name := func(what string) string { return fmt.Sprint(what, ".", minute) }
	n := 60 * rating.Units(1+minute%5)
	requests := []charging.Transfer{
		send(ann, ben, name("a"), n), send(ben, cem, name("b"), n+60), send(cem, ann, name("c"), n), send(ben, ann, name("d"), 60),
		send(ann, ben, name("a"), n),          // a copy
		send(cem, ben, name("much"), 29_940),  // never enough
		send(ann, ann, name("self"), 60),      // and never right
		send(cem, "4999", name("nobody"), 60), // there is none
	}
	answers := make([]transfer.Answer, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() { answers[i] = do(m.t, m.engines[(i+minute)%2], r).Answer })
	}
	all.Go(func() {
		want(m.t, ask(m.engines[0], ccr(ben, name("call"), ocs.Initial, 0, 0, true)), ocs.Granted)
		want(m.t, ask(m.engines[1], ccr(ben, name("call"), ocs.Update, 1, 31, true)), ocs.Granted)
		want(m.t, ask(m.engines[0], ccr(ben, name("call"), ocs.Termination, 2, 7, false)), ocs.Granted)
	})
	all.Wait()
	prepare := send(cem, ann, name("p"), 120)
	prepare.Request.Operation = transfer.OpPrepare
	held := do(m.t, m.engines[0], prepare).Answer
	answers = append(answers, held)
	var next charging.Transfer
	switch minute {
	case 0:
		next = on(cem, transfer.OpConfirm, held.Reference, name("confirm"))
	case 1:
		next = on(cem, transfer.OpCancel, held.Reference, name("cancel"))
	case 2, 3: // claimed, and consented or not
		claim := do(m.t, m.engines[1], on(ann, transfer.OpReverse, answers[0].Reference, name("claim"))).Answer
		answers = append(answers, claim)
		next = on(ben, []transfer.Operation{transfer.OpReverseAccept, transfer.OpReverseRefuse}[minute-2], claim.Reference, name("consent"))
	case 4: // it lapses
		m.wait(25 * time.Hour)
		until(m.test, func() bool {
			stored, err := m.store.TransferByReference(m.t.Context(), held.Reference)
			return err == nil && stored.Status == transfer.Expired
		})
		next = on(cem, transfer.OpConfirm, held.Reference, name("late"))
	case 5: // it waits
		next = on(ann, transfer.OpEnquire, held.Reference, "")
	}
	m.answers = append(append(m.answers, answers...), do(m.t, m.engines[1], next).Answer)
}

// stored returns all transfers.
func (b *bench) stored() []transfer.Transfer {
	b.t.Helper()
	all, err := b.store.TransferPage(b.t.Context(), postgres.TransferFilter{}, 0, 10_000)
	if err != nil {
		b.t.Error(err)
	}
	return all
}

// moved reports whether the seconds of t went.
func moved(t transfer.Transfer) bool {
	return slices.Contains([]transfer.Status{transfer.Completed, transfer.Reversed, transfer.ReversalPending}, t.Status)
}
