package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
)

// answer is what came back, whatever it was.
type answer struct {
	status int
	header http.Header
	text   string
}

func (a answer) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.text), into); err != nil {
		t.Fatalf("answer %d %s: %v", a.status, a.text, err)
	}
}

// ask sends a request with the server's token. A body that is no string is sent as JSON.
func ask(t *testing.T, s *apitest.Server, method, path string, body any) answer {
	t.Helper()
	return askAs(t, s, s.Token, method, path, body)
}

// askAs is ask with a key.
func askAs(t *testing.T, s *apitest.Server, key, method, path string, body any) answer {
	t.Helper()
	var content io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, content)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	return do(t, request)
}

func do(t *testing.T, request *http.Request) answer {
	t.Helper()
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(text)}
}

func wantStatus(t *testing.T, got answer, want int) {
	t.Helper()
	if got.status != want {
		t.Fatalf("status %d, want %d: %s", got.status, want, got.text)
	}
}

func create(t *testing.T, s *apitest.Server, msisdn string, seconds int) {
	t.Helper()
	body := map[string]any{"msisdn": msisdn, "plan": "demo", "seconds": seconds}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusCreated)
}

func show(t *testing.T, s *apitest.Server, name string) api.SubscriberAccount {
	t.Helper()
	got := ask(t, s, "GET", "/care/v1/subscribers/"+name, nil)
	wantStatus(t, got, http.StatusOK)
	var account api.SubscriberAccount
	got.decode(t, &account)
	return account
}

func TestSubscriberIsCreatedOnce(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	body := map[string]any{"msisdn": "+49 30 000001", "imsi": "262010000000001", "plan": "demo", "seconds": 12000}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusCreated)
	got := show(t, s, "4930000001")
	if got.MSISDN != "4930000001" || got.IMSI != "262010000000001" || got.Plan != "demo" || got.State != "active" ||
		got.BalanceSeconds != 12000 || got.ReservedSeconds != 0 || got.OpenSessions != 0 {
		t.Errorf("created %+v", got)
	}
	if len(got.Buckets) != 1 || got.Buckets[0].Balance != 12000 || got.Buckets[0].Class != "plan" || got.Buckets[0].ExpiresAt != nil {
		t.Errorf("buckets %+v, want one of class plan with 12000 that never expires", got.Buckets)
	}
	if byIMSI := show(t, s, "imsi-262010000000001"); byIMSI.ID != got.ID {
		t.Errorf("by IMSI %s, by MSISDN %s", byIMSI.ID, got.ID)
	}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusConflict)
	body["msisdn"] = "4930000002" // the imsi is still taken
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusConflict)
	wantStatus(t, ask(t, s, "GET", "/care/v1/subscribers/4930000002", nil), http.StatusNotFound)
}

// Every kind of name finds its subscriber, is shown, and belongs to one.
func TestEveryNameFindsItsSubscriber(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	body := map[string]any{
		"msisdn": "4930000001", "imsi": "262010000000001", "sip_uri": "sips:Alice@IMS.Example:5061;user=phone",
		"nai": "alice@Example.Net", "private": "meter/7", "plan": "demo", "seconds": 60,
	}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusCreated)
	want := show(t, s, "4930000001")
	if want.SIPURI != "sip:Alice@ims.example" || want.NAI != "alice@example.net" || want.Private != "meter/7" {
		t.Errorf("shown as %+v", want)
	}
	for _, name := range []string{"imsi-262010000000001", "sip:Alice@ims.example", "sip%3aAlice@IMS.example", "nai-alice@EXAMPLE.net", "private-meter%2F7"} {
		if got := show(t, s, name); got.ID != want.ID {
			t.Errorf("%s finds %s, want %s", name, got.ID, want.ID)
		}
	}
	for kind, name := range map[string]string{"sip_uri": "sip:Alice@ims.example", "nai": "alice@example.net", "private": "meter/7"} {
		got := ask(t, s, "POST", "/care/v1/subscribers", map[string]any{"msisdn": "4930000002", kind: name, "plan": "demo", "seconds": 1})
		wantStatus(t, got, http.StatusConflict)
		if !strings.Contains(got.text, "another subscriber has this "+kind) {
			t.Errorf("%s: %s", kind, got.text)
		}
	}
	wantStatus(t, ask(t, s, "GET", "/care/v1/subscribers/4930000002", nil), http.StatusNotFound)

	csv := "msisdn,imsi,plan,seconds,private,sip_uri\n4930000003,,demo,60,meter/8,sip:bob@ims.example\n4930000004,,demo,0,,\n"
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers/import", csv), http.StatusOK)
	if got := show(t, s, "sip:bob@ims.example"); got.MSISDN != "4930000003" || got.Private != "meter/8" || got.NAI != "" {
		t.Errorf("imported as %+v", got)
	}
	got := ask(t, s, "POST", "/care/v1/subscribers/import", "msisdn,imsi,plan,seconds,private\n4930000005,,demo,60,meter/8\n4930000006,,demo,60,x\n")
	wantStatus(t, got, http.StatusConflict)
	if !strings.Contains(got.text, "private: a subscriber with another msisdn has it already") {
		t.Errorf("import of a name that is taken: %s", got.text)
	}
	list := ask(t, s, "GET", "/care/v1/subscribers", nil)
	wantStatus(t, list, http.StatusOK)
	var page api.SubscriberPage
	list.decode(t, &page)
	if len(page.Subscribers) != 3 || page.Subscribers[0].NAI != "alice@example.net" || page.Subscribers[2].SIPURI != "" {
		t.Errorf("listed as %+v", page.Subscribers)
	}
}

func TestBadInputIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 60)
	past := apitest.Start.Add(-time.Second).Format(time.RFC3339)
	for _, test := range []struct {
		name, method, path string
		body               any
		status             int
		want               string // part of the problem
	}{
		{"no json", "POST", "/care/v1/subscribers", `{"msisdn":`, 400, "unexpected end of JSON"},
		{"unknown key", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","plan":"demo","seconds":1,"euros":2}`, 422, "body.euros"},
		{"missing key", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","seconds":1}`, 422, "plan"},
		{"fraction", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","plan":"demo","seconds":1.5}`, 422, "body.seconds"},
		{"negative", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","plan":"demo","seconds":-1}`, 422, "body.seconds"},
		{"too much", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","plan":"demo","seconds":1000000000001}`, 422, "body.seconds"},
		{"msisdn", "POST", "/care/v1/subscribers", `{"msisdn":"030000002","plan":"demo","seconds":1}`, 422, "country code"},
		{"sip uri", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","sip_uri":"tel:+4930000002","plan":"demo","seconds":1}`, 422, "its number is the msisdn"},
		{"nai", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","nai":"a@","plan":"demo","seconds":1}`, 422, "body.nai"},
		{"private", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","private":"a\u0000","plan":"demo","seconds":1}`, 422, "body.private"},
		{"imsi", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","imsi":"x","plan":"demo","seconds":1}`, 422, "body.imsi"},
		{"plan", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","plan":"gold","seconds":1}`, 422, "it has demo"},
		{"expired at birth", "POST", "/care/v1/subscribers", `{"msisdn":"4930000002","plan":"demo","seconds":1,"expires_at":"` + past + `"}`, 422, "passed already"},
		{"body too large", "POST", "/care/v1/subscribers", strings.Repeat(" ", 1<<17), 413, "too large"},
		{"name of a subscriber", "GET", "/care/v1/subscribers/bob", nil, 422, "path.subscriber"},
		{"state", "PUT", "/care/v1/subscribers/4930000001/state", `{"state":"asleep"}`, 422, "body.state"},
		{"grant of nothing", "POST", "/care/v1/subscribers/4930000001/buckets", `{"units":0}`, 422, "body.units"},
		{"grant of a strange unit", "POST", "/care/v1/subscribers/4930000001/buckets", `{"units":1,"unit":"bananas"}`, 422, "body.unit"},
		{"grant with control characters", "POST", "/care/v1/subscribers/4930000001/buckets", `{"units":1,"reason":"test","id":"a\u0000"}`, 422, "control characters"},
		{"page too long", "GET", "/care/v1/subscribers?limit=1001", nil, 422, "query.limit"},
		{"unknown parameter", "GET", "/care/v1/subscribers?page=2", nil, 422, "query.page"},
		{"cursor made up", "GET", "/care/v1/sessions?after=x", nil, 422, "query.after"},
		{"cursor of nobody", "GET", "/care/v1/sessions?after=eyJvIjoieCIsImkiOiJ4In0", nil, 422, "query.after"}, // {"o":"x","i":"x"}
		{"cursor of CDRs", "GET", "/care/v1/cdrs?after=x", nil, 422, "query.after"},
		{"cursor of CDRs that is one of sessions", "GET", "/care/v1/cdrs?after=eyJvIjoieCIsImkiOiJ4In0", nil, 422, "query.after"},
		{"cursor of rated events", "GET", "/care/v1/rated-events?session_id=x&after=bnVsbA", nil, 422, "query.after"}, // null
		{"state of sessions", "GET", "/care/v1/sessions?state=lost", nil, 422, "query.state"},
		{"session id too long", "GET", "/care/v1/session?session_id=" + strings.Repeat("x", 1025), nil, 422, "query.session_id"},
		{"session id is no text", "GET", "/care/v1/session?session_id=%FF", nil, 422, "query.session_id"},
		{"session id with NUL", "GET", "/care/v1/session?session_id=a%00", nil, 422, "query.session_id"},
		{"period", "GET", "/care/v1/cdrs?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", nil, 422, "query.to"},
		{"time", "GET", "/care/v1/cdrs?from=yesterday", nil, 422, "query.from"},
		{"events of everybody", "GET", "/care/v1/rated-events", nil, 422, "session_id is needed"},
		{"path", "GET", "/care/v2", nil, 404, "no such path"},
		{"method", "DELETE", "/care/v1/subscribers", nil, 405, "DELETE"},
		{"nobody", "GET", "/care/v1/subscribers/4930000009", nil, 404, "no subscriber has this msisdn"},
		{"nobody's buckets", "GET", "/care/v1/subscribers/imsi-262010000000009/buckets", nil, 404, "no subscriber has this imsi"},
		{"nobody's CDRs", "GET", "/care/v1/cdrs?msisdn=4930000009", nil, 404, "no subscriber"},
		{"no session", "GET", "/care/v1/session?session_id=a;b;c", nil, 404, "no session"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, s, test.method, test.path, test.body)
			if got.status != test.status || !strings.Contains(got.text, test.want) {
				t.Errorf("%s %.80s: %d %s, want %d with %q", test.method, test.path, got.status, got.text, test.status, test.want)
			}
			if kind := got.header.Get("Content-Type"); kind != "application/problem+json" {
				t.Errorf("Content-Type %q, want a problem (RFC 9457)", kind)
			}
		})
	}
}

func TestOnlyTheBearerOfTheTokenIsServed(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	for _, test := range []struct {
		name, authorization string
		want                int
	}{
		{"right", "Bearer " + s.Token, 200},
		{"scheme in lower case (RFC 7235 §2.1)", "bearer " + s.Token, 200},
		{"none", "", 401},
		{"empty", "Bearer ", 401},
		{"wrong", "Bearer x", 401},
		{"beginning of the right one", "Bearer " + s.Token[:len(s.Token)-1], 401},
		{"other scheme", "Basic " + s.Token, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/care/v1/status", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", test.authorization)
			got := do(t, request)
			wantStatus(t, got, test.want)
			if asked := got.header.Get("WWW-Authenticate") != ""; asked != (test.want == 401) {
				t.Errorf("WWW-Authenticate %q with status %d", got.header.Get("WWW-Authenticate"), got.status)
			}
		})
	}
}

func TestPageOfAnotherOriginIsRefused(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/care/v1/subscribers", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	wantStatus(t, do(t, request), http.StatusForbidden)
}

func TestListOfSubscribersGoesOnWhereThePageEnds(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	for n := range 5 {
		create(t, s, fmt.Sprintf("493000000%d", 5-n), 0)
	}
	var listed []string
	for after, pages := "", 0; ; pages++ {
		got := ask(t, s, "GET", "/care/v1/subscribers?limit=2&after="+after, nil)
		wantStatus(t, got, http.StatusOK)
		var page api.SubscriberPage
		got.decode(t, &page)
		for _, subscriber := range page.Subscribers {
			listed = append(listed, subscriber.MSISDN)
		}
		if after = page.Next; after == "" {
			if pages != 2 {
				t.Errorf("%d pages before the last, want 2", pages)
			}
			break
		}
	}
	if got, want := strings.Join(listed, " "), "4930000001 4930000002 4930000003 4930000004 4930000005"; got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
}

func TestGrantIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 100)
	const path = "/care/v1/subscribers/4930000001/buckets"
	grant := map[string]any{"id": "order 1", "units": 600, "expires_at": "2026-04-01T00:00:00Z", "reason": "order"}
	var first, again api.Grant
	got := ask(t, s, "POST", path, grant)
	wantStatus(t, got, http.StatusOK)
	got.decode(t, &first)
	s.Advance(time.Hour)
	got = ask(t, s, "POST", path, grant)
	wantStatus(t, got, http.StatusOK)
	got.decode(t, &again)
	if first.Repeated || !again.Repeated || first.Bucket.ID != again.Bucket.ID || again.ID != "order 1" {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if got := show(t, s, "4930000001").BalanceSeconds; got != 700 {
		t.Errorf("balance %d, want 700: the grant counts once", got)
	}
	grant["units"] = 601
	wantStatus(t, ask(t, s, "POST", path, grant), http.StatusConflict)
	delete(grant, "id")
	for range 2 { // without an id each is a grant of its own
		wantStatus(t, ask(t, s, "POST", path, grant), http.StatusOK)
	}
	if got := show(t, s, "4930000001").BalanceSeconds; got != 700+2*601 {
		t.Errorf("balance %d, want %d", got, 700+2*601)
	}
	s.Advance(31 * 24 * time.Hour)
	if got := show(t, s, "4930000001"); got.BalanceSeconds != 100 || len(got.Buckets) != 4 || !got.Buckets[3].Expired {
		t.Errorf("after the expiry %+v, want a balance of 100", got)
	}
}

func TestConcurrentGrantsOfOneIDCountOnce(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 0)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			got := ask(t, s, "POST", "/care/v1/subscribers/4930000001/buckets", map[string]any{"id": "one", "units": 60, "reason": "test"})
			if got.status != http.StatusOK {
				t.Errorf("status %d: %s", got.status, got.text)
			}
		})
	}
	wait.Wait()
	if got := show(t, s, "4930000001"); got.BalanceSeconds != 60 || len(got.Buckets) != 1 {
		t.Errorf("balance %d in %d buckets, want 60 in one", got.BalanceSeconds, len(got.Buckets))
	}
}

