package api_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
)

// A key opens what its role opens until it expires or is revoked, and its secret is nowhere but with its holder.
func TestKeys(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := apitest.New(t, slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	got := ask(t, s, "POST", "/care/v1/keys", map[string]any{"name": "Anna", "role": "viewer", "expires_at": apitest.Start.Add(time.Hour)})
	wantStatus(t, got, http.StatusCreated)
	var made api.MadeKey
	got.decode(t, &made)
	var who api.Whoami
	askAs(t, s, made.Token, "GET", "/care/v1/whoami", nil).decode(t, &who)
	if who.Name != "Anna" || who.Role != "viewer" || who.Key != made.ID {
		t.Errorf("whoami %+v", who)
	}
	for name, token := range map[string]string{
		"empty": "", "another secret": made.Token[:len(made.Token)-1] + map[bool]string{true: "b", false: "a"}[strings.HasSuffix(made.Token, "a")],
		"id only": "gyro_" + made.ID, "another id": strings.Replace(made.Token, made.ID, "aaaaaaaa", 1), "quoted": `gyro_'; --_` + made.Token[14:],
	} {
		if got := askAs(t, s, token, "GET", "/care/v1/whoami", nil); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", name, got.status)
		}
	}
	secret := made.Token[strings.LastIndex(made.Token, "_")+1:]
	listed := ask(t, s, "GET", "/care/v1/keys", nil)
	audited := ask(t, s, "GET", "/care/v1/audit", nil)
	stored, err := s.Store.APIKey(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"list": listed.text, "audit": audited.text, "log": log.String(), "database": string(stored.Hash)} {
		if strings.Contains(text, secret) {
			t.Errorf("the secret is in the %s", where)
		}
	}
	s.Advance(time.Hour)
	wantStatus(t, askAs(t, s, made.Token, "GET", "/care/v1/whoami", nil), http.StatusUnauthorized)

	other := s.Key(t, "Ben", "operator")
	id := strings.Split(other, "_")[1]
	wantStatus(t, askAs(t, s, other, "DELETE", "/care/v1/keys/"+id, nil), http.StatusOK)
	wantStatus(t, askAs(t, s, other, "GET", "/care/v1/whoami", nil), http.StatusUnauthorized)
	wantStatus(t, ask(t, s, "DELETE", "/care/v1/keys/"+id, nil), http.StatusOK) // again changes nothing
	wantStatus(t, ask(t, s, "DELETE", "/care/v1/keys/aaaaaaaa", nil), http.StatusNotFound)
}
