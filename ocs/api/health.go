package api

import (
	"context"
	"io"
	"net/http"
	"time"
)

// readyTimeout is less than what orchestrators wait for a probe.
const readyTimeout = 2 * time.Second

// handleHealth adds the paths for operators. They need no token and tell nothing about anyone.
func (s *server) handleHealth(mux *routes) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.Metrics != nil {
		mux.Handle("GET /metrics", s.Metrics)
	}
}

func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if why := s.notReady(ctx); why != "" {
		say(w, http.StatusServiceUnavailable, why)
		return
	}
	say(w, http.StatusOK, "ready")
}

// notReady returns why no request can be charged now, in words that are fit for strangers; empty when one can.
func (s *server) notReady(ctx context.Context) string {
	if err := s.Store.Ping(ctx); err != nil {
		s.Logger.WarnContext(ctx, "not ready: the database does not answer", "error", err)
		return "not ready: the database does not answer"
	}
	if s.Ready == nil {
		return ""
	}
	if err := s.Ready(ctx); err != nil {
		return "not ready: " + err.Error()
	}
	return ""
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // the client may be gone
}
