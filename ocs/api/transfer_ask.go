package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// careCaller is under whom the references of this API are remembered.
const careCaller = "care"

// NewTransfer is the body that quotes, sends, prepares or asks for minutes.
type NewTransfer struct {
	ID        string        `json:"id,omitempty" maxLength:"64" pattern:"^[!-~]*$" doc:"names the request for good; absent: one is made up, and repeating sends again"`
	From      string        `json:"from" maxLength:"60" doc:"who gives: MSISDN, or agent:CODE"`
	To        string        `json:"to" maxLength:"60" doc:"who gets: MSISDN, merchant:CODE or agent:CODE; by kind also the bare code"`
	Seconds   rating.Units  `json:"seconds" minimum:"0" maximum:"1099511627776"`
	Kind      string        `json:"kind,omitempty" enum:"p2p,merchant,cashout,agent,float,gift" doc:"absent: by what to is"`
	Channel   string        `json:"channel,omitempty" enum:"ussd,sms,ivr,app,agent,api" default:"api"`
	As        string        `json:"as,omitempty" enum:"sender,operator" doc:"who asks: the sender, by a client that vouches for the person, or the operator; absent: the operator"`
	Bearer    string        `json:"bearer,omitempty" enum:"originator,receiver" doc:"of the fee; absent: as the policy says"`
	MaxFee    *rating.Units `json:"max_fee_seconds,omitempty" minimum:"0" doc:"a higher fee is refused"`
	QuoteID   string        `json:"quote_id,omitempty" maxLength:"64" doc:"its price is charged"`
	Note      string        `json:"note,omitempty" maxLength:"64" doc:"note, or the number of a bill"`
	PIN       string        `json:"pin,omitempty" maxLength:"16" doc:"of the sender; never stored or logged"`
	Confirmed bool          `json:"confirmed,omitempty" doc:"the person said yes to what would happen"`
	Again     bool          `json:"again,omitempty" doc:"the person said yes to what looks like a copy"`
	Papers    bool          `json:"papers,omitempty" doc:"an agent has seen the papers of the person"`
	ValidFor  int64         `json:"valid_for_seconds,omitempty" minimum:"0" maximum:"31536000" doc:"of a prepared one: time to confirm it"`
}

// TransferAct is the body that acts on a stored transfer.
type TransferAct struct {
	ID         string       `json:"id,omitempty" maxLength:"64" pattern:"^[!-~]*$" doc:"names the request for good; absent: one is made up"`
	As         string       `json:"as,omitempty" enum:"sender,receiver,operator" doc:"who asks; absent: whose turn it is, else the operator"`
	Channel    string       `json:"channel,omitempty" enum:"ussd,sms,ivr,app,agent,api" default:"api"`
	Seconds    rating.Units `json:"seconds,omitempty" minimum:"0" maximum:"1099511627776" doc:"of a claim or a refund: so much only"`
	Note       string       `json:"note,omitempty" maxLength:"64"`
	PIN        string       `json:"pin,omitempty" maxLength:"16"`
	PayoutCode string       `json:"payout_code,omitempty" maxLength:"16" doc:"that the customer shows to the trader"`
	Confirmed  bool         `json:"confirmed,omitempty"`
	AtFault    bool         `json:"at_fault,omitempty" doc:"the operator erred: the fee goes back too"`
}

type answerOutput struct{ Body TransferAnswer }

