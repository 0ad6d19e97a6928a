package tmf654_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// rules puts a changed policy in force.
func (w *world) rules(change func(*transfer.Policy)) {
	p := transfer.Default()
	change(p)
	w.policy.Store(p)
}

// The example of spec/transfer 3.2.
func TestTransfer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.must(201, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("15")), "X-Idempotency-Key", "t-1")
	w.has(anna, 5100, 0)
	w.has(ben, 900, 0)
	for path, want := range map[string]string{
		"status": "completed", "requestedDate": "2026-03-01T12:00:00Z", "confirmationDate": "2026-03-01T12:00:00Z",
		"transferCost.unit": "XXX", "transferCost.value": "0", "transferCostQuantity.units": "min", "amount.amount": "15",
		"validFor.endDateTime": "2026-04-01T12:00:00Z", "logicalResource.id": anna, "receiverLogicalResource.id": ben, "costOwner": "originator",
		"reason": "gift", "channel.id": "api",
	} {
		if got := a.text(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if got := a.header.Get("Location"); got != a.text("href") || got == "" {
		t.Errorf("Location %q", got)
	}
	if one := w.must(200, "", "GET", a.text("href"), ""); one.raw != a.raw {
		t.Errorf("got  %s\nwant %s", one.raw, a.raw)
	}
	if again := w.must(201, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("15")), "X-Idempotency-Key", "t-1"); again.raw != a.raw {
		t.Errorf("repeated: got %s\nwant %s", again.raw, a.raw)
	}
	w.must(409, "duplicateRequest", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("16")), "X-Idempotency-Key", "t-1")
	w.must(409, "duplicateRequest", "POST", "/transferBalance", transferOf(ben, anna, "api", minutes("15")), "X-Idempotency-Key", "t-1")
	w.has(anna, 5100, 0)
	for _, query := range []string{"?logicalResource.id=" + anna, "?receiverLogicalResource.id=" + ben, "?status=completed", "?amount.amount=15"} {
		if l := w.must(200, "", "GET", "/transferBalance"+query, ""); len(l.list()) != 1 {
			t.Errorf("%s: got %s", query, l.raw)
		}
	}
	for _, query := range []string{"?logicalResource.id=" + ben, "?receiverLogicalResource.id=" + anna, "?status=failed"} {
		if l := w.must(200, "", "GET", "/transferBalance"+query, ""); len(l.list()) != 0 {
			t.Errorf("%s: got %s", query, l.raw)
		}
	}
}

func TestTransfersAtOnceUnderOneKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var all sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		all.Go(func() {
			answers[i] = w.do("POST", "/transferBalance", transferOf(anna, ben, "api", minutes("15")), "X-Idempotency-Key", "t-1")
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.status != 201 || a.raw != answers[0].raw {
			t.Errorf("got %d %s, want %s", a.status, a.raw, answers[0].raw)
		}
	}
	w.has(ben, 900, 0)
}

// An answer that was lost on its way is got by asking again, under the same key, and nothing is done twice.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	w := newWorld(t, func(c *tmf654.Config) {
		real := c.Transfer
		c.Transfer = func(ctx context.Context, r charging.Transfer) (transfer.Outcome, error) {
			outcome, err := real(ctx, r)
			if lost.CompareAndSwap(false, true) {
				return transfer.Outcome{}, fmt.Errorf("commit: %w", charging.ErrUnknownOutcome)
			}
			return outcome, err
		}
	})
	body := transferOf(anna, ben, "api", minutes("15"))
	w.must(500, "internalError", "POST", "/transferBalance", body, "X-Idempotency-Key", "t-1")
	w.has(ben, 900, 0)
	a := w.must(201, "", "POST", "/transferBalance", body, "X-Idempotency-Key", "t-1")
	if b := w.must(201, "", "POST", "/transferBalance", body, "X-Idempotency-Key", "t-1"); b.raw != a.raw {
		t.Errorf("got %s, want %s", b.raw, a.raw)
	}
	w.has(ben, 900, 0)
	w.has(anna, 5100, 0)
}

