package charging_test

import (
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// I23: every posting of a transfer has exactly one audit entry, that of the act which made it; and every act which is
// said to have moved minutes has its postings.
func TestI23_EveryPostingHasOneAuditEntry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	mix(t, b, func(*mixture) {})
	type row struct {
		Reference string `db:"reference"`
		Legs      int64  `db:"legs"`
		Entries   int64  `db:"entries"`
	}
	rows := query[row](b, `
		SELECT coalesce(p.reference, a.reference) AS reference, coalesce(p.legs, 0) AS legs, coalesce(a.entries, 0) AS entries
		FROM (
			SELECT substr(movement, 10) AS reference, posted_at AS at, count(*) AS legs FROM posting
			WHERE kind IN ('transfer', 'reversal') GROUP BY 1, 2
		) p
		FULL JOIN (
			SELECT reference, at, count(*) AS entries FROM audit
			WHERE after->>'status' = 'completed' AND after->>'refusal' IS NULL GROUP BY 1, 2
		) a ON a.reference = p.reference AND a.at = p.at`)
	for _, r := range rows {
		if r.Entries != 1 || r.Legs < 2 {
			t.Errorf("transfer %s: %d postings at one time, %d audit entries of it", r.Reference, r.Legs, r.Entries)
		}
	}
	if done := one[int64](b, `SELECT count(*) FROM transfer WHERE status IN ('completed', 'reversed', 'reversal-pending')`); int64(len(rows)) != done || done < 4*minutes {
		t.Errorf("%d movements of %d transfers that were done", len(rows), done)
	}
	// An act that only reads, and a copy, are no acts; a refusal is one, and names nobody by a number.
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE action = 'transfer enquire'`); n != 0 {
		t.Errorf("%d enquiries are in the audit", n)
	}
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE after->>'refusal' IS NOT NULL`); n < 3*minutes {
		t.Errorf("%d refusals are in the audit", n)
	}
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE audit::text ~ $1`, strings.Join([]string{ann, ben, cem}, "|")); n != 0 {
		t.Errorf("%d entries tell a number", n)
	}
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE policy <> 'default' OR actor = '' OR role = ''`); n != 0 {
		t.Errorf("%d entries do not tell who acted, or by which policy", n)
	}
	postgrestest.CheckInvariants(t, b.store)
}