func (s *server) handleTransfers(care huma.API) {
	for _, ask := range []struct {
		id, path, summary string
		operation         transfer.Operation
		status            int
	}{
		{"quote-transfer", "/care/v1/transfers/quote", "Price a transfer, and judge it by every rule, without moving anything", transfer.OpQuote, http.StatusOK},
		{"send-transfer", "/care/v1/transfers", "Move minutes", transfer.OpSend, http.StatusCreated},
		{"prepare-transfer", "/care/v1/transfers/prepare", "Set minutes aside, to be moved when it is confirmed", transfer.OpPrepare, http.StatusCreated},
		{"request-transfer", "/care/v1/transfers/request", "Ask somebody for minutes, in the name of who would get them", transfer.OpSolicit, http.StatusCreated},
	} {
		huma.Register(care, operation(huma.Operation{
			OperationID: ask.id, Method: http.MethodPost, Path: ask.path, Summary: ask.summary, DefaultStatus: ask.status,
			Description: "The id names the request: asking again with the same id and content does nothing more and gets the first answer, a refusal too.",
			Errors:      []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		}), func(ctx context.Context, in *struct{ Body NewTransfer }) (*answerOutput, error) {
			return s.askTransfer(ctx, ask.operation, in.Body)
		})
	}
	huma.Register(care, operation(huma.Operation{
		OperationID: "act-on-transfer", Method: http.MethodPost, Path: "/care/v1/transfers/{reference}/{act}",
		Summary: "Confirm, cancel, accept, decline, claim back or refund a transfer, or decide a claim or what awaits review",
		Errors:  []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
	}), s.actOnTransfer)
	s.handleTransferLook(care)
}

func (s *server) askTransfer(ctx context.Context, op transfer.Operation, body NewTransfer) (*answerOutput, error) {
	if err := checkText(body.Note); err != nil {
		return nil, invalid("body", err)
	}
	kind, counterparty, err := s.counterparty(body.Kind, body.To)
	if err != nil {
		return nil, invalid("body.to", err)
	}
	acting, err := s.actingParty(ctx, body.From)
	if err != nil {
		return nil, err
	}
	t := charging.Transfer{
		Acting: acting, PIN: body.PIN,
		Request: transfer.Request{
			Operation: op, Kind: kind, Channel: transfer.Channel(body.Channel), Caller: careCaller, Reference: body.ID,
			Counterparty: counterparty, Seconds: body.Seconds, Bearer: transfer.Bearer(body.Bearer), MaxFee: body.MaxFee,
			QuoteID: body.QuoteID, Note: body.Note, Confirmed: body.Confirmed, Again: body.Again,
			ValidFor:   time.Duration(body.ValidFor) * time.Second,
			Credential: transfer.Credential{IdentityDocuments: body.Papers},
		},
	}
	speakFor(ctx, &t.Request, transfer.Actor(body.As))
	if op == transfer.OpSolicit {
		return s.solicit(ctx, t, body)
	}
	return s.decideTransfer(ctx, t)
}

// solicit asks from for minutes, in the name of to.
func (s *server) solicit(ctx context.Context, t charging.Transfer, body NewTransfer) (*answerOutput, error) {
	to, err := s.actingParty(ctx, body.To)
	if err != nil {
		return nil, err
	}
	t.Request.By, t.Request.Person = transfer.ByReceiver, ""
	t.Acting = to
	if _, t.Request.Counterparty, err = s.counterparty(string(transfer.P2P), body.From); err != nil {
		return nil, invalid("body.from", err)
	}
	return s.decideTransfer(ctx, t)
}

// speakFor sets who makes a request. Who bears a key acts for the operator and may speak for a customer as well. Where two
// persons are needed, they are two who have proved who they are: a name in a body proves nothing.
func speakFor(ctx context.Context, r *transfer.Request, as transfer.Actor) {
	r.By = as
	if as == "" {
		r.By = transfer.ByOperator
	}
	if r.By != transfer.ByOperator {
		return
	}
	r.Person = actorOf(ctx).Name
}

// decideTransfer has the engine decide, and tells what came of it.
func (s *server) decideTransfer(ctx context.Context, t charging.Transfer) (*answerOutput, error) {
	if t.Request.Reference == "" && !t.Request.Operation.ReadsOnly() {
		t.Request.Reference = newID()
	}
	code, err := s.payoutCode(&t)
	if err != nil {
		return nil, err
	}
	outcome, err := s.Transfer(ctx, t)
	if err != nil {
		return nil, s.transferFault(ctx, t.Request.Operation, err)
	}
	if outcome.Answer.Refusal != transfer.None && t.Request.Operation != transfer.OpEnquire {
		return nil, refused(outcome)
	}
	told := tellAnswer(outcome)
	told.PayoutCode = code
	if told.Receipts, err = s.receipts(ctx, outcome.Texts); err != nil {
		return nil, err
	}
	return &answerOutput{told}, nil
}

