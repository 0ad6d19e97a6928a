package integration

import (
	"bytes"
	"testing"
	"time"
)

// docs/spec/gy.md 4.1: transport and capabilities exchange.

func TestGY_001_AnswersCapabilities(t *testing.T) {
	t.Parallel()
	l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	wantCode(t, l.call(l.cer()), 2001)
}

func TestGY_002_CapabilitiesAnswerIsComplete(t *testing.T) {
	t.Parallel()
	l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	cea := l.call(l.cer())
	wantCode(t, cea, 2001)
	for _, want := range []avp{
		text(originHost, serverHost), text(originRealm, serverRealm), ipv4(hostIPAddress, 127, 0, 0, 1), u32(supportedVendorID, vendor3GPP),
	} {
		got := cea.all(want.code)
		if len(got) != 1 || !bytes.Equal(got[0].data, want.data) {
			t.Errorf("got %v, want once %v", got, want)
		}
	}
	for _, code := range []avpCode{vendorID, productName} {
		if got := cea.all(code); len(got) != 1 {
			t.Errorf("%v: got %d, want 1", code, len(got))
		}
	}
}

func TestGY_003_OnlyCreditControlIsAdvertised(t *testing.T) {
	t.Parallel()
	l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	cea := l.call(l.cer(u32(authApplicationID, appRelay), u32(acctApplicationID, 3)))
	wantCode(t, cea, 2001)
	if got := cea.all(authApplicationID); len(got) != 1 || got[0].uint32() != appCreditControl {
		t.Errorf("Auth-Application-Id: got %v, want 4 alone", got)
	}
	for _, code := range []avpCode{acctApplicationID, vendorSpecificApp} {
		if got := cea.all(code); len(got) > 0 {
			t.Errorf("%v: got %v, want none", code, got)
		}
	}
}

func TestGY_004_OriginStateIsTheServersOwn(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	var states []uint32
	for range 2 {
		l := dial(t, s.endpoint.Diameter[0], newHost())
		cea := l.call(l.cer(u32(originStateID, 777)))
		state, ok := cea.find(originStateID)
		if !ok || state.uint32() == 777 || state.uint32() == 0 {
			t.Errorf("Origin-State-Id: got %d (there: %t), want the server's own", state.uint32(), ok)
		}
		states = append(states, state.uint32())
	}
	if states[0] != states[1] {
		t.Errorf("Origin-State-Ids of two connections: got %v, want equal ones", states)
	}
}

func TestGY_005_ApplicationInsideVendorSpecificAndRelay(t *testing.T) {
	t.Parallel()
	for name, offer := range map[string]avp{
		"foreign vendor": group(vendorSpecificApp, u32(vendorID, 9999), u32(authApplicationID, appCreditControl)),
		"relay":          u32(authApplicationID, appRelay),
		"relay inside":   group(vendorSpecificApp, u32(vendorID, vendor3GPP), u32(authApplicationID, appRelay)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
			wantCode(t, l.call(l.cer().without(authApplicationID).with(offer)), 2001)
		})
	}
}

func TestGY_006_NoCommonApplication(t *testing.T) {
	t.Parallel()
	l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	wantCode(t, l.call(l.cer().replacing(u32(authApplicationID, 16777251))), 5010)
	l.wantClosed(5 * time.Second)
}

func TestGY_007_StrangerIsRefused(t *testing.T) {
	t.Parallel()
	s := strictServer(t)
	l := dial(t, s.endpoint.Diameter[0], "stranger.test")
	wantCode(t, l.call(l.cer()), 3010)
	l.wantClosed(5 * time.Second)
	s.connect(t, "pgw1.epc.test").wantOpen()
}

func TestGY_008_CapabilitiesWithoutOriginHost(t *testing.T) {
	t.Parallel()
	l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	blamed := wantFailed(t, l.call(l.cer().without(originHost)), 5005, originHost)
	if len(blamed.data) != 0 {
		t.Errorf("example of Origin-Host: got %x, want nothing", blamed.data)
	}
	l.wantClosed(5 * time.Second)
}

func TestGY_009_InbandSecurityAlone(t *testing.T) {
	t.Parallel()
	l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	wantCode(t, l.call(l.cer(u32(inbandSecurityID, 1))), 5017)
	l.wantClosed(5 * time.Second)

	both := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	wantCode(t, both.call(both.cer(u32(inbandSecurityID, 1), u32(inbandSecurityID, 0))), 2001)
}

func TestGY_010_FirstMessageMustBeCapabilities(t *testing.T) {
	t.Parallel()
	t.Run("watchdog first", func(t *testing.T) {
		t.Parallel()
		l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
		l.send(l.dwr())
		l.wantClosed(5 * time.Second)
	})
	t.Run("request first", func(t *testing.T) {
		t.Parallel()
		l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
		l.send(l.newCall("491799999999").ccr(typeInitial, 0, service(100, wants(60))))
		l.wantClosed(5 * time.Second)
	})
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		start := time.Now()
		l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
		l.wantClosed(15 * time.Second)
		if after := time.Since(start); after < 9*time.Second || after > 13*time.Second {
			t.Errorf("closed after %v, want 10 s", after)
		}
	})
}

func TestGY_011_SecondConnectionOfOnePeer(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	host := newHost()
	first := s.connect(t, host)

	second := dial(t, s.endpoint.Diameter[0], host)
	second.refused()
	first.wantOpen()

	// The first no longer answers: whoever comes next has it probed, and the one after that gets in.
	first.silent.Store(true)
	deadline := time.Now().Add(10 * time.Second)
	third := dial(t, s.endpoint.Diameter[0], host)
	third.refused()
	for {
		next := dial(t, s.endpoint.Diameter[0], host)
		if next.accepted() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the client could not come back although its old connection is dead")
		}
	}
	<-first.gone
}

// refused fails unless the server turns this connection down, with an answer that is no success or with none.
func (l *link) refused() {
	l.t.Helper()
	if l.accepted() {
		l.t.Error("a second connection of the same peer was accepted")
	}
}

// accepted sends a CER and reports whether it is taken.
func (l *link) accepted() bool {
	l.t.Helper()
	select {
	case cea := <-l.start(l.cer()):
		if cea.resultCode() == 2001 {
			return true
		}
		<-l.gone
	case <-l.gone:
	case <-time.After(patience):
		l.t.Fatal("a CER was neither answered nor its connection closed")
	}
	return false
}

// strictServer knows one peer.
func strictServer(t *testing.T) *server {
	t.Helper()
	return configured(t, "peers:\n  - name: pgw1.epc.test\n    security: none\n")
}
