package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
	"github.com/gyro-ocs/gyro/transfer/ussd"
)

// USSD is the dialled code that the API answers.
type USSD struct {
	Service   string // the code; empty: *999
	Country   string // country code of numbers that are dialled without one, such as 49; empty: they have one
	PINInDial bool   // accept *999*minutes*number*PIN#
	Gateways  []USSDGateway
}

const defaultService = "*999"

const (
	// ussdLife is longer than any network lets a session last: Africa's Talking 180 s.
	ussdLife = 10 * time.Minute

	// ussdTimeout is what the strictest gateways wait for an answer, less the way there and back.
	ussdTimeout = 10 * time.Second

	// maxDialling bounds the requests of gateways that are worked on at the same time.
	maxDialling = 256

	handsetGateway = "handset" // that of the care API

	minGatewayToken = 16
)

// Validate returns everything that is wrong with u, joined.
func (u USSD) Validate() error {
	var faults []error
	names := map[string]bool{handsetGateway: true}
	for _, gateway := range u.Gateways {
		fault := func(wrong bool, why string) {
			if wrong {
				faults = append(faults, fmt.Errorf("USSD gateway %q: %s", gateway.Name, why))
			}
		}
		_, err := dialectOf(gateway)
		fault(err != nil, fmt.Sprint(err))
		fault(!isGatewayName(gateway.Name), "a name is made of a-z, 0-9 and hyphens, 20 at most")
		fault(names[gateway.Name], "another has this name")
		fault(len(gateway.Token) < minGatewayToken, fmt.Sprintf("its token is shorter than %d characters", minGatewayToken))
		names[gateway.Name] = true
	}
	if strings.Trim(u.Country, "0123456789") != "" || len(u.Country) > 3 || strings.HasPrefix(u.Country, "0") {
		faults = append(faults, fmt.Errorf("USSD: %q is no country code", u.Country))
	}
	if u.Service != "" && (u.Service[0] != '*' || len(u.Service) < 2 || strings.Trim(u.Service[1:], "0123456789*") != "") {
		faults = append(faults, fmt.Errorf("USSD: %q is no code that is dialled, such as *999", u.Service))
	}
	return errors.Join(faults...)
}

// handleUSSD answers the gateways at /ussd/{name} and the operator's own handset.
func (s *server) handleUSSD(mux *routes, care huma.API) {
	s.dialling = make(chan struct{}, maxDialling)
	for _, gateway := range s.USSD.Gateways {
		speaks, err := dialectOf(gateway)
		if err != nil {
			panic("api: a USSD gateway that was not validated: " + err.Error())
		}
		mux.HandleFunc("POST /ussd/"+gateway.Name, func(w http.ResponseWriter, r *http.Request) { s.serveGateway(w, r, gateway, speaks) })
	}
	huma.Register(care, operation(huma.Operation{
		OperationID: "dial", Method: http.MethodPost, Path: "/care/v1/ussd",
		Summary:     "Dial the code as a subscriber would, input by input",
		Description: "Text holds all inputs of the session so far, joined by *; a dialled *999*15*4930123456# is 15*4930123456. Asking again with the same text shows the same screen.",
		Errors:      []int{http.StatusNotFound},
	}), s.dial)
}

func isGatewayName(name string) bool {
	return name != "" && len(name) <= 20 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// serveGateway answers one request of a gateway.
func (s *server) serveGateway(w http.ResponseWriter, r *http.Request, gateway USSDGateway, speaks dialect) {
	if !gatewayKnows(r, gateway.Token) {
		w.Header().Set("WWW-Authenticate", `Basic realm="gyro ussd"`)
		writeProblem(w, http.StatusUnauthorized, "the token of this gateway is needed: as a bearer, as the password of basic authentication, or as ?token=")
		return
	}
	select {
	case s.dialling <- struct{}{}:
		defer func() { <-s.dialling }()
	default:
		writeProblem(w, http.StatusServiceUnavailable, "too many requests of gateways at the same time")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), ussdTimeout)
	defer cancel()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(ussdTimeout)) // a test's recorder has none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUSSDBody))
	var call ussdCall
	if err == nil {
		call, err = speaks.read(r, body)
	}
	if err == nil {
		err = call.check()
	}
	if err != nil {
		writeProblem(w, http.StatusBadRequest, errNoCall.Error())
		return
	}
	if call.ended {
		speaks.write(w, call, ussdScreen{end: true})
		return
	}
	screen, _, err := s.turn(ctx, gateway.Name, call)
	if err != nil {
		screen = ussdScreen{sorry(call.language, err), true}
	}
	speaks.write(w, call, screen)
}

