package integration

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// docs/spec/gy.md 4.15: voice. The plan demo takes four seconds for one to +61, nothing to 0800, one for one to all others.

func TestGY_161_PriceByTheNumberCalled(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	for called, charged := range map[string]int64{"tel:+4930123456": 60, "tel:+61212345678": 240, "tel:08001234567": 0} {
		c := l.newCall(s.newSubscriber(t, 1000))
		c.called = called
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
		s.wantAccount(t, c.msisdn, 1000, charged)
		wantCode(t, c.terminate(1, service(100, uses(60))), 2001)
		s.wantAccount(t, c.msisdn, 1000-charged, 0)
	}
}

func TestGY_162_NumbersInAnyDress(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	for _, called := range []string{
		"tel:+61-2-12345678", "sip:+61212345678@ims.test;user=phone", "sip:0061212345678@ims.test", "tel:+61(2)1234.5678",
		"sip:0212345678;phone-context=+61@ims.test", "tel:212345678;phone-context=+61", "sips:+61212345678;npdi;rn=+6199@ims.test:5061",
	} {
		c := l.newCall(s.newSubscriber(t, 1000))
		c.called = called
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
		if got := s.account(t, c.msisdn).Reserved; got != 240 {
			t.Errorf("%s: reserved %d, want 240, the price of +61", called, got)
		}
	}
}

// Ten thousand calls with random reports, some of them twice, some out of order, over two connections at a time: every
// bucket ends at exactly what was put in, less what was reported.
func TestGY_177_TenThousandCallsAreExact(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	subscribers, callsOfEach := 50, 200
	if testing.Short() {
		callsOfEach = 10
	}
	const start = int64(100_000_000)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	links := []*link{s.client(t), s.client(t)}

	accounts := make([]string, subscribers)
	for i := range accounts {
		accounts[i] = s.newSubscriber(t, start)
	}
	used := make([]int64, subscribers)
	var running sync.WaitGroup
	for i, msisdn := range accounts {
		running.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for range callsOfEach {
				seconds, complaint := randomCall(random, links, msisdn)
				if complaint != "" {
					t.Errorf("subscriber %d: %s", i, complaint)
					return
				}
				used[i] += seconds
			}
		})
	}
	running.Wait()
	for i, msisdn := range accounts {
		s.wantAccount(t, msisdn, start-used[i], 0)
	}
}

// randomCall places one call and returns what it reported in all, or what went wrong.
func randomCall(random *rand.Rand, links []*link, msisdn string) (total int64, complaint string) {
	c := links[0].newCall(msisdn)
	var pending []<-chan message
	send := func(m message) {
		for range 1 + random.IntN(4)/3 { // one in four is sent twice
			pending = append(pending, links[random.IntN(len(links))].start(m))
			m = m.resent()
		}
	}
	collect := func() {
		for _, answer := range pending {
			select {
			case m := <-answer:
				if m.resultCode() != 2001 && complaint == "" {
					complaint = fmt.Sprintf("got %v, want 2001", m)
				}
			case <-links[0].gone:
				complaint = "connection lost"
				return
			case <-links[1].gone:
				complaint = "connection lost"
				return
			}
		}
		pending = nil
	}
	send(c.ccr(typeInitial, 0, service(100, wants(60))))
	collect() // the updates may go another way and must not be there first
	updates := random.IntN(5)
	for _, number := range random.Perm(updates) {
		reports := []avp{u32(ratingGroup, 100)}
		for range 1 + random.IntN(2) {
			seconds := random.Uint32N(120)
			total += int64(seconds)
			reports = append(reports, uses(seconds))
		}
		if random.IntN(3) > 0 {
			reports = append(reports, wantsAny())
		}
		send(c.ccr(typeUpdate, uint32(number)+1, group(mscc, reports...)))
	}
	collect()
	seconds := random.Uint32N(60)
	total += int64(seconds)
	send(c.ccr(typeTermination, uint32(updates)+1, service(100, uses(seconds))))
	collect()
	return total, complaint
}
