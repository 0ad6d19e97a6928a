package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

const anna = "/care/v1/subscribers/4930000001"

// begin starts a call that holds 60 s.
func begin(t *testing.T, s *apitest.Server, msisdn, id string) {
	t.Helper()
	if err := s.Charge(t.Context(), msisdn, ocs.SessionKey{ID: id}, ocs.Initial, 0, 0); err != nil {
		t.Fatal(err)
	}
}

// A correction is all or nothing, made once under its id, and never touches what a call holds.
func TestCorrections(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 600)
	begin(t, s, "4930000001", "call")
	bucket := show(t, s, "4930000001").Buckets[0].ID
	correct := func(id string, units int, bucket string) answer {
		body := map[string]any{"id": id, "units": units, "reason": "test"}
		if bucket != "" {
			body["bucket"] = bucket
		}
		return ask(t, s, "POST", anna+"/corrections", body)
	}
	wantStatus(t, correct("a", -541, ""), http.StatusConflict)
	balance(t, s, 600)
	wantStatus(t, correct("b", -540, ""), http.StatusOK)
	wantStatus(t, correct("b", -540, ""), http.StatusOK)
	wantStatus(t, correct("b", -539, ""), http.StatusConflict)
	balance(t, s, 60)
	wantStatus(t, correct("c", 30, ""), http.StatusUnprocessableEntity)
	wantStatus(t, correct("c", 30, bucket), http.StatusOK)
	balance(t, s, 90)
	wantStatus(t, correct("d", 0, ""), http.StatusUnprocessableEntity)
	anton, berta := s.Key(t, "Anton", "agent"), s.Key(t, "Berta", "supervisor")
	got := askAs(t, s, anton, "POST", anna+"/corrections", map[string]any{"id": "e", "units": 3601, "bucket": bucket, "reason": "test"})
	wantStatus(t, got, http.StatusAccepted)
	var waits api.Corrected
	got.decode(t, &waits)
	balance(t, s, 90)
	wantStatus(t, askAs(t, s, berta, "POST", "/care/v1/approvals/"+waits.Approval.ID+"/confirm", map[string]any{}), http.StatusOK)
	balance(t, s, 3691)
	postgrestest.CheckInvariants(t, s.Store)
}

// A number that moves on takes nothing with it: who gets it begins with nothing, and who had it keeps all.
func TestChangeOfNumber(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 600)
	create(t, s, "4930000002", 0)
	wantStatus(t, ask(t, s, "PUT", anna+"/profile", map[string]any{"name": "Anna"}), http.StatusOK)
	id := show(t, s, "4930000001").ID
	begin(t, s, "4930000001", "call")
	change := func(path, to string) answer {
		return ask(t, s, "PUT", path+"/msisdn", map[string]any{"msisdn": to, "reason": "test"})
	}
	wantStatus(t, change(anna, "4930000002"), http.StatusConflict)
	wantStatus(t, change(anna, "4930000003"), http.StatusOK)
	wantStatus(t, ask(t, s, "GET", anna, nil), http.StatusNotFound)
	if got := show(t, s, "4930000003"); got.ID != id || got.BalanceSeconds != 600 || got.OpenSessions != 1 {
		t.Errorf("with the new number %+v", got)
	}
	if err := s.Charge(t.Context(), "4930000003", ocs.SessionKey{ID: "call"}, ocs.Termination, 1, 30); err != nil {
		t.Fatal(err)
	}
	if _, lines := readStatement(t, s, "4930000003", 100); len(lines) != 2 {
		t.Errorf("the history has %d lines, want the grant and the call", len(lines))
	}
	body := map[string]any{"msisdn": "4930000001", "plan": "demo", "seconds": 60}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusConflict)
	wantStatus(t, change("/care/v1/subscribers/4930000002", "4930000001"), http.StatusConflict)
	var found api.Whois
	ask(t, s, "GET", "/care/v1/whois?name=4930000001", nil).decode(t, &found)
	if len(found.Matches) != 1 || found.Matches[0].By != "former" || found.Matches[0].Subscriber.ID != id {
		t.Errorf("who had it is %+v", found.Matches)
	}
	s.Advance(api.IdentityRest)
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusCreated)
	if got := show(t, s, "4930000001"); got.ID == id || got.BalanceSeconds != 60 || got.OpenSessions != 0 {
		t.Errorf("who has it next is %+v", got)
	}
	var profile api.Profile
	ask(t, s, "GET", anna+"/profile", nil).decode(t, &profile)
	if profile.Name != "" {
		t.Errorf("who has it next is called %q", profile.Name)
	}
	if _, lines := readStatement(t, s, "4930000001", 100); len(lines) != 1 {
		t.Errorf("who has it next has a history of %d lines", len(lines))
	}
	wantStatus(t, change("/care/v1/subscribers/4930000003", "4930000004"), http.StatusOK)
	wantStatus(t, change("/care/v1/subscribers/4930000004", "4930000003"), http.StatusOK) // one's own comes back at once
	postgrestest.CheckInvariants(t, s.Store)
}

// After a change of the SIM nothing is sent until it has cooled off; calls go on.
func TestChangeOfSIM(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+ann+"/imsi", map[string]any{"imsi": "262010000000001", "reason": "lost"}), http.StatusOK)
	var profile api.Profile
	ask(t, s, "GET", "/care/v1/subscribers/"+ann+"/profile", nil).decode(t, &profile)
	if profile.SIMChanged == nil || !profile.SIMChanged.Equal(s.Now()) {
		t.Errorf("the SIM was changed at %v, want %v", profile.SIMChanged, s.Now())
	}
	if got := show(t, s, "imsi-262010000000001"); got.MSISDN != ann {
		t.Errorf("by the new IMSI %+v", got)
	}
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+bob+"/imsi", map[string]any{"imsi": "262010000000001", "reason": "x"}), http.StatusConflict)
}

