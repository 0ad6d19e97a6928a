package api_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

// TM Forum's interface stands beside customer care, behind the same token and with faults of its own form.
func TestTMF654IsServed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(api.New(api.Config{
		Store: postgrestest.New(t), Rules: func() *ocs.Rules { return &ocs.Rules{} }, Token: "word", Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return apitest.Start },
		Transfer: func(context.Context, charging.Transfer) (transfer.Outcome, error) {
			return transfer.Outcome{}, errors.New("nobody is there to ask")
		},
	}))
	defer server.Close()
	for _, test := range []struct {
		path, token string
		status      int
		holds       string
	}{
		{"/tmf-api/prepayBalanceManagement/v4/bucket", "word", 200, "[]"},
		{"/tmf-api/prepayBalanceManagement/v4/bucket", "other", 401, `"code":"authorisationError"`},
		{"/tmf-api/prepayBalanceManagement/v4/nothing", "word", 404, `"code":"identifierError"`},
		{"/ext/v1/transferQuote", "word", 405, `"code":"methodNotAllowed"`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+test.token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != test.status || !strings.Contains(string(body), test.holds) {
			t.Errorf("%s: got %d %s %v", test.path, response.StatusCode, body, err)
		}
	}
}
