package api

import (
	"net/http"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
)

// handleTMF654 serves TM Forum's interface beside customer care, for who bears the same tokens.
func (s *server) handleTMF654(mux *routes) {
	if s.Transfer == nil {
		return
	}
	tmf := tmf654.New(tmf654.Config{
		Store: s.Store, Transfer: s.Transfer, Identity: ParseSubscriber, Now: s.Now, Logger: s.Logger,
		Actor: s.tmfActor,
	})
	mux.Handle(tmf654.Base+"/", tmf)
	mux.Handle(tmf654.QuotePath, tmf)
}

// tmfActor returns who asks, or the status of why not. A refusal is written down as those of customer care are.
func (s *server) tmfActor(r *http.Request) (name string, status int) {
	ctx := r.Context()
	who, err := s.bearer(ctx, r.Header.Get("Authorization"))
	switch {
	case err != nil:
		s.Logger.ErrorContext(ctx, "API request failed", "doing", "look up the key", "error", err)
		return "", http.StatusServiceUnavailable
	case who.Role == nobody:
		return "", http.StatusUnauthorized
	}
	path, method := tmf654.QuotePath, r.Method
	if strings.HasPrefix(r.URL.Path, tmf654.Base+"/") {
		path = tmf654.Base + "/"
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	may, known := rights[method+" "+path]
	if known && !may.has(who.Role) { // a method that is not known is refused as such
		s.refuse(ctx, "tmf654 "+method, &deed{who: who, refused: forbidden(who.Role, may)}, http.StatusForbidden)
		return "", http.StatusForbidden
	}
	return who.label(), 0
}
