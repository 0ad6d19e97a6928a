package diameter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// never is an engine that nothing may reach.
func never(t *testing.T) engineFunc {
	t.Helper()
	return func(_ ocs.Request, done func(ocs.Answer)) {
		t.Error("a transfer reached the engine of calls")
		done(ocs.Answer{Verdict: ocs.Granted})
	}
}

// transferConfig is a node that takes transfers from everyone below gw.test.
func transferConfig(do func(r TransferRequest, done func(transfer.Outcome, error))) Config {
	c := testConfig()
	c.Peers = append(c.Peers, Peer{Name: "*.gw.test", Plain: true, Instances: 4})
	c.Transfers.Operations, _ = TransferOperations([]string{"all"})
	if do != nil {
		c.Transfers.Do = func(_ context.Context, r TransferRequest, done func(transfer.Outcome, error)) { do(r, done) }
	}
	return c
}

var completed = transfer.Outcome{Answer: transfer.Answer{Status: transfer.Completed, Reference: "GZFA-VFQF-6", Seconds: 900}}

func TestTransferIsServed(t *testing.T) {
	t.Parallel()
	got := make(chan TransferRequest, 1)
	_, address := startServer(t, transferConfig(func(r TransferRequest, done func(transfer.Outcome, error)) {
		got <- r
		done(completed, nil)
	}), never(t))
	c := connect(t, address, "ussd1.gw.test")
	c.send(transferOf(0, nil, quarterHour))
	f := c.read()
	wantResult(t, f, codeSuccess)
	if r := <-got; r.Request.Counterparty != "tel:491700000002" || r.Request.Caller != "gw.test" {
		t.Errorf("got %+v", r)
	}
	if granted := findAVPs(f, avp.GrantedServiceUnit); len(granted) != 1 {
		t.Errorf("%d Granted-Service-Units", len(granted))
	}
}

// What names a transfer and is not served is refused, and never charged as an event that debits one and credits nobody.
func TestTransferNeverFallsThrough(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		context string
		off     bool
	}{
		"another domain":  {context: "minute-transfer.v1@elsewhere.test"},
		"another version": {context: "Minute-Transfer.v9@ocs.example"},
		"switched off":    {context: DefaultTransferContext, off: true},
	} {
		config := transferConfig(func(_ TransferRequest, done func(transfer.Outcome, error)) { done(completed, nil) })
		if c.off {
			config.Transfers.Do = nil
		}
		_, address := startServer(t, config, never(t))
		client := connect(t, address, "ussd1.gw.test")
		client.send(withContext(t, transferOf(0, nil, quarterHour), c.context))
		f := client.read()
		if got := resultOf(f); got != 5004 {
			t.Errorf("%s: result %d, want 5004", name, got)
		}
		wantFailed(t, f, padding(text(avp.ServiceContextID, c.context)))
	}
	_, address := startServer(t, transferConfig(nil), grantAll)
	client := connect(t, address, "ussd1.gw.test")
	client.send(ccr(5, "a"))
	wantResult(t, client.read(), codeSuccess) // of a call
}

// withContext returns b with this Service-Context-Id alone.
func withContext(t *testing.T, b []byte, id string) []byte {
	t.Helper()
	f := frame(bytesWithout(t, b, avp.ServiceContextID))
	body := append(f[headerLength:len(f):len(f)], text(avp.ServiceContextID, id)...)
	return message(f.flags(), f.command(), f.application(), f.hopByHop(), f.endToEnd(), body)
}

// Contexts are configured, and a transfer is an event.
func TestTransferContextsAndType(t *testing.T) {
	t.Parallel()
	config := transferConfig(func(_ TransferRequest, done func(transfer.Outcome, error)) { done(completed, nil) })
	config.Transfers.Contexts = []string{"minutes@operator.test", "minute-transfer.v1@operator.test"}
	_, address := startServer(t, config, never(t))
	c := connect(t, address, "ussd1.gw.test")
	for _, id := range []string{"minutes@operator.test", "MINUTES@operator.test", "minute-transfer.v1@operator.test"} {
		c.send(withContext(t, transferOf(0, nil, quarterHour), id))
		wantResult(t, c.read(), codeSuccess)
	}
	session := bytesWithout(t, withContext(t, transferOf(0, nil, quarterHour), "minutes@operator.test"), avp.CCRequestType)
	body := append(session[headerLength:], number(avp.CCRequestType, 1)...)
	c.send(message(0xC0, diam.CreditControl, creditControl, 1, 2, body))
	f := c.read()
	wantResult(t, f, 5004)
	wantFailed(t, f, number(avp.CCRequestType, 1))
}

