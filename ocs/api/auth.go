package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
)

// An actor is who asks. Keys with narrower roles than the operator's are compared here too when there are any.
type actor struct {
	Name string
	Role role
}

// role is what an actor may do.
type role uint8

const (
	nobody   role = iota
	operator      // everything
)

type actorKey struct{}

// actorOf returns who asked; behind authenticate there always is one.
func actorOf(ctx context.Context) actor {
	a, _ := ctx.Value(actorKey{}).(actor)
	return a
}

// acted logs who did what to whom; the id of a subscriber says nothing to a stranger.
func (s *server) acted(ctx context.Context, what string, subscriber ocs.SubscriberID) {
	s.Logger.InfoContext(ctx, what, "actor", actorOf(ctx).Name, "subscriber", string(subscriber))
}

// authenticate lets nobody in who does not bear a token. It comes before the body is read.
func (s *server) authenticate(care huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who := s.bearer(c.Header("Authorization"))
		if who.Role == nobody {
			c.SetHeader("WWW-Authenticate", `Bearer realm="gyro"`)
			detail := "a bearer token is needed: the command line finds the one of a local server by itself, or takes --token"
			_ = huma.WriteErr(care, c, http.StatusUnauthorized, detail) // the client may be gone
			return
		}
		next(huma.WithValue(c, actorKey{}, who))
	}
}

// bearer returns who an Authorization header stands for. How long it takes tells nothing about the right token.
func (s *server) bearer(header string) actor {
	scheme, given, _ := strings.Cut(header, " ")
	got, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.Token))
	same := subtle.ConstantTimeCompare(got[:], want[:]) == 1
	if !same || s.Token == "" || !strings.EqualFold(scheme, "Bearer") {
		return actor{}
	}
	return actor{Name: "local operator", Role: operator}
}
