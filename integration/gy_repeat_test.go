package integration

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// docs/spec/gy.md 4.8: duplicates and order.

// sameAnswer fails unless two answers say the same, but for the ids and the Proxy-Info, which are those of each copy, and for the
// name of the server that answered.
func sameAnswer(t *testing.T, first, again message) {
	t.Helper()
	strip := func(m message) []byte {
		return message{flags: m.flags, command: m.command, app: m.app, avps: m.without(proxyInfo).without(originHost).avps}.encode()
	}
	if !bytes.Equal(strip(first), strip(again)) {
		t.Errorf("the repeated request got\n%v\nwant as the first time\n%v", again, first)
	}
}

func TestGY_096_RepeatedRequest(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	other := s.client(t) // an agent: another connection, the same Origin-Host in the CCR
	u := c.ccr(typeUpdate, 1, service(100, uses(45), wants(60))).with(group(proxyInfo, text(proxyHost, "dra1.test"), octets(proxyState, 1)))
	first := c.link.call(u)
	wantGrant(t, first, 100, 60, false)
	again := u.resent().replacing(group(proxyInfo, text(proxyHost, "dra2.test"), octets(proxyState, 2, 2)))
	sameAnswer(t, first, other.call(again))
	sameAnswer(t, first, c.link.call(u))
	s.wantAccount(t, c.msisdn, 555, 60)
}

func TestGY_097_RepeatsInEitherOrder(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	for number := uint32(1); number <= 2; number++ {
		u := c.ccr(typeUpdate, number, service(100, uses(45), wants(60)))
		copies := []message{u.resent(), u} // the copy with T overtakes the original
		if number == 2 {
			copies = []message{u, u}
		}
		first := c.link.call(copies[0])
		wantGrant(t, first, 100, 60, false)
		sameAnswer(t, first, c.link.call(copies[1]))
	}
	s.wantAccount(t, c.msisdn, 510, 60)
}

func TestGY_098_CopiesWhileTheFirstIsInWork(t *testing.T) {
	t.Parallel()
	db := ownDatabase(t)
	s := startServer(t, "--database", db.dsn)
	msisdn := s.newSubscriber(t, 600)
	links := []*link{s.client(t), s.client(t)}
	c := links[0].newCall(msisdn)
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)

	release := db.hold(t)
	u := c.ccr(typeUpdate, 1, service(100, uses(45), wants(60)))
	var pending []<-chan message
	for i := range 5 {
		pending = append(pending, links[i%2].start(u))
	}
	db.awaitBlocked(t)
	release()
	answers := answersTo(t, pending)
	for _, answer := range answers {
		wantGrant(t, answer, 100, 60, false)
		sameAnswer(t, answers[0], answer)
	}
	s.wantAccount(t, msisdn, 555, 60)
}

func TestGY_099_RepeatedTermination(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	end := c.ccr(typeTermination, 1, service(100, uses(10)))
	first := c.link.call(end)
	wantCode(t, first, 2001)
	sameAnswer(t, first, c.link.call(end.resent()))
	s.wantAccount(t, c.msisdn, 590, 0)
	s.onlyRecord(t, c.msisdn)
}

func TestGY_100_RepeatAfterAKill(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	host := newHost()
	c := s.connect(t, host).newCall(s.newSubscriber(t, 600))
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	u := c.ccr(typeUpdate, 1, service(100, uses(45), wants(60)))
	first := c.link.call(u)
	wantGrant(t, first, 100, 60, false)
	s.kill()
	s.restart(t)
	sameAnswer(t, first, s.connect(t, host).call(u.resent()))
	s.wantAccount(t, c.msisdn, 555, 60)
}

// That it holds an hour later is a scenario of package ocs, with a clock that can be moved.
func TestGY_101_RepeatedDebit(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 600)
	l := s.client(t)
	c := l.newCall(msisdn)
	c.context = "32274@3gpp.org"
	debit := c.ccr(typeEvent, 0, u32(requestedAction, 0), service(100, group(requested, u64(ccUnits, 2))), toRecipient("4930123456"))
	first := l.call(debit)
	wantCode(t, first, 2001)
	s.wantAccount(t, msisdn, 480, 0) // a message takes a minute
	sameAnswer(t, first, l.call(debit.resent()))
	s.wantAccount(t, msisdn, 480, 0)
}

// toRecipient is the Service-Information of a short message.
func toRecipient(number string) avp {
	return group(serviceInformation, group(avpCode{2000, vendor3GPP}, group(avpCode{2026, vendor3GPP},
		group(avpCode{1201, vendor3GPP}, u32(avpCode{899, vendor3GPP}, 1), text(avpCode{897, vendor3GPP}, number)))))
}

func TestGY_102_OutOfOrderUpdates(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantCode(t, c.update(2, service(100, uses(20), wants(60))), 2001)
	wantCode(t, c.update(1, service(100, uses(10), wants(60))), 2001)
	wantCode(t, c.terminate(3, service(100, uses(5))), 2001)
	s.wantAccount(t, c.msisdn, 565, 0)
}

func TestGY_102_ShuffledCallsSumExactly(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const subscribers, callsOfEach, start = 10, 100, int64(1_000_000)
	for range subscribers {
		msisdn, total := s.newSubscriber(t, start), int64(0)
		for range callsOfEach {
			c := l.newCall(msisdn)
			pending := []<-chan message{l.start(c.ccr(typeInitial, 0, service(100, wants(60))))}
			for _, number := range random.Perm(4) {
				seconds := random.Uint32N(100)
				total += int64(seconds)
				pending = append(pending, l.start(c.ccr(typeUpdate, uint32(number)+1, service(100, uses(seconds), wants(60)))))
			}
			pending = append(pending, l.start(c.ccr(typeTermination, 5)))
			for _, answer := range answersTo(t, pending) {
				wantCode(t, answer, 2001)
			}
		}
		s.wantAccount(t, msisdn, start-total, 0)
	}
}

func TestGY_103_LateUpdateTakesNoSecondGrant(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantGrant(t, c.update(2, service(100, uses(20), wants(60))), 100, 60, false)
	wantNoGrant(t, c.update(1, service(100, uses(10), wants(60))))
	s.wantAccount(t, c.msisdn, 570, 60)
}

func TestGY_104_UpdateAfterTermination(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantCode(t, c.terminate(2, service(100, uses(20))), 2001)
	s.wantAccount(t, c.msisdn, 580, 0)
	wantNoGrant(t, c.update(1, service(100, uses(10), wants(60))))
	s.wantAccount(t, c.msisdn, 570, 0)
}

func TestGY_105_AnyFirstNumber(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 600)
	l := s.client(t)
	calls := []*call{l.newCall(msisdn), l.newCall(msisdn)}
	for _, c := range calls {
		wantGrant(t, c.initial(1, service(100, wants(60))), 100, 60, false)
	}
	for i, c := range calls {
		wantGrant(t, c.update(2, service(100, uses(uint32(10+i)), wants(60))), 100, 60, false)
	}
	s.wantAccount(t, msisdn, 600-21, 120)
	for _, c := range calls {
		wantCode(t, c.terminate(3, service(100, uses(7))), 2001)
	}
	s.wantAccount(t, msisdn, 600-21-14, 0)
	if records := s.records(t, msisdn); len(records) != len(calls) {
		t.Errorf("CDRs: got %s, want one for each call", fmt.Sprint(slices.Clone(records)))
	}
}
