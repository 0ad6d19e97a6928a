package diameter

import (
	"context"
	"errors"
	"time"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/transfer"
)

const dropUnknownOutcome dropReason = "unknown outcome"

// serveTransfer decodes a request about minutes and hands it on. It does not wait.
func (x *exchange) serveTransfer(ctx context.Context, served bool) {
	s := x.c.server
	if !served {
		x.refuse(&refusal{
			code: codeInvalidAVPValue, text: "this context of transfers is not served here",
			failed: wholeAVP(x.question.frame, avp.ServiceContextID),
		})
		return
	}
	_, secure := x.c.overTLS()
	peer, _ := s.peers.find(x.c.peerHost())
	request, ticket, r := decodeTransfer(x.message, &s.config.Transfers, sender{peer: peer, host: x.c.peerHost(), secure: secure})
	if r != nil {
		x.refuse(r)
		return
	}
	s.config.Transfers.Do(ctx, request, func(o transfer.Outcome, err error) { x.answerTransfer(ticket, o.Answer, err) })
}

// answerTransfer queues the CCA. When nobody knows what was written nothing is said: a refusal might be a lie, and the
// client asks again and is told the truth (spec/transfer 4.5).
func (x *exchange) answerTransfer(t ticket, a transfer.Answer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			x.c.server.reportPanic(cause)
			x.abandon()
		}
	}()
	if x.answered.Load() {
		panic("diameter: a transfer was answered twice")
	}
	switch {
	case err == nil:
		now := time.Now()
		x.send(func(dst []byte) []byte { return t.appendAnswer(dst, x.c.server.id, x.question, a, now) })
	case errors.Is(err, ErrTransferBusy):
		x.refuse(&refusal{code: codeTooBusy, text: "try another server"})
	case errors.Is(err, ErrTransferNotDone):
		x.refuse(&refusal{code: codeUnableToComply, text: "nothing was done"})
	default:
		x.abandon()
	}
}

// abandon ends x without an answer.
func (x *exchange) abandon() {
	if !x.answered.CompareAndSwap(false, true) {
		return
	}
	s := x.c.server
	x.c.end(len(x.question.frame))
	s.telemetry.outstanding.Add(s.context, -1)
	s.telemetry.drop(dropUnknownOutcome)
	s.telemetry.finish(x.span, x.question, 0)
}

// wholeAVP returns the first AVP of this code at command level, as it goes into Failed-AVP.
func wholeAVP(f frame, code uint32) []byte {
	for a := range f.avps() {
		if a.is(code) {
			return a.whole
		}
	}
	return exampleAVP(code, 0, 0)
}