// gatewayKnows reports whether a request brings the token of its gateway.
func gatewayKnows(r *http.Request, token string) bool {
	_, given, basic := r.BasicAuth()
	if scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " "); !basic && strings.EqualFold(scheme, "Bearer") {
		given = bearer
	}
	if given == "" {
		given = r.URL.Query().Get("token")
	}
	got, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && token != ""
}

// errNotOurs means that a number dialled the code that is no subscriber.
var errNotOurs = errors.New("the number is no subscriber")

// turn takes one input of a session and returns the screen that it leads to, with the receipts of what was done. What was
// done is durable before the screen is told. A copy of an input gets the screen of the first, also from another server.
func (s *server) turn(ctx context.Context, gateway string, call ussdCall) (ussdScreen, []transfer.Text, error) {
	teller, err := s.newTeller(ctx, gateway, &call)
	if err != nil {
		return ussdScreen{}, nil, err
	}
	name := sessionName(call.session, teller.subscriber.MSISDN)
	held, session, err := s.heldSession(ctx, gateway, name, call)
	if err != nil {
		return ussdScreen{}, nil, err
	}
	input, repeated, err := s.newInput(session, call)
	switch {
	case err != nil:
		return ussdScreen{}, nil, err
	case repeated || session.Ended:
		return ussdScreen{session.Screen, session.Ended}, nil, nil
	}
	d := s.dialogue()
	var turn ussd.Turn
	if session.Begun {
		turn = d.Input(session, input)
	} else {
		turn = d.Begin(session, s.dialled(call))
	}
	for turn.Want != nil {
		result, err := teller.perform(ctx, *turn.Want)
		if err != nil { // nothing is stored: the same input makes the same reference again
			return ussdScreen{}, teller.texts, s.ussdFault(ctx, err)
		}
		turn = d.Resume(turn.Session, result)
	}
	return s.stored(ctx, held, s.heard(turn.Session, call), turn, teller.texts)
}

// stored stores a session and returns its screen, or that of the server that was first.
func (s *server) stored(
	ctx context.Context, held postgres.USSDSession, session ussd.Session, turn ussd.Turn, texts []transfer.Text,
) (ussdScreen, []transfer.Text, error) {
	var err error
	if held.Document, err = json.Marshal(session); err != nil {
		return ussdScreen{}, texts, s.ussdFault(ctx, err)
	}
	saved, err := s.Store.SaveUSSD(ctx, held, s.Now())
	switch {
	case err != nil:
		// The screen tells the truth, and a copy of the input leads to it again.
		s.Logger.WarnContext(ctx, "USSD session was not stored", "error", err)
	case !saved:
		if winner, err := s.Store.USSD(ctx, held.Gateway, held.Session); err == nil {
			var first ussd.Session
			if json.Unmarshal(winner.Document, &first) == nil && first.Screen != "" {
				return ussdScreen{first.Screen, first.Ended}, texts, nil
			}
		}
	}
	return ussdScreen{turn.Screen, turn.End}, texts, nil
}

// heldSession returns the stored session, or a new one that is stored now.
func (s *server) heldSession(ctx context.Context, gateway, name string, call ussdCall) (postgres.USSDSession, ussd.Session, error) {
	now := s.Now()
	held, err := s.Store.USSD(ctx, gateway, name)
	if errors.Is(err, postgres.ErrNotFound) || err == nil && (call.begins || call.joined && call.text == "") {
		fresh := ussd.Session{Key: newID(), Language: call.language}
		document, fault := json.Marshal(fresh)
		if fault != nil {
			return held, fresh, s.ussdFault(ctx, fault)
		}
		held, err = s.Store.BeginUSSD(ctx, postgres.USSDSession{
			Gateway: gateway, Session: name, Key: fresh.Key, Document: document,
		}, now, now.Add(-ussdLife))
	}
	if err != nil {
		return held, ussd.Session{}, s.ussdFault(ctx, err)
	}
	var session ussd.Session
	if err := json.Unmarshal(held.Document, &session); err != nil {
		return held, session, s.ussdFault(ctx, err)
	}
	return held, session, nil
}

