package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
)

func importFile(t *testing.T, s *apitest.Server, rows string) answer {
	t.Helper()
	return ask(t, s, "POST", "/care/v1/subscribers/import", "msisdn,imsi,plan,seconds\n"+rows)
}

// stages returns the stages that an import told, and the last line.
func stages(t *testing.T, a answer) (told []string, last api.ImportProgress) {
	t.Helper()
	for line := range strings.Lines(a.text) {
		last = api.ImportProgress{}
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		told = append(told, last.Stage)
	}
	return told, last
}

// rows are n rows of an import from number first on.
func rows(first, n int) string {
	var text strings.Builder
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&text, "49301%06d,26201%010d,demo,%d\n", i, i, i)
	}
	return text.String()
}

func TestImport(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	const n = 2500
	got := importFile(t, s, rows(0, n))
	wantStatus(t, got, http.StatusOK)
	told, last := stages(t, got)
	if told[0] != api.ImportStoring || last.Stage != api.ImportDone || last.Rows != n {
		t.Errorf("stages %v, last %+v", told, last)
	}
	for _, i := range []int{0, 1, 1234, n - 1} { // 0 has no bucket
		account := show(t, s, fmt.Sprintf("49301%06d", i))
		if int(account.BalanceSeconds) != i || account.IMSI != fmt.Sprintf("26201%010d", i) || len(account.Buckets) != min(i, 1) {
			t.Errorf("subscriber %d: %+v", i, account)
		}
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	create(t, s, "4930000001", 60)
	for _, test := range []struct {
		name, rows string
		status     int
		detail     string
		faults     []string
	}{
		{
			"a wrong line", rows(0, 3) + "4930000002,,gold,1\n" + rows(3, 3), http.StatusUnprocessableEntity, "faults in the file: 1",
			[]string{`line 5: plan: the catalogue has no "gold"; it has demo`},
		},
		{
			"a subscriber who is there", rows(0, 3) + "4930000001,,demo,1\n", http.StatusConflict, "1 of the 4 subscribers of the file are there already",
			[]string{"line 5: msisdn: a subscriber has it already"},
		},
		{"no subscriber", "", http.StatusUnprocessableEntity, "no subscribers", []string{"line 2: nothing was imported: the file has a header and no subscribers"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := importFile(t, s, test.rows)
			wantStatus(t, got, test.status)
			var problem huma.ErrorModel
			got.decode(t, &problem)
			if !strings.Contains(problem.Detail, test.detail) || !strings.HasPrefix(problem.Detail, "nothing was imported") {
				t.Errorf("detail %q, want %q in it", problem.Detail, test.detail)
			}
			var faults []string
			for _, fault := range problem.Errors {
				faults = append(faults, fault.Location+": "+fault.Message)
			}
			if strings.Join(faults, "\n") != strings.Join(test.faults, "\n") {
				t.Errorf("faults %q, want %q", faults, test.faults)
			}
			wantStatus(t, ask(t, s, "GET", "/care/v1/subscribers/49301000000", nil), http.StatusNotFound)
		})
	}
}

func TestImportAgainSaysThatAllAreThere(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	const n = 30
	wantStatus(t, importFile(t, s, rows(0, n)), http.StatusOK)
	got := importFile(t, s, rows(0, n))
	wantStatus(t, got, http.StatusConflict)
	var problem huma.ErrorModel
	got.decode(t, &problem)
	if !strings.Contains(problem.Detail, "all 30 subscribers of the file are there already") || len(problem.Errors) != 0 {
		t.Errorf("%d faults, %q", len(problem.Errors), problem.Detail)
	}
	if got := show(t, s, "49301000007").BalanceSeconds; got != 7 {
		t.Errorf("balance %d, want 7 as imported once", got)
	}
}