// What the form of a request rules out is refused before anything else is asked.
func TestTransferForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, body := range []string{
		transferOf(anna, ben, "carrier pigeon", minutes("1")),
		transferOf("", ben, "api", minutes("1")),
		transferOf("0123", ben, "api", minutes("1")),
		transferOf(anna, "0123", "api", minutes("1")),
		transferOf(anna, "imsi-262010000000001", "api", minutes("1")),
		transferOf(anna, ben, "api", minutes("0")),
		transferOf(anna, ben, "api", minutes("-1")),
		transferOf(anna, ben, "api", minutes("1e1")),
		transferOf(anna, ben, "api", `{"amount":0.001,"units":"min"}`),
		transferOf(anna, ben, "api", `{"amount":9223372036854775807,"units":"min"}`),
		transferOf(anna, ben, "api", `{"amount":1,"units":"MB"}`),
		transferOf("８５０１９１２３０００１", ben, "api", minutes("1")),
	} {
		if a := w.do("POST", "/transferBalance", body); a.status != 400 {
			t.Errorf("%s: got %d %s", body, a.status, a.raw)
		}
	}
	w.has(anna, 6000, 0)
}

// Every refusal comes with the status and the code of table 4.5, and no answer repeats a number.
func TestTransferRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		refusal  transfer.Refusal
		body     string
		rules    func(*transfer.Policy)
		prepare  func(*world)
		headers  []string
		attempts int
	}{
		{refusal: transfer.SenderUnknown, body: transferOf("850191239999", ben, "api", minutes("1"))},
		{refusal: transfer.ReceiverUnknown, body: transferOf(anna, "850191239999", "api", minutes("1"))},
		{refusal: transfer.SameParty, body: transferOf(anna, "+"+anna, "api", minutes("1"))},
		{refusal: transfer.NotEnough, body: transferOf(anna, ben, "api", minutes("101"))},
		{refusal: transfer.NotTransferable, body: transferOf(anna, ben, "api", minutes("61")), prepare: func(w *world) {
			w.must(201, "", "POST", "/reserveBalance", topupOf(anna, minutes("40"), ""))
		}},
		{refusal: transfer.MinimumRemaining, body: transferOf(anna, ben, "api", minutes("100")), rules: func(p *transfer.Policy) {
			k := p.Kinds[transfer.P2P]
			k.MinRemaining = 60
			p.Kinds[transfer.P2P] = k
		}},
		{refusal: transfer.BelowMinimum, body: transferOf(anna, ben, "api", `{"amount":59,"units":"s"}`)},
		{refusal: transfer.AboveMaximum, body: transferOf(anna, ben, "api", minutes("501"))},
		{refusal: transfer.WrongStep, body: transferOf(anna, ben, "api", `{"amount":61,"units":"s"}`)},
		{refusal: transfer.PairLimit, body: transferOf(anna, ben, "api", minutes("1")), attempts: 5},
		{refusal: transfer.DayCountLimit, body: transferOf(anna, ben, "api", minutes("1")), attempts: 1, rules: func(p *transfer.Policy) {
			p.Limits = []transfer.Limit{{Name: "a day", Scope: transfer.PerSender, Window: transfer.Window{Period: transfer.Day}, Count: 1}}
		}},
		{refusal: transfer.KindNotAllowed, body: transferOf(anna, ben, "api", minutes("1")), rules: func(p *transfer.Policy) {
			delete(p.Channels, transfer.API)
		}},
		{refusal: transfer.SenderFrozen, body: transferOf(anna, ben, "api", minutes("1")), prepare: func(w *world) { w.state(anna, ocs.Blocked) }},
		{refusal: transfer.ReceiverFrozen, body: transferOf(anna, ben, "api", minutes("1")), prepare: func(w *world) { w.state(ben, ocs.Blocked) }},
		{refusal: transfer.PINNeeded, body: transferOf(anna, ben, "ussd", minutes("1"))},
		{refusal: transfer.NoFeeRule, body: transferOf(anna, ben, "api", minutes("1")), rules: func(p *transfer.Policy) { p.Fees = nil }},
		{refusal: transfer.Stopped, body: transferOf(anna, ben, "api", minutes("1")), rules: func(p *transfer.Policy) {
			p.Stop = &transfer.Stop{Reason: "fraud", Since: start}
		}},
	} {
		t.Run(test.refusal.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			if test.rules != nil {
				w.rules(test.rules)
			}
			if test.prepare != nil {
				test.prepare(w)
			}
			for range test.attempts {
				w.must(201, "", "POST", "/transferBalance", test.body)
			}
			before, _ := w.balance(ben)
			code := test.refusal.Code()
			a := w.must(code.HTTP, code.TMF, "POST", "/transferBalance", test.body, append(test.headers, "X-Idempotency-Key", "refused")...)
			if a.text("reason") == "" || a.text("status") != strconv.Itoa(code.HTTP) {
				t.Errorf("got %s", a.raw)
			}
			for _, number := range []string{anna, ben, "850191239999"} {
				if strings.Contains(a.raw, number) {
					t.Errorf("a number is told: %s", a.raw)
				}
			}
			w.policy.Store(transfer.Default()) // a refused request stays refused
			w.advance(48 * time.Hour)
			if test.refusal != transfer.SenderUnknown { // there is nobody whom it could be remembered for, but by its key
				w.must(code.HTTP, code.TMF, "POST", "/transferBalance", test.body, "X-Idempotency-Key", "refused")
			}
			if after, _ := w.balance(ben); after != before {
				t.Errorf("the receiver has %d, want %d", after, before)
			}
		})
	}
}