// newInput returns the newest input of a call; repeated: it was heard before.
func (s *server) newInput(session ussd.Session, call ussdCall) (input string, repeated bool, err error) {
	switch {
	case call.joined:
		return session.Input(call.text)
	case session.Begun && call.begins:
		return "", true, nil
	case session.Begun && call.sequence > 0 && call.sequence <= session.Heard:
		return "", true, nil
	case call.sequence == 0 && s.isCopy(session, call):
		return "", true, nil
	}
	return call.text, false, nil
}

// heard notes what was heard, so that a copy of it is known.
func (s *server) heard(session ussd.Session, call ussdCall) ussd.Session {
	session.Begun = true
	if call.joined {
		return session.Hear(call.text)
	}
	session.Heard = max(session.Heard, call.sequence)
	if call.sequence == 0 {
		session.Last, session.LastAt = s.inputDigest(session, call), s.Now()
	}
	return session
}

// dialled returns the parts of what was dialled after the service code, joined by "*".
func (s *server) dialled(call ussdCall) string {
	text := strings.TrimSuffix(strings.TrimSpace(call.text), "#")
	for _, service := range []string{s.service(), strings.TrimSuffix(call.service, "#")} {
		if rest, ok := strings.CutPrefix(text, service); ok && service != "" && (rest == "" || rest[0] == '*') {
			return strings.TrimPrefix(rest, "*")
		}
	}
	return text
}

func (s *server) service() string {
	if s.USSD.Service == "" {
		return defaultService
	}
	return s.USSD.Service
}

func (s *server) dialogue() ussd.Dialogue {
	return ussd.Dialogue{Service: s.service(), Channel: transfer.USSD, Zone: s.zone(), PINInDial: s.USSD.PINInDial}
}

// sessionName is what a session is stored under. The number is part of it: a session belongs to one handset.
func sessionName(session, msisdn string) string {
	sum := sha256.Sum256([]byte(session + "\x00" + msisdn))
	return hex.EncodeToString(sum[:])
}

// ussdFault logs what no subscriber can mend.
func (s *server) ussdFault(ctx context.Context, err error) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, charging.ErrBusy) && !errors.Is(err, pin.ErrBusy) {
		s.Logger.ErrorContext(ctx, "USSD request failed", "error", err)
	}
	return err
}

// NewDial is the body that dials.
type NewDial struct {
	SessionID string `json:"session_id" minLength:"1" maxLength:"64" doc:"made up by the client, new for every call of the code"`
	MSISDN    string `json:"msisdn" maxLength:"40"`
	Text      string `json:"text" maxLength:"2000" doc:"all inputs so far, joined by *"`
	Language  string `json:"language,omitempty" enum:"en,ko" doc:"where the subscriber has none"`
}

// A Screen is what the handset shows.
type Screen struct {
	Text     string    `json:"text"`
	End      bool      `json:"end" doc:"the session is over"`
	Receipts []Receipt `json:"receipts" nullable:"false" doc:"texts to both sides of what was done"`
}

func (s *server) dial(ctx context.Context, in *struct{ Body NewDial }) (*struct{ Body Screen }, error) {
	number, err := ParseMSISDN(in.Body.MSISDN)
	if err != nil {
		return nil, invalid("body.msisdn", err)
	}
	call := ussdCall{
		session: in.Body.SessionID, msisdn: number, language: in.Body.Language, text: in.Body.Text, joined: true, service: s.service(),
	}
	screen, texts, err := s.turn(ctx, handsetGateway, call)
	switch {
	case errors.Is(err, errNotOurs):
		return nil, notFound("no subscriber has this msisdn")
	case errors.Is(err, ussd.ErrLostInput):
		return nil, invalid("body.text", errors.New("text: it does not begin with what was heard before"))
	case err != nil:
		return nil, s.transferFault(ctx, transfer.OpEnquire, err)
	}
	receipts, err := s.receipts(ctx, texts)
	if err != nil {
		return nil, err
	}
	return &struct{ Body Screen }{Screen{screen.text, screen.end, receipts}}, nil
}
