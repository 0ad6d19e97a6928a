package postgres

import (
	"context"
	"database/sql"
	"fmt"
)

// An Invariant is something that must be true of the whole database, and what was found (spec/store part 3).
type Invariant struct {
	Name       string
	Checked    int64    // rows that were looked at
	Violations []string // the first few; none is good
}

// mostViolations bounds what one invariant tells.
const mostViolations = 20

// Every statement returns, for each row that it looks at, NULL or what is wrong with it. Subscribers, buckets and sessions
// are named by ids that mean nothing to others.
var invariants = []struct{ name, statement string }{
	{"I3: what a bucket was given less what calls took is its balance", `
		SELECT CASE WHEN b.balance IS DISTINCT FROM coalesce(p.units, 0) - coalesce(t.units, 0) THEN
			format('bucket %s: balance %s, given %s, taken %s', coalesce(b.id, p.id, t.id), b.balance, p.units, t.units) END
		FROM bucket b
		FULL JOIN (SELECT bucket_id AS id, sum(units) AS units FROM posting WHERE bucket_id IS NOT NULL GROUP BY 1) p ON p.id = b.id
		FULL JOIN (
			SELECT (h->>'bucket')::uuid AS id, sum((h->>'units')::bigint) AS units
			FROM rated_event, json_array_elements(taken::json) h GROUP BY 1
		) t ON t.id = coalesce(b.id, p.id)`},
	{"I3: a rated event charged what it took from buckets", `
		SELECT CASE WHEN e.charged <> (SELECT coalesce(sum((h->>'units')::bigint), 0) FROM json_array_elements(e.taken::json) h) THEN
			format('rated event of subscriber %s at %s: charged %s, taken %s', e.subscriber_id, e.rated_at, e.charged, e.taken) END
		FROM rated_event e`},
	{"I4: the legs of a movement sum to zero", `
		SELECT CASE WHEN sum(units) <> 0 THEN format('movement %s of subscriber %s: %s %s', movement, owner, sum(units), unit) END
		FROM ( -- a transfer is named alike at both of its parties, other movements have names of their subscriber
			SELECT CASE WHEN kind IN ('transfer', 'reversal') THEN NULL ELSE subscriber_id END AS owner, movement, unit, units FROM posting
		) p GROUP BY owner, movement, unit`},
	{"I4: a transfer posted what it moved, and nothing if it did not", `
		SELECT CASE WHEN coalesce(p.taken, 0) <> CASE WHEN t.status IN ('completed', 'reversed', 'reversal-pending') THEN t.units ELSE 0 END THEN
			format('transfer %s is %s: moves %s, posted %s', coalesce(t.reference, p.reference), t.status, t.units, p.taken) END
		FROM (
			SELECT reference, status, (SELECT coalesce(sum((m->>'units')::bigint), 0) FROM json_array_elements(document->'moves') m) AS units
			FROM transfer
		) t
		FULL JOIN (
			SELECT substr(movement, 10) AS reference, -sum(units) AS taken FROM posting
			WHERE kind IN ('transfer', 'reversal') AND bucket_id IS NOT NULL AND units < 0 GROUP BY 1
		) p ON p.reference = t.reference`},
	{"I5: a bucket is not below zero and reserves what it has", `
		SELECT CASE WHEN balance < 0 OR reserved < 0 OR reserved > balance THEN
			format('bucket %s: balance %s, reserved %s', id, balance, reserved) END
		FROM bucket`},
	{"I5: what sessions, pending transfers and reservations hold of a bucket is what it reserves", `
		SELECT CASE WHEN coalesce(b.reserved, 0) <> coalesce(h.units, 0) THEN
			format('bucket %s: reserved %s, held %s', coalesce(b.id, h.id), b.reserved, h.units) END
		FROM bucket b
		FULL JOIN (
			SELECT id, sum(units) AS units FROM (
				SELECT (h->>'bucket')::uuid AS id, (h->>'units')::bigint AS units
				FROM session, json_array_elements(document::json->'quotas') q, json_array_elements(q->'held') h
				WHERE q->'held' IS NOT NULL
				UNION ALL
				SELECT (m->>'from')::uuid, (m->>'units')::bigint
				FROM transfer, json_array_elements(document->'moves') m
				WHERE status = 'pending' AND document->'moves' IS NOT NULL
				UNION ALL
				SELECT (a->>'bucket')::uuid, (a->>'units')::bigint
				FROM action, json_array_elements(holds) a
				WHERE kind = 'reserve' AND status = 'created'
			) AS held GROUP BY id
		) h ON h.id = b.id`},
	{"I6: what a session used and was charged is what its rated events say", `
		SELECT CASE WHEN s.used <> coalesce(e.used, 0) OR s.charged <> coalesce(e.charged, 0) THEN
			format('session of subscriber %s begun %s: used %s charged %s, rated events %s and %s',
				s.subscriber_id, s.started_at, s.used, s.charged, e.used, e.charged) END
		FROM (
			SELECT part, subscriber_id, session_id, sub_session, started_at,
				(SELECT coalesce(sum(coalesce((q->>'used')::bigint, 0)), 0) FROM json_array_elements(document::json->'quotas') q)
				+ (SELECT coalesce(sum(coalesce((g->>'used')::bigint, 0)), 0) FROM json_array_elements(document::json->'segments') g) AS used,
				(SELECT coalesce(sum(coalesce((q->>'charged')::bigint, 0)), 0) FROM json_array_elements(document::json->'quotas') q)
				+ (SELECT coalesce(sum(coalesce((g->>'charged')::bigint, 0)), 0) FROM json_array_elements(document::json->'segments') g) AS charged
			FROM session
		) s
		LEFT JOIN LATERAL (
			SELECT sum(used) AS used, sum(charged) AS charged FROM rated_event e
			WHERE e.part = s.part AND e.subscriber_id = s.subscriber_id AND e.rated_at >= s.started_at
			AND e.session_id = s.session_id AND e.sub_session = s.sub_session
		) e ON true`},
	{"I6: what the CDRs of a session that ended say is what its rated events say", `
		SELECT CASE WHEN coalesce(c.used, 0) <> coalesce(e.used, 0) OR coalesce(c.charged, 0) <> coalesce(e.charged, 0) THEN
			format('session of subscriber %s begun %s: CDRs %s and %s, rated events %s and %s',
				s.subscriber_id, s.started_at, c.used, c.charged, e.used, e.charged) END
		FROM session s
		LEFT JOIN LATERAL (
			SELECT sum(used) AS used, sum(charged) AS charged FROM rated_event e
			WHERE e.part = s.part AND e.subscriber_id = s.subscriber_id AND e.rated_at >= s.started_at
			AND e.session_id = s.session_id AND e.sub_session = s.sub_session
		) e ON true
		LEFT JOIN LATERAL (
			SELECT sum(coalesce((l->>'used')::bigint, 0)) AS used, sum(coalesce((l->>'charged')::bigint, 0)) AS charged
			FROM cdr c, json_array_elements(c.lines) l
			WHERE c.part = s.part AND c.subscriber_id = s.subscriber_id AND c.ended_at >= s.started_at
			AND c.session_id = s.session_id AND c.sub_session = s.sub_session
		) c ON true
		WHERE s.state <> 'open'`},
	{"I7: a session that ended holds nothing", `
		SELECT CASE WHEN EXISTS (
			SELECT 1 FROM json_array_elements(document::json->'quotas') q, json_array_elements(q->'held') h
			WHERE q->'held' IS NOT NULL AND (h->>'units')::bigint <> 0
		) THEN format('session of subscriber %s begun %s is %s and holds %s', subscriber_id, started_at, state, document::json->'quotas') END
		FROM session WHERE state <> 'open'`},
}

// CheckInvariants proves the invariants on one snapshot. It reads everything there is, on one Postgres; on Citus, whose
// snapshots are torn, only while nothing is written (spec/store S11).
func (s *Store) CheckInvariants(ctx context.Context) ([]Invariant, error) {
	tx, err := s.bulk.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, s.orClosed(fmt.Errorf("check invariants: %w", err))
	}
	defer func() { _ = tx.Rollback() }() // it wrote nothing
	checked := make([]Invariant, len(invariants))
	for i, invariant := range invariants {
		found := &checked[i]
		found.Name = invariant.name
		if err := tx.GetContext(ctx, &found.Checked, `SELECT count(*) FROM (`+invariant.statement+`) AS v (wrong)`); err != nil {
			return nil, fmt.Errorf("check invariant %s: %w", invariant.name, err)
		}
		err := tx.SelectContext(ctx, &found.Violations,
			`SELECT wrong FROM (`+invariant.statement+`) AS v (wrong) WHERE wrong IS NOT NULL LIMIT $1`, mostViolations)
		if err != nil {
			return nil, fmt.Errorf("check invariant %s: %w", invariant.name, err)
		}
	}
	return checked, nil
}