// What is barred is refused from the next request of a running call on, and the rest is served.
func TestBarring(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	begin(t, s, ann, "call")
	bar := func(services ...string) {
		t.Helper()
		body := map[string]any{"barred": append([]string{}, services...), "reason": "test"}
		wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+ann+"/services", body), http.StatusOK)
	}
	bar("voice")
	if err := s.Charge(t.Context(), ann, ocs.SessionKey{ID: "call"}, ocs.Update, 1, 30); err != nil {
		t.Fatal(err)
	}
	session, err := s.Store.Session(t.Context(), ocs.SessionKey{ID: "call"})
	if err != nil {
		t.Fatal(err)
	}
	if session.State == ocs.Open || show(t, s, ann).ReservedSeconds != 0 {
		t.Errorf("a barred call is %s", session.State)
	}
	body := map[string]any{"from": ann, "to": bob, "seconds": 60}
	wantStatus(t, sendMinutes(t, s, body), http.StatusCreated)
	bar("transfers", "data")
	body["seconds"] = 120
	if got := sendMinutes(t, s, body); got.status == http.StatusCreated {
		t.Errorf("who is barred from transfers sent minutes: %s", got.text)
	}
	begin(t, s, ann, "another call")
	if got := show(t, s, ann); got.ReservedSeconds == 0 || strings.Join(got.Barred, " ") != "data transfers" {
		t.Errorf("a call beside what is barred: %+v", got)
	}
	bar()
	body["seconds"] = 180
	wantStatus(t, sendMinutes(t, s, body), http.StatusCreated)
}

// A freeze ends by itself at its instant.
func TestFreezeEnds(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	freeze := map[string]any{"what": "frozen", "until": s.Now().Add(time.Hour).Format(time.RFC3339), "reason": "stolen"}
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+ann+"/freeze", freeze), http.StatusOK)
	send := func(seconds int) int {
		return sendMinutes(t, s, map[string]any{"from": ann, "to": bob, "seconds": seconds}).status
	}
	s.Advance(time.Hour - time.Second)
	if got := send(60); got == http.StatusCreated {
		t.Error("a frozen subscriber sent minutes")
	}
	s.Advance(time.Second)
	if got := send(120); got != http.StatusCreated {
		t.Errorf("after the end of the freeze: %d", got)
	}
}

// A session that hangs is ended: what it held is free again, and its CDR is there.
func TestEndOfSession(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 600)
	begin(t, s, "4930000001", "call")
	body := map[string]any{"session_id": "call", "reason": "hangs"}
	for range 2 {
		var ended api.Session
		got := ask(t, s, "POST", "/care/v1/session/end", body)
		wantStatus(t, got, http.StatusOK)
		got.decode(t, &ended)
		if ended.Cause != "operator" || ended.ReservedSeconds != 0 {
			t.Errorf("ended %+v", ended)
		}
	}
	if got := show(t, s, "4930000001"); got.ReservedSeconds != 0 || got.BalanceSeconds != 600 {
		t.Errorf("after the end %+v", got)
	}
	var page api.CDRPage
	ask(t, s, "GET", "/care/v1/cdrs?msisdn=4930000001", nil).decode(t, &page)
	if len(page.CDRs) != 1 || page.CDRs[0].Cause != "operator" {
		t.Errorf("CDRs %+v", page.CDRs)
	}
	wantStatus(t, ask(t, s, "POST", "/care/v1/session/end", map[string]any{"session_id": "other", "reason": "x"}), http.StatusNotFound)
	postgrestest.CheckInvariants(t, s.Store)
}

// Who is closed has nothing left, loses the number, and keeps the history.
func TestClosing(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 600)
	id := show(t, s, "4930000001").ID
	begin(t, s, "4930000001", "call")
	body := map[string]any{"state": "closed"}
	wantStatus(t, ask(t, s, "PUT", anna+"/state", body), http.StatusUnprocessableEntity)
	body["reason"] = "gone abroad"
	wantStatus(t, ask(t, s, "PUT", anna+"/state", body), http.StatusOK)
	wantStatus(t, ask(t, s, "GET", anna, nil), http.StatusOK) // its number leads to it while it rests
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+id+"/state", body), http.StatusOK)
	if got := show(t, s, id); got.State != "closed" || got.BalanceSeconds != 0 || got.ReservedSeconds != 0 || got.OpenSessions != 0 {
		t.Errorf("closed %+v", got)
	}
	if _, lines := readStatement(t, s, id, 100); len(lines) != 2 || lines[0].Change != -600 || lines[0].Reason != "gone abroad" {
		t.Errorf("history %+v", lines)
	}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers/"+id+"/buckets", grantOf("g", 60)), http.StatusConflict)
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+id+"/state", map[string]any{"state": "active"}), http.StatusConflict)
	s.Advance(api.IdentityRest)
	create(t, s, "4930000001", 60) // the number goes to somebody else, and closing again takes nothing from that one
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+id+"/state", body), http.StatusOK)
	if got := show(t, s, "4930000001"); got.ID == id || got.BalanceSeconds != 60 {
		t.Errorf("who has the number next is %+v", got)
	}
	postgrestest.CheckInvariants(t, s.Store)
}