func TestStateChanges(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 60)
	id := show(t, s, "4930000001").ID
	set := func(state string) answer {
		return ask(t, s, "PUT", "/care/v1/subscribers/"+id+"/state", map[string]any{"state": state, "reason": "test"})
	}
	for _, state := range []string{"blocked", "blocked", "active", "closed", "closed"} {
		wantStatus(t, set(state), http.StatusOK)
		if got := show(t, s, id).State; got != state {
			t.Errorf("state %s, want %s", got, state)
		}
	}
	wantStatus(t, set("active"), http.StatusConflict)
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers/"+id+"/buckets", map[string]any{"units": 1, "reason": "test"}), http.StatusConflict)
	if got := show(t, s, id); got.State != "closed" || got.BalanceSeconds != 0 {
		t.Errorf("a refused change changed %+v", got)
	}
}

// charge decides one request of a call.
func charge(t *testing.T, s *apitest.Server, msisdn, id string, kind ocs.RequestType, number uint32, used uint64) {
	t.Helper()
	if err := s.Charge(t.Context(), msisdn, ocs.SessionKey{ID: id}, kind, number, used); err != nil {
		t.Fatal(err)
	}
	s.Advance(time.Minute)
}

func TestCallIsSeenFromBothEnds(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 12000)
	const id = "ctf.example;1/2;../3" // opaque, and no path would carry it
	charge(t, s, "4930000001", id, ocs.Initial, 0, 0)
	charge(t, s, "4930000001", id, ocs.Update, 1, 60)

	if got := show(t, s, "4930000001"); got.BalanceSeconds != 11940 || got.ReservedSeconds != 60 || got.OpenSessions != 1 {
		t.Errorf("during the call: balance %d, reserved %d, open %d, want 11940, 60, 1", got.BalanceSeconds, got.ReservedSeconds, got.OpenSessions)
	}
	var open api.SessionPage
	ask(t, s, "GET", "/care/v1/sessions?state=open&msisdn=4930000001", nil).decode(t, &open)
	if len(open.Sessions) != 1 || open.Sessions[0].MSISDN != "4930000001" || open.Sessions[0].UsedSeconds != 60 || open.Sessions[0].ReservedSeconds != 60 {
		t.Errorf("open sessions %+v", open.Sessions)
	}

	charge(t, s, "4930000001", id, ocs.Termination, 2, 30)
	var history api.SessionHistory
	ask(t, s, "GET", "/care/v1/session?session_id="+url.QueryEscape(id), nil).decode(t, &history)
	var exchanges []string
	for _, e := range history.Exchanges {
		exchanges = append(exchanges, fmt.Sprintf("%s %d %s", e.Type, e.Number, e.Verdict))
	}
	if got, want := strings.Join(exchanges, ", "), "initial 0 granted, update 1 granted, termination 2 granted"; got != want {
		t.Errorf("exchanges %s, want %s", got, want)
	}
	if history.State != "ended" || history.UsedSeconds != 90 || history.ReservedSeconds != 0 || history.EndedAt == nil || history.CDRs != 1 {
		t.Errorf("session %+v", history)
	}

	var cdrs api.CDRPage
	ask(t, s, "GET", "/care/v1/cdrs?msisdn=4930000001", nil).decode(t, &cdrs)
	if len(cdrs.CDRs) != 1 || cdrs.CDRs[0].UsedSeconds != 90 || cdrs.CDRs[0].ChargedSeconds != 90 || cdrs.CDRs[0].SessionID != id {
		t.Errorf("CDRs %+v", cdrs.CDRs)
	}
	var events api.RatedEventPage
	ask(t, s, "GET", "/care/v1/rated-events?session_id="+url.QueryEscape(id), nil).decode(t, &events)
	if len(events.RatedEvents) != 2 || events.RatedEvents[0].Used != 60 || events.RatedEvents[1].Used != 30 {
		t.Errorf("rated events %+v, want 60 and 30 seconds", events.RatedEvents)
	}
	if got := show(t, s, "4930000001").BalanceSeconds; got != 11910 {
		t.Errorf("balance %d, want 11910", got)
	}
}

