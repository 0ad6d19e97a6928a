package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
)

// Every route has a row that says who may use it, and every row has a route.
func TestEveryRouteHasItsRights(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	rights := api.Rights()
	for _, pattern := range api.Patterns(s.Handler) {
		rows := []string{pattern}
		switch {
		case pattern == "/metrics":
			rows = []string{"GET /metrics"}
		case pattern == tmf654.QuotePath:
			rows = []string{"POST " + pattern}
		case !strings.Contains(pattern, " "):
			rows = []string{"GET " + pattern, "POST " + pattern, "PATCH " + pattern, "DELETE " + pattern}
		}
		for _, row := range rows {
			if rights[row] == nil {
				t.Errorf("%s has no row in the table of rights", row)
			}
			delete(rights, row)
		}
	}
	delete(rights, "GET /metrics") // this server has none
	for row := range rights {
		if strings.HasPrefix(row, "POST /care/v1/transfers/{reference}/") {
			continue // an act of the route {act}
		}
		t.Errorf("%s has a row in the table of rights and no route", row)
	}
}

// Each role is let in where its row has it, and nowhere else; without a key nobody is.
func TestRightsHoldOnEveryRoute(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	keys := map[string]string{}
	for _, role := range api.RoleNames() {
		keys[role] = s.Key(t, "holder of "+role, role)
	}
	fill := strings.NewReplacer("{subscriber}", "4930000009", "{reference}", "7K3M-9QTA-5", "{act}", "refund", "{id}", "01a21302-6609-77a3-b22e-709077d00f30",
		"{month}", "2026-02", "{file}", "1", "{code}", "54325", "{version}", "x", "{bucket}", "01a21302-6609-77a3-b22e-709077d00f30")
	for pattern, may := range api.Rights() {
		method, path, _ := strings.Cut(pattern, " ")
		path = fill.Replace(path)
		if strings.HasSuffix(path, "/v4/") {
			path += "bucket"
			if method != http.MethodGet {
				path = strings.TrimSuffix(path, "bucket") + "transferBalance/1"
			}
			if method == http.MethodPost {
				path = strings.TrimSuffix(path, "/1")
			}
		}
		var body any
		if method != http.MethodGet {
			body = map[string]any{}
		}
		if slices.Contains(may, "anybody") {
			continue
		}
		if got := askAs(t, s, "", method, path, body); got.status != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d, want 401", pattern, got.status)
		}
		for role, key := range keys {
			got := askAs(t, s, key, method, path, body)
			allowed := slices.Contains(may, role)
			if refused := got.status == http.StatusForbidden && strings.Contains(got.text, "role"); refused == allowed || got.status == http.StatusUnauthorized {
				t.Errorf("%s for %s: %d %s; the table allows it: %v", pattern, role, got.status, got.text, allowed)
			}
		}
	}
}

// What a role may not do is written down, with who tried, and so is an act without a reason.
func TestRefusalsAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 60)
	id := show(t, s, "4930000001").ID
	vera := s.Key(t, "Vera", "viewer")
	const path = "/care/v1/subscribers/4930000001/buckets"
	wantStatus(t, askAs(t, s, vera, "POST", path, map[string]any{"units": 60, "reason": "kind"}), http.StatusForbidden)
	anton := s.Key(t, "Anton", "agent")
	wantStatus(t, askAs(t, s, anton, "POST", path, map[string]any{"units": 60}), http.StatusUnprocessableEntity)
	wantStatus(t, askAs(t, s, anton, "POST", path, map[string]any{"units": 60, "reason": "kind", "id": "a"}), http.StatusOK)
	wantStatus(t, askAs(t, s, anton, "POST", path, map[string]any{"units": 61, "reason": "kind", "id": "a"}), http.StatusConflict)
	wantStatus(t, askAs(t, s, vera, "GET", tmf654.Base+"/bucket", nil), http.StatusOK)
	wantStatus(t, askAs(t, s, vera, "POST", tmf654.Base+"/topupBalance", map[string]any{}), http.StatusForbidden)
	var page api.AuditPage
	ask(t, s, "GET", "/care/v1/audit", nil).decode(t, &page)
	var got []string
	for _, e := range page.Entries {
		actor, _, _ := strings.Cut(e.Actor, " #")
		line := actor + ", " + e.Role + ": " + e.Action
		if e.Subject == id {
			line += " (the subscriber)"
		}
		got = append(got, line)
		if strings.Contains(string(e.After), "4930000001") {
			t.Errorf("%s names a number: %s", line, e.After)
		}
	}
	want := []string{
		"local operator, operator: create subscriber (the subscriber)",
		"local operator, operator: create key", "Vera, viewer: refused: grant-bucket", "local operator, operator: create key",
		"Anton, agent: refused: grant-bucket", "Anton, agent: grant (the subscriber)", "Anton, agent: refused: grant-bucket (the subscriber)",
		"Vera, viewer: refused: tmf654 POST",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