func (w *world) state(msisdn string, s ocs.SubscriberState) {
	w.t.Helper()
	if err := w.store.SetState(w.t.Context(), w.ids[msisdn], s, time.Now()); err != nil {
		w.t.Fatal(err)
	}
}

// A transfer that waits for its receiver is told as created. It can be cancelled, once, and lapses.
func TestTransferThatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.rules(func(p *transfer.Policy) {
		k := p.Kinds[transfer.P2P]
		k.ReceiverConsents = true
		p.Kinds[transfer.P2P] = k
	})
	a := w.must(201, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("15")))
	w.has(anna, 5100, 900)
	if a.text("status") != "created" || a.text("confirmationDate") != "" {
		t.Errorf("got %s", a.raw)
	}
	for range 2 {
		w.must(204, "", "DELETE", a.text("href"), "")
	}
	w.has(anna, 6000, 0)
	if a := w.must(200, "", "GET", a.text("href"), ""); a.text("status") != "cancelled" {
		t.Errorf("got %s", a.raw)
	}
	b := w.must(201, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("16")))
	patch := `{"reason":"gift","channel":{"id":"api"},"logicalResource":[{"id":"` + anna + `"}],"receiverLogicalResource":{"id":"` + ben + `"},"status":"`
	w.must(400, "formatError", "PATCH", b.text("href"), patch+`failed"}`)
	w.must(200, "", "PATCH", b.text("href"), patch+`created"}`)
	if a := w.must(200, "", "PATCH", b.text("href"), patch+`cancelled"}`); a.text("status") != "cancelled" {
		t.Errorf("got %s", a.raw)
	}
	w.must(409, "incorrectState", "PATCH", b.text("href"), patch+`completed"}`)
	w.has(anna, 6000, 0)
}

