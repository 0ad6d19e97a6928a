package charging

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Transfer is a request of a subscriber, shop or operator, with the parties as the door heard them.
type Transfer struct {
	// Request is what is asked for. Number, NewBucketID, PayoutHash and the results of its Credential and Payout are filled
	// in here. Its Counterparty names the other side: tel:31612345678, or the code of a role: merchant:CODE, agent:CODE.
	// On a stored transfer BySender and ByReceiver say only that a subscriber acts: which of the two is found here.
	Request transfer.Request
	Acting  ocs.Identity // who acts; zero where the operator or the sweep acts on a stored transfer
	PIN     string       // as typed, never stored or logged; empty: none given
	// Payout is the code of a cash-out: as the door drew it, in the request that prepares it, and as typed, in the request
	// that confirms it.
	Payout string
	IMSI   string // of the session, by which a new card is noticed; may be empty
}

// What can keep a transfer from having an outcome. A refusal is an outcome.
var (
	ErrBusy           = errors.New("transfer not decided: nothing was written, and it is safe to try elsewhere")
	ErrUnknownOutcome = errors.New("outcome of transfer not known: repeat it with the same reference")
	ErrUnable         = errors.New("transfer could not be decided: nothing was written")
)

// A PINChecker checks PINs; it is a [pin.Checker].
type PINChecker interface {
	Check(ctx context.Context, a pin.Attempt) (transfer.Credential, error)
}

// Transfer has t decided. What it returns is durable. When it fails, or ctx ends, the error is [ErrBusy],
// [ErrUnknownOutcome] or [ErrUnable].
func (e *Engine) Transfer(ctx context.Context, t Transfer) (transfer.Outcome, error) {
	if !storable(t) {
		return transfer.Outcome{Answer: transfer.Answer{Refusal: transfer.Malformed}}, nil
	}
	if e.closing.Load() {
		return transfer.Outcome{}, ErrBusy
	}
	if t.PIN != "" {
		done, err := e.checkPIN(ctx, &t)
		if err != nil {
			return transfer.Outcome{}, err
		}
		defer done()
	} else {
		t.Request.Credential.Result = transfer.NoCredential
	}
	if r := &t.Request; r.Operation == transfer.OpPrepare && r.Kind == transfer.CashOut && t.Payout != "" {
		r.PayoutHash = hashCode(e.config.CodeKey, t.Payout)
	}
	return e.decideTransfer(ctx, t)
}

// decideTransfer queues t and waits for its outcome.
func (e *Engine) decideTransfer(ctx context.Context, t Transfer) (transfer.Outcome, error) {
	p := newMoving(t, e.config.Deadline)
	p.span = trace.SpanFromContext(ctx)
	e.toTransferLane(p)
	// The engine answers at the deadline; after its end nobody does.
	last := time.NewTimer(e.config.Deadline + time.Second)
	defer last.Stop()
	select {
	case <-last.C:
		p.answer(ocs.Answer{Verdict: ocs.Busy})
		r := <-p.moving.done
		return r.outcome, r.err
	case r := <-p.moving.done:
		return r.outcome, r.err
	case <-ctx.Done():
		p.answer(ocs.Answer{Verdict: ocs.Busy})
		r := <-p.moving.done // the outcome after all, or that there is none
		return r.outcome, r.err
	}
}

// checkPIN fills in the credential of t. A copy of a request that was answered counts no try, nor does one that is being
// decided, here or on another server: here the copies come one after the other, elsewhere the checker knows the request by its
// key. done is to be called when t is decided.
func (e *Engine) checkPIN(ctx context.Context, t *Transfer) (done func(), err error) {
	r := &t.Request
	r.Credential = transfer.Credential{IdentityDocuments: r.Credential.IdentityDocuments}
	done = func() {}
	if e.config.PINs == nil || t.Acting.Value == "" {
		return done, nil
	}
	located, err := e.config.Store.Resolve(ctx, []ocs.Identity{t.Acting})
	if err != nil {
		return nil, e.notDecided("who acts could not be looked up", err)
	}
	id := located[0].Subscriber
	if id == "" {
		return done, nil
	}
	attempt := pin.Attempt{Subscriber: id, PIN: pin.Secret(t.PIN), Channel: r.Channel, Gateway: r.Caller}
	if r.Reference != "" && !r.Operation.ReadsOnly() {
		key := postgres.AnswerKey{Caller: r.Caller, Subscriber: id, Reference: r.Reference}
		if done, err = e.asking.enter(ctx, key); err != nil {
			return nil, ErrBusy
		}
		answered, err := e.config.Store.Answered(ctx, key)
		if err != nil {
			done()
			return nil, e.notDecided("an earlier answer could not be looked up", err)
		}
		if answered {
			return done, nil
		}
		attempt.Key = key.String()
	}
	r.Credential, err = e.config.PINs.Check(ctx, attempt)
	r.Credential.IdentityDocuments = t.Request.Credential.IdentityDocuments
	if err != nil {
		done()
		return nil, e.notDecided("a PIN could not be checked", err)
	}
	return done, nil
}

// notDecided logs why a transfer came to nothing before anything was written.
func (e *Engine) notDecided(what string, err error) error {
	if !errors.Is(err, pin.ErrBusy) && !errors.Is(err, context.Canceled) {
		e.config.Logger.Warn("a transfer was not decided: "+what, "error", err)
	}
	return fmt.Errorf("%w (%s)", ErrBusy, what)
}

// storable reports whether everything that t says is text that can be stored. What is not has no meaning at any door.
func storable(t Transfer) bool {
	r := t.Request
	for _, s := range []string{
		string(r.Kind), string(r.Channel), r.Person, r.Caller, r.Reference, r.Counterparty, r.Original, string(r.Bearer), r.QuoteID,
		r.Note, t.Acting.Value, t.IMSI, t.PIN, t.Payout,
	} {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			return false
		}
	}
	return true
}
