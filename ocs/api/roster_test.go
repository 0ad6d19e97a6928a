package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

func testPlans() map[string]rating.Plan {
	return map[string]rating.Plan{"demo": {Name: "demo"}, "night": {Name: "night"}}
}

func TestReadRoster(t *testing.T) {
	t.Parallel()
	const header = "msisdn,imsi,plan,seconds\n"
	for _, test := range []struct {
		name, file string
		rows       []string
		faults     []string
	}{
		{
			"rows", header + "4930000001,262010000000001,demo,12000\n+49 30 000002,,night,0\n",
			[]string{"2 4930000001 262010000000001 demo 12000", "3 4930000002  night 0"}, nil,
		},
		{"no line end at the end", header + "4930000001,,demo,1", []string{"2 4930000001  demo 1"}, nil},
		{
			"spreadsheet: mark, CRLF, quotes, spaces", "\xef\xbb\xbfMSISDN, imsi ,Plan,seconds\r\n\"4930000001\", ,demo, 60 \r\n",
			[]string{"2 4930000001  demo 60"}, nil,
		},
		{"only a header", header, nil, nil},
		{"empty", "", nil, []string{"1: the file is empty; its first line must be msisdn,imsi,plan,seconds"}},
		{"no header", "4930000001,,demo,1\n", nil, []string{"1: the first line must be msisdn,imsi,plan,seconds"}},
		{
			"semicolons", "msisdn;imsi;plan;seconds\n", nil,
			[]string{"1: the fields must be parted by commas; the first line must be msisdn,imsi,plan,seconds"},
		},
		{
			"every fault of a line", header + "12,34,gold,-1\n", nil, []string{
				"2: msisdn: it has 2 digits, and 5 to 15 are right",
				"2: imsi: it has 2 digits, and 6 to 15 are right",
				`2: plan: the catalogue has no "gold"; it has demo, night`,
				"2: seconds: -1 is not between 0 and 1000000000000",
			},
		},
		{
			"fields", header + "4930000001,,demo\n4930000002,,demo,1,2\n4930000003,,demo,1\n", []string{"4 4930000003  demo 1"},
			[]string{"2: 3 fields instead of 4", "3: 5 fields instead of 4"},
		},
		{
			"seconds", header + "4930000001,,demo,\n4930000002,,demo,1.5\n4930000003,,demo,99999999999999999999\n", nil, []string{
				"2: seconds: it is empty; write 0 for no bucket", "3: seconds: it is not a whole number", "4: seconds: it is not a whole number",
			},
		},
		{
			"twice", header + "4930000001,262010000000001,demo,1\n+49-30-000001,,demo,1\n4930000002,262010000000001,demo,1\n",
			[]string{"2 4930000001 262010000000001 demo 1"},
			[]string{"3: msisdn: it is the one of line 2 again", "4: imsi: it is the one of line 2 again"},
		},
		{
			"quotation marks gone wrong", header + "49\"30000001,,demo,1\n4930000002,,demo,1\n", []string{"3 4930000002  demo 1"},
			[]string{"2: a quotation mark inside a field; no field needs one"},
		},
		{"quotation mark never closed", header + "\"4930000001,,demo,1\n4930000002,,demo,1\n", nil, []string{"2: a quotation mark that is not closed where the field ends; no field needs one"}},
		{"an imsi in the wrong column is not told", header + "4930000001,,262010000000001,1\n", nil, []string{"2: plan: that is no name; the catalogue has demo, night"}},
		{
			"other names, in any order", "msisdn,imsi,plan,seconds,NAI, sip_uri\n4930000001,,demo,1,A@Example.Net,sip:a@Example.Net\n4930000002,,demo,1,,\n",
			[]string{"2 4930000001  demo 1 3=A@example.net 2=sip:a@example.net", "3 4930000002  demo 1"}, nil,
		},
		{
			"faults of other names", "msisdn,imsi,plan,seconds,sip_uri,private\n4930000001,,demo,1,a@b,x\n4930000002,,demo,1,sip:a@b,x\n4930000003,,demo,1,sip:a@B,x\n4930000004,,demo,1\n",
			nil, []string{
				"2: sip_uri: it must be like sip:user@domain", "3: private: it is the one of line 2 again",
				"4: sip_uri: it is the one of line 3 again", "4: private: it is the one of line 2 again", "5: 4 fields instead of 6",
			},
		},
		{"a column that nobody knows", "msisdn,imsi,plan,seconds,nai,email\n", nil, []string{"1: column 6 of the first line is none of nai, private, sip_uri"}},
		{"a column twice", "msisdn,imsi,plan,seconds,nai,nai\n", nil, []string{"1: column 6 of the first line is nai again"}},
		{"empty lines keep the count", header + "\n\n4930000001,,demo,x\n", nil, []string{"4: seconds: it is not a whole number"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := readRoster(strings.NewReader(test.file), testPlans())
			if err != nil {
				t.Fatal(err)
			}
			var rows, faults []string
			for _, r := range got.rows {
				var row strings.Builder
				fmt.Fprintf(&row, "%d %s %s %s %d", r.line, r.msisdn, r.imsi, r.plan, r.seconds)
				for _, other := range r.others {
					fmt.Fprintf(&row, " %d=%s", other.Kind, other.Value)
				}
				rows = append(rows, row.String())
			}
			for _, f := range got.faults.first {
				faults = append(faults, fmt.Sprintf("%d: %s", f.line, f.why))
			}
			if !slices.Equal(rows, test.rows) || !slices.Equal(faults, test.faults) || got.faults.count != len(faults) {
				t.Errorf("file %q\n got rows %q\nwant rows %q\n got faults %q (%d)\nwant faults %q",
					test.file, rows, test.rows, faults, got.faults.count, test.faults)
			}
		})
	}
}

func TestReadRosterTellsTheFirstFaultsAndCountsAll(t *testing.T) {
	t.Parallel()
	file := "msisdn,imsi,plan,seconds\n" + strings.Repeat("4930000001,,demo,x\n", 100)
	got, err := readRoster(strings.NewReader(file), testPlans())
	if err != nil {
		t.Fatal(err)
	}
	const faults = 100 + 99 // the seconds of every line, and its number from the second on
	if len(got.faults.first) != maxFaults || got.faults.count != faults {
		t.Errorf("%d faults told and %d counted, want %d and %d", len(got.faults.first), got.faults.count, maxFaults, faults)
	}
}

func FuzzReadRoster(f *testing.F) {
	f.Add("msisdn,imsi,plan,seconds\n4930000001,262010000000001,demo,12000\n")
	f.Add("msisdn,imsi,plan,seconds\n\"49\n30\",,demo,1\n")
	f.Fuzz(func(t *testing.T, file string) {
		got, err := readRoster(strings.NewReader(file), testPlans())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range got.rows {
			if again, err := ParseMSISDN(row.msisdn); err != nil || again != row.msisdn || row.seconds < 0 || row.plan == "" {
				t.Errorf("accepted %+v, %v", row, err)
			}
		}
	})
}