// receipts renders the texts of an outcome as their readers get them.
func (s *server) receipts(ctx context.Context, texts []transfer.Text) ([]Receipt, error) {
	told, numbers := make([]Receipt, 0, len(texts)), s.msisdns()
	for _, text := range texts {
		number, err := numbers.of(ctx, text.To)
		if err != nil {
			return nil, err
		}
		told = append(told, Receipt{number, text.Render(s.zone())})
	}
	return told, nil
}

// zone is that of dates in texts.
func (s *server) zone() *time.Location {
	if p := s.policy(); p.Zone != nil {
		return p.Zone
	}
	return time.UTC
}

// policy is the one in force.
func (s *server) policy() *transfer.Policy {
	return s.loadedPolicy().Transfer()
}

// transferFault is the problem of a transfer that was not decided, or of which nobody knows.
func (s *server) transferFault(ctx context.Context, op transfer.Operation, err error) error {
	switch {
	case errors.Is(err, charging.ErrBusy):
		return huma.Error503ServiceUnavailable("the server is busy, and nothing was changed: try again, with the same id")
	case errors.Is(err, charging.ErrUnable):
		return huma.Error500InternalServerError("this could not be decided, and nothing was changed; it has been logged")
	case errors.Is(err, charging.ErrUnknownOutcome):
		s.Logger.ErrorContext(ctx, "outcome of a transfer not known", "operation", op.String(), "error", err)
		return huma.Error500InternalServerError("it is not known whether this was done: repeat it with the same id, and it is done once and told")
	}
	return s.storeFault(ctx, op.String()+" a transfer", err)
}

// The schemes of a counterparty.
const (
	telScheme      = "tel:"
	merchantScheme = "merchant:"
	agentScheme    = "agent:"
)

// counterparty reads whom a client names, as the kind would have it, and the kind where none is given.
func (s *server) counterparty(kind, name string) (transfer.Kind, string, error) {
	name = strings.TrimSpace(name)
	scheme := ""
	for _, known := range []string{telScheme, merchantScheme, agentScheme} {
		if rest, ok := strings.CutPrefix(name, known); ok {
			scheme, name = known, rest
		}
	}
	k := transfer.Kind(kind)
	if k == "" {
		k = map[string]transfer.Kind{merchantScheme: transfer.Merchant, agentScheme: transfer.CashOut}[scheme]
	}
	if k == "" {
		k = transfer.P2P
	}
	if scheme == "" {
		scheme = schemeOf(k)
	}
	if scheme == telScheme {
		number, err := ParseMSISDN(name)
		return k, telScheme + number, err
	}
	code, ok := transfer.ParseShortCode(name)
	if !ok {
		return k, "", errors.New("that is no short code: 5 to 7 digits, of which the last one checks the others")
	}
	return k, scheme + code, nil
}

// schemeOf is how the receiver of a kind is named.
func schemeOf(k transfer.Kind) string {
	switch k {
	case transfer.Merchant:
		return merchantScheme
	case transfer.CashOut, transfer.Float:
		return agentScheme
	case transfer.P2P, transfer.Gift, transfer.Agent:
	}
	return telScheme
}

// actOperations are what can be done with a stored transfer.
var actOperations = map[string]transfer.Operation{
	"confirm": transfer.OpConfirm, "cancel": transfer.OpCancel, "accept": transfer.OpAccept, "decline": transfer.OpDecline,
	"claim": transfer.OpReverse, "refund": transfer.OpReverse,
	"grant-claim": transfer.OpReverseAccept, "refuse-claim": transfer.OpReverseRefuse,
}

