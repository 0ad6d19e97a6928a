package cdr

import (
	"context"
	"database/sql"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq" // to fill the database

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

var (
	measured = flag.Int("records", 0, "how many CDRs the measured month has; 0: nothing is measured")
	formats  = flag.String("formats", "csv,jsonl,parquet,asn1", "formats that are measured")
)

// fillMonth makes CDRs of October as calls leave them, in the order of time, without the help of this program.
const fillMonth = `
	INSERT INTO cdr (part, subscriber_id, ended_at, session_id, sub_session, number, msisdn, cause, service, origin_host,
		origin_realm, origin_state_id, origin_peer, other_party, started_at, termination_cause, conditions, lines, missing_numbers)
	SELECT g % 256, md5((g % 200000)::text)::uuid, at, 'tas' || g % 8 || '.ims.example.net;1793000000;' || g, '', 1,
		'4917' || lpad((g % 200000)::text, 8, '0'), 'termination', '32260@3gpp.org', 'tas' || g % 8 || '.ims.example.net',
		'ims.example.net', 1793000000, 'dra1.ims.example.net', '+4930' || lpad((g % 9999999)::text, 7, '0'), at - (g % 600) * interval '1 s', 1,
		format('{"calling":"sip:+4917%s@ims.example.net","called":"tel:+4930%s","icid":"icid-%s","answered_us":%s,"imsi":"26201%s"}',
			lpad((g % 200000)::text, 8, '0'), lpad((g % 9999999)::text, 7, '0'), md5(g::text),
			(extract(epoch from at) * 1000000)::bigint - (g % 600) * 1000000, lpad((g % 200000)::text, 10, '0'))::json,
		format('[{"rg":100,"tariff":"national","plan":"200 minutes","catalog":"c3f9a1d2","measure":"seconds","used":%s,"unit":"seconds",' ||
			'"charged":%s,"granted":%s,"why":20,"taken":[{"bucket":"%s","units":%s}]}]', g % 600, g % 600, g % 600 + 60, md5('b' || g % 200000)::uuid, g % 600)::json,
		'[]'
	FROM (SELECT g, timestamptz '2026-10-01 00:00:00+00' + g * (interval '31 days' / $3::double precision) AS at FROM generate_series($1::bigint, $2::bigint) g) f`

// A month of many records is exported twice, with the same octets and flat memory. It measures, when told how many:
//
//	go test ./ocs/cdr -run TestMeasureMonth -records 10000000 -v -timeout 2h
func TestMeasureMonth(t *testing.T) { //nolint:paralleltest // it measures
	if *measured == 0 {
		t.Skip("-records says how many; make month")
	}
	private, err := cluster.Start(t.Context(), cluster.Options{Dir: filepath.Join(postgrestest.Dir(t), "pg")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = private.Stop(context.Background()) }()
	store, err := postgres.Open(t.Context(), private.DSN(), postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.MakePartitions(t.Context(), october.From); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("postgres", private.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	start := time.Now()
	const atOnce = 250_000
	for from := 0; from < *measured; from += atOnce {
		if _, err := db.ExecContext(t.Context(), fillMonth, from, min(from+atOnce, *measured)-1, *measured); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(t.Context(), `VACUUM ANALYZE cdr`); err != nil {
		t.Fatal(err)
	}
	t.Logf("filled with %d CDRs in %s; memory so far %s", *measured, time.Since(start).Round(time.Second), peakMemory())
	book := &Book{Store: store, Now: func() time.Time { return day(12, 1) }, Zone: time.UTC}
	start = time.Now()
	if _, err := book.Close(t.Context(), october, DefaultPerFile, func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %s", time.Since(start).Round(time.Millisecond))
	w := &world{t: t, store: store, book: book}
	for format := range strings.SplitSeq(*formats, ",") {
		var dirs []string
		for range 2 {
			dir := t.TempDir()
			start := time.Now()
			e := w.export(t.Context(), "2026-10", Form{Format: Format(format)}, dir)
			took := time.Since(start)
			size := int64(0)
			for _, f := range e.Manifest.Files {
				size += f.Bytes
			}
			t.Logf("%s: %d records, %d files, %d MB in %s, %.0f a second; peak memory %s", format, e.Manifest.Records, len(e.Manifest.Files),
				size>>20, took.Round(time.Millisecond), float64(e.Manifest.Records)/took.Seconds(), peakMemory())
			dirs = append(dirs, dir)
		}
		sameFiles(t, dirs[0], dirs[1])
		for _, dir := range dirs {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// peakMemory is how much memory this process had resident at most.
func peakMemory() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(status)) {
		if kilobytes, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(kilobytes)[0])
			return strconv.Itoa(n>>10) + " MB"
		}
	}
	return "unknown"
}
