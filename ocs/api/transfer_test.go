package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/policy"
)

const ann, bob = "31610000001", "31610000002"

// twoPeople makes Ann, who has 100 minutes, and Bob, who has 10.
func twoPeople(t *testing.T) *apitest.Server {
	t.Helper()
	s := apitest.New(t, nil)
	create(t, s, ann, 6000)
	create(t, s, bob, 600)
	return s
}

// named gives a subscriber a name and a language.
func named(t *testing.T, s *apitest.Server, msisdn, name, language string) {
	t.Helper()
	body := map[string]any{"name": name, "language": language}
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+msisdn+"/profile", body), http.StatusOK)
}

// choosePIN has a subscriber choose a PIN, and lets the time pass that this forbids to send.
func choosePIN(t *testing.T, s *apitest.Server, msisdn, pin string) {
	t.Helper()
	body := map[string]any{"pin": pin, "chosen": true}
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+msisdn+"/pin", body), http.StatusOK)
	s.Advance(25 * time.Hour)
}

func sendMinutes(t *testing.T, s *apitest.Server, body map[string]any) answer {
	t.Helper()
	return ask(t, s, "POST", "/care/v1/transfers", body)
}

func wantBalances(t *testing.T, s *apitest.Server, want map[string]int64) {
	t.Helper()
	for msisdn, seconds := range want {
		if got := show(t, s, msisdn).BalanceSeconds; int64(got) != seconds {
			t.Errorf("%s has %d s, want %d", msisdn, got, seconds)
		}
	}
}

// wantRefused checks the code that a refusal has in every answer.
func wantRefused(t *testing.T, got answer, status int, code string) api.RefusedTransfer {
	t.Helper()
	wantStatus(t, got, status)
	var refused api.RefusedTransfer
	got.decode(t, &refused)
	if refused.Code != code || refused.Detail == "" || !strings.HasPrefix(got.header.Get("Content-Type"), "application/problem+json") {
		t.Errorf("refused %s, want code %s, a text and a problem", got.text, code)
	}
	return refused
}

func TestTransferIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	body := map[string]any{"id": "order-1", "from": ann, "to": "+" + bob, "seconds": 900}
	var first api.TransferAnswer
	for i := range 3 {
		got := sendMinutes(t, s, body)
		wantStatus(t, got, http.StatusCreated)
		var told api.TransferAnswer
		got.decode(t, &told)
		switch {
		case i == 0:
			first = told
			if told.Status != "completed" || told.Kind != "p2p" || told.Seconds != 900 || told.Left != 5100 || told.Repeated || len(told.Receipts) != 2 {
				t.Errorf("sent %+v", told)
			}
		case told.Reference != first.Reference || !told.Repeated || told.Left != first.Left:
			t.Errorf("repeated %+v, want the answer of the first, %+v", told, first)
		}
	}
	wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})
	body["seconds"] = 960
	wantRefused(t, sendMinutes(t, s, body), http.StatusConflict, "duplicateRequest")
	wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})

	var shown api.StoredTransfer
	ask(t, s, "GET", "/care/v1/transfers/"+strings.ToLower(strings.ReplaceAll(first.Reference, "-", "")), nil).decode(t, &shown)
	if shown.From != ann || shown.To != bob || shown.Seconds != 900 || shown.Status != "completed" || shown.ID != "order-1" {
		t.Errorf("shown %+v", shown)
	}
	var list api.TransferList
	ask(t, s, "GET", "/care/v1/subscribers/"+bob+"/transfers", nil).decode(t, &list)
	if len(list.Transfers) != 1 || list.Transfers[0].Reference != first.Reference {
		t.Errorf("listed for the receiver %+v", list)
	}
	var page api.AuditPage
	ask(t, s, "GET", "/care/v1/audit?reference="+first.Reference, nil).decode(t, &page)
	if len(page.Entries) != 1 || page.Entries[0].Actor != "local operator" || page.Entries[0].Policy != policy.Default().Version() {
		t.Errorf("audit %+v", page)
	}
}

