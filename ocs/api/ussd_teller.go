package api

import (
	"context"
	"errors"
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
	"github.com/gyro-ocs/gyro/transfer/ussd"
)

// A teller does for one subscriber what the dialogue wants done.
type teller struct {
	server     *server
	gateway    string
	subscriber ocs.Subscriber
	imsi       string
	texts      []transfer.Text // receipts of what was done
}

// newTeller finds who dials. It completes the language of the call.
func (s *server) newTeller(ctx context.Context, gateway string, call *ussdCall) (*teller, error) {
	number, err := ParseMSISDN(call.msisdn)
	if err != nil {
		return nil, errNotOurs
	}
	subscriber, err := s.Store.SubscriberByIdentity(ctx, ocs.Identity{Kind: ocs.E164, Value: number})
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return nil, errNotOurs
	case err != nil:
		return nil, s.ussdFault(ctx, err)
	}
	profile, err := s.profile(ctx, subscriber.ID)
	if err != nil {
		return nil, s.ussdFault(ctx, err)
	}
	if profile.Language != "" {
		call.language = profile.Language
	}
	imsi := ""
	if digits, err := ParseIMSI(call.imsi); err == nil {
		imsi = digits
	}
	return &teller{server: s, gateway: gateway, subscriber: subscriber, imsi: imsi}, nil
}

func (t *teller) caller() string { return "ussd:" + t.gateway }

// perform does what the dialogue wants. A wrong number and a wrong PIN are results; an error means that nobody knows.
func (t *teller) perform(ctx context.Context, w ussd.Want) (ussd.Result, error) {
	switch w.Do {
	case ussd.Recipient, ussd.Decide:
		return t.decide(ctx, w)
	case ussd.Recent:
		return t.recent(ctx)
	case ussd.Answer:
		return t.answer(ctx, w)
	case ussd.ChangePIN:
		return t.changePIN(ctx, w)
	case ussd.Block, ussd.Unblock:
		return t.block(ctx, w)
	}
	panic("api: the dialogue wants " + string(w.Do) + " done")
}

// decide has a request decided, with the counterparty that was typed.
func (t *teller) decide(ctx context.Context, w ussd.Want) (r ussd.Result, err error) {
	if w.Number != "" {
		other, found, err := t.other(ctx, w.Request.Kind, w.Number)
		if err != nil {
			return r, err
		}
		r.Name, w.Request.Counterparty = other.called(), other.name
		if w.Do == ussd.Recipient {
			switch {
			case !found:
				return ussd.Result{Answer: transfer.Answer{Refusal: transfer.ReceiverUnknown}}, nil
			case other.id == t.subscriber.ID:
				return ussd.Result{Answer: transfer.Answer{Refusal: transfer.SameParty}}, nil
			}
		}
	}
	outcome, code, err := t.ask(ctx, w)
	r.Answer, r.Code = outcome.Answer, code
	return r, err
}

// attempts is how often an outcome that nobody knows is asked for again, under the same reference.
const attempts = 3

func (t *teller) ask(ctx context.Context, w ussd.Want) (outcome transfer.Outcome, code string, err error) {
	request := w.Request
	request.Caller = t.caller()
	asked := charging.Transfer{
		Request: request, PIN: w.PIN, IMSI: t.imsi, Acting: ocs.Identity{Kind: ocs.E164, Value: t.subscriber.MSISDN},
	}
	if code, err = t.server.payoutCode(&asked); err != nil {
		return outcome, "", err
	}
	for range attempts {
		if outcome, err = t.server.Transfer(ctx, asked); !errors.Is(err, charging.ErrUnknownOutcome) {
			break
		}
	}
	t.texts = append(t.texts, outcome.Texts...)
	return outcome, code, err
}

// recent returns the last five.
func (t *teller) recent(ctx context.Context) (r ussd.Result, err error) {
	const last = 5
	stored, err := t.server.Store.TransfersOf(ctx, t.subscriber.ID, 4*last)
	if err != nil {
		return r, err
	}
	for _, one := range stored {
		if len(r.Recent) == last {
			break
		}
		if one.Status == transfer.Failed {
			continue
		}
		sent, other := one.Sender == t.subscriber.ID, one.Sender
		if sent {
			other = one.Receiver
		}
		number, err := t.server.msisdns().of(ctx, other)
		if err != nil {
			return r, err
		}
		r.Recent = append(r.Recent, ussd.Line{
			Reference: one.Reference, Sent: sent, Seconds: one.Seconds, Tail: tailOf(number, one.Counterparty), At: one.CreatedAt,
			Status: one.Status,
		})
	}
	return r, nil
}

func tailOf(number, counterparty string) string {
	if number == "" {
		number = counterparty
	}
	return ".." + number[max(0, len(number)-4):]
}

// answer says yes or no to whatever a transfer waits for.
func (t *teller) answer(ctx context.Context, w ussd.Want) (r ussd.Result, err error) {
	stored, err := t.server.Store.TransferByReference(ctx, transfer.Reference(w.Original))
	if errors.Is(err, postgres.ErrNotFound) {
		return ussd.Result{Answer: transfer.Answer{Refusal: transfer.OriginalUnknown}}, nil
	}
	if err != nil {
		return r, err
	}
	w.Request.Original, w.Request.By, w.Request.Operation = w.Original, transfer.BySender, transfer.OpDecline
	switch {
	case stored.Awaits == transfer.AwaitsConsent && w.Yes:
		w.Request.Operation = transfer.OpReverseAccept
	case stored.Awaits == transfer.AwaitsConsent:
		w.Request.Operation = transfer.OpReverseRefuse
	case w.Yes:
		w.Request.Operation = transfer.OpAccept
	}
	if t.subscriber.ID == stored.Receiver { // consent to what is being sent, or what is none of its business
		w.Request.By = transfer.ByReceiver
	}
	outcome, _, err := t.ask(ctx, w)
	r.Answer = outcome.Answer
	return r, err
}

