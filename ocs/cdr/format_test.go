package cdr

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

var rewrite = flag.Bool("rewrite", false, "write what the formats come to into testdata")

// someRows are a record of every kind, with texts that need care.
func someRows() []Row {
	at := time.Date(2026, 10, 25, 1, 30, 5, 250_000_000, time.UTC)
	group := uint32(100)
	cause := uint32(1)
	isup := int32(-487)
	full := ocs.Record{
		MSISDN: "491700000001", IMSI: "262010000000001", Session: ocs.SessionKey{ID: "tas1;17;\"quoted\", name", Sub: "2"}, Number: 2,
		Cause: ocs.ByInterval, Service: "32260@3gpp.org", Origin: ocs.Origin{Host: "tas1.ims.test", Realm: "ims.test"},
		Conditions: ocs.Conditions{
			Direction: rating.Terminating, Calling: "sip:+491700000001@ims.test", Called: "tel:+4930123", Dialled: "0301\n23", Network: "20801",
			ServingNode: "33612", ICID: "=cmd|' /C calc'!A0", CallStart: at.Add(-70 * time.Second), Answered: at.Add(-time.Minute),
			CauseCode: &isup, Routes: []string{"dra1.test", "dra2.test"},
		},
		OtherParty: "+4930123", StartedAt: at.Add(-71 * time.Second), EndedAt: at, TerminationCause: &cause,
		Lines: []ocs.RecordLine{
			{RatingGroup: &group, ServiceIDs: []uint32{5, 6}, Tariff: "national", Plan: "200 minutes", Catalog: "c1", Measure: rating.Seconds,
				Used: 3725, Unit: rating.Seconds, Charged: 3725, Overrun: 7, Granted: 4000, Reasons: 1<<2 | 1<<3, Network: "20801",
				Taken: []ocs.Hold{{Bucket: "b1", Units: 3000}, {Bucket: "b2", Units: 725}}},
			{Tariff: "abroad", Measure: rating.Seconds, Used: 60, Unit: "EUR", Charged: 105},
		},
		MissingNumbers: []uint32{3, 4},
	}
	data := ocs.Record{
		MSISDN: "491700000002", Session: ocs.SessionKey{ID: "pgw1;1"}, Number: 1, Cause: ocs.ByRefusal, Verdict: ocs.CreditLimitReached,
		Service: "32251@3gpp.org", Conditions: ocs.Conditions{APN: "internet"}, StartedAt: at, EndedAt: at,
		Lines: []ocs.RecordLine{{RatingGroup: &group, Tariff: "data", Measure: rating.Octets, Used: 1_500_001, Unit: rating.Octets, Charged: 1_500_001}},
	}
	plain := ocs.Record{MSISDN: "491700000003", Session: ocs.SessionKey{ID: "x"}, Number: 1, Cause: ocs.ByTermination, Service: "32260@3gpp.org", StartedAt: at, EndedAt: at}
	fee := posted{
		key: postgres.ExportKey{At: at, Subscriber: "s"}, kind: Fee, movement: "transfer:T1", account: "fee", reason: "p2p", unit: rating.Seconds, units: -12,
		lots: []ocs.Hold{{Bucket: "b1", Units: -12}},
	}
	return []Row{
		rowOf(&full, 41, false), rowOf(&data, 42, true), rowOf(&plain, 43, false),
		rowOfPosted(&fee, told{MSISDN: "491700000001", Other: "491700000002"}, 44, false),
	}
}

