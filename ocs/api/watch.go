package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
)

// A Watch is what somebody wants to look on at: the requests and answers of one session, or of one subscriber.
type Watch struct {
	Session    string         // Session-Id; empty: of any
	Identities []ocs.Identity // of the subscriber
	Reveal     bool           // also what tells who somebody is
	// Seen is told of every message and must not wait. tell returns the message in words.
	Seen func(at time.Time, peer string, tell func() string)
}

// A Sighting is a message in words, one line of the stream of an exchange.
type Sighting struct {
	At      time.Time `json:"at"`
	Peer    string    `json:"peer" doc:"Origin-Host of the connection that it came or went over"`
	Message string    `json:"message" doc:"in words, several lines"`
	Missed  int       `json:"missed,omitempty" doc:"messages before this one that came too fast to be told"`
}

// watchOperation is not cut off by the time limit of other operations.
const watchOperation = "watch-exchange"

// The bounds of looking on.
const (
	mostWatchers  = 16
	longestWatch  = time.Hour
	watchBacklog  = 1000
	watchBlankGap = 15 * time.Second // an empty line now and then shows that the stream lives
)

func (s *server) handleWatch(care huma.API) {
	s.watching = make(chan struct{}, mostWatchers)
	huma.Register(care, operation(huma.Operation{
		OperationID: watchOperation, Method: http.MethodGet, Path: "/care/v1/exchange",
		Summary: "Look on at what a switch and this server say about a session or a subscriber, as it happens",
		Description: "A stream of lines, each a JSON object; an empty line shows that the stream lives. Only what passes over this server is seen. " +
			"It ends after an hour. Values that tell who somebody is are left out unless reveal is true, which only an operator may ask for. " +
			"Whoever looks on is written into the audit log first.",
		Errors: []int{http.StatusNotFound, http.StatusTooManyRequests},
		Responses: map[string]*huma.Response{"200": {
			Description: "Lines of JSON", Content: map[string]*huma.MediaType{"application/x-ndjson": {}},
		}},
	}), s.watchExchange)
}

func (s *server) watchExchange(ctx context.Context, in *struct {
	OwnerInput
	SessionID string `query:"session_id" maxLength:"1024"`
	Reveal    bool   `query:"reveal"`
}) (*huma.StreamResponse, error) {
	w, subject, err := s.watchOf(ctx, in.OwnerInput, in.SessionID)
	switch {
	case err != nil:
		return nil, err
	case in.Reveal && !operator.has(actorOf(ctx).Role):
		return nil, huma.Error403Forbidden("only an operator may look on at what tells who somebody is; leave out reveal")
	}
	select {
	case s.watching <- struct{}{}:
	default:
		return nil, huma.Error429TooManyRequests(fmt.Sprintf("%d look on already, which is the most", mostWatchers))
	}
	entry := s.entry(ctx, "look on", subject, nil, map[string]any{"session": in.SessionID, "reveal": in.Reveal})
	if err := s.Store.AuditAppend(ctx, entry); err != nil {
		<-s.watching
		return nil, s.storeFault(ctx, "note who looks on", err)
	}
	w.Reveal = in.Reveal
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer func() { <-s.watching }()
		c.SetHeader("Content-Type", "application/x-ndjson")
		s.stream(c, w)
	}}, nil
}

// watchOf returns the watch that is asked for, and the id of the subscriber, if it is one.
func (s *server) watchOf(ctx context.Context, whose OwnerInput, session string) (w Watch, subject string, err error) {
	switch {
	case s.Watch == nil:
		return w, "", huma.Error503ServiceUnavailable("this server has no exchange to look on at")
	case (session == "") == (whose.Subscriber == ""):
		return w, "", invalid("query", errors.New("either session_id or msisdn is needed"))
	case session != "":
		w.Session = session
		return w, "", nil
	}
	subscriber, err := s.find(ctx, whose.Subscriber)
	if err != nil {
		return w, "", err
	}
	names, err := s.Store.Names(ctx, []ocs.SubscriberID{subscriber.ID})
	if err != nil {
		return w, "", s.storeFault(ctx, "look up the names of a subscriber", err)
	}
	named := names[subscriber.ID]
	for kind, value := range map[ocs.IdentityKind]string{
		ocs.E164: subscriber.MSISDN, ocs.IMSI: subscriber.IMSI, ocs.SIPURI: named.SIPURI, ocs.NAI: named.NAI, ocs.Private: named.Private,
	} {
		if value != "" {
			w.Identities = append(w.Identities, ocs.Identity{Kind: kind, Value: value})
		}
	}
	return w, string(subscriber.ID), nil
}

// stream writes what w sees until the client leaves, or the hour is over.
func (s *server) stream(c huma.Context, w Watch) {
	type sighting struct {
		at     time.Time
		peer   string
		tell   func() string
		missed int
	}
	seen, missed := make(chan sighting, watchBacklog), 0
	w.Seen = func(at time.Time, peer string, tell func() string) { // one at a time
		select {
		case seen <- sighting{at, peer, tell, missed}:
			missed = 0
		default:
			missed++
		}
	}
	stop := s.Watch(w)
	defer stop()
	ctx, cancel := context.WithTimeout(c.Context(), longestWatch)
	defer cancel()
	blank := time.NewTicker(watchBlankGap)
	defer blank.Stop()
	out := c.BodyWriter()
	flush := func() {
		if f, ok := out.(http.Flusher); ok {
			f.Flush()
		}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	var err error
	for _, err = out.Write([]byte("\n")); err == nil; flush() { // at once: the watch has begun
		flush()
		select {
		case <-ctx.Done():
			return
		case <-blank.C:
			_, err = out.Write([]byte("\n"))
		case m := <-seen:
			err = encoder.Encode(Sighting{At: m.at.UTC(), Peer: m.peer, Message: m.tell(), Missed: m.missed})
		}
	}
}
