package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/catalog"
)

func TestExplainRate(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 150)
	var told api.RateExplanation
	ask(t, s, "GET", "/care/v1/rate?from=4930000001&to=0061212345678&units=60&at=2026-03-02T12:00:00Z", nil).decode(t, &told)
	if told.Number != "+61212345678" || told.Verdict != "granted" || told.Affords || len(told.Parts) != 1 || told.Parts[0].Charged != 150 || told.Parts[0].Short != 90 {
		t.Errorf("60 s to Australia with 150: %+v", told)
	}
	text := strings.Join(told.Lines, "\n")
	for _, want := range []string{
		"plan demo of catalogue " + catalog.Demo().Version(), "tariff australia, by the longest prefix, +61", "60 s counted as 60 s, 240 s",
		"150 s from bucket", "90 s that no bucket can pay", "in all 240 s",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	ask(t, s, "GET", "/care/v1/rate?plan=demo&to=0900123456", nil).decode(t, &told)
	if told.Verdict != "barred" {
		t.Errorf("a premium number: %+v", told)
	}
	wantStatus(t, ask(t, s, "GET", "/care/v1/rate?plan=none", nil), http.StatusUnprocessableEntity)
	wantStatus(t, ask(t, s, "GET", "/care/v1/rate?from=4930000009", nil), http.StatusNotFound)
}

func TestExplainSession(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 600)
	if err := s.Store.SaveCatalog(t.Context(), catalog.Demo().Version(), catalog.Demo().Source(), "server", s.Now()); err != nil {
		t.Fatal(err)
	}
	key := ocs.SessionKey{ID: "call;1"}
	for i, kind := range []ocs.RequestType{ocs.Initial, ocs.Update, ocs.Termination} {
		if err := s.Charge(t.Context(), "4930000001", key, kind, uint32(i), uint64(20*i)); err != nil {
			t.Fatal(err)
		}
	}
	other := *s.Rules
	other.Catalog, other.Plans = "another", nil // what is in force by now does not matter
	s.Rules = &other
	var told api.SessionExplanation
	const path = "/care/v1/session/explanation?session_id=call%3B1"
	ask(t, s, "GET", path, nil).decode(t, &told)
	if !told.Exact || len(told.Events) != 2 || told.Events[1].Total != 60 || told.Events[1].Cost != 40 || told.OtherParty != "+4930999999" {
		t.Errorf("explained: %+v", told)
	}
	text := strings.Join(told.Lines, "\n")
	for _, want := range []string{
		"tariff standard was found by the longest prefix, * for everything else", "update request 1: 20 s more under tariff standard",
		"60 s in all, counted as 60 s; this report costs 40 s", "in all 60 s", "this is what the tariffs say, to the second",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	ask(t, s, "GET", path+"&msisdn=4930000001", nil).decode(t, &told)
	wantStatus(t, ask(t, s, "GET", "/care/v1/session/explanation?session_id=none", nil), http.StatusNotFound)
}