func TestRefusedTransferStaysRefusedAndIsExplained(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	body := map[string]any{"id": "too-much", "from": bob, "to": ann, "seconds": 1200}
	first := wantRefused(t, sendMinutes(t, s, body), http.StatusConflict, "insufficientFunds")
	if first.Purse == nil || first.Purse.Total != 600 || first.Reference == "" {
		t.Fatalf("refused %+v, want what there is, and a reference", first)
	}
	grant := map[string]any{"units": 6000, "id": "g", "reason": "test"}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers/"+bob+"/buckets", grant), http.StatusOK)
	again := wantRefused(t, sendMinutes(t, s, body), http.StatusConflict, "insufficientFunds")
	if again.Reference != first.Reference {
		t.Errorf("the second time %s, want %s", again.Reference, first.Reference)
	}
	wantBalances(t, s, map[string]int64{ann: 6000, bob: 6600})
	var e api.Explanation
	ask(t, s, "GET", "/care/v1/transfers/"+first.Reference+"/explanation", nil).decode(t, &e)
	failed := 0
	for _, c := range e.Checks {
		if !c.Passed {
			failed++
			if c.Rule != "balance" || !strings.Contains(c.Want, "1200 s") {
				t.Errorf("failed %+v, want the rule about the balance", c)
			}
		}
	}
	if failed != 1 || len(e.Checks) < 10 || e.Transfer.Refusal != "not enough" {
		t.Errorf("explained %+v", e)
	}
}

// Every refusal that a body can provoke has its status and its code, and moves nothing.
func TestTransferRefusals(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	for _, test := range []struct {
		name   string
		body   map[string]any
		status int
		code   string
	}{
		{"sender unknown", map[string]any{"from": "31699999999"}, 404, "identifierError"},
		{"receiver unknown", map[string]any{"to": "31699999999"}, 404, "identifierError"},
		{"same party", map[string]any{"to": "+31 610 000 001"}, 409, "samePartiesError"},
		{"not enough", map[string]any{"seconds": 6060}, 409, "insufficientFunds"},
		{"below minimum", map[string]any{"seconds": 0}, 400, "lessThanTransactionMinValue"},
		{"above maximum", map[string]any{"seconds": 30060}, 400, "greaterThanTransactionMaxValue"},
		{"wrong step", map[string]any{"seconds": 61}, 400, "stepError"},
		{"no such role", map[string]any{"kind": "merchant", "to": "merchant:12340"}, 404, "identifierError"},
		{"PIN needed", map[string]any{"as": "sender", "channel": "app"}, 401, "clientAuthorisationError"},
		{"PIN not chosen yet", map[string]any{"as": "sender", "channel": "app", "pin": "482917"}, 403, "pinChangeRequired"},
		{"quote that never was", map[string]any{"quote_id": "0000-0000-0"}, 409, "quoteHasExpired"},
	} {
		body := map[string]any{"from": ann, "to": bob, "seconds": 60}
		maps.Copy(body, test.body)
		t.Run(test.name, func(t *testing.T) { wantRefused(t, sendMinutes(t, s, body), test.status, test.code) })
	}
	wantBalances(t, s, map[string]int64{ann: 6000, bob: 600})
}

