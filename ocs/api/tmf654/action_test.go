package tmf654_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

func TestTopupIsAGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.advance(1234567) // nanoseconds, which are not stored
	a := w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("1.5"), `,"reason":"cash","validFor":{"endDateTime":"2026-04-01T00:00:00Z"}`))
	w.has(ben, 90, 0)
	if one := w.must(200, "", "GET", a.text("href"), ""); one.raw != a.raw {
		t.Errorf("got  %s\nwant %s", one.raw, a.raw)
	}
	if a.text("status") != "completed" || a.header.Get("Location") != a.text("href") || a.text("amount.amount") != "1.5" {
		t.Errorf("got %s", a.raw)
	}
	b := w.must(200, "", "GET", "/bucket?logicalResource.id="+ben, "")
	if len(b.list()) != 1 || b.text("remainingValue.amount") != "90" || b.text("remainingValue.units") != "s" ||
		b.text("validFor.endDateTime") != "2026-04-01T00:00:00Z" || b.text("status") != "active" {
		t.Fatalf("got %s", b.raw)
	}
	into := `{"amount":{"amount":30,"units":"s"},"usageType":"voice","bucket":{"id":"` + b.text("id") + `"},"partyAccount":{"id":"` + ben + `"}}`
	w.must(201, "", "POST", "/topupBalance", into)
	w.has(ben, 120, 0)
	if b := w.must(200, "", "GET", "/bucket/"+b.text("id"), ""); b.text("remainingValue.amount") != "2" || b.text("remainingValue.units") != "min" {
		t.Errorf("got %s", b.raw)
	}
	w.advance(40 * 24 * time.Hour)
	w.must(409, "incorrectState", "POST", "/topupBalance", into)
	w.has(ben, 120, 0)
}

// What is not exactly a number of the smallest unit is refused; nothing is rounded, and nothing is done.
func TestAmounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, test := range []struct {
		amount, usage, want string // want: the amount told back of one bucket; empty: refused
	}{
		{`{"amount":0.1,"units":"min"}`, "voice", "6"},
		{`{"amount":0.01,"units":"min"}`, "voice", ""},
		{`{"amount":1e3,"units":"s"}`, "voice", ""},
		{`{"amount":1E3,"units":"s"}`, "voice", ""},
		{`{"amount":-1,"units":"s"}`, "voice", ""},
		{`{"amount":0,"units":"s"}`, "voice", ""},
		{`{"amount":"5","units":"s"}`, "voice", ""},
		{`{"amount":5}`, "voice", ""},
		{`{"units":"s"}`, "voice", ""},
		{`{"amount":9223372036854775808,"units":"s"}`, "voice", ""},
		{`{"amount":9223372036854775807,"units":"min"}`, "voice", ""},
		{`{"amount":1000000000001,"units":"s"}`, "voice", ""},
		{`{"amount":5,"units":"EUR"}`, "voice", ""},
		{`{"amount":5,"units":"s"}`, "data", ""},
		{`{"amount":5,"units":"s"}`, "other", ""},
		{`{"amount":1.5,"units":"kB"}`, "data", "1500"},
		{`{"amount":3,"units":"sms"}`, "sms", "3"},
		{`{"amount":12.34,"units":"EUR"}`, "monetary", "12.34"},
		{`{"amount":12.345,"units":"EUR"}`, "monetary", ""},
		{`{"amount":12.345,"units":"KWD"}`, "monetary", "12.345"},
		{`{"amount":5000,"units":"KRW"}`, "monetary", "5000"},
		{`{"amount":0.5,"units":"KRW"}`, "monetary", ""},
		{`{"amount":5,"units":"eur"}`, "monetary", ""},
	} {
		body := `{"amount":` + test.amount + `,"usageType":"` + test.usage + `","bucket":{"id":"auto"},"partyAccount":{"id":"` + ben + `"}}`
		before := w.must(200, "", "GET", "/bucket?logicalResource.id="+ben, "")
		a := w.do("POST", "/topupBalance", body)
		after := w.must(200, "", "GET", "/bucket?logicalResource.id="+ben, "")
		if test.want == "" {
			if a.status != 400 || after.raw != before.raw {
				t.Errorf("%s of %s: got %d %s", test.amount, test.usage, a.status, a.raw)
			}
			continue
		}
		told := ""
		for _, b := range after.list() {
			one := answer{body: b}
			if one.text("remainingValue.amount") == test.want && one.text("usageType") == test.usage {
				told = test.want
			}
		}
		if a.status != 201 || told == "" {
			t.Errorf("%s of %s: got %d %s, then %s", test.amount, test.usage, a.status, a.raw, after.raw)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	body := topupOf(ben, minutes("10"), "")
	var all sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		all.Go(func() { answers[i] = w.do("POST", "/topupBalance", body, "X-Idempotency-Key", "k-1") })
	}
	all.Wait()
	for _, a := range answers {
		if a.status != 201 || a.raw != answers[0].raw || a.header.Get("Location") != answers[0].header.Get("Location") {
			t.Errorf("got %d %s, want %s", a.status, a.raw, answers[0].raw)
		}
	}
	w.has(ben, 600, 0)
	w.must(409, "duplicateRequest", "POST", "/topupBalance", topupOf(ben, minutes("11"), ""), "X-Idempotency-Key", "k-1")
	w.must(409, "duplicateRequest", "POST", "/topupBalance", topupOf(anna, minutes("10"), ""), "X-Idempotency-Key", "k-1")
	w.must(409, "duplicateRequest", "POST", "/reserveBalance", body, "X-Idempotency-Key", "k-1")
	w.must(201, "", "POST", "/topupBalance", body, "X-CorrelationID", "k-2")
	w.must(201, "", "POST", "/topupBalance", body, "X-CorrelationID", "k-2")
	w.has(ben, 1200, 0)
	w.must(201, "", "POST", "/topupBalance", body)
	w.has(ben, 1800, 0)
	w.must(400, "formatError", "POST", "/topupBalance", body, "X-Idempotency-Key", "two words")
	// A refusal is remembered too, although there would be enough by now.
	more := adjustOf(ben, minutes("-40"), "")
	w.must(409, "insufficientFunds", "POST", "/adjustBalance", more, "X-Idempotency-Key", "k-3")
	w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("100"), ""))
	w.must(409, "insufficientFunds", "POST", "/adjustBalance", more, "X-Idempotency-Key", "k-3")
	w.has(ben, 7800, 0)
	if a := w.must(200, "", "GET", "/adjustBalance", ""); len(a.list()) != 1 || a.text("status") != "failed" {
		t.Errorf("got %s", a.raw)
	}
}