func TestListsOfCallsGoOnWhereThePageEnds(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 12000)
	create(t, s, "4930000002", 12000)
	const calls = 5
	for n := range calls {
		msisdn, id := fmt.Sprintf("493000000%d", 1+n%2), fmt.Sprintf("call;%d", n)
		charge(t, s, msisdn, id, ocs.Initial, 0, 0)
		charge(t, s, msisdn, id, ocs.Termination, 1, 10)
	}
	for _, list := range []struct {
		path  string
		items int
		read  func(t *testing.T, a answer) (ids []string, next string)
	}{
		{"/care/v1/sessions?state=ended", calls, func(t *testing.T, a answer) (ids []string, next string) {
			t.Helper()
			var page api.SessionPage
			a.decode(t, &page)
			for _, session := range page.Sessions {
				ids = append(ids, session.SessionID)
			}
			return ids, page.Next
		}},
		{"/care/v1/cdrs?from=2026-03-01T12:00:00Z", calls, func(t *testing.T, a answer) (ids []string, next string) {
			t.Helper()
			var page api.CDRPage
			a.decode(t, &page)
			for _, r := range page.CDRs {
				ids = append(ids, r.SessionID)
			}
			return ids, page.Next
		}},
		{"/care/v1/rated-events?msisdn=4930000001", 3, func(t *testing.T, a answer) (ids []string, next string) {
			t.Helper()
			var page api.RatedEventPage
			a.decode(t, &page)
			for _, e := range page.RatedEvents {
				ids = append(ids, e.SessionID)
			}
			return ids, page.Next
		}},
	} {
		seen := map[string]bool{}
		for after, more := "", true; more; more = after != "" {
			var ids []string
			ids, after = list.read(t, ask(t, s, "GET", list.path+"&limit=2&after="+url.QueryEscape(after), nil))
			for _, id := range ids {
				if seen[id] {
					t.Errorf("%s lists %s twice", list.path, id)
				}
				seen[id] = true
			}
		}
		if len(seen) != list.items {
			t.Errorf("%s lists %d, want %d", list.path, len(seen), list.items)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	plain := func(path string) answer {
		request, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return do(t, request)
	}
	wantStatus(t, plain("/healthz"), http.StatusOK)
	wantStatus(t, plain("/readyz"), http.StatusOK)
	s.NotReady(errors.New("draining"))
	if got := plain("/readyz"); got.status != http.StatusServiceUnavailable || got.text != "not ready: draining\n" {
		t.Errorf("while draining %d %q", got.status, got.text)
	}
	wantStatus(t, plain("/healthz"), http.StatusOK)
	var status api.Status
	ask(t, s, "GET", "/care/v1/status", nil).decode(t, &status)
	if status.Ready || status.NotReady != "not ready: draining" || status.Version != "test" {
		t.Errorf("status while draining %+v", status)
	}
}

// A place in a list that nobody was given is the client's fault, whatever is in it: also a NUL, which no column can hold.
func TestListsRefuseForeignPlaces(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	for i := range 3 {
		create(t, s, fmt.Sprintf("493000000%d", i), 600)
		for _, kind := range []ocs.RequestType{ocs.Initial, ocs.Termination} {
			if err := s.Charge(t.Context(), fmt.Sprintf("493000000%d", i), ocs.SessionKey{ID: fmt.Sprint("s", i)}, kind, uint32(kind), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, path := range []string{
		"/care/v1/subscribers?limit=1", "/care/v1/sessions?limit=1", "/care/v1/cdrs?limit=1", "/care/v1/rated-events?msisdn=4930000001&limit=1",
		"/care/v1/subscribers/4930000001/transfers?limit=1", "/care/v1/merchants?limit=1", "/care/v1/agents?limit=1", "/care/v1/audit?limit=1",
	} {
		first := ask(t, s, "GET", path, nil)
		if first.status == http.StatusNotFound {
			t.Errorf("%s: there is no such list", path)
		}
		var page struct {
			Next string `json:"next"`
		}
		_ = json.Unmarshal([]byte(first.text), &page)
		places := []string{"\x00", "a\x00b", "\xff", "%", base64.RawURLEncoding.EncodeToString([]byte("{\"")), strings.Repeat("A", 100_000)}
		if text, err := base64.RawURLEncoding.DecodeString(page.Next); err == nil && json.Valid(text) {
			places = append(places, base64.RawURLEncoding.EncodeToString(withNUL.ReplaceAll(text, []byte(`"$1\u0000"$2`))))
		}
		for _, place := range places {
			got := ask(t, s, "GET", path+"&after="+url.QueryEscape(place), nil)
			if got.status < 400 || got.status >= 500 {
				t.Errorf("%s after %.20q: %d %.200s, want a fault of the client", path, place, got.status, got.text)
			}
		}
		wantStatus(t, ask(t, s, "GET", path, nil), first.status)
	}
}

// Nor may it stand anywhere else where a name is asked for.
func TestNULIsNobodysName(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	for _, path := range []string{
		"/care/v1/subscribers/%00", "/care/v1/subscribers/private-%00", "/care/v1/subscribers/nai-a%00", "/care/v1/sessions?msisdn=%00",
		"/care/v1/sessions?state=%00", "/care/v1/session?session_id=%00", "/care/v1/session?session_id=a&sub_session=%00",
		"/care/v1/rated-events?session_id=%00", "/care/v1/audit?reference=%00", "/care/v1/audit?action=%00", "/care/v1/policies/%00",
		"/care/v1/buckets/%00/trace", "/care/v1/transfers/%00", "/care/v1/transfers/%00/explanation", "/care/v1/merchants/%00", "/care/v1/agents/%00",
		"/care/v1/cdrs?from=%00", "/care/v1/transfers?key=%00",
	} {
		if got := ask(t, s, "GET", path, nil); got.status < 400 || got.status >= 500 {
			t.Errorf("%s: %d %.200s, want a fault of the client", path, got.status, got.text)
		}
	}
}

// withNUL finds the values of JSON that are texts.
var withNUL = regexp.MustCompile(`"([^"]*)"([,}\]])`)

// A log or a problem outlives the request and is read by others: neither may name a subscriber.
func TestNobodyIsNamedInLogsAndProblems(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := apitest.New(t, slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	const msisdn, imsi, nai = "4930000777", "262010000000777", "somebody@example.net"
	body := map[string]any{"msisdn": msisdn, "imsi": imsi, "nai": nai, "plan": "demo", "seconds": 60}
	wantStatus(t, ask(t, s, "POST", "/care/v1/subscribers", body), http.StatusCreated)
	const csvHead = "msisdn,imsi,plan,seconds\n"
	problems := []answer{
		ask(t, s, "POST", "/care/v1/subscribers", body),
		ask(t, s, "POST", "/care/v1/subscribers", map[string]any{"msisdn": msisdn + "x", "imsi": imsi, "plan": imsi, "seconds": -1}),
		ask(t, s, "POST", "/care/v1/subscribers", map[string]any{"msisdn": msisdn, "plan": msisdn, "seconds": 1}),
		ask(t, s, "POST", "/care/v1/subscribers", map[string]any{"msisdn": []string{msisdn}, "plan": "demo", "seconds": 1}),
		ask(t, s, "GET", "/care/v1/subscribers/"+msisdn+"1111111", nil),
		ask(t, s, "GET", "/care/v1/subscribers/imsi-"+imsi+"1", nil),
		ask(t, s, "GET", "/care/v1/subscribers/"+msisdn+"1", nil),
		ask(t, s, "GET", "/care/v1/subscribers/nai-x"+nai, nil),
		ask(t, s, "GET", "/care/v1/subscribers/"+nai, nil),
		ask(t, s, "GET", "/care/v1/nothing/"+msisdn, nil),
		ask(t, s, "GET", "/care/v1/cdrs?msisdn="+msisdn+"x", nil),
		ask(t, s, "GET", "/care/v1/subscribers?limit="+msisdn, nil),
		ask(t, s, "POST", "/care/v1/subscribers/import", csvHead+msisdn+","+imsi+",demo,1\n"),
		ask(t, s, "POST", "/care/v1/subscribers/import", csvHead+msisdn+"x,"+imsi+"x,"+msisdn+","+imsi+"x\n"),
		ask(t, s, "POST", "/care/v1/subscribers/import", csvHead+strings.Repeat(msisdn+"9,,demo,1\n", 2)),
	}
	for i, problem := range problems {
		if problem.status < 400 || strings.Contains(problem.text, msisdn) || strings.Contains(problem.text, imsi) || strings.Contains(problem.text, nai) {
			t.Errorf("problem %d: %d %s", i, problem.status, problem.text)
		}
	}
	wantStatus(t, ask(t, s, "PUT", "/care/v1/subscribers/"+msisdn+"/state", map[string]any{"state": "blocked"}), http.StatusOK)
	if text := log.String(); strings.Contains(text, msisdn) || strings.Contains(text, imsi) || strings.Contains(text, nai) || text == "" {
		t.Errorf("log:\n%s\nwant something, and nobody named", text)
	}
}

// What fails on our side is told as such, and the next request is served.
func TestFaultsOfTheServerAreAnswered(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 60)
	rules := s.Rules
	s.Rules = nil // the handler panics
	got := ask(t, s, "POST", "/care/v1/subscribers", map[string]any{"msisdn": "4930000002", "plan": "demo", "seconds": 60})
	wantStatus(t, got, http.StatusInternalServerError)
	s.Rules = rules
	if got := show(t, s, "4930000001"); got.BalanceSeconds != 60 {
		t.Errorf("after a panic %+v", got)
	}
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	got = ask(t, s, "POST", "/care/v1/subscribers/4930000001/buckets", map[string]any{"units": 60, "reason": "test"})
	wantStatus(t, got, http.StatusServiceUnavailable)
	if !strings.Contains(got.text, "the database cannot answer now") {
		t.Errorf("without a database: %s", got.text)
	}
	wantStatus(t, ask(t, s, "GET", "/readyz", nil), http.StatusServiceUnavailable)
	wantStatus(t, ask(t, s, "GET", "/healthz", nil), http.StatusOK)
}
