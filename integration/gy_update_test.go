package integration

import (
	"slices"
	"testing"
)

// docs/spec/gy.md 4.6: intermediate interrogation.

// opened is a call on the shared server that was granted 60 s of a bucket of seconds.
func opened(t *testing.T, seconds int64) (*server, *call) {
	t.Helper()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, seconds))
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	return s, c
}

func TestGY_077_UpdateDebitsAndReservesAnew(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantGrant(t, c.update(1, service(100, uses(45), wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 555, 60)
}

func TestGY_078_UsageAboveTheGrant(t *testing.T) {
	t.Parallel()
	t.Run("covered", func(t *testing.T) {
		t.Parallel()
		s, c := opened(t, 600)
		wantGrant(t, c.update(1, service(100, uses(75), wants(60))), 100, 60, false)
		s.wantAccount(t, c.msisdn, 525, 60)
	})
	t.Run("above the balance", func(t *testing.T) {
		t.Parallel()
		s := sharedServer(t)
		c := s.client(t).newCall(s.newSubscriber(t, 90))
		wantGrant(t, c.initial(0, service(100, wants(120))), 100, 90, true)
		wantCode(t, c.update(1, service(100, uses(100), wants(60))), 4012)
		s.wantAccount(t, c.msisdn, 0, 0)
		record := s.onlyRecord(t, c.msisdn)
		if record.Charged != 90 || record.Overrun != 10 || record.Used != 100 {
			t.Errorf("CDR: got %+v, want used 100, charged 90, overrun 10", record)
		}
	})
}

func TestGY_079_UpdateWithoutRequestGetsNoQuota(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	cca := c.update(1, service(100, uses(20)))
	wantNoGrant(t, cca)
	if g, ok := grantOf(cca, 100); !ok || g.code != 2001 {
		t.Errorf("MSCC: got %v (there: %t), want 2001", g, ok)
	}
	s.wantAccount(t, c.msisdn, 580, 0)
}

// The plan demo takes a second for each million octets begun.
func TestGY_080_AllReportedUnitsCount(t *testing.T) {
	t.Parallel()
	t.Run("seconds", func(t *testing.T) {
		t.Parallel()
		s, c := opened(t, 600)
		wantGrant(t, c.update(1, service(100, uses(10), uses(15), wants(60))), 100, 60, false)
		s.wantAccount(t, c.msisdn, 575, 60)
	})
	t.Run("octets", func(t *testing.T) {
		t.Parallel()
		s := sharedServer(t)
		c := s.client(t).newCall(s.newSubscriber(t, 600))
		c.context = dataContext
		wantCode(t, c.initial(0, service(10, group(requested, u64(ccTotalOctets, 50_000_000)))), 2001)
		in, out, total := u64(ccInputOctets, 3_000_000), u64(ccOutputOctets, 4_000_000), u64(ccTotalOctets, 9_000_000)
		wantCode(t, c.update(1, service(10, group(used, in, out))), 2001)
		s.wantAccount(t, c.msisdn, 593, 0)
		wantCode(t, c.update(2, service(10, group(used, in, total, out))), 2001)
		s.wantAccount(t, c.msisdn, 584, 0)
	})
}

func TestGY_081_RatingGroupsAreIndependent(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 1000))
	c.initial(0, service(10, wants(60)), service(20, wants(70)))
	s.wantAccount(t, c.msisdn, 1000, 130)
	cca := c.update(1, service(10, uses(5), wants(50)), service(30, wants(40)))
	wantGrant(t, cca, 10, 50, false)
	wantGrant(t, cca, 30, 40, false)
	s.wantAccount(t, c.msisdn, 995, 50+70+40)
}

func TestGY_082_AnswerRepeatsTheServices(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 1000))
	cca := c.initial(0,
		service(30, wants(10), u32(serviceID, 7), u32(serviceID, 3)),
		service(10, wants(20)),
		service(20, wants(30), u32(serviceID, 9)))
	wantCode(t, cca, 2001)
	var got [][]uint32
	for _, answered := range cca.all(mscc) {
		rg, _ := answered.find(ratingGroup)
		numbers := []uint32{rg.uint32()}
		for _, id := range allAVPs(answered.members(), serviceID) {
			numbers = append(numbers, id.uint32())
		}
		if code, _ := answered.find(resultCode); code.uint32() != 2001 {
			t.Errorf("Rating-Group %d: got %d, want 2001", rg.uint32(), code.uint32())
		}
		got = append(got, numbers)
	}
	if want := [][]uint32{{30, 7, 3}, {10}, {20, 9}}; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("Rating-Groups with Service-Identifiers: got %v, want %v", got, want)
	}
}