// written is what a form makes of the rows.
func written(t *testing.T, form Form) []byte {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	rows, closer, err := form.writer(&out, fileHead{file: 7, zone: berlin, sealed: day(11, 1).Add(2 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.drop()
	all := someRows()
	for i := range all {
		if err := rows.add(&all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.end(); err != nil {
		t.Fatal(err)
	}
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// golden compares with a file of testdata; -rewrite writes it anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is different; go test ./ocs/cdr -rewrite shows how:\n%s", path, got)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	golden(t, "all.csv", written(t, Form{Format: CSV}))
	golden(t, "all.jsonl", written(t, Form{Format: JSONL}))
	template, err := os.ReadFile(filepath.Join("testdata", "billing.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "billing.csv", written(t, Form{Format: CSV, Template: template}))
	if got := written(t, Form{Format: CSV, Template: []byte("line_end: crlf\nquote: always\ncolumns: [part]")}); !bytes.HasPrefix(got, []byte("\"part\"\r\n\"2\"\r\n")) {
		t.Errorf("lines that end in CRLF: %q", got)
	}
	golden(t, "all.ber", written(t, Form{Format: ASN1}))
}

// Parquet is read by its own reader, field by field.
func TestParquet(t *testing.T) {
	t.Parallel()
	data := written(t, Form{Format: Parquet})
	if again := written(t, Form{Format: Parquet}); !bytes.Equal(data, again) {
		t.Error("the file differs the second time")
	}
	got, err := parquet.Read[Row](bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want := someRows()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		var a, b bytes.Buffer
		for buffer, row := range map[*bytes.Buffer]*Row{&a: &got[i], &b: &want[i]} {
			w := newJSONWriter(buffer)
			row.EndedAt, row.StartedAt, row.CallStart, row.Answered = row.EndedAt.UTC(), row.StartedAt.UTC(), row.CallStart.UTC(), row.Answered.UTC()
			if err := w.add(row); err != nil {
				t.Fatal(err)
			}
			if err := w.end(); err != nil {
				t.Fatal(err)
			}
		}
		if a.String() != b.String() {
			t.Errorf("row %d\n got %swant %s", i, a.String(), b.String())
		}
	}
}

// A decoder that somebody else wrote (Erlang's asn1ct) reads the module of docs and the file.
func TestForeignDecoder(t *testing.T) {
	t.Parallel()
	if exec.CommandContext(t.Context(), "erl", "-noshell", "-eval", "{ok,_} = application:ensure_all_started(asn1), _ = code:which(asn1ct), halt(case code:which(asn1ct) of non_existing -> 1; _ -> 0 end).").Run() != nil {
		t.Skip("NOT TESTED with a foreign ASN.1 decoder: erlang-asn1 is not installed (make test installs it)")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "all.ber")
	if err := os.WriteFile(file, written(t, Form{Format: ASN1}), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "escript", filepath.Join("testdata", "decode.escript"), filepath.Join("..", "..", "docs", "GyroChargingRecords.asn1"), dir, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	golden(t, "all.ber.txt", out)
}

// Lists that do not fit are left out, and the record says so.
func TestRecordThatIsTooLong(t *testing.T) {
	t.Parallel()
	row := someRows()[0]
	for range 2000 {
		row.Lines = append(row.Lines, row.Lines[0])
	}
	a, err := newASN1Writer(nil, fileHead{zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.spool.Close() }()
	if err := a.add(&row); err != nil {
		t.Fatal(err)
	}
	if n := len(a.ber.data); n > mostRecord || n < mostRecord/4 || !bytes.Contains(a.ber.data, []byte{0x9c, 1, 0xff}) {
		t.Errorf("%d octets", n)
	}
}

func TestTemplateFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"columns: [nothing]":                             "line", // placeholder of the position is checked below
		"delimiter: \"\\n\"\ncolumns: [msisdn]":          "is no delimiter",
		"delimiter: ab":                                  "is no delimiter",
		"time: yesterday":                                "is no format of times",
		"time_zone: Nowhere/Land":                        "is no time zone",
		"columns: [{from: msisdn, as: hms}]":             "cannot be written as",
		"columns: [{name: x}]":                           "needs from",
		"columns: [{name: x, from: msisdn, value: y}]":   "either from or value",
		"columns: [{value: y}]":                          "needs a name",
		"colums: []":                                     "unknown key",
		"quote: sometimes":                               "is none of",
		"---\ncolumns: [msisdn]\n---\ncolumns: [msisdn]": "one document",
	} {
		_, err := ParseTemplate("t.yaml", []byte(text))
		if want == "line" {
			want = "t.yaml:1: columns[0]: \"nothing\" is no column"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
