package postgres_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// Every hot statement can be prepared, and its plan goes through an index with the keys as its condition, whatever ANALYZE
// saw last (spec/store S14).
func TestPlansDoNotDependOnStatistics(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	db := postgres.HotPool(s)
	statements := append([]string{postgres.SweepSessions, postgres.ForgetSessions}, postgres.Hot...)
	for _, state := range []struct {
		name string
		make func()
	}{
		{"never analyzed", func() {}},
		{"analyzed when empty", func() { analyze(t, db) }},
		{"small", func() { fillTables(t, db, 10); analyze(t, db) }},
		{"full", func() { fillTables(t, db, 20000); analyze(t, db) }},
		{"analyzed when all was deleted", func() { emptyTables(t, db); analyze(t, db) }},
		{"full again, not analyzed", func() { fillTables(t, db, 20000) }},
	} {
		state.make()
		for _, statement := range statements {
			if slices.Contains(postgres.OfSlot, statement) || statement == postgres.AnySubscription {
				continue // a table on Citus is as large as a slot; and one row is enough for EXISTS
			}
			checkPlan(t, state.name, statement, explain(t, db, "EXPLAIN (COSTS OFF)", statement, nil))
		}
	}
}

// checkPlan fails the test when a plan reads more of a table than it was given keys of.
func checkPlan(t *testing.T, state, statement, plan string) {
	t.Helper()
	lines := strings.Split(plan, "\n")
	for i, line := range lines {
		reads := strings.Contains(line, "Index Scan") || strings.Contains(line, "Index Only Scan")
		if strings.Contains(line, "Seq Scan") || reads && (i+1 == len(lines) || !strings.Contains(lines[i+1], "Index Cond:")) {
			t.Errorf("%s: %s\nreads a whole table:\n%s", state, statement, plan)
			return
		}
	}
	if !strings.Contains(plan, "Index Cond:") && !strings.Contains(plan, "Insert on") {
		t.Errorf("%s: %s\nuses no index:\n%s", state, statement, plan)
	}
}

var parameter = regexp.MustCompile(`\$(\d+)`)

// explain prepares a statement, where it is planned now and once, and explains it.
func explain(t *testing.T, db *sqlx.DB, how, statement string, arguments []string) string {
	t.Helper()
	conn, err := db.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	prepare(t, conn, "explained", statement)
	defer func() {
		if _, err := conn.ExecContext(t.Context(), `DEALLOCATE explained`); err != nil {
			t.Error(err)
		}
	}()
	return explainPrepared(t, conn, how, "explained", statement, arguments)
}

func prepare(t *testing.T, conn *sqlx.Conn, name, statement string) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), `PREPARE `+name+` AS `+statement); err != nil {
		t.Fatalf("prepare %s: %v", statement, err)
	}
}

// explainPrepared explains a statement with arguments, all null when there are none.
func explainPrepared(t *testing.T, conn *sqlx.Conn, how, name, statement string, arguments []string) string {
	t.Helper()
	count := 0
	for _, match := range parameter.FindAllStringSubmatch(statement, -1) {
		n, err := strconv.Atoi(match[1])
		if err != nil {
			t.Fatal(err)
		}
		count = max(count, n)
	}
	for len(arguments) < count {
		arguments = append(arguments, "NULL")
	}
	var lines []string
	call := name
	if len(arguments) > 0 {
		call += `(` + strings.Join(arguments, ", ") + `)`
	}
	if err := conn.SelectContext(t.Context(), &lines, how+` EXECUTE `+call); err != nil {
		t.Fatalf("explain %s: %v", statement, err)
	}
	return strings.Join(lines, "\n")
}