func TestAdjust(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.must(201, "", "POST", "/adjustBalance", adjustOf(anna, minutes("-10"), `,"adjustType":"oneTime","reason":"error"`))
	w.has(anna, 5400, 0)
	w.must(201, "", "POST", "/adjustBalance", adjustOf(anna, `{"amount":30,"units":"s"}`, ""))
	w.has(anna, 5430, 0)
	w.must(409, "insufficientFunds", "POST", "/adjustBalance", adjustOf(anna, `{"amount":-5431,"units":"s"}`, ""))
	w.has(anna, 5430, 0)
	buckets := w.must(200, "", "GET", "/bucket?logicalResource.id="+anna+"&name=purchased", "")
	if len(buckets.list()) != 1 {
		t.Fatalf("got %s", buckets.raw)
	}
	named := func(amount string) string {
		return `{"amount":` + amount + `,"usageType":"voice","bucket":{"id":"` + buckets.text("id") + `"}}`
	}
	w.must(201, "", "POST", "/adjustBalance", named(minutes("5")))
	w.must(201, "", "POST", "/adjustBalance", named(minutes("-95")))
	w.has(anna, 30, 0)
	w.must(409, "insufficientFunds", "POST", "/adjustBalance", named(`{"amount":-1,"units":"s"}`))
	w.must(400, "formatError", "POST", "/adjustBalance", adjustOf(anna, minutes("1"), `,"adjustType":"recurring"`))
	w.must(400, "identifierError", "POST", "/adjustBalance",
		`{"amount":`+minutes("1")+`,"usageType":"voice","bucket":{"id":"`+buckets.text("id")+`"},"logicalResource":[{"id":"`+ben+`"}]}`)
	w.has(anna, 30, 0)
}