// What no rule can judge is found at the door.
func TestTransferBadInput(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	for name, body := range map[string]string{
		"decimals":           `{"from":"31610000001","to":"31610000002","seconds":60.5}`,
		"exponent":           `{"from":"31610000001","to":"31610000002","seconds":6e99}`,
		"negative":           `{"from":"31610000001","to":"31610000002","seconds":-60}`,
		"overflow":           `{"from":"31610000001","to":"31610000002","seconds":9223372036854775808}`,
		"text":               `{"from":"31610000001","to":"31610000002","seconds":"60"}`,
		"no number":          `{"from":"nobody","to":"31610000002","seconds":60}`,
		"national number":    `{"from":"31610000001","to":"0610000002","seconds":60}`,
		"wrong check digit":  `{"from":"31610000001","to":"merchant:12341","seconds":60}`,
		"unknown kind":       `{"from":"31610000001","to":"31610000002","seconds":60,"kind":"theft"}`,
		"id with blanks":     `{"from":"31610000001","to":"31610000002","seconds":60,"id":"a b"}`,
		"control characters": `{"from":"31610000001","to":"31610000002","seconds":60,"note":"a\u0000b"}`,
		"unknown member":     `{"from":"31610000001","to":"31610000002","seconds":60,"fee":0}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, s, "POST", "/care/v1/transfers", body)
			if got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest {
				t.Errorf("answered %d %s", got.status, got.text)
			}
			if strings.Contains(got.text, ann) {
				t.Errorf("the answer names a subscriber: %s", got.text)
			}
		})
	}
	wantStatus(t, ask(t, s, "GET", "/care/v1/transfers/7K3M-9QTA-X", nil), http.StatusUnprocessableEntity)
	wantBalances(t, s, map[string]int64{ann: 6000, bob: 600})
}

func TestQuoteIsCharged(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	var quote api.TransferAnswer
	got := ask(t, s, "POST", "/care/v1/transfers/quote", map[string]any{"from": ann, "to": bob, "seconds": 900})
	wantStatus(t, got, http.StatusOK)
	got.decode(t, &quote)
	if quote.QuoteID == "" || quote.Left != 5100 || quote.ValidTo == nil {
		t.Fatalf("quoted %+v", quote)
	}
	wantBalances(t, s, map[string]int64{ann: 6000, bob: 600})
	body := map[string]any{"from": ann, "to": bob, "seconds": 900, "quote_id": quote.QuoteID, "id": "q1"}
	wantStatus(t, sendMinutes(t, s, body), http.StatusCreated)
	body["id"] = "q2"
	wantRefused(t, sendMinutes(t, s, body), http.StatusConflict, "quoteHasExpired")
	wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})
}

// act acts on a stored transfer.
func act(t *testing.T, s *apitest.Server, reference, what string, body map[string]any) answer {
	t.Helper()
	if body == nil {
		body = map[string]any{}
	}
	return ask(t, s, "POST", "/care/v1/transfers/"+reference+"/"+what, body)
}

func referenceOf(t *testing.T, got answer) string {
	t.Helper()
	if got.status >= 300 {
		t.Fatalf("answered %d %s", got.status, got.text)
	}
	var told api.TransferAnswer
	got.decode(t, &told)
	return told.Reference
}

func TestPreparedTransfer(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	body := map[string]any{"from": ann, "to": bob, "seconds": 900}
	prepare := func() string { return referenceOf(t, ask(t, s, "POST", "/care/v1/transfers/prepare", body)) }
	first, second, third := prepare(), prepare(), prepare()
	if got := show(t, s, ann); got.BalanceSeconds != 6000 || got.ReservedSeconds != 2700 {
		t.Errorf("prepared: %d with %d reserved, want 6000 with 2700", got.BalanceSeconds, got.ReservedSeconds)
	}
	wantStatus(t, act(t, s, first, "confirm", nil), http.StatusOK)
	wantStatus(t, act(t, s, second, "cancel", nil), http.StatusOK)
	wantRefused(t, act(t, s, second, "confirm", nil), http.StatusConflict, "incorrectState")
	s.Advance(48 * time.Hour)
	wantRefused(t, act(t, s, third, "confirm", nil), http.StatusConflict, "incorrectState")
	if got := show(t, s, ann); got.BalanceSeconds != 5100 || got.ReservedSeconds != 0 {
		t.Errorf("in the end %d with %d reserved, want 5100 with 0", got.BalanceSeconds, got.ReservedSeconds)
	}
	wantBalances(t, s, map[string]int64{bob: 1500})
}

func TestRequestForMinutes(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	request := func() string {
		return referenceOf(t, ask(t, s, "POST", "/care/v1/transfers/request", map[string]any{"from": ann, "to": bob, "seconds": 300}))
	}
	wantStatus(t, act(t, s, request(), "decline", nil), http.StatusOK)
	wantBalances(t, s, map[string]int64{ann: 6000, bob: 600})
	wantStatus(t, act(t, s, request(), "accept", nil), http.StatusOK)
	wantBalances(t, s, map[string]int64{ann: 5700, bob: 900})
}

// The operator's claim is decided by two persons, and the same one does not count twice.
func TestClaimIsDecidedByTwo(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	sent := referenceOf(t, sendMinutes(t, s, map[string]any{"from": ann, "to": bob, "seconds": 900}))
	carla, dieter := s.Key(t, "Carla", "supervisor"), s.Key(t, "Dieter", "supervisor")
	decide := func(key, reference, what string) answer {
		return askAs(t, s, key, "POST", "/care/v1/transfers/"+reference+"/"+what, map[string]any{})
	}
	claim := referenceOf(t, decide(s.Key(t, "Carla", "agent"), sent, "claim"))
	if got := show(t, s, bob); got.ReservedSeconds != 900 {
		t.Errorf("%d s are frozen, want 900", got.ReservedSeconds)
	}
	wantRefused(t, decide(carla, claim, "grant-claim"), http.StatusConflict, "incorrectState")
	wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})
	wantStatus(t, decide(dieter, claim, "grant-claim"), http.StatusOK)
	wantBalances(t, s, map[string]int64{ann: 6000, bob: 600})
	wantRefused(t, decide(carla, sent, "claim"), http.StatusConflict, "incorrectState")
}

// A shop takes a bill by its code, an agent sells from a float that the operator fills, and a trader pays out by a code.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	const shop, agent, trader = "31620000001", "31620000002", "31620000003"
	for _, msisdn := range []string{shop, agent, trader} {
		create(t, s, msisdn, 0)
	}
	role := func(path string, body map[string]any) (made api.Role) {
		t.Helper()
		got := ask(t, s, "POST", "/care/v1/"+path, body)
		wantStatus(t, got, http.StatusCreated)
		got.decode(t, &made)
		return made
	}
	merchant := role("merchants", map[string]any{"msisdn": shop, "name": "Corner Shop", "owner": bob})
	vendor := role("agents", map[string]any{"msisdn": agent, "name": "Kiosk", "digits": "5432"})
	payer := role("agents", map[string]any{"msisdn": trader, "name": "Trader Joe", "trader": true})
	if vendor.Code[:4] != "5432" || len(merchant.Code) != 6 || merchant.Owner != bob || payer.Kind != "trader" {
		t.Errorf("created %+v %+v %+v", merchant, vendor, payer)
	}
	wantStatus(t, ask(t, s, "POST", "/care/v1/agents", map[string]any{"msisdn": bob, "name": "Copy", "digits": "5432"}), http.StatusConflict)
	wantStatus(t, ask(t, s, "GET", "/care/v1/merchants/"+vendor.Code, nil), http.StatusNotFound)

	wantStatus(t, sendMinutes(t, s, map[string]any{"from": ann, "to": "merchant:" + merchant.Code, "seconds": 125, "note": "bill 4711"}), http.StatusCreated)
	wantBalances(t, s, map[string]int64{ann: 5875, shop: 125})

	fund := map[string]any{"seconds": 60000, "id": "invoice-1", "reason": "invoice"}
	for range 2 {
		wantStatus(t, ask(t, s, "POST", "/care/v1/agents/"+vendor.Code+"/float", fund), http.StatusOK)
	}
	sale := map[string]any{"from": "agent:" + vendor.Code, "to": bob, "seconds": 3600, "kind": "agent", "channel": "agent"}
	wantStatus(t, sendMinutes(t, s, sale), http.StatusCreated)
	wantBalances(t, s, map[string]int64{agent: 56400, bob: 4200})
	var shown api.Role
	ask(t, s, "GET", "/care/v1/agents/"+vendor.Code, nil).decode(t, &shown)
	if shown.FloatSeconds != 56400 {
		t.Errorf("the float is %d, want 56400", shown.FloatSeconds)
	}

	out := map[string]any{"from": ann, "to": "agent:" + payer.Code, "seconds": 600, "id": "cash-1"}
	var prepared, again api.TransferAnswer
	ask(t, s, "POST", "/care/v1/transfers/prepare", out).decode(t, &prepared)
	ask(t, s, "POST", "/care/v1/transfers/prepare", out).decode(t, &again)
	if len(prepared.PayoutCode) != 6 || prepared.PayoutCode != again.PayoutCode || prepared.Kind != "cashout" || again.Reference != prepared.Reference {
		t.Fatalf("prepared %+v, again %+v; want the same pay-out code", prepared, again)
	}
	wrong := fmt.Sprintf("%06d", (atoi(t, prepared.PayoutCode)+1)%1_000_000)
	wantRefused(t, act(t, s, prepared.Reference, "confirm", map[string]any{"payout_code": wrong}), http.StatusUnauthorized, "clientAuthorisationError")
	wantStatus(t, act(t, s, prepared.Reference, "confirm", map[string]any{"payout_code": prepared.PayoutCode}), http.StatusOK)
	wantBalances(t, s, map[string]int64{ann: 5875 - 660, trader: 600})
}

func atoi(t *testing.T, digits string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(digits, "%d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The tree of a lot tells every hand that its minutes went through.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	const cleo = "31610000003"
	create(t, s, cleo, 0)
	wantStatus(t, sendMinutes(t, s, map[string]any{"from": ann, "to": cleo, "seconds": 900}), http.StatusCreated)
	received := show(t, s, cleo).Buckets[0].ID
	wantStatus(t, sendMinutes(t, s, map[string]any{"from": cleo, "to": bob, "seconds": 300}), http.StatusCreated)
	var trace api.Trace
	ask(t, s, "GET", "/care/v1/buckets/"+received+"/trace", nil).decode(t, &trace)
	var path []string
	for _, b := range trace.Buckets {
		path = append(path, fmt.Sprint(b.MSISDN, " ", b.Hops, " ", b.Balance, " ", b.Asked))
	}
	want := []string{ann + " 0 5100 false", cleo + " 1 600 true", bob + " 2 300 false"}
	if fmt.Sprint(path) != fmt.Sprint(want) {
		t.Errorf("traced %v, want %v", path, want)
	}
	wantStatus(t, ask(t, s, "GET", "/care/v1/buckets/00000000-0000-0000-0000-000000000000/trace", nil), http.StatusNotFound)
}

func TestPolicyAndKillSwitch(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	source := strings.Replace(string(policy.Default().Source()), "policy_version: default", "policy_version: strict", 1)
	source = strings.Replace(source, "- {name: free}", "- {name: flat, flat: 60}", 1)
	var change api.PolicyChange
	for _, check := range []bool{true, false} {
		got := ask(t, s, "PUT", "/care/v1/policy", map[string]any{"source": source, "check": check})
		wantStatus(t, got, http.StatusOK)
		got.decode(t, &change)
		if change.Loaded == check || len(change.Changes) == 0 || !strings.HasPrefix(change.Version, "strict+") {
			t.Errorf("loaded with check %v: %+v", check, change)
		}
	}
	wantStatus(t, ask(t, s, "PUT", "/care/v1/policy", map[string]any{"source": "transfer: {limit: []}"}), http.StatusUnprocessableEntity)
	reference := referenceOf(t, sendMinutes(t, s, map[string]any{"from": ann, "to": bob, "seconds": 600}))
	var shown api.StoredTransfer
	ask(t, s, "GET", "/care/v1/transfers/"+reference, nil).decode(t, &shown)
	if shown.Fee != 60 || shown.Policy != change.Version {
		t.Errorf("sent %+v, want the fee and the version of the policy that was loaded", shown)
	}
	var kept api.Policy
	ask(t, s, "GET", "/care/v1/policies/"+change.Version, nil).decode(t, &kept)
	if kept.Source != source {
		t.Errorf("kept %q", kept.Source)
	}

	kill := map[string]any{"reason": "audit", "person": "carla"}
	wantStatus(t, ask(t, s, "POST", "/care/v1/policy/kill", kill), http.StatusOK)
	wantStatus(t, ask(t, s, "POST", "/care/v1/policy/kill", kill), http.StatusConflict)
	wantRefused(t, sendMinutes(t, s, map[string]any{"from": ann, "to": bob, "seconds": 600}), http.StatusServiceUnavailable, "serviceUnavailable")
	wantStatus(t, ask(t, s, "POST", "/care/v1/policy/resume", map[string]any{"person": "carla"}), http.StatusOK)
	wantStatus(t, sendMinutes(t, s, map[string]any{"from": ann, "to": bob, "seconds": 600}), http.StatusCreated)
	var page api.AuditPage
	ask(t, s, "GET", "/care/v1/audit?action=stop%20transfers", nil).decode(t, &page)
	if len(page.Entries) != 1 || page.Entries[0].Actor != "carla" {
		t.Errorf("audit %+v", page)
	}
}

func TestPINs(t *testing.T) {
	t.Parallel()
	s := twoPeople(t)
	path := "/care/v1/subscribers/" + ann + "/pin"
	state := func(got answer) (told api.PINState) {
		t.Helper()
		wantStatus(t, got, http.StatusOK)
		got.decode(t, &told)
		return told
	}
	if got := state(ask(t, s, "GET", path, nil)); got.Set {
		t.Errorf("a new subscriber has %+v", got)
	}
	weak := ask(t, s, "PUT", path, map[string]any{"pin": "123456", "chosen": true})
	wantStatus(t, weak, http.StatusUnprocessableEntity)
	if strings.Contains(weak.text, "123456") {
		t.Errorf("the answer repeats the PIN: %s", weak.text)
	}
	if got := state(ask(t, s, "PUT", path, map[string]any{"pin": "730185"})); !got.Set || !got.MustChange {
		t.Errorf("given %+v, want one that must be changed", got)
	}
	body := map[string]any{"from": ann, "to": bob, "seconds": 60, "as": "sender", "channel": "app", "pin": "730185"}
	s.Advance(25 * time.Hour)
	wantRefused(t, sendMinutes(t, s, body), http.StatusForbidden, "pinChangeRequired")
	wantStatus(t, ask(t, s, "PUT", path, map[string]any{"pin": "918264", "chosen": true, "old": "730186"}), http.StatusForbidden)
	if got := state(ask(t, s, "PUT", path, map[string]any{"pin": "918264", "chosen": true, "old": "730185"})); got.MustChange {
		t.Errorf("changed %+v", got)
	}
	body["pin"] = "918264"
	wantRefused(t, sendMinutes(t, s, body), http.StatusForbidden, "coolingOff")
	s.Advance(25 * time.Hour)
	wantStatus(t, sendMinutes(t, s, body), http.StatusCreated)
	s.Advance(time.Hour)
	body["pin"] = "918265"
	for range 2 {
		wantRefused(t, sendMinutes(t, s, body), http.StatusUnauthorized, "clientAuthorisationError")
	}
	wantRefused(t, sendMinutes(t, s, body), http.StatusForbidden, "pinLocked")
	body["pin"] = "918264"
	wantRefused(t, sendMinutes(t, s, body), http.StatusForbidden, "pinLocked")
	state(ask(t, s, "POST", path+"/unlock", map[string]any{}))
	wantStatus(t, sendMinutes(t, s, body), http.StatusCreated)
	var reset api.ResetPIN
	ask(t, s, "POST", path+"/reset", map[string]any{}).decode(t, &reset)
	if len(reset.PIN) != 6 || !reset.State.MustChange {
		t.Errorf("reset to %+v", reset)
	}
	wantStatus(t, ask(t, s, "POST", path+"/reset", map[string]any{}), http.StatusForbidden)
}
