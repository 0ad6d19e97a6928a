package api_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
)

const grantPath = "/care/v1/subscribers/4930000001/buckets"

func grantOf(id string, units int) map[string]any {
	return map[string]any{"id": id, "units": units, "reason": "complaint"}
}

func balance(t *testing.T, s *apitest.Server, want int64) {
	t.Helper()
	if got := show(t, s, "4930000001").BalanceSeconds; int64(got) != want {
		t.Errorf("balance %d, want %d", got, want)
	}
}

func waiting(t *testing.T, got answer) string {
	t.Helper()
	wantStatus(t, got, http.StatusAccepted)
	var grant api.Grant
	got.decode(t, &grant)
	if grant.Approval == nil || grant.Bucket != nil || grant.Approval.State != "pending" {
		t.Fatalf("waits as %s", got.text)
	}
	return grant.Approval.ID
}

// What is too much for one person moves nothing until a second one has confirmed it, and then once.
func TestGrantAboveTheLimitTakesTwo(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 0)
	anton, berta := s.Key(t, "Anton", "agent"), s.Key(t, "Berta", "supervisor")
	alsoAnton := s.Key(t, "Anton", "supervisor") // the same person with another key
	id := waiting(t, askAs(t, s, anton, "POST", grantPath, grantOf("g", 3601)))
	if again := waiting(t, askAs(t, s, anton, "POST", grantPath, grantOf("g", 3601))); again != id {
		t.Errorf("asked again it is %s, want %s", again, id)
	}
	wantStatus(t, askAs(t, s, anton, "POST", grantPath, grantOf("g", 3602)), http.StatusConflict)
	balance(t, s, 0)
	confirm := "/care/v1/approvals/" + id + "/confirm"
	wantStatus(t, askAs(t, s, anton, "POST", confirm, map[string]any{}), http.StatusForbidden)
	wantStatus(t, askAs(t, s, alsoAnton, "POST", confirm, map[string]any{}), http.StatusForbidden)
	balance(t, s, 0)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got := askAs(t, s, berta, "POST", confirm, map[string]any{"note": "heard the tape"}); got.status != http.StatusOK {
				t.Errorf("confirmed: %d %s", got.status, got.text)
			}
		})
	}
	all.Wait()
	balance(t, s, 3601)
	var told api.Approval
	askAs(t, s, anton, "GET", "/care/v1/approvals/"+id, nil).decode(t, &told)
	if told.State != "done" || told.DecidedBy != "Berta" || told.AskedBy != "Anton" || told.MSISDN != "4930000001" || len(told.Result) < 10 {
		t.Errorf("the approval is %+v", told)
	}
	wantStatus(t, askAs(t, s, anton, "POST", grantPath, grantOf("h", 360001)), http.StatusForbidden) // more than two may
	wantStatus(t, askAs(t, s, berta, "POST", "/care/v1/approvals/"+id+"/reject", map[string]any{"note": "late"}), http.StatusConflict)
}

// Small grants add up: beyond the day's limit a second person is needed, and the next day begins at zero.
func TestGrantsOfADayAddUp(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 0)
	anton := s.Key(t, "Anton", "agent")
	for _, id := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		wantStatus(t, askAs(t, s, anton, "POST", grantPath, grantOf(id, 3600)), http.StatusOK)
	}
	wantStatus(t, askAs(t, s, anton, "POST", grantPath, grantOf("9", 3600)), http.StatusOK) // again: counts once
	waiting(t, askAs(t, s, anton, "POST", grantPath, grantOf("10", 1)))
	balance(t, s, 36000)
	wantStatus(t, askAs(t, s, s.Key(t, "Carl", "agent"), "POST", grantPath, grantOf("11", 1)), http.StatusOK)
	s.Advance(12 * time.Hour)
	wantStatus(t, askAs(t, s, anton, "POST", grantPath, grantOf("12", 3600)), http.StatusOK)
	balance(t, s, 39601)
}

// An act that nobody confirmed in time, that was rejected, or that cannot be done any more moves nothing.
func TestApprovalsThatComeToNothing(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 0)
	anton, berta := s.Key(t, "Anton", "agent"), s.Key(t, "Berta", "supervisor")
	decide := func(id, what string) answer {
		return askAs(t, s, berta, "POST", "/care/v1/approvals/"+id+"/"+what, map[string]any{"note": "no"})
	}
	rejected := waiting(t, askAs(t, s, anton, "POST", grantPath, grantOf("a", 4000)))
	wantStatus(t, decide(rejected, "reject"), http.StatusOK)
	wantStatus(t, decide(rejected, "confirm"), http.StatusConflict)
	withdrawn := waiting(t, askAs(t, s, anton, "POST", grantPath, grantOf("b", 4000)))
	wantStatus(t, askAs(t, s, anton, "POST", "/care/v1/approvals/"+withdrawn+"/reject", map[string]any{"note": "error"}), http.StatusOK)
	wantStatus(t, decide(withdrawn, "confirm"), http.StatusConflict)
	late := waiting(t, askAs(t, s, anton, "POST", grantPath, grantOf("c", 4000)))
	s.Advance(72 * time.Hour)
	wantStatus(t, decide(late, "confirm"), http.StatusConflict)
	overtaken := waiting(t, askAs(t, s, anton, "POST", grantPath, grantOf("d", 4000)))
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/4930000001/state", map[string]any{"state": "closed", "reason": "test"}), http.StatusOK)
	var told api.Approval
	got := decide(overtaken, "confirm")
	wantStatus(t, got, http.StatusOK)
	got.decode(t, &told)
	if told.State != "failed" {
		t.Errorf("a grant to a closed subscriber is %+v, want failed", told)
	}
	var page api.ApprovalPage
	ask(t, s, "GET", "/care/v1/approvals?waiting=true", nil).decode(t, &page)
	if len(page.Approvals) != 1 || page.Approvals[0].State != "expired" {
		t.Errorf("waiting %+v, want the expired one", page.Approvals)
	}
	wantStatus(t, decide("01a21302-6609-77a3-b22e-709077d00f30", "confirm"), http.StatusNotFound)
}