func TestGY_083_RefusedUpdateDebitsAndEnds(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 90))
	wantGrant(t, c.initial(0, service(100, wants(90))), 100, 90, false)
	cca := c.update(1, service(100, uses(90), wants(60)))
	wantCode(t, cca, 4012)
	if g, _ := grantOf(cca, 100); g.code != 4012 {
		t.Errorf("MSCC: got %v, want 4012", g)
	}
	s.wantAccount(t, c.msisdn, 0, 0)
	s.gyro(t, "bucket", "grant", c.msisdn, "--seconds", "500")
	if end := c.terminate(2); end.resultCode() != 2001 && end.resultCode() != 5002 {
		t.Errorf("CCR-T after the end: got %v, want 2001 or 5002", end)
	}
	s.wantAccount(t, c.msisdn, 500, 0)
}

// Directory enquiries of the plan demo: 60 s to begin with, then two for one, by the minute.
func TestGY_084_IncrementsCountOnTheWholeCall(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 10_000))
	c.called = "tel:11833"
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	for number, want := range map[uint32]int64{1: 10_000 - 60 - 120} {
		wantCode(t, c.update(number, service(100, uses(20))), 2001)
		s.wantAccount(t, c.msisdn, want, 0)
	}
	wantCode(t, c.update(2, service(100, uses(20))), 2001)
	wantCode(t, c.update(3, service(100, uses(20))), 2001)
	s.wantAccount(t, c.msisdn, 10_000-60-120, 0)
	wantCode(t, c.terminate(4, service(100, uses(5))), 2001)
	s.wantAccount(t, c.msisdn, 10_000-60-240, 0)
}

// Location prices nothing yet, so the condition that changes is the number: a call at one for one goes on abroad at four for one.
func TestGY_086_UsageIsPricedAsItWasGranted(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 1000)
	c.called = "tel:+61212345678"
	wantGrant(t, c.update(1, service(100, uses(60), reason(reasonCondition), wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 940, 240)
	wantCode(t, c.terminate(2, service(100, uses(10))), 2001)
	s.wantAccount(t, c.msisdn, 900, 0)
}

func TestGY_087_ReasonsThatContinue(t *testing.T) {
	t.Parallel()
	for _, value := range []uint32{reasonThreshold, reasonExhausted, reasonValidity, reasonForced} {
		s, c := opened(t, 600)
		wantGrant(t, c.update(1, service(100, group(used, reason(value), u32(ccTime, 30)), wants(60))), 100, 60, false)
		s.wantAccount(t, c.msisdn, 570, 60)
	}
}

func TestGY_088_ReasonsThatEnd(t *testing.T) {
	t.Parallel()
	t.Run("FINAL", func(t *testing.T) {
		t.Parallel()
		s, c := opened(t, 600)
		wantNoGrant(t, c.update(1, service(100, reason(reasonFinal), uses(10), wants(60))))
		s.wantAccount(t, c.msisdn, 590, 0)
	})
	t.Run("QHT", func(t *testing.T) {
		t.Parallel()
		s, c := opened(t, 600)
		wantNoGrant(t, c.update(1, service(100, reason(reasonQHT), uses(10))))
		s.wantAccount(t, c.msisdn, 590, 0)
		wantGrant(t, c.update(2, service(100, wants(60))), 100, 60, false)
		s.wantAccount(t, c.msisdn, 590, 60)
	})
}

func TestGY_089_ReasonInAnyPlace(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantGrant(t, c.update(1, service(100, uses(10), wants(60))), 100, 60, false)
	wantGrant(t, c.update(2, service(100, reason(reasonExhausted), uses(10), wants(60))), 100, 60, false)
	wantGrant(t, c.update(3, service(100, group(used, reason(reasonFinal+7), u32(ccTime, 10)), wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 570, 60)
}