func fillTables(t *testing.T, db *sqlx.DB, count int) {
	t.Helper()
	const numbered = `FROM generate_series(1, $1) n`
	for _, statement := range []string{
		`INSERT INTO subscriber (part, id, state, plan, identity_version, msisdn, imsi, created_at)
			SELECT n % 256, lpad(to_hex(n), 32, '0')::uuid, 'active', 'test', 1, n, '', '2026-03-01' ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO identity (value, kind, part, subscriber_id, version)
			SELECT n, 0, n % 256, lpad(to_hex(n), 32, '0')::uuid, 1 ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO bucket (part, id, subscriber_id, unit, class, priority, balance, reserved, created_at, root, hops)
			SELECT n % 256, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 'seconds', 'plan', 0, 100, 0, '2026-03-01',
			lpad(to_hex(n), 32, '0')::uuid, 0 ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO bucket (part, id, subscriber_id, unit, class, priority, balance, reserved, created_at, root, hops, expires_at, expiry_look_at)
			SELECT n % 256, lpad(to_hex(n + 1000000), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 'events', 'plan', 0, 0, 0, '2026-03-01',
			lpad(to_hex(n), 32, '0')::uuid, 0, '2026-03-02'::timestamptz + make_interval(secs => n),
			CASE WHEN n % 2 = 0 THEN '2026-03-02'::timestamptz + make_interval(secs => n) END ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO contract (part, subscriber_id, id, plan, state, period, ends_at, due_at, document)
			SELECT n % 256, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid, 'test', 'active', 1, '2026-03-02',
			'2026-03-02'::timestamptz + make_interval(secs => n), '{}' ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO session (part, subscriber_id, session_id, sub_session, state, origin_host, origin_state_id, started_at, due_at,
			sweep_at, resting, document)
			SELECT n % 256, lpad(to_hex(n), 32, '0')::uuid, 'session' || n, '', 'open', 'host', 0, '2026-03-01', '2026-03-02',
			'2026-03-02', false, '{"conditions":{},"quotas":[],"segments":[],"memory":{}}' ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO transfer (part, reference, sender_id, receiver_id, kind, status, seconds, created_at, due_at, document, checks)
			SELECT n % 256, n, lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n + 1), 32, '0')::uuid, 'p2p', 'completed', 60, '2026-03-01', NULL,
			'{}', '[]' ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO transfer_answer (part, key, caller, subscriber_id, reference, fingerprint, at, answer)
			SELECT n % 256, sha256(n::text::bytea), '', lpad(to_hex(n), 32, '0')::uuid, n, '', '2026-03-01', '{}' ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO transfer_quote (part, id, expires_at, document) SELECT n % 256, n, '2026-03-01', '{}' ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO transfer_counter (part, subscriber_id, rule, other, start, count, seconds)
			SELECT n % 256, lpad(to_hex(n), 32, '0')::uuid, 'day', '', '2026-03-01', 1, 60 ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO party (part, subscriber_id, document, blocks, imsi, pin_hash, pin_must_change, pin_tries, pin_locks, pin_resets)
			SELECT n % 256, lpad(to_hex(n), 32, '0')::uuid, '{}', '{}', '', '', false, 0, 0, 0 ` + numbered + ` ON CONFLICT DO NOTHING`,
		`INSERT INTO role (code, part, subscriber_id, kind, parent, closed, created_at)
			SELECT n, n % 256, lpad(to_hex(n), 32, '0')::uuid, 'agent', '', false, '2026-03-01' ` + numbered + ` ON CONFLICT DO NOTHING`,
	} {
		if _, err := db.ExecContext(t.Context(), statement, count); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func emptyTables(t *testing.T, db *sqlx.DB) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), `DELETE FROM session; DELETE FROM bucket; DELETE FROM contract; DELETE FROM identity; DELETE FROM subscriber;
		DELETE FROM transfer; DELETE FROM transfer_answer; DELETE FROM transfer_quote; DELETE FROM transfer_counter; DELETE FROM party; DELETE FROM role`); err != nil {
		t.Fatal(err)
	}
}

func analyze(t *testing.T, db *sqlx.DB) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), `ANALYZE subscriber, identity, bucket, contract, session, transfer, transfer_answer, transfer_quote, transfer_counter, party, role`); err != nil {
		t.Fatal(err)
	}
}

var sharedBuffers = regexp.MustCompile(`shared hit=(\d+)(?: read=(\d+))?`)

// A plan that was made when the table was small, or when ANALYZE had seen it empty, costs at most the batch when it is full.
func TestStalePlanCostsAtMostTheBatch(t *testing.T) {
	t.Parallel()
	for _, state := range []struct {
		name string
		make func(*sqlx.DB)
	}{
		{"empty", func(db *sqlx.DB) { analyze(t, db) }},
		{"never analyzed", func(*sqlx.DB) {}},
		{"small", func(db *sqlx.DB) { fillTables(t, db, 10); analyze(t, db) }},
		{"some", func(db *sqlx.DB) { fillTables(t, db, 300); analyze(t, db) }},
		{"all deleted", func(db *sqlx.DB) { fillTables(t, db, 20000); emptyTables(t, db); analyze(t, db) }},
	} {
		t.Run(state.name, func(t *testing.T) {
			t.Parallel()
			db := postgres.HotPool(postgrestest.New(t))
			for _, table := range []string{"subscriber", "bucket", "session"} { // or the plan does not stay stale
				if _, err := db.ExecContext(t.Context(), `ALTER TABLE `+table+` SET (autovacuum_enabled = false)`); err != nil {
					t.Fatal(err)
				}
			}
			state.make(db)
			measureStalePlans(t, db)
		})
	}
}

func measureStalePlans(t *testing.T, db *sqlx.DB) {
	t.Helper()
	const batch = 60
	list := func(item func(i int) string) string {
		items := make([]string, batch)
		for i := range items {
			items[i] = item((i + 1) * 100)
		}
		return "'{" + strings.Join(items, ",") + "}'"
	}
	ids := list(func(i int) string { return fmt.Sprintf("%032x", i) })
	sessions := list(func(i int) string { return fmt.Sprintf("session%d", i) })
	numbers := list(strconv.Itoa)
	statements := []struct {
		text      string
		arguments []string
	}{
		{postgres.LockSubscribers, []string{ids}},
		{postgres.LoadBuckets, []string{ids, "'2026-03-01'", "'{}'"}},
		{postgres.LoadSessions, []string{sessions}},
		{postgres.UpdateBuckets, []string{ids, ids, numbers, numbers}},
		{postgres.Locate, []string{sessions}},
	}
	conn, err := db.Connx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for i, s := range statements {
		prepare(t, conn, fmt.Sprint("stale", i), s.text)
		explainPrepared(t, conn, "EXPLAIN", fmt.Sprint("stale", i), s.text, nil) // plans it
	}
	fillTables(t, db, 20000)
	// Finding a row takes about four buffers in an index and one in the table, changing it some more; a table has hundreds.
	const most = batch * 15
	for i, s := range statements {
		plan := explainPrepared(t, conn, "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF)", fmt.Sprint("stale", i), s.text, s.arguments)
		match := sharedBuffers.FindStringSubmatch(plan)
		if match == nil || !strings.Contains(plan, "rows=60") {
			t.Fatalf("no buffers, or not 60 rows, in\n%s", plan)
		}
		hit, _ := strconv.Atoi(match[1])
		read, _ := strconv.Atoi("0" + match[2])
		if hit+read > most {
			t.Errorf("%d buffers, want at most %d:\n%s\n%s", hit+read, most, s.text, plan)
		}
	}
}