func TestReservation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	reserve := func(amount, more string) answer {
		return w.must(201, "", "POST", "/reserveBalance", topupOf(anna, amount, more))
	}
	a := reserve(minutes("40"), "")
	w.has(anna, 3600, 2400)
	if a.text("status") != "created" {
		t.Errorf("got %s", a.raw)
	}
	// What is reserved is neither adjusted, nor reserved again, nor sent.
	w.must(409, "insufficientFunds", "POST", "/adjustBalance", adjustOf(anna, minutes("-61"), ""))
	w.must(409, "insufficientFunds", "POST", "/reserveBalance", topupOf(anna, minutes("61"), ""))
	if a := w.do("POST", "/transferBalance", transferOf(anna, ben, "api", minutes("61"))); a.status != 409 {
		t.Errorf("reserved minutes were sent: %s", a.raw)
	}
	path := "/reserveBalance/" + a.text("id")
	w.must(400, "mandatoryValueNotSupplied", "PATCH", path, `{"status":"completed"}`)
	w.must(409, "incorrectState", "PATCH", path, `{"status":"completed","reason":"x","usageType":"data"}`)
	w.must(409, "insufficientFunds", "PATCH", path, `{"status":"completed","reason":"x","amount":`+minutes("41")+`}`)
	w.has(anna, 3600, 2400)
	a = w.must(200, "", "PATCH", path, `{"status":"completed","reason":"parking","amount":`+minutes("15")+`}`)
	w.has(anna, 5100, 0)
	if a.text("status") != "completed" || a.text("reason") != "parking" {
		t.Errorf("got %s", a.raw)
	}
	w.must(200, "", "PATCH", path, `{"status":"completed","reason":"parking"}`)
	w.must(409, "incorrectState", "PATCH", path, `{"status":"cancelled","reason":"parking"}`)
	w.must(409, "incorrectState", "DELETE", path, "")
	w.has(anna, 5100, 0)

	a = w.must(201, "", "POST", "/reserveBalance", `{"usageType":"voice","bucket":{"id":"auto"},"partyAccount":{"id":"`+anna+`"}}`)
	w.has(anna, 0, 5100)
	if a.text("amount.amount") != "85" {
		t.Errorf("all that is free: got %s", a.raw)
	}
	for range 2 {
		w.must(204, "", "DELETE", "/reserveBalance/"+a.text("id"), "")
	}
	w.has(anna, 5100, 0)

	a = reserve(minutes("1"), `,"validFor":{"endDateTime":"2026-03-01T13:00:00Z"}`)
	w.sweep(0)
	w.advance(time.Hour)
	w.sweep(1)
	w.has(anna, 5100, 0)
	if a := w.must(200, "", "GET", "/reserveBalance/"+a.text("id"), ""); a.text("status") != "cancelled" || a.text("confirmationDate") == "" {
		t.Errorf("got %s", a.raw)
	}
	w.must(400, "formatError", "POST", "/reserveBalance", topupOf(anna, minutes("1"), `,"validFor":{"endDateTime":"2026-03-01T12:59:59Z"}`))
}

// A reservation outlives its bucket: what was promised can still be spent, and nothing else of it.
func TestReservationOfExpiredBucket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.must(201, "", "POST", "/reserveBalance", topupOf(anna, minutes("40"), ""))
	w.advance(60 * 24 * time.Hour)
	w.must(200, "", "PATCH", "/reserveBalance/"+a.text("id"), `{"status":"completed","reason":"late","amount":`+minutes("10")+`}`)
	w.has(anna, 5400, 0)
	w.must(409, "insufficientFunds", "POST", "/reserveBalance", topupOf(anna, `{"amount":1,"units":"s"}`, ""))
}

func (w *world) sweep(want int) {
	w.t.Helper()
	if n, err := w.worker.SweepOnce(w.t.Context()); err != nil || n != want {
		w.t.Errorf("sweep: %d %v, want %d", n, err, want)
	}
}

func TestTopupLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	later := topupOf(ben, minutes("10"), `,"validFor":{"startDateTime":"2026-03-02T12:00:00Z"}`)
	var ids []string
	for range 4 {
		a := w.must(201, "", "POST", "/topupBalance", later)
		if a.text("status") != "created" {
			t.Errorf("got %s", a.raw)
		}
		ids = append(ids, "/topupBalance/"+a.text("id"))
	}
	w.has(ben, 0, 0)
	w.must(204, "", "DELETE", ids[0], "")
	w.must(200, "", "PATCH", ids[1], `{"status":"completed"}`)
	w.has(ben, 600, 0)
	w.must(200, "", "PATCH", ids[2], `{"status":"cancelled","reason":"no longer wanted"}`)
	w.must(409, "incorrectState", "PATCH", ids[3], `{"status":"created","amount":`+minutes("11")+`}`)
	w.sweep(0)
	w.advance(24 * time.Hour)
	w.sweep(1)
	w.sweep(0)
	w.has(ben, 1200, 0)
	for i, want := range []string{"cancelled", "completed", "cancelled", "completed"} {
		if a := w.must(200, "", "GET", ids[i], ""); a.text("status") != want {
			t.Errorf("%d: got %s, want %s", i, a.raw, want)
		}
	}
}

func TestTopupRecurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.advance(30 * 24 * time.Hour) // the 31st
	a := w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("1"), `,"isAutoTopup":true,"recurringPeriod":"monthly","numberOfPeriods":3`))
	w.has(ben, 60, 0)
	for _, step := range []struct {
		at   time.Time
		want int
	}{
		{time.Date(2026, 4, 30, 11, 59, 59, 0, time.UTC), 0},
		{time.Date(2026, 4, 30, 12, 0, 0, 0, time.UTC), 1}, // there is no 31st of April
		{time.Date(2026, 5, 31, 11, 59, 59, 0, time.UTC), 0},
		{time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC), 1},
		{time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), 0},
	} {
		w.passed.Store(int64(step.at.Sub(start)))
		w.sweep(step.want)
	}
	w.has(ben, 180, 0)
	if a := w.must(200, "", "GET", "/topupBalance/"+a.text("id"), ""); a.text("status") != "completed" {
		t.Errorf("got %s", a.raw)
	}
	for _, more := range []string{`,"isAutoTopup":true`, `,"numberOfPeriods":2`, `,"voucher":"1234"`, `,"recurringPeriod":"monthly","numberOfPeriods":0`} {
		if a := w.do("POST", "/topupBalance", topupOf(ben, minutes("1"), more)); a.status != 400 {
			t.Errorf("%s: got %d %s", more, a.status, a.raw)
		}
	}
	w.has(ben, 180, 0)
}

// Who must have paid lately before sending has, after a top-up.
func TestTopupIsARecharge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.rules(func(p *transfer.Policy) { p.Eligibility.RechargeWithin = time.Hour })
	body := transferOf(anna, ben, "api", minutes("1"))
	w.must(403, "notEligible", "POST", "/transferBalance", body)
	w.must(201, "", "POST", "/topupBalance", topupOf(anna, minutes("1"), ""))
	w.must(201, "", "POST", "/transferBalance", body)
	w.advance(2 * time.Hour)
	w.must(403, "notEligible", "POST", "/transferBalance", body)
}