func (s *server) actOnTransfer(ctx context.Context, in *struct {
	ReferenceInput
	Act  string `path:"act" enum:"confirm,cancel,accept,decline,claim,refund,grant-claim,refuse-claim"`
	Body TransferAct
}) (*answerOutput, error) {
	if err := checkText(in.Body.Note); err != nil {
		return nil, invalid("body", err)
	}
	stored, err := s.findTransfer(ctx, in.Reference)
	if err != nil {
		return nil, err
	}
	op, body := decides(stored, actOperations[in.Act]), in.Body
	as := transfer.Actor(body.As)
	if as == "" {
		as = turnOf(stored, op, in.Act)
	}
	t := charging.Transfer{
		PIN: body.PIN, Payout: body.PayoutCode,
		Request: transfer.Request{
			Operation: op, Channel: transfer.Channel(body.Channel), Caller: careCaller, Reference: body.ID,
			Original: string(stored.Reference), Seconds: body.Seconds, Note: body.Note, Confirmed: body.Confirmed, AtFault: body.AtFault,
		},
	}
	speakFor(ctx, &t.Request, as)
	if t.Acting, err = s.actingOn(ctx, stored, t.Request.By); err != nil {
		return nil, err
	}
	return s.decideTransfer(ctx, t)
}

// decides is the operation by which persons of the operator decide about t: a claim, or a transfer that awaits their review.
func decides(t transfer.Transfer, op transfer.Operation) transfer.Operation {
	if t.Awaits == transfer.AwaitsReview {
		switch op {
		case transfer.OpReverseAccept:
			return transfer.OpAccept
		case transfer.OpReverseRefuse:
			return transfer.OpDecline
		default:
		}
	}
	return op
}

// turnOf is who acts where the client does not say it: who alone can, else the operator.
func turnOf(t transfer.Transfer, op transfer.Operation, act string) transfer.Actor {
	switch op {
	case transfer.OpAccept, transfer.OpDecline:
		switch t.Awaits {
		case transfer.AwaitsSender:
			return transfer.BySender
		case transfer.AwaitsReview:
			return transfer.ByOperator
		case transfer.AwaitsConfirm, transfer.AwaitsPayout, transfer.AwaitsReceipt, transfer.AwaitsConsent:
		}
		return transfer.ByReceiver
	case transfer.OpConfirm:
		if t.Awaits == transfer.AwaitsPayout {
			return transfer.ByReceiver
		}
	case transfer.OpReverse:
		if act == "refund" {
			return transfer.ByReceiver
		}
	case transfer.OpQuote, transfer.OpSend, transfer.OpPrepare, transfer.OpCancel, transfer.OpReverseAccept,
		transfer.OpReverseRefuse, transfer.OpEnquire, transfer.OpAllowance, transfer.OpSolicit, transfer.OpLapse:
	}
	return transfer.ByOperator
}

// actingOn is the identity of who acts on a stored transfer; the operator has none.
func (s *server) actingOn(ctx context.Context, t transfer.Transfer, by transfer.Actor) (ocs.Identity, error) {
	id := t.Sender
	switch by {
	case transfer.ByReceiver:
		id = t.Receiver
	case transfer.BySender:
	case transfer.ByOperator, transfer.BySystem:
		return ocs.Identity{}, nil
	}
	number, err := s.msisdns().of(ctx, id)
	return ocs.Identity{Kind: ocs.E164, Value: number}, err
}

// ReferenceInput names the transfer that a path is about.
type ReferenceInput struct {
	Reference string `path:"reference" maxLength:"40" doc:"as a person reads it: 7K3M-9QTA-5"`
}

// findTransfer returns the stored transfer that a reference names.
func (s *server) findTransfer(ctx context.Context, name string) (transfer.Transfer, error) {
	reference, ok := transfer.ParseReference(name)
	if !ok {
		return transfer.Transfer{}, invalid("path.reference", errors.New("that is no reference of a transfer: a character is wrong or missing"))
	}
	t, err := s.Store.TransferByReference(ctx, reference)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return t, notFound("there is no transfer with this reference")
	case err != nil:
		return t, s.storeFault(ctx, "find the transfer", err)
	}
	return t, nil
}
