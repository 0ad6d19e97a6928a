package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/rating"
)

// A subscriber of a plan with terms gets what a period brings as soon as it is paid; customer care renews, changes and cancels
// it, each act is in the audit log with its reason, and what cannot be done changes nothing.
func TestPlanOfASubscriber(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	s.SetTerms(map[string]lifecycle.Terms{"demo": {
		Plan: "demo", Period: lifecycle.Period{Months: 1}, Price: lifecycle.Price{Units: 2850, Unit: "EUR"},
		Allowances: []lifecycle.Allowance{{Unit: rating.Seconds, Units: 12000, Class: "plan"}},
		Grace:      72 * time.Hour, Retry: time.Hour, Prorate: true,
	}})
	const who = "/care/v1/subscribers/4930000001"
	create(t, s, "4930000001", 0)
	plan := func(got answer, status int) (p api.SubscriberPlan) {
		t.Helper()
		wantStatus(t, got, status)
		got.decode(t, &p)
		return p
	}
	if p := plan(ask(t, s, "GET", who+"/plan", nil), http.StatusOK); p.Contract == nil || p.Contract.State != "grace" || p.Terms.Price != 2850 {
		t.Errorf("without money: %+v", p)
	}
	why := map[string]any{"reason": "on the phone"}
	wantStatus(t, ask(t, s, "POST", who+"/plan/renew", why), http.StatusConflict)
	grant := map[string]any{"id": "paid", "units": 5000, "unit": "EUR", "class": "money", "reason": "paid in"}
	wantStatus(t, ask(t, s, "POST", who+"/buckets", grant), http.StatusOK)
	renewed := plan(ask(t, s, "POST", who+"/plan/renew", why), http.StatusOK)
	if c := renewed.Contract; c.State != "active" || c.Period != 1 || len(c.Lots) != 1 || c.Lots[0].Balance != 12000 {
		t.Errorf("renewed: %+v", renewed.Contract)
	}
	if got := show(t, s, "4930000001").BalanceSeconds; got != 12000 {
		t.Errorf("balance %d, want 12000", got)
	}
	wantStatus(t, ask(t, s, "POST", who+"/plan/renew", why), http.StatusConflict)
	wantStatus(t, ask(t, s, "POST", who+"/plan/renew", map[string]any{}), http.StatusUnprocessableEntity)
	wantStatus(t, ask(t, s, "POST", who+"/plan/change", map[string]any{"plan": "none", "reason": "x"}), http.StatusUnprocessableEntity)
	wantStatus(t, ask(t, s, "POST", who+"/plan/change", map[string]any{"plan": "demo", "reason": "x"}), http.StatusConflict)
	if p := plan(ask(t, s, "POST", who+"/plan/cancel", why), http.StatusOK); !p.Contract.Cancelled || p.Contract.State != "active" {
		t.Errorf("cancelled: %+v", p.Contract)
	}
	ended := plan(ask(t, s, "POST", who+"/plan/cancel", map[string]any{"reason": "moves away", "now": true}), http.StatusOK)
	if ended.Contract.State != "ended" || show(t, s, "4930000001").BalanceSeconds != 0 {
		t.Errorf("ended: %+v", ended.Contract)
	}
	wantStatus(t, ask(t, s, "POST", who+"/plan/cancel", why), http.StatusConflict)
	var page api.AuditPage
	got := ask(t, s, "GET", "/care/v1/audit?action=cancel+plan", nil)
	wantStatus(t, got, http.StatusOK)
	got.decode(t, &page)
	if len(page.Entries) < 2 {
		t.Errorf("audit: %s", got.text)
	}
}