// Every act stands in the audit, with who did it and what it was before, and without a number.
func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.must(201, "", "POST", "/reserveBalance", topupOf(anna, minutes("3"), ""))
	w.must(204, "", "DELETE", "/reserveBalance/"+a.text("id"), "")
	w.must(409, "insufficientFunds", "POST", "/adjustBalance", adjustOf(anna, minutes("-999"), ""))
	entries, _, err := w.store.AuditList(t.Context(), postgres.AuditFilter{Subject: string(w.ids[anna]), Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Actor+" "+e.Action)
		if strings.Contains(string(e.Before)+string(e.After)+e.Actor, anna) {
			t.Errorf("a number is in the audit: %+v", e)
		}
	}
	slices.Sort(got)
	if want := []string{"shop adjust failed", "shop reserve cancelled", "shop reserve created"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStrictAndLenient(t *testing.T) {
	t.Parallel()
	body := `{"amount":` + minutes("1") + `,"usageType":"voice","partyAccount":{"id":"` + ben + `"}}`
	newWorld(t, nil).must(201, "", "POST", "/topupBalance", body)
	newWorld(t, func(c *tmf654.Config) { c.Strict = true }).must(400, "mandatoryValueNotSupplied", "POST", "/topupBalance", body)
}

func TestListsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *tmf654.Config) { c.Partial = true })
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes(n), `,"channel":{"id":"c`+n+`"},"reason":"r"`))
		w.advance(time.Minute)
	}
	for _, test := range []struct {
		query        string
		count, total string
		first        string // amount
	}{
		{"", "5", "5", "1"},
		{"?limit=2", "2", "5", "1"},
		{"?limit=2&offset=3", "2", "5", "4"},
		{"?offset=9", "0", "5", ""},
		{"?limit=0", "0", "5", ""},
		{"?channel.id=c2,c4", "2", "2", "2"},
		{"?channel.id=c2&channel.id=c4", "2", "2", "2"},
		{"?channel.id=c2,c4&amount.amount=4", "1", "1", "4"},
		{"?amount.amount.gt=2&limit=1", "1", "3", "3"},
		{"?amount.amount.gte=2&amount.amount.lt=4", "2", "2", "2"},
		{"?amount.amount.ne=1", "4", "4", "2"},
		{"?requestedDate.gt=2026-03-01T12:02:00Z", "2", "2", "4"},
		{"?requestedDate.lte=2026-03-01T12:02:00Z", "3", "3", "1"},
		{"?logicalResource.id=" + ben, "5", "5", "1"},
		{"?logicalResource.id=" + anna, "0", "0", ""},
		{"?logicalResource.id=999999", "0", "0", ""},
		{"?partyAccount.id=" + string(w.ids[ben]) + "&status=completed", "5", "5", "1"},
		{"?status=failed", "0", "0", ""},
	} {
		a := w.do("GET", "/topupBalance"+test.query, "")
		status := http.StatusOK
		if test.count != test.total {
			status = http.StatusPartialContent
		}
		if a.status != status || a.header.Get("X-Result-Count") != test.count || a.header.Get("X-Total-Count") != test.total || a.text("amount.amount") != test.first {
			t.Errorf("%s: got %d, %s of %s: %s", test.query, a.status, a.header.Get("X-Result-Count"), a.header.Get("X-Total-Count"), a.raw)
		}
	}
	a := w.must(206, "", "GET", "/topupBalance?limit=1&fields=status,amount.units", "")
	one, _ := a.list()[0].(map[string]any)
	if len(one) != 4 || a.text("status") == "" || a.text("amount.units") != "min" || a.text("amount.amount") != "" || a.text("id") == "" {
		t.Errorf("fields: got %s", a.raw)
	}
	for _, query := range []string{"?limit=-1", "?limit=x", "?offset=1.5", "?nothing=1", "?amount.nothing=1", "?fields=nothing", "?requestedDate.gt=yesterday"} {
		w.must(400, "formatError", "GET", "/topupBalance"+query, "")
	}
}

func TestAccumulatedBalance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.must(201, "", "POST", "/topupBalance", topupOf(anna, minutes("10"), ""))
	w.must(201, "", "POST", "/topupBalance", `{"amount":{"amount":9.99,"units":"EUR"},"usageType":"monetary","bucket":{"id":"auto"},"partyAccount":{"id":"`+anna+`"}}`)
	a := w.must(200, "", "GET", "/accumulatedBalance?logicalResource.id="+anna, "")
	if len(a.list()) != 2 || a.text("totalBalance.amount") != "110" || a.text("totalBalance.units") != "min" || a.text("name") != "voice" {
		t.Errorf("got %s", a.raw)
	}
	a = w.must(200, "", "GET", "/accumulatedBalance?logicalResource.id="+anna+"&name=monetary", "")
	if len(a.list()) != 1 || a.text("totalBalance.amount") != "9.99" || a.text("totalBalance.units") != "EUR" {
		t.Errorf("got %s", a.raw)
	}
	w.must(200, "", "GET", "/accumulatedBalance/"+a.text("id"), "")
	w.must(404, "identifierError", "GET", "/accumulatedBalance/"+string(w.ids[anna])+".octets", "")
	if a := w.must(200, "", "GET", "/accumulatedBalance", ""); len(a.list()) != 3 { // Ben has none, and that is told
		t.Errorf("got %s", a.raw)
	}
}
