package charging_test

import (
	"maps"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A journalLine is a change of one lot: a leg of a movement, or what a call took.
type journalLine struct {
	At    time.Time    `db:"at"`
	Lot   ocs.BucketID `db:"lot"`
	Units rating.Units `db:"units"`
}

// journal returns all changes of lots, in the order of time.
func (b *bench) journal() []journalLine {
	b.t.Helper()
	return query[journalLine](b, `
		SELECT posted_at AS at, bucket_id::text AS lot, units FROM posting WHERE bucket_id IS NOT NULL
		UNION ALL
		SELECT rated_at, h->>'bucket', -(h->>'units')::bigint FROM rated_event, json_array_elements(taken::json) h
		ORDER BY 1`)
}

// I25: played from zero, the journal gives the lots with their balances, what is held of them, where they came from and
// when they end; and the counters.
func TestI25_RebuildFromTheJournal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := mix(t, b, func(*mixture) {})
	lots := map[ocs.BucketID]ocs.Bucket{}
	for _, id := range m.ids {
		mine, err := b.store.Buckets(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range mine {
			lots[l.ID] = l
		}
	}
	balances, held, counters := map[ocs.BucketID]rating.Units{}, map[ocs.BucketID]rating.Units{}, map[transfer.Counter]transfer.Counter{}
	for _, line := range b.journal() {
		balances[line.Lot] += line.Units
	}
	named := map[ocs.BucketID]bool{}
	for _, s := range b.stored() {
		for _, h := range s.Holds() {
			held[h.Bucket] += h.Units
		}
		for _, c := range s.Counted {
			key := transfer.Counter{Subscriber: c.Subscriber, Row: c.Row, Other: c.Other, Start: c.Start.UTC()}
			sum := counters[key]
			counters[key] = transfer.Counter{Count: sum.Count + c.Count, Seconds: sum.Seconds + c.Seconds}
		}
		for _, move := range s.Moves {
			if !moved(s) || move.Fee || s.Reverses != "" {
				continue
			}
			from, to := lots[move.From], lots[move.To]
			named[to.ID] = true
			if to.Subscriber != s.Receiver || to.Parent != from.ID || to.Root != from.Root || to.Hops != from.Hops+1 ||
				to.Class != move.Class || !to.ExpiresAt.Equal(move.ExpiresAt) {
				t.Errorf("transfer %s says %+v, from %+v, and the lot is %+v", s.Reference, move, from, to)
			}
		}
	}
	for id, l := range lots {
		if balances[id] != l.Balance || held[id] != l.Reserved {
			t.Errorf("lot %s has %d, %d held; the journal says %d, %d held", id, l.Balance, l.Reserved, balances[id], held[id])
		}
		if l.Hops > 0 != named[id] {
			t.Errorf("lot %s has %d hops; a transfer names it: %v", id, l.Hops, named[id])
		}
	}
	if len(balances) != len(lots) {
		t.Errorf("%d lots, and %d in the journal", len(lots), len(balances))
	}
	b.wantCounters(counters)
	postgrestest.CheckInvariants(t, b.store)
}

// wantCounters compares the stored counters with those that transfers say they counted. Nothing counted and no row are
// the same.
func (b *bench) wantCounters(want map[transfer.Counter]transfer.Counter) {
	b.t.Helper()
	got := map[transfer.Counter]transfer.Counter{}
	for _, r := range query[struct {
		Subscriber string       `db:"subscriber_id"`
		Row        string       `db:"rule"`
		Other      string       `db:"other"`
		Start      time.Time    `db:"start"`
		Count      int64        `db:"count"`
		Seconds    rating.Units `db:"seconds"`
	}](b, `SELECT subscriber_id, rule, other, start, count, seconds FROM transfer_counter WHERE count <> 0 OR seconds <> 0`) {
		key := transfer.Counter{Subscriber: ocs.SubscriberID(r.Subscriber), Row: r.Row, Other: ocs.SubscriberID(r.Other), Start: r.Start.UTC()}
		got[key] = transfer.Counter{Count: r.Count, Seconds: r.Seconds}
	}
	if len(want) == 0 || !maps.Equal(got, want) {
		b.t.Errorf("counters %v, want %v", got, want)
	}
}

// I27: what everybody had in each minute is what the postings until then say, and the history of then has what was
// there.
func TestI27_BalanceAtAnyTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	type snapshot struct {
		at       time.Time
		balances map[string]rating.Units
		count    int64
	}
	var snapshots []snapshot
	m := mix(t, b, func(m *mixture) {
		s := snapshot{at: m.clock(), balances: map[string]rating.Units{}}
		for number, id := range m.ids {
			s.balances[number], _ = m.balance(id)
		}
		var err error
		if s.count, err = m.store.CountTransfers(m.t.Context(), postgres.TransferFilter{}); err != nil {
			m.t.Error(err)
		}
		snapshots = append(snapshots, s)
	})
	owner := map[ocs.BucketID]string{}
	for number, id := range m.ids {
		lots, err := b.store.Buckets(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lots {
			owner[l.ID] = number
		}
	}
	journal := b.journal()
	for i, s := range snapshots {
		got := map[string]rating.Units{}
		for _, line := range journal {
			if !line.At.After(s.at) {
				got[owner[line.Lot]] += line.Units
			}
		}
		if !maps.Equal(got, s.balances) {
			t.Errorf("minute %d: the journal says %v, it was %v", i, got, s.balances)
		}
		if i > 0 && maps.Equal(s.balances, snapshots[i-1].balances) {
			t.Errorf("nothing happened in minute %d", i)
		}
		count, err := b.store.CountTransfers(t.Context(), postgres.TransferFilter{To: s.at.Add(time.Microsecond)})
		if err != nil || count != s.count {
			t.Errorf("minute %d: %d transfers, %v; there were %d", i, count, err, s.count)
		}
	}
	postgrestest.CheckInvariants(t, b.store)
}