// changePIN changes the PIN. Who has none yet chooses one: the old one is then anything.
func (t *teller) changePIN(ctx context.Context, w ussd.Want) (r ussd.Result, err error) {
	if t.server.PINs == nil {
		return ussd.Result{Answer: transfer.Answer{Refusal: transfer.KindNotAllowed}}, nil
	}
	state, err := t.server.PINs.State(ctx, t.subscriber.ID)
	if err != nil {
		return r, err
	}
	attempt := pin.Attempt{Subscriber: t.subscriber.ID, Channel: transfer.USSD, Gateway: t.caller()}
	if state.IsSet {
		attempt.PIN = pin.Secret(w.PIN)
	}
	credential, err := t.server.PINs.Change(ctx, attempt, pin.Secret(w.NewPIN), t.subscriber.MSISDN)
	if _, weak := errors.AsType[pin.WeakError](err); weak {
		return ussd.Result{Answer: transfer.Answer{Refusal: transfer.Malformed}}, nil
	}
	if err != nil {
		return r, err
	}
	switch credential.Result {
	case transfer.Verified:
		return r, t.server.pinChanged(ctx, t.subscriber.ID, string(transfer.USSD))
	case transfer.Wrong, transfer.NoCredential:
		r.Answer.Refusal, r.Answer.TriesLeft = transfer.WrongPIN, credential.TriesLeft
	case transfer.Locked:
		r.Answer.Refusal = transfer.PINLocked
		if !credential.LockedUntil.IsZero() {
			r.Answer.RetryAfter = credential.LockedUntil.Sub(t.server.Now())
		}
	case transfer.MustChange:
		r.Answer.Refusal = transfer.PINMustChange
	}
	return r, nil
}

// A counterparty is the other side as somebody typed it.
type counterparty struct {
	name    string // tel:E164, merchant:code, agent:code
	id      ocs.SubscriberID
	profile string // its name
	role    bool
}

// called is how it is told to who typed it: a shop by its name and code, a person by a masked name and four digits.
func (c counterparty) called() string {
	_, number, _ := strings.Cut(c.name, ":")
	if c.role {
		return strings.TrimSpace(c.profile + " " + number)
	}
	return strings.TrimSpace(transfer.MaskName(c.profile) + " " + tailOf(number, ""))
}

// other looks up who was typed. One who is not there has a name all the same, for the record of the refusal.
func (t *teller) other(ctx context.Context, kind transfer.Kind, typed string) (counterparty, bool, error) {
	if scheme := schemeOf(kind); scheme != telScheme {
		return t.server.byCode(ctx, scheme, typed)
	}
	numbers := t.server.numbers(typed)
	found, known := counterparty{name: telScheme + numbers[0]}, 0
	for _, number := range numbers {
		subscriber, err := t.server.Store.SubscriberByIdentity(ctx, ocs.Identity{Kind: ocs.E164, Value: number})
		if errors.Is(err, postgres.ErrNotFound) || err == nil && subscriber.State == ocs.Closed {
			continue
		}
		if err != nil {
			return found, false, err
		}
		profile, err := t.server.profile(ctx, subscriber.ID)
		if err != nil {
			return found, false, err
		}
		found = counterparty{name: telScheme + number, id: subscriber.ID, profile: profile.Name}
		known++
	}
	if known > 1 { // two people may be meant: neither is guessed at
		return counterparty{name: telScheme}, false, nil
	}
	return found, known == 1, nil
}

// numbers returns what a dialled number may stand for in E.164, the likeliest first.
func (s *server) numbers(typed string) []string {
	country := s.USSD.Country
	switch {
	case strings.HasPrefix(typed, "+"):
		return []string{typed[1:]}
	case strings.HasPrefix(typed, "00"):
		return []string{typed[2:]}
	case strings.HasPrefix(typed, "0") && country != "":
		return []string{country + typed[1:]}
	case country != "":
		return []string{typed, country + typed}
	}
	return []string{typed}
}

// sorry is the screen of a session that cannot go on.
func sorry(language string, err error) string {
	said := [2]string{
		"It is not certain yet whether this was done. The text message or item 5 will tell: look before you try again.",
		"처리 여부가 아직 불확실합니다. 다시 하기 전에 문자나 메뉴 5를 확인하세요.",
	}
	switch {
	case errors.Is(err, errNotOurs):
		said = [2]string{"This service is not available for this number.", "이 번호로는 이용할 수 없습니다."}
	case errors.Is(err, charging.ErrBusy), errors.Is(err, charging.ErrUnable), errors.Is(err, pin.ErrBusy), errors.Is(err, ussd.ErrLostInput):
		said = [2]string{"This is not possible now, and nothing was done. Please try again.", "지금 처리할 수 없습니다. 변경된 것이 없습니다. 다시 시도하세요."}
	}
	if strings.HasPrefix(language, "ko") {
		return said[1]
	}
	return said[0]
}
