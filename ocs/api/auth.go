package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// An actor is who asks.
type actor struct {
	Key  string // id of the key; localKey for the local token
	Name string // of the person or program that has it
	Role role
}

// localKey stands for the token that a server leaves in its data directory. Whoever can read that owns the server.
const localKey = "local"

// label is how an actor is written down.
func (a actor) label() string {
	if a.Key == localKey {
		return a.Name
	}
	return a.Name + " #" + a.Key
}

func (a actor) person() postgres.Person {
	return postgres.Person{Key: a.Key, Name: a.Name, Role: a.Role.String()}
}

type actorKey struct{}

// actorOf returns who asked; behind authenticate there always is one.
func actorOf(ctx context.Context) actor {
	a, _ := ctx.Value(actorKey{}).(actor)
	return a
}

// personOf is who acts. The holder of a key is who the key says, whatever a body says; the bearer of the local token may
// tell the name of whoever uses this machine, which is noted and proves nothing.
func personOf(ctx context.Context, told string) string {
	who := actorOf(ctx)
	if who.Key == localKey && told != "" {
		return told
	}
	return who.label()
}

// acted logs who did what to whom; the id of a subscriber says nothing to a stranger.
func (s *server) acted(ctx context.Context, what string, subscriber ocs.SubscriberID) {
	s.Logger.InfoContext(ctx, what, "actor", actorOf(ctx).label(), "subscriber", string(subscriber))
}

// noKey is told to whoever bears no key that is good.
const noKey = "a bearer token is needed: the command line finds the one of a local server by itself, or takes --token; gyro key create makes one"

// authenticate lets nobody in who bears no key, and nobody further than the rights of the key. It comes before the body is
// read.
func (s *server) authenticate(care huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who, err := s.bearer(c.Context(), c.Header("Authorization"))
		switch {
		case err != nil:
			problem := s.storeFault(c.Context(), "look up the key", err)
			if told, ok := errors.AsType[huma.StatusError](problem); ok {
				_ = huma.WriteErr(care, c, told.GetStatus(), told.Error()) // the client may be gone
			}
			return
		case who.Role == nobody:
			c.SetHeader("WWW-Authenticate", `Bearer realm="gyro"`)
			_ = huma.WriteErr(care, c, http.StatusUnauthorized, noKey)
			return
		}
		acts := &deed{who: who}
		c = huma.WithValue(huma.WithValue(c, actorKey{}, who), deedKey{}, acts)
		op := c.Operation()
		if may := rightsOf(op.Method, op.Path, c.Param); !may.has(who.Role) {
			acts.refused = forbidden(who.Role, may)
			_ = huma.WriteErr(care, c, http.StatusForbidden, acts.refused)
		} else {
			next(c)
		}
		s.noteRefusal(c, acts)
	}
}

func forbidden(has, may role) string {
	return fmt.Sprintf("the role %s may not do this; it takes one of: %s", has, may)
}

// bearer returns who an Authorization header stands for; the zero actor when for nobody. How long it takes tells nothing
// about the right token.
func (s *server) bearer(ctx context.Context, header string) (actor, error) {
	scheme, given, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return actor{}, nil
	}
	got, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(s.Token))
	if s.Token != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
		return actor{Key: localKey, Name: "local operator", Role: operator}, nil
	}
	return s.keyHolder(ctx, given)
}
