package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A SummonsOrder is the body that has the client of a session called back.
type SummonsOrder struct {
	SessionID   string  `json:"session_id" minLength:"1" maxLength:"1024"`
	SubSession  string  `json:"sub_session,omitempty" maxLength:"20" doc:"CC-Sub-Session-Id, where the client uses them"`
	RatingGroup *uint32 `json:"rating_group,omitempty" doc:"of re-authorisation: only this rating group"`
	ServiceID   *uint32 `json:"service_id,omitempty" doc:"of re-authorisation: only this service"`
}

// A SummonsTaken says that an order is stored. Whichever server is connected with the client carries it out.
type SummonsTaken struct {
	SessionID string `json:"session_id"`
	Request   string `json:"request" enum:"RAR,ASR" doc:"what the client is sent"`
}

// A Summons is a request to a client that is under way.
type Summons struct {
	Request string    `json:"request" enum:"RAR,ASR"`
	Reason  string    `json:"reason" enum:"units came,state changed,tariff changed,operator"`
	AskedAt time.Time `json:"asked_at"`
	Sent    int       `json:"sent" doc:"copies; 0: no server has a connection to the client yet"`
}

func tellSummons(s ocs.Summons) Summons {
	return Summons{Request: requestName(s.Kind), Reason: string(s.Reason), AskedAt: s.AskedAt.UTC(), Sent: s.Sent}
}

func requestName(kind ocs.SummonsKind) string {
	if kind == ocs.Abort {
		return "ASR"
	}
	return "RAR"
}

func (s *server) handleSummonses(care huma.API) {
	for _, act := range []struct {
		id, path, summary string
		kind              ocs.SummonsKind
	}{
		{"reauthorise-session", "/care/v1/session/reauthorise", "Have the client of a session ask anew for quota (RAR)", ocs.Reauthorise},
		{"abort-session", "/care/v1/session/abort", "Have the client of a session end it (ASR)", ocs.Abort},
	} {
		huma.Register(care, operation(huma.Operation{
			OperationID: act.id, Method: http.MethodPost, Path: act.path, Summary: act.summary,
			DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusNotFound},
		}), func(ctx context.Context, in *struct{ Body SummonsOrder }) (*struct{ Body SummonsTaken }, error) {
			return s.summon(ctx, act.kind, in.Body)
		})
	}
}

func (s *server) summon(ctx context.Context, kind ocs.SummonsKind, order SummonsOrder) (*struct{ Body SummonsTaken }, error) {
	key, err := sessionInput{SessionID: order.SessionID, SubSession: order.SubSession}.key()
	if err != nil {
		return nil, err
	}
	if kind == ocs.Abort && (order.RatingGroup != nil || order.ServiceID != nil) {
		return nil, invalid("body", errors.New("an ASR ends the whole session: it names no rating group and no service"))
	}
	part := ocs.Part{RatingGroup: order.RatingGroup, ServiceID: order.ServiceID}
	entry := s.entry(ctx, requestName(kind)+" to the client of a session", key.ID, nil, nil)
	switch err := s.Store.Summon(ctx, key, kind, part, s.Now(), entry); {
	case errors.Is(err, postgres.ErrNotFound):
		return nil, notFound("no open session has this id")
	case err != nil:
		return nil, s.storeFault(ctx, "call the client back", err)
	}
	s.Logger.InfoContext(ctx, "client of a session called back", "actor", actorOf(ctx).Name, "kind", string(kind))
	return &struct{ Body SummonsTaken }{SummonsTaken{SessionID: key.ID, Request: requestName(kind)}}, nil
}
