package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// EndOfSession is the body that ends a session here, whatever its client thinks.
type EndOfSession struct {
	SessionID  string `json:"session_id" minLength:"1" maxLength:"1024"`
	SubSession string `json:"sub_session,omitempty" maxLength:"20"`
	Reason     string `json:"reason" minLength:"1" maxLength:"200"`
}

func (s *server) handleSessionEnd(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "end-session", Method: http.MethodPost, Path: "/care/v1/session/end",
		Summary:     "End a session that hangs: give back what it holds, and write its CDR",
		Description: "What its client reports later is still charged. To have the client end a call that goes on, abort it. Ending again what has ended changes nothing.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}), s.endSession)
}

func (s *server) endSession(ctx context.Context, in *struct{ Body EndOfSession }) (*struct{ Body Session }, error) {
	key, err := sessionInput{SessionID: in.Body.SessionID, SubSession: in.Body.SubSession}.key()
	if err != nil {
		return nil, err
	}
	if err := checkText(in.Body.Reason); err != nil {
		return nil, invalid("body.reason", err)
	}
	if s.EndSession == nil {
		return nil, huma.Error503ServiceUnavailable("this server charges nothing, and ends no sessions")
	}
	session, err := s.loadSession(ctx, key)
	if err != nil {
		return nil, err
	}
	isAbout(ctx, session.Subscriber)
	if session.State == ocs.Open {
		if err := s.operatorActed(ctx, "", "end session", string(session.Subscriber), nil, map[string]string{"session": key.ID, "reason": in.Body.Reason}); err != nil {
			return nil, s.storeFault(ctx, "write the audit log", err)
		}
		s.EndSession(postgres.SessionRef{Subscriber: session.Subscriber, Key: key})
		if session, err = s.loadSession(ctx, key); err != nil {
			return nil, err
		}
	}
	if session.State == ocs.Open {
		return nil, huma.Error503ServiceUnavailable("the session could not be ended now; try again")
	}
	number, err := s.msisdns().of(ctx, session.Subscriber)
	if err != nil {
		return nil, err
	}
	return &struct{ Body Session }{tellSession(session, number)}, nil
}

func (s *server) loadSession(ctx context.Context, key ocs.SessionKey) (ocs.Session, error) {
	session, err := s.Store.Session(ctx, key)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return session, notFound("no session has this id; one that ended is forgotten after some time, and its CDR stays")
	case err != nil:
		return session, s.storeFault(ctx, "load the session", err)
	}
	return session, nil
}
