package integration

import (
	"bytes"
	"fmt"
	"testing"
)

// docs/spec/gy.md 4.13: events. A message of the plan demo takes a minute.

// Requested-Actions.
const (
	actionDebit  = 0
	actionRefund = 1
)

// event sends a CCR-E about a short message over l, as a session of its own, and returns it with its answer.
func (l *link) event(msisdn string, action uint32, more ...avp) (ccr, cca message) {
	l.t.Helper()
	c := l.newCall(msisdn)
	c.context = "32274@3gpp.org"
	ccr = c.ccr(typeEvent, 0, append([]avp{u32(requestedAction, action)}, more...)...)
	return ccr, l.call(ccr)
}

func messages(n uint64) avp { return group(requested, u64(ccUnits, n)) }

// refundOf returns the Refund-Information of a debit, from whatever place the answer has it in.
func refundOf(t *testing.T, cca message) avp {
	t.Helper()
	wantCode(t, cca, 2001)
	for _, path := range [][]avpCode{{refundInformation}, {mscc, refundInformation}} {
		if token, ok := cca.find(path...); ok {
			return token
		}
	}
	t.Fatalf("no Refund-Information in %v", cca)
	return avp{}
}

// wantUnits fails unless the answer is 2001 with exactly these MSCCs: Rating-Group or Service-Identifier, and units.
func wantUnits(t *testing.T, cca message, want ...string) {
	t.Helper()
	wantCode(t, cca, 2001)
	var got []string
	for _, s := range cca.all(mscc) {
		name, units := "", "nothing"
		if a, ok := s.find(ratingGroup); ok {
			name += fmt.Sprintf("rg %d ", a.uint32())
		}
		if a, ok := s.find(serviceID); ok {
			name += fmt.Sprintf("sid %d ", a.uint32())
		}
		if a, ok := s.find(granted, ccUnits); ok {
			units = fmt.Sprint(a.uint64())
		}
		got = append(got, name+units)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q, in %v", got, want, cca)
	}
}

func TestGY_146_RefundOnce(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, other := s.client(t), s.client(t)
	msisdn := s.newSubscriber(t, 600)
	_, debit := l.event(msisdn, actionDebit, service(100, messages(2)), toRecipient("4930123456"))
	token := refundOf(t, debit)
	s.wantAccount(t, msisdn, 480, 0)

	ccr, first := l.event(msisdn, actionRefund, token)
	wantCode(t, first, 2001)
	if units, ok := first.find(granted, ccUnits); !ok || units.uint64() != 2 {
		t.Errorf("got %v, want two units given back, in %v", units, first)
	}
	s.wantAccount(t, msisdn, 600, 0)
	for _, again := range []*link{l, other, other} { // the same request gives back nothing more
		sameAnswer(t, first, again.call(ccr.resent()))
	}
	_, second := l.event(msisdn, actionRefund, token)
	if blamed := wantFailed(t, second, 5004, refundInformation); !bytes.Equal(blamed.data, token.data) {
		t.Errorf("Failed-AVP has %x, want %x", blamed.data, token.data)
	}
	_, foreign := l.event(s.newSubscriber(t, 600), actionRefund, token)
	wantFailed(t, foreign, 5004, refundInformation)
	s.wantAccount(t, msisdn, 600, 0)
}

// spec/gy 3.15: at most the amount of the debit, however many parts it is given back in.
func TestGY_146_RefundInParts(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, other := s.client(t), s.client(t)
	msisdn := s.newSubscriber(t, 600)
	_, debit := l.event(msisdn, actionDebit, service(100, messages(5)), toRecipient("4930123456"))
	token := refundOf(t, debit)
	s.wantAccount(t, msisdn, 300, 0)

	ccr, first := l.event(msisdn, actionRefund, token, service(100, messages(2)))
	wantUnits(t, first, "rg 100 2")
	sameAnswer(t, first, other.call(ccr.resent()))
	s.wantAccount(t, msisdn, 420, 0)

	_, second := other.event(msisdn, actionRefund, token, service(100, messages(2)))
	wantUnits(t, second, "rg 100 2")
	_, third := l.event(msisdn, actionRefund, token, service(100, messages(5)))
	wantUnits(t, third, "rg 100 1")
	s.wantAccount(t, msisdn, 600, 0)
	_, fourth := l.event(msisdn, actionRefund, token, service(100, messages(1)))
	wantFailed(t, fourth, 5004, refundInformation)
	s.wantAccount(t, msisdn, 600, 0)
}

// All parts of a debit at once, over two connections: what they give back is what was taken, whichever comes first.
func TestGY_146_RefundsAtOnce(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	links := []*link{s.client(t), s.client(t)}
	msisdn := s.newSubscriber(t, 600)
	_, debit := links[0].event(msisdn, actionDebit, service(100, messages(7)), toRecipient("4930123456"))
	token := refundOf(t, debit)
	s.wantAccount(t, msisdn, 180, 0)
	const parts = 12 // of three each: two whole ones, one of the rest, and the others are refused
	answers := make([]<-chan message, parts)
	for i := range parts {
		c := links[i%2].newCall(msisdn)
		c.context = "32274@3gpp.org"
		answers[i] = links[i%2].start(c.ccr(typeEvent, 0, u32(requestedAction, actionRefund), token, service(100, messages(3))))
	}
	given, refused := uint64(0), 0
	for i := range parts {
		cca := links[i%2].await(message{}, answers[i])
		if cca.resultCode() == 5004 {
			refused++
			continue
		}
		wantCode(t, cca, 2001)
		units, _ := cca.find(mscc, granted, ccUnits)
		given += units.uint64()
	}
	if given != 7 || refused != parts-3 {
		t.Errorf("got %d units given back and %d refusals, want 7 and %d", given, refused, parts-3)
	}
	s.wantAccount(t, msisdn, 600, 0)
}

// A refund of a debit of several services gives back those that it names, and answers only those.
func TestGY_146_RefundOfServices(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	msisdn := s.newSubscriber(t, 1200)
	named := func(id uint32, members ...avp) avp {
		return group(mscc, append([]avp{u32(serviceID, id)}, members...)...)
	}
	_, debit := l.event(msisdn, actionDebit, service(100, messages(3)), service(200, messages(4)), named(7, messages(2)), toRecipient("4930654321"))
	wantUnits(t, debit, "rg 100 3", "rg 200 4", "sid 7 2")
	token := refundOf(t, debit)
	s.wantAccount(t, msisdn, 660, 0)

	_, cca := l.event(msisdn, actionRefund, token, service(200, messages(1)))
	wantUnits(t, cca, "rg 200 1")
	s.wantAccount(t, msisdn, 720, 0)
	_, cca = l.event(msisdn, actionRefund, token, named(7), service(100, messages(2)))
	wantUnits(t, cca, "sid 7 2", "rg 100 2")
	s.wantAccount(t, msisdn, 960, 0)

	_, cca = l.event(msisdn, actionRefund, token, service(100, messages(1)), service(300, messages(1)))
	if blamed := wantFailed(t, cca, 5004, ratingGroup); blamed.uint32() != 300 {
		t.Errorf("Failed-AVP has Rating-Group %d, want 300", blamed.uint32())
	}
	_, cca = l.event(msisdn, actionRefund, token, service(100, messages(1)), named(7, messages(1)))
	wantFailed(t, cca, 5004, refundInformation)
	s.wantAccount(t, msisdn, 960, 0) // all or nothing
	_, cca = l.event(msisdn, actionRefund, token)
	wantCode(t, cca, 2001)
	s.wantAccount(t, msisdn, 1200, 0)
}