// An outcome that nobody knows is not told. What is known not to be is told as that.
func TestTransferErrors(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	errs := []error{
		fmt.Errorf("commit: %w", ErrTransferBusy), fmt.Errorf("decide: %w", ErrTransferNotDone), errors.New("connection lost while committing"), nil,
	}
	_, address := startServer(t, transferConfig(func(_ TransferRequest, done func(transfer.Outcome, error)) {
		mu.Lock()
		err := errs[0]
		errs = errs[1:]
		mu.Unlock()
		done(completed, err)
	}), never(t))
	c := connect(t, address, "ussd1.gw.test")
	b := transferOf(0, nil, quarterHour)
	for _, want := range []uint32{codeTooBusy, codeUnableToComply} {
		c.send(b)
		wantResult(t, c.read(), want)
	}
	c.send(b, dwr(77)) // the third is not answered: the next thing that comes is the DWA
	if f := c.read(); f.hopByHop() != 77 {
		t.Fatalf("got % x, want the DWA", f)
	}
	c.send(b)
	wantResult(t, c.read(), codeSuccess)
}

// A panic after the decision is no answer either, and harms nobody else.
func TestTransferPanic(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, transferConfig(func(_ TransferRequest, done func(transfer.Outcome, error)) {
		done(completed, nil)
		done(completed, nil)
	}), never(t))
	c := connect(t, address, "ussd1.gw.test")
	c.send(transferOf(0, nil, quarterHour), dwr(77))
	answers := map[uint32]bool{c.read().hopByHop(): true, c.read().hopByHop(): true}
	if !answers[1] || !answers[77] {
		t.Errorf("answers to %v, want 1 and 77", answers)
	}
}

// While a transfer waits to be decided, the connection goes on.
func TestTransferDoesNotHoldTheConnection(t *testing.T) {
	t.Parallel()
	waiting := make(chan func(transfer.Outcome, error), 1)
	_, address := startServer(t, transferConfig(func(_ TransferRequest, done func(transfer.Outcome, error)) { waiting <- done }), never(t))
	c := connect(t, address, "ussd1.gw.test")
	c.send(transferOf(0, nil, quarterHour), dwr(77))
	if f := c.read(); f.hopByHop() != 77 {
		t.Fatalf("got % x, want the DWA", f)
	}
	(<-waiting)(completed, nil)
	wantResult(t, c.read(), codeSuccess)
}

// A PIN is taken from a peer with TLS, and from no other; the refusal does not tell it.
func TestTransferCredentialsNeedTLS(t *testing.T) {
	t.Parallel()
	pool, sign := certificates(t)
	config := transferConfig(func(r TransferRequest, done func(transfer.Outcome, error)) {
		if r.PIN != secretPIN {
			t.Errorf("PIN %q", r.PIN)
		}
		done(completed, nil)
	})
	config.TLS = &tls.Config{Certificates: []tls.Certificate{sign("ocs1.ocs.test")}, ClientCAs: pool}
	s, plain := startServer(t, config, never(t))
	b := transferOf(0, map[parameter][]string{paramCredentialType: {"0"}, paramCredential: {secretPIN}}, quarterHour)
	c := connect(t, plain, "ussd1.gw.test")
	c.send(b)
	f := c.read()
	wantResult(t, f, 5008)
	wantFailed(t, f, parameterAVP(paramCredential, ""))
	if strings.Contains(string(f), secretPIN) {
		t.Errorf("the answer tells the PIN: % x", f)
	}

	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.ServeTLS(l) }() // until the server of the test ends
	raw := dial(t, l.Addr().String())
	secure := newClient(t, tls.Client(raw.Conn, &tls.Config{
		RootCAs: pool, ServerName: "ocs1.ocs.test", Certificates: []tls.Certificate{sign("ussd2.gw.test")}, MinVersion: tls.VersionTLS12,
	}))
	secure.send(cer("ussd2.gw.test"))
	wantResult(t, secure.read(), codeSuccess)
	secure.send(b)
	wantResult(t, secure.read(), codeSuccess)
}

func TestTransfersValidate(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]Transfers{
		"":                          {VendorID: 4999, Experimental: true, Production: true, Profiles: []TransferProfile{ProfileIETF, ProfileVendor}},
		"is not token@domain":       {Contexts: []string{"minutes"}},
		"not ours to allot":         {Contexts: []string{"minute-transfer.v1@3gpp.org"}},
		"is none of ietf":           {Profiles: []TransferProfile{"D"}},
		"profile vendor needs":      {Profiles: []TransferProfile{ProfileVendor}},
		"Experimental-Result needs": {Experimental: true},
		"is 3GPP's":                 {VendorID: 10415},
		"not for production":        {VendorID: DocumentationVendorID, Production: true},
		"not for production ":       {VendorID: 4999, AcceptVendorIDs: []uint32{DocumentationVendorID}, Production: true},
		"vendor id 0 is the IETF's": {AcceptVendorIDs: []uint32{0}},
		"leaves no room":            {CodeBase: 1<<32 - 4},
		`language "xx" is none of`:  {Language: "xx"},
	} {
		err := c.Validate()
		if want = strings.TrimSpace(want); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
	if _, err := TransferOperations([]string{"send", "lapse"}); err == nil {
		t.Error("lapse can be asked for")
	}
	if all, err := TransferOperations([]string{"all"}); err != nil || len(all) != 13 {
		t.Errorf("all is %v, %v", all, err)
	}
}
