package api

import (
	"net/http"

	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
)

// handleTMF654 serves TM Forum's interface beside customer care, for who bears the same tokens.
func (s *server) handleTMF654(mux *http.ServeMux) {
	if s.Transfer == nil {
		return
	}
	tmf := tmf654.New(tmf654.Config{
		Store: s.Store, Transfer: s.Transfer, Identity: ParseSubscriber, Now: s.Now, Logger: s.Logger,
		Actor: func(authorization string) (string, bool) {
			who := s.bearer(authorization)
			return who.Name, who.Role != nobody
		},
	})
	mux.Handle(tmf654.Base+"/", tmf)
	mux.Handle(tmf654.QuotePath, tmf)
}
