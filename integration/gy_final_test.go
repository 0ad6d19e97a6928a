package integration

import (
	"slices"
	"testing"
)

// docs/spec/gy.md 4.7: final interrogation.

func TestGY_090_TerminationDebitsAndReleases(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60)), service(200, wants(50))), 2001)
	s.wantAccount(t, c.msisdn, 600, 110)
	wantCode(t, c.terminate(1, service(100, uses(33))), 2001)
	s.wantAccount(t, c.msisdn, 567, 0)
	late := c.update(9, service(100, wants(60))) // beyond the termination: no part of the call
	if late.resultCode() == 2001 {
		t.Errorf("update after the end: got %v, want a refusal", late)
	}
	s.wantAccount(t, c.msisdn, 567, 0)
}

func TestGY_091_TerminationGetsNoQuota(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantNoGrant(t, c.terminate(1, service(100, uses(33), wants(60)))) // the rest is looked at in every answer
	s.wantAccount(t, c.msisdn, 567, 0)
}

func TestGY_092_TerminationWithoutUsage(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantCode(t, c.terminate(1), 2001)
	s.wantAccount(t, c.msisdn, 600, 0)
}

func TestGY_093_TerminationNeverFails(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 90))
	wantGrant(t, c.initial(0, service(100, wants(90))), 100, 90, false)
	wantCode(t, c.terminate(1, service(100, uses(200))), 2001)
	s.wantAccount(t, c.msisdn, 0, 0)
	if record := s.onlyRecord(t, c.msisdn); record.Overrun != 110 || record.Charged != 90 {
		t.Errorf("CDR: got %+v, want charged 90, overrun 110", record)
	}
}

// Cost-Information is for money accounts. Minutes have no price in it, neither in an update (GY-085) nor at the end.
func TestGY_085_GY_094_NoCostOfMinutes(t *testing.T) {
	t.Parallel()
	_, c := opened(t, 600)
	for _, cca := range []message{c.update(1, service(100, uses(10), wants(60))), c.terminate(2, service(100, uses(10)))} {
		wantCode(t, cca, 2001)
		if cost, ok := cca.find(costInformation); ok {
			t.Errorf("got %v, want none", cost)
		}
	}
}

func TestGY_095_GapsAreNoError(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantGrant(t, c.update(1, service(100, uses(10), wants(60))), 100, 60, false)
	wantCode(t, c.terminate(5, service(100, uses(10))), 2001)
	s.wantAccount(t, c.msisdn, 580, 0)
	if record := s.onlyRecord(t, c.msisdn); !slices.Equal(record.Missing, []uint32{2, 3, 4}) {
		t.Errorf("missing numbers in the CDR: got %v, want 2, 3 and 4", record.Missing)
	}
}

// A termination ends its session however much it reports: what the specification does not bound is bounded by the size of a
// message alone. An initial request is refused, and an update with more services than a session may have debits what they used.
func TestGY_093_NoTerminationIsTooLong(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 5000)
	var many []avp
	for i := range uint32(1200) {
		many = append(many, service(1000+i, uses(1)))
	}
	wantFailed(t, c.link.newCall(c.msisdn).initial(0, many...), 5009, mscc)
	s.wantAccount(t, c.msisdn, 5000, 60)
	wantCode(t, c.terminate(1, many...), 2001)
	s.wantAccount(t, c.msisdn, 3800, 0)

	again := c.link.newCall(c.msisdn)
	wantGrant(t, again.initial(0, service(100, wants(60))), 100, 60, false)
	wantCode(t, again.update(1, many...), 5006)
	s.wantAccount(t, c.msisdn, 2600, 0)
	wantCode(t, again.terminate(2, service(100, uses(0))), 2001) // late, and calmly
}
