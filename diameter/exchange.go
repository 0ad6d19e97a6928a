package diameter

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"go.opentelemetry.io/otel/trace"

	"github.com/gyro-ocs/gyro/ocs"
)

// An exchange is a CCR that the engine has, until its CCA is queued.
type exchange struct {
	c        *connection
	message  *diam.Message
	request  ocs.Request
	question question
	began    time.Time
	span     trace.Span
	answered atomic.Bool
	watched  []*Watch // by whom; they saw the request and see the answer
}

// serveCCR decodes a CCR and submits it. It does not wait: the order of a connection's requests is kept, and none stands
// behind another that is slow.
func (c *connection) serveCCR(m *diam.Message) {
	s := c.server
	began := time.Now()
	f := frame(bytes.Clone(c.guard.current))
	keepFrame(m, f)
	if r := s.territory.route(f); r != nil {
		c.refuse(f, r)
		return
	}
	if !c.begin(len(f), began) {
		c.refuse(f, &refusal{code: busyCodeIn(f), text: "too busy, or about to stop"})
		return
	}
	ctx, span := s.telemetry.start()
	x := &exchange{c: c, message: m, question: questionIn(f), began: began, span: span}
	s.telemetry.outstanding.Add(s.context, 1)
	defer x.rescue()
	if concerned, served := s.config.Transfers.concerns(f); concerned {
		x.serveTransfer(ctx, served)
		return
	}
	request, unknown, r := decodeAll(m, c.peer)
	c.counters.unknownAVPs.Add(uint64(unknown)) //nolint:gosec // G115: a count
	if all := s.watches.Load(); all != nil {
		x.watched = x.watchedBy(*all, request)
	}
	if r != nil {
		x.refuse(r)
		return
	}
	if r := c.mayBegin(request, f); r != nil {
		x.refuse(r)
		return
	}
	x.request = request
	s.engine.Submit(ctx, request, x.answer)
}

// mayBegin refuses a client that is not for this context (RFC 8506 §14). What has begun goes on: usage is never refused.
func (c *connection) mayBegin(r ocs.Request, f frame) *refusal {
	if !c.restricted || r.Emergency || r.Type != ocs.Initial && r.Type != ocs.Event {
		return nil
	}
	if peer, _ := c.server.peers.find(c.peerHost()); peer.mayUse(r.Context) {
		return nil
	}
	return &refusal{
		code: codeAuthorizationRejected, text: "this client may not use this context", failed: wholeAVP(f, avp.ServiceContextID),
	}
}

// buffers holds *[]byte that answers are built in.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 1024)) }}

// answer queues the CCA. The engine calls it, from any goroutine.
func (x *exchange) answer(a ocs.Answer) {
	defer x.rescue()
	if x.answered.Load() {
		panic("diameter: the engine answered a request twice")
	}
	x.c.counters.noted(a.Notes)
	x.send(func(dst []byte) []byte { return appendCCA(dst, x.c.server.id, x.message, x.request, a) })
}

// refuse answers a CCR that the engine never saw.
func (x *exchange) refuse(r *refusal) {
	x.send(func(dst []byte) []byte { return x.question.appendRefusalTo(dst, x.c.server.id, r) })
}

// send queues the answer that build appends, unless one was queued before.
func (x *exchange) send(build func(dst []byte) []byte) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	*buffer = build((*buffer)[:0])
	if !x.answered.CompareAndSwap(false, true) {
		return
	}
	s := x.c.server
	code := resultOf(*buffer)
	x.showAnswer(*buffer)
	x.c.send(*buffer, false)
	x.c.end(len(x.question.frame))
	s.telemetry.outstanding.Add(s.context, -1)
	x.c.counters.answered(kindOf(x.question), code)
	s.telemetry.answered(x.question, code, time.Since(x.began))
	s.telemetry.finish(x.span, x.question, code)
}

// rescue answers 5012 when a bug of ours panics on the way, so that the request is answered and the server serves on.
func (x *exchange) rescue() {
	cause := recover()
	if cause == nil {
		return
	}
	x.c.server.reportPanic(cause)
	x.refuse(&refusal{code: codeUnableToComply, text: "internal error"})
}

// reportPanic logs a panic. Its text is ours and its stack names no subscriber: values on it are addresses and numbers.
func (s *Server) reportPanic(cause any) {
	s.telemetry.panics.Add(s.context, 1)
	s.logger.Error("panic while serving a request", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
}

// resultOf returns the Result-Code of an answer of ours.
func resultOf(answer frame) uint32 {
	for a := range answer.avps() {
		if a.is(avp.ResultCode) {
			return a.unsigned32()
		}
	}
	return 0
}
