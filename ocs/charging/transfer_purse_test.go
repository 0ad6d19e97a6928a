package charging_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// lots gives a subscriber so many lots of a minute, each with an origin of its own.
func (b *bench) lots(id ocs.SubscriberID, n int) {
	b.t.Helper()
	for i := range n {
		movement := fmt.Sprint("lot-", id, i)
		lot, postings := ocs.GrantBucket(ocs.Grant{
			Movement: movement, Subscriber: id, Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: rating.Seconds, Units: 60,
			Class: "plan", Offer: "test",
		}, b.clock())
		if _, err := b.store.Grant(b.t.Context(), movement, id, lot, postings); err != nil {
			b.t.Fatal(err)
		}
	}
}

// pay is a payment of ann to a shop.
func pay(code, reference string, seconds rating.Units) charging.Transfer {
	r := send(ann, "", reference, seconds)
	r.Request.Kind, r.Request.Counterparty = transfer.Merchant, "merchant:"+code
	return r
}

// A shop's lots are not looked at one by one when it is paid, and yet what it has is told exactly, its cap holds to the second,
// what agrees is joined, and a refund finds its lots.
func TestShopWithManyLots(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := openPolicy()
	rules := p.Kinds[transfer.Merchant]
	rules.ReceiverCap = 300*60 + 1000
	p.Kinds[transfer.Merchant] = rules
	e := b.engine(b.store, withPolicy(p))
	customer, shop := b.subscriber(ann, 6000), b.subscriber(ben, 0)
	b.lots(shop, 300)
	code := b.role(transfer.MerchantRole, "4444", shop)
	wantRefusal(t, do(t, e, pay(code, "too-much", 1001)), transfer.ReceiverFull)
	var last transfer.Outcome
	for n := range 3 {
		last = do(t, e, pay(code, fmt.Sprint(n), 300))
		wantRefusal(t, last, transfer.None)
		had := rating.Units(300*60 + 300*(n+1))
		if i := slices.IndexFunc(last.Texts, func(x transfer.Text) bool { return x.To == shop }); i < 0 || last.Texts[i].Left != had {
			t.Errorf("texts %+v, want %d left", last.Texts, had)
		}
		b.wantBalance(shop, had, 0)
	}
	wantRefusal(t, do(t, e, pay(code, "101", 101)), transfer.ReceiverFull)
	wantRefusal(t, do(t, e, pay(code, "100", 100)), transfer.None)
	lots, err := b.store.Buckets(t.Context(), shop)
	if err != nil || len(lots) != 302 { // the empty one that it began with, 300, and the joined one
		t.Errorf("%d lots, %v; want 302", len(lots), err)
	}
	wantRefusal(t, do(t, e, on(ben, transfer.OpReverse, last.Answer.Reference, "refund")), transfer.None)
	b.wantBalance(customer, 6000-700, 0)
	b.wantBalance(shop, 300*60+700, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// BenchmarkPurse moves a minute to, or from, somebody with many lots. One operation is one transfer, alone in its batch.
func BenchmarkPurse(b *testing.B) {
	for _, count := range []int{1, 100, 1000, 4000} {
		w := newBench(b)
		policy := openPolicy()
		policy.RepeatAfter = 0
		e := w.engine(w.store, withPolicy(policy))
		w.subscriber(ann, 1_000_000_000)
		w.lots(w.subscriber(ben, 0), count)
		shop := w.subscriber(cem, 0)
		w.lots(shop, count)
		code := w.role(transfer.MerchantRole, "4444", shop)
		for name, move := range map[string]func(n int) transfer.Outcome{
			"to shop": func(n int) transfer.Outcome { return do(b, e, pay(code, fmt.Sprint("shop-", n), 60)) },
			"to":      func(n int) transfer.Outcome { return do(b, e, send(ann, ben, fmt.Sprint("to-", n), 60)) },
			"from":    func(n int) transfer.Outcome { return do(b, e, send(ben, ann, fmt.Sprint("from-", n), 60)) },
		} {
			n := 0
			b.Run(fmt.Sprintf("%s %d lots", name, count), func(b *testing.B) {
				for b.Loop() {
					n++
					wantRefusal(b, move(n), transfer.None)
				}
			})
		}
	}
}
