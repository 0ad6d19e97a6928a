package integration

import (
	"testing"
)

// docs/spec/gy.md 4.10 and 4.11: multiple services and final units, as far as they belong to plain voice.

func TestGY_115_ServicesWithAnyIndicator(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	for name, more := range map[string][]avp{
		"1": {u32(multipleServices, 1)}, "0": {u32(multipleServices, 0)}, "absent": nil,
	} {
		c := l.newCall(s.newSubscriber(t, 600))
		cca := c.initial(0, append(more, service(100, wants(60)))...)
		if g, ok := grantOf(cca, 100); !ok || !g.given || g.seconds != 60 {
			t.Errorf("Multiple-Services-Indicator %s: got %v, want 60 s", name, cca)
		}
		bare := l.newCall(c.msisdn)
		cca = bare.initial(0, append(more, group(mscc, wants(60)))...)
		wantGrant(t, cca, 0, 60, false)
		wantGrant(t, bare.update(1, group(mscc, uses(60), wants(60))), 0, 60, false)
		s.wantAccount(t, c.msisdn, 540, 120)
	}
}

func TestGY_116_UnitsAtCommandLevel(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 100))
	want := func(cca message, seconds uint32, final bool) {
		t.Helper()
		wantCode(t, cca, 2001)
		if got := cca.all(mscc); len(got) > 0 {
			t.Errorf("got MSCCs, want none, in %v", cca)
		}
		if g := readGrant(cca.avps); !g.given || g.seconds != seconds || g.final != final || g.validity == 0 {
			t.Errorf("got %v, want %d s (final: %t) with a Validity-Time, in %v", g, seconds, final, cca)
		}
	}
	want(c.initial(0, wants(60)), 60, false)
	want(c.update(1, uses(60), wants(60)), 40, true)
	s.wantAccount(t, c.msisdn, 40, 40)
	wantCode(t, c.terminate(2, uses(40)), 2001)
	s.wantAccount(t, c.msisdn, 0, 0)
}

func TestGY_126_FinalUnitTerminate(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	cca := s.client(t).newCall(s.newSubscriber(t, 30)).initial(0, service(100, wants(60)))
	wantGrant(t, cca, 100, 30, true)
	indication, _ := cca.find(mscc, finalUnit)
	if members := indication.members(); len(members) != 1 || members[0].code != finalUnitAction || members[0].uint32() != 0 {
		t.Errorf("Final-Unit-Indication: got %v, want Final-Unit-Action TERMINATE alone", members)
	}
}

func TestGY_132_FinalUnitGoesWhenThereIsMoney(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 30))
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 30, true)
	s.gyro(t, "bucket", "grant", c.msisdn, "--seconds", "600")
	wantGrant(t, c.update(1, service(100, uses(30), wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 600, 60)
}
