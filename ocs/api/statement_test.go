package api_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
)

var statementSeed = flag.Uint64("statement-seed", 7, "seed of TestStatementSumsToEveryBucket")

// readStatement reads all pages of a statement, limit lines at a time, and the first page as it was.
func readStatement(t *testing.T, s *apitest.Server, who string, limit int) (first api.Statement, lines []api.StatementLine) {
	t.Helper()
	to := ""
	for {
		query := url.Values{"limit": {fmt.Sprint(limit)}}
		if to != "" {
			query.Set("to", to)
		}
		got := ask(t, s, "GET", "/care/v1/subscribers/"+who+"/statement?"+query.Encode(), nil)
		wantStatus(t, got, http.StatusOK)
		var page api.Statement
		got.decode(t, &page)
		if to == "" {
			first = page
		}
		for _, l := range page.Lines {
			if l.Kind == "expiry" { // a job posts it meanwhile, and before that it has no name
				l.Movement, l.Reason = "", ""
			}
			lines = append(lines, l)
		}
		if to = page.Next; to == "" {
			return first, lines
		}
	}
}

// After any history the lines of a statement sum to every bucket, each balance is the one before plus the change, and the
// last is the balance that is shown, whatever the pages.
func TestStatementSumsToEveryBucket(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(*statementSeed, 0))
	s := apitest.New(t, nil)
	people := []string{"4930000001", "4930000002"}
	for _, p := range people {
		create(t, s, p, 3000)
	}
	type call struct {
		who    string
		number uint32
	}
	calls := map[string]*call{}
	charge := func(id string, kind ocs.RequestType, used uint64) {
		c := calls[id]
		if err := s.Charge(t.Context(), c.who, ocs.SessionKey{ID: id}, kind, c.number, used); err != nil {
			t.Fatal(err)
		}
		c.number++
	}
	for i := range 150 {
		s.Advance(time.Duration(rnd.IntN(120)) * time.Second)
		who := people[rnd.IntN(2)]
		switch rnd.IntN(7) {
		case 0:
			id := fmt.Sprintf("call %d", i)
			calls[id] = &call{who: who}
			charge(id, ocs.Initial, 0)
		case 1, 2:
			for id := range calls {
				charge(id, ocs.Update, uint64(rnd.IntN(70)))
				break
			}
		case 3:
			for id := range calls {
				charge(id, ocs.Termination, uint64(rnd.IntN(70)))
				delete(calls, id)
				break
			}
		case 4:
			body := map[string]any{"units": 1 + rnd.IntN(600), "reason": "test"}
			if rnd.IntN(2) == 0 {
				body["expires_at"] = s.Now().Add(time.Duration(1+rnd.IntN(1800)) * time.Second)
			}
			wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers/"+who+"/buckets", body), http.StatusOK)
		case 5: // it may be refused
			sendMinutes(t, s, map[string]any{"from": who, "to": people[0], "seconds": 60 * (1 + rnd.IntN(3)), "again": true})
		case 6:
			s.Advance(time.Duration(rnd.IntN(600)) * time.Second)
		}
	}
	for _, who := range people {
		account := show(t, s, who)
		var whole []api.StatementLine
		for _, limit := range []int{500, 7, 1} {
			first, lines := readStatement(t, s, who, limit)
			checkStatement(t, account, first, lines)
			if whole == nil {
				whole = lines
			} else if fmt.Sprint(lines) != fmt.Sprint(whole) {
				t.Errorf("by pages of %d the lines are others: replay with -statement-seed %d", limit, *statementSeed)
			}
		}
		kinds := map[string]int{}
		for _, l := range whole {
			kinds[l.Kind]++
		}
		if kinds["use"] == 0 || kinds["grant"] == 0 || kinds["expiry"] == 0 {
			t.Errorf("the history of %s has only %v", who, kinds)
		}
	}
}

func checkStatement(t *testing.T, account api.SubscriberAccount, first api.Statement, lines []api.StatementLine) {
	t.Helper()
	buckets := map[string]int64{}
	var sum int64
	for i, l := range slices.Backward(lines) {
		var parts int64
		for _, p := range l.Parts {
			parts += int64(p.Units)
			buckets[p.Bucket] += int64(p.Units)
		}
		if parts != int64(l.Change) {
			t.Errorf("the parts of %+v sum to %d", l, parts)
		}
		if sum += int64(l.Change); sum != int64(l.Balance) {
			t.Fatalf("line %d: the lines sum to %d, it says %d: replay with -statement-seed %d\n%+v", i, sum, l.Balance, *statementSeed, l)
		}
		if i < len(lines)-1 && l.At.Before(lines[i+1].At) {
			t.Errorf("line %d is out of order", i)
		}
	}
	if sum != int64(account.BalanceSeconds) || len(first.Balances) != 1 || int64(first.Balances[0].Balance) != sum {
		t.Errorf("the lines sum to %d, shown are %d and %+v: replay with -statement-seed %d", sum, account.BalanceSeconds, first.Balances, *statementSeed)
	}
	for _, b := range account.Buckets {
		want := int64(b.Balance)
		if b.Expired {
			want = int64(b.Reserved)
		}
		if buckets[b.ID] != want {
			t.Errorf("the lines of bucket %s sum to %d, it holds %d: replay with -statement-seed %d", b.ID, buckets[b.ID], want, *statementSeed)
		}
	}
}

// A statement tells of each debit which tariff, increments and buckets made it.
func TestStatementExplainsACall(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 600)
	key := ocs.SessionKey{ID: "a;1"}
	for i, step := range []struct {
		kind ocs.RequestType
		used uint64
	}{{ocs.Initial, 0}, {ocs.Update, 60}, {ocs.Termination, 31}} {
		if err := s.Charge(t.Context(), "4930000001", key, step.kind, uint32(i), step.used); err != nil {
			t.Fatal(err)
		}
		s.Advance(time.Minute)
	}
	first, lines := readStatement(t, s, "4930000001", 100)
	if len(lines) != 3 || lines[0].Kind != "use" || lines[2].Kind != "grant" || lines[0].Balance != 509 {
		t.Fatalf("lines %+v", lines)
	}
	if len(first.Calls) != 1 || len(first.Calls[0].Segments) != 1 {
		t.Fatalf("calls %+v", first.Calls)
	}
	call, segment := first.Calls[0], first.Calls[0].Segments[0]
	if call.OtherParty == "" || call.State != "termination" || segment.Used != 91 || segment.Charged != 91 || segment.Reports != 2 || !segment.Agrees {
		t.Errorf("call %+v", call)
	}
	if !strings.HasPrefix(segment.Why, "tariff ") || !strings.Contains(segment.Why, "91 s") {
		t.Errorf("why: %s", segment.Why)
	}
}