// The receiver gives back, by a transfer that says which one it undoes.
func TestReversal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	a := w.must(201, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("15")))
	back := transferOf(ben, anna, "api", minutes("15"))
	back = back[:len(back)-1] + `,"@type":"TransferBalanceReversal","@baseType":"TransferBalance","reversalOf":{"id":"`
	b := w.must(201, "", "POST", "/transferBalance", back+a.text("id")+`"}}`, "X-Idempotency-Key", "back")
	w.has(anna, 6000, 0)
	w.has(ben, 0, 0)
	if b.text("@type") != "TransferBalanceReversal" || b.text("reversalOf.id") != a.text("id") || b.text("status") != "completed" || b.text("id") == a.text("id") {
		t.Errorf("got %s", b.raw)
	}
	w.must(409, "incorrectState", "POST", "/transferBalance", back+a.text("id")+`"}}`, "X-Idempotency-Key", "back-again")
	w.must(404, "identifierError", "POST", "/transferBalance", back+string(transfer.NewReference(w.ids[ben], 1))+`"}}`)
	w.must(400, "formatError", "POST", "/transferBalance", back+`nothing"}}`)
	if a := w.must(200, "", "GET", a.text("href"), ""); a.text("status") != "completed" {
		t.Errorf("got %s", a.raw)
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.rules(func(p *transfer.Policy) {
		p.Fees = []transfer.FeeRule{{Name: "flat", Bands: []transfer.FeeBand{{Flat: 90}}}}
	})
	a := w.must(200, "", "POST", "/ext/v1/transferQuote", transferOf(anna, ben, "api", minutes("15")))
	for path, want := range map[string]string{
		"amount.amount": "15", "transferCost.value": "1.50", "transferCost.unit": "XXX", "transferCostQuantity.amount": "90",
		"transferCostQuantity.units": "s", "costOwner": "originator", "receivedLot.amount.amount": "15", "validFor.endDateTime": "2026-03-01T12:05:00Z",
	} {
		if got := a.text(path); got != want {
			t.Errorf("%s is %q, want %q: %s", path, got, want, a.raw)
		}
	}
	w.has(anna, 6000, 0)
	w.must(409, "insufficientFunds", "POST", "/ext/v1/transferQuote", transferOf(anna, ben, "api", minutes("99")))
	w.must(401, "authorisationError", "POST", "/ext/v1/transferQuote", transferOf(anna, ben, "api", minutes("15")), "Authorization", "")
	w.must(http.StatusMethodNotAllowed, "methodNotAllowed", "GET", "/ext/v1/transferQuote", "")
}

// All actions stand in one history, in the order in which they came.
func TestHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var want []string
	for i, body := range []struct{ path, body string }{
		{"/topupBalance", topupOf(ben, minutes("10"), "")}, {"/transferBalance", transferOf(anna, ben, "api", minutes("2"))},
		{"/adjustBalance", adjustOf(anna, minutes("-1"), "")}, {"/reserveBalance", topupOf(anna, minutes("3"), "")},
		{"/transferBalance", transferOf(ben, anna, "api", minutes("1"))},
	} {
		want = append(want, w.must(201, "", "POST", body.path, body.body).text("id"))
		w.advance(time.Duration(i+1) * time.Second)
	}
	ids := func(query string) (all []string) {
		for _, e := range w.must(200, "", "GET", "/balanceActionHistory"+query, "").list() {
			all = append(all, answer{body: e}.text("id"))
		}
		return all
	}
	for query, places := range map[string][]int{
		"": {0, 1, 2, 3, 4}, "?limit=2&offset=1": {1, 2}, "?logicalResource.id=" + anna: {1, 2, 3}, "?logicalResource.id=" + ben: {0, 4},
		"?status=created": {3}, "?receiverLogicalResource.id=" + ben: {1}, "?requestedDate.gt=2026-03-01T12:00:02Z": {2, 3, 4},
	} {
		var expected []string
		for _, p := range places {
			expected = append(expected, want[p])
		}
		if got := ids(query); !slices.Equal(got, expected) {
			t.Errorf("%s: got %v, want %v", query, got, expected)
		}
	}
	for _, id := range want {
		if a := w.must(200, "", "GET", "/balanceActionHistory/"+id, ""); a.text("id") != id {
			t.Errorf("got %s", a.raw)
		}
	}
	var sum rating.Units
	for _, who := range []string{anna, ben} {
		free, reserved := w.balance(who)
		sum += free + reserved
	}
	if sum != 6000+600-60 {
		t.Errorf("there are %d seconds, want %d", sum, 6540)
	}
}
