package cdr

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
)

// september and october are the months of the tests.
var (
	september = Month{Name: "2026-09", From: day(9, 1), To: day(10, 1), Zone: time.UTC}
	october   = Month{Name: "2026-10", From: day(10, 1), To: day(11, 1), Zone: time.UTC}
)

func day(month time.Month, day int) time.Time {
	return time.Date(2026, month, day, 0, 0, 0, 0, time.UTC)
}

// A world is a database with subscribers, and the records that were written to it.
type world struct {
	t     *testing.T
	store *postgres.Store
	rnd   *rand.Rand
	book  *Book

	subscribers []ocs.Subscriber
	buckets     []ocs.BucketID
	records     []ocs.Record
	sessions    int
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{t: t, store: postgrestest.New(t), rnd: rand.New(rand.NewPCG(seed, 0))}
	w.book = &Book{Store: w.store, Now: func() time.Time { return day(12, 1) }, Zone: time.UTC, runSize: 7}
	var fresh []postgres.NewSubscriber
	for i := range 3 {
		id, bucket := w.uuid(), w.uuid()
		msisdn := fmt.Sprintf("49170000%03d", i)
		w.subscribers = append(w.subscribers, ocs.Subscriber{ID: ocs.SubscriberID(id), MSISDN: msisdn, IMSI: fmt.Sprintf("26201%010d", i)})
		w.buckets = append(w.buckets, ocs.BucketID(bucket))
		b, postings := ocs.GrantBucket(ocs.Grant{
			Movement: "first " + msisdn, Subscriber: ocs.SubscriberID(id), Bucket: ocs.BucketID(bucket), Unit: rating.Seconds,
			Units: 1_000_000, Class: "plan", Offer: "demo",
		}, day(9, 1).Add(time.Hour))
		fresh = append(fresh, postgres.NewSubscriber{
			Subscriber: ocs.Subscriber{ID: ocs.SubscriberID(id), State: ocs.Active, Plan: "demo", MSISDN: msisdn, IdentityVersion: 1, CreatedAt: day(9, 1)},
			Identities: []ocs.Identity{{Kind: ocs.E164, Value: msisdn}}, Bucket: &b, Postings: postings,
		})
	}
	if err := w.store.CreateSubscribers(t.Context(), fresh, day(9, 1)); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) uuid() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(w.rnd.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid.UUID(b).String()
}

// within returns a time in a month; many fall on the same instant.
func (w *world) within(m Month) time.Time {
	hours := int(m.To.Sub(m.From).Hours())
	return m.From.Add(time.Duration(w.rnd.IntN(hours)) * time.Hour)
}

// call writes the CDR of a call that ended at an instant, and its rated event.
func (w *world) call(at time.Time) {
	w.sessions++
	i := w.rnd.IntN(len(w.subscribers))
	used := rating.Units(w.rnd.IntN(600))
	group := uint32(10)
	r := ocs.Record{
		Subscriber: w.subscribers[i].ID, MSISDN: w.subscribers[i].MSISDN, IMSI: w.subscribers[i].IMSI,
		Session: ocs.SessionKey{ID: fmt.Sprintf("tas1;%d;x", w.sessions)}, Number: 1, Cause: ocs.ByTermination, Service: "32260@3gpp.org",
		Origin:     ocs.Origin{Host: "tas1.ims.test", Realm: "ims.test", Peer: "tas1.ims.test"},
		Conditions: ocs.Conditions{Calling: "tel:+" + w.subscribers[i].MSISDN, Called: "tel:+4930123", ICID: fmt.Sprint(w.sessions)},
		OtherParty: "+4930123", StartedAt: at.Add(-time.Duration(used) * time.Second), EndedAt: at,
		Lines: []ocs.RecordLine{{
			RatingGroup: &group, Tariff: "home", Plan: "demo", Catalog: "c1", Measure: rating.Seconds, Used: used, Unit: rating.Seconds,
			Charged: used, Granted: 600, Reasons: 1 << 2, Taken: []ocs.Hold{{Bucket: w.buckets[i], Units: used}},
		}},
	}
	w.save(r)
}

// save writes a CDR with the rated event that it tells of.
func (w *world) save(r ocs.Record) {
	w.t.Helper()
	c := postgres.Changes{Records: []ocs.Record{r}}
	for i, l := range r.Lines {
		c.Events = append(c.Events, ocs.RatedEvent{
			Subscriber: r.Subscriber, Session: r.Session, Type: ocs.Termination, Number: uint32(r.Number), Line: i, At: r.EndedAt,
			Service: r.Service, RatingGroup: l.RatingGroup, Tariff: l.Tariff, Plan: l.Plan, Catalog: l.Catalog, Measure: l.Measure,
			Used: l.Used, Unit: l.Unit, Charged: l.Charged, Overrun: l.Overrun, Taken: l.Taken,
		})
	}
	if err := w.store.InTx(w.t.Context(), func(tx *postgres.Tx) error { return tx.Save(w.t.Context(), c) }); err != nil {
		w.t.Fatal(err)
	}
	w.records = append(w.records, r)
}

// post writes the postings of a transfer of minutes with a fee, and of a refund.
func (w *world) post(at time.Time) {
	w.t.Helper()
	w.sessions++
	from, to := w.rnd.IntN(3), w.rnd.IntN(2)
	to = (from + 1 + to) % 3
	name := fmt.Sprintf("transfer:T%d", w.sessions)
	leg := func(n, who int, account string, bucket ocs.BucketID, units rating.Units) ocs.Posting {
		return ocs.Posting{
			Movement: name, Leg: n, Subscriber: w.subscribers[who].ID, At: at, Kind: "transfer", Account: account, Bucket: bucket,
			Unit: rating.Seconds, Units: units, Reason: "gift",
		}
	}
	c := postgres.Changes{Postings: []ocs.Posting{
		leg(0, from, "lot:a", w.buckets[from], -600), leg(1, to, "lot:b", w.buckets[to], 600), leg(2, from, "lot:a", w.buckets[from], -12),
		leg(3, from, "commission:shop", "", 2), leg(4, from, "fee", "", 10),
	}}
	if err := w.store.InTx(w.t.Context(), func(tx *postgres.Tx) error { return tx.Save(w.t.Context(), c) }); err != nil {
		w.t.Fatal(err)
	}
}

// silent is a reporter that nobody watches.
type silent struct{}

func (silent) Closing(Progress) {}
func (silent) Writing(Progress) {}

// export exports a month into a directory and returns it.
func (w *world) export(ctx context.Context, month string, form Form, dir string) Exported {
	w.t.Helper()
	dst, err := OpenDestination(ctx, dir, Access{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = dst.Close() }()
	e, err := Export(ctx, w.book, dst, month, 20, form, silent{})
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}
