package ctf

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
)

// A fakeServer answers what a switch sends. It is no charging system: script decides.
type fakeServer struct {
	capabilities uint32 // Result-Code of the CEA
	script       func(request) *reply
	hold         func(request, func()) // when set, it sends the answer by calling its argument

	mu       sync.Mutex
	requests []request
}

// request is a CCR as the server sees it.
type request struct {
	header  header
	session string
	letter  string // I, U, T, E
	kind    uint32
	number  uint32
	used    *uint32
	why     *uint32
	asks    bool
	level   bool // units at command level
	group   *uint32
	context string
	action  *uint32
	called  string
	sub     string
}

// reply is a CCA. Zero values are left out.
type reply struct {
	code, service     uint32
	granted, validity uint32
	threshold         uint32
	final, low        bool
	more              func(*encoder)
}

func granted(seconds, validity uint32) *reply {
	return &reply{code: 2001, service: 2001, granted: seconds, validity: validity}
}

func readRequest(t *testing.T, frame []byte) request {
	t.Helper()
	r := request{header: parseHeader(frame)}
	units := func(a avp) {
		switch {
		case a.is(requestedUnit):
			r.asks = true
		case a.is(usedUnit):
			for u := range walk(t, a.value) {
				switch {
				case u.is(ccTime):
					r.used = new(u.number())
				case u.is(reportingReason):
					r.why = new(u.number())
				}
			}
		}
	}
	for a := range walk(t, frame[headerSize:]) {
		switch {
		case a.is(sessionID):
			r.session = string(a.value)
		case a.is(ccRequestType):
			r.kind = a.number()
			r.letter = string(commandLetters[r.kind])
		case a.is(ccRequestNumber):
			r.number = a.number()
		case a.is(serviceContextID):
			r.context = string(a.value)
		case a.is(requestedAction):
			r.action = new(a.number())
		case a.is(subscriptionID):
			for s := range walk(t, a.value) {
				if s.is(subscriptionData) {
					r.sub = string(s.value)
				}
			}
		case a.is(mscc):
			for m := range walk(t, a.value) {
				switch {
				case m.is(ratingGroup):
					r.group = new(m.number())
				case m.is(reportingReason):
					r.why = new(m.number())
				}
				units(m)
			}
		case a.is(serviceInformation):
			for s := range walk(t, a.value) {
				for i := range walk(t, s.value) {
					if i.is(calledParty) {
						r.called = string(i.value)
					}
				}
			}
		case a.is(requestedUnit), a.is(usedUnit):
			r.level = true
			units(a)
		}
	}
	return r
}

func walk(t *testing.T, b []byte) func(func(avp) bool) {
	t.Helper()
	return func(yield func(avp) bool) {
		for a, err := range avps(b) {
			if err != nil {
				t.Errorf("the switch sent a broken AVP: %v", err)
				return
			}
			if !yield(a) {
				return
			}
		}
	}
}

// serve answers on socket until it closes.
func (f *fakeServer) serve(t *testing.T, socket net.Conn) {
	t.Helper()
	defer socket.Close() //nolint:errcheck // the switch may have closed it
	reader := bufio.NewReader(socket)
	var writing sync.Mutex
	for {
		frame, err := readFrame(reader)
		if err != nil {
			return
		}
		h := parseHeader(frame)
		if !h.isRequest() {
			continue
		}
		send := func() {
			writing.Lock()
			defer writing.Unlock()
			_, _ = socket.Write(f.answer(t, h, frame))
		}
		if h.command == creditControl && f.hold != nil {
			f.hold(readRequest(t, frame), send)
			continue
		}
		send()
	}
}

func (f *fakeServer) answer(t *testing.T, h header, frame []byte) []byte {
	t.Helper()
	e := encode(header{flags: h.flags & proxiableFlag, command: h.command, application: h.application, hopByHop: h.hopByHop, endToEnd: h.endToEnd})
	if h.command != creditControl {
		e.number(resultCode, max(f.capabilities, 2001))
		e.text(originHost, "ocs1.ocs.test")
		e.text(originRealm, "ocs.test")
		return e.bytes()
	}
	r := readRequest(t, frame)
	f.mu.Lock()
	f.requests = append(f.requests, r)
	a := f.script(r)
	f.mu.Unlock()
	e.text(sessionID, r.session)
	e.number(resultCode, a.code)
	e.text(originHost, "ocs1.ocs.test")
	e.text(originRealm, "ocs.test")
	e.number(authApplicationID, 4)
	e.number(ccRequestType, r.kind)
	e.number(ccRequestNumber, r.number)
	inside := func() {
		if a.granted > 0 {
			e.group(grantedUnit, func() { e.number(ccTime, a.granted) })
		}
		if a.validity > 0 {
			e.number(validityTime, a.validity)
		}
		if a.final {
			e.group(finalUnit, func() { e.number(finalAction, 0) })
		}
		if a.threshold > 0 {
			e.number(timeQuotaThreshold, a.threshold)
		}
	}
	switch {
	case r.level:
		inside()
	case a.service > 0:
		e.group(mscc, func() {
			inside()
			e.number(resultCode, a.service)
		})
	}
	if a.low {
		e.number(lowBalance, 1)
	}
	if a.more != nil {
		a.more(e)
	}
	return e.bytes()
}

// quota is what bucket grants.
const quota = 60

// bucket is the script of a server with a balance that no other call touches.
func bucket(balance uint32) func(request) *reply {
	return func(r request) *reply {
		if r.used != nil {
			balance -= min(balance, *r.used)
		}
		switch {
		case r.kind == terminationRequest:
			return &reply{code: 2001}
		case balance == 0:
			return &reply{code: 4012, service: 4012}
		}
		a := granted(min(balance, quota), 360)
		a.final = balance <= quota
		return a
	}
}

var testConfig = Config{Host: "tas1.ims.test", Realm: "ims.test"}

// listen serves f on a loopback socket and returns its address.
func (f *fakeServer) listen(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	serving.Go(func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { f.serve(t, socket) })
		}
	})
	return listener.Addr().String()
}

func dial(t *testing.T, address string) *Conn {
	t.Helper()
	conn, err := Dial(t.Context(), address, testConfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// play places call against script and returns what was said, a line a message, and the outcome.
func play(t *testing.T, script func(request) *reply, call Call) (said []string, o Outcome, f *fakeServer) {
	t.Helper()
	f = &fakeServer{script: script}
	s := New(testConfig, dial(t, f.listen(t)))
	o, err := s.Call(context.Background(), call, func(m Message) { said = append(said, m.String()) })
	if err != nil {
		t.Fatalf("%+v: %v\nsaid so far:\n%s", call, err, fmt.Sprint(said))
	}
	return said, o, f
}
