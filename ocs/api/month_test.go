package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/cdr"
)

// closeMonth closes a month and returns the last line of the answer.
func closeMonth(t *testing.T, s *apitest.Server, month string) (last api.CloseProgress) {
	t.Helper()
	got := ask(t, s, "POST", "/care/v1/cdr-months/"+month+"/close", "")
	wantStatus(t, got, http.StatusOK)
	for line := range strings.Lines(got.text) {
		last = api.CloseProgress{}
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
	}
	return last
}

// A file comes with a trailer that tells its sums, the same each time, to billing only.
func TestMonthOfCDRs(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	wantStatus(t, importFile(t, s, rows(1, 10)), http.StatusOK) // ten grants
	if got := closeMonth(t, s, "2026-03"); got.Problem == nil || got.Problem.Status != http.StatusConflict || !strings.Contains(got.Problem.Detail, "not over") {
		t.Fatalf("a month that is not over: %+v", got.Problem)
	}
	wantStatus(t, ask(t, s, "GET", "/care/v1/cdr-months/2026-03", ""), http.StatusNotFound)
	wantStatus(t, ask(t, s, "POST", "/care/v1/cdr-months/2026-03/files/1", `{"format":"csv"}`), http.StatusNotFound)
	s.Advance(31 * 24 * time.Hour)
	last := closeMonth(t, s, "2026-03")
	if last.Plan == nil || last.Plan.Records != 10 || len(last.Plan.Files) != 1 {
		t.Fatalf("closed: %+v", last)
	}
	wantStatus(t, ask(t, s, "POST", "/care/v1/cdr-months/2026-03/files/1", `{"format":"csv","template":"columns: [nothing]"}`), http.StatusUnprocessableEntity)
	wantStatus(t, ask(t, s, "POST", "/care/v1/cdr-months/2026-03/files/1", `{"format":"pdf"}`), http.StatusUnprocessableEntity)
	if got := ask(t, s, "GET", "/care/v1/cdr-months", ""); !strings.Contains(got.text, `"month":"2026-03"`) {
		t.Errorf("months: %s", got.text)
	}
	fetch := func(token string) (*http.Response, []byte) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/care/v1/cdr-months/2026-03/files/1", strings.NewReader(`{"format":"csv"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, body
	}
	if answer, _ := fetch(s.Key(t, "care", "agent")); answer.StatusCode != http.StatusForbidden {
		t.Errorf("an agent gets %s", answer.Status)
	}
	answer, body := fetch(s.Key(t, "billing", "billing"))
	var sum cdr.FileSum
	if err := json.Unmarshal([]byte(answer.Trailer.Get(api.FileTrailer)), &sum); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(body)
	if sum.SHA256 != hex.EncodeToString(hash[:]) || sum.Bytes != int64(len(body)) || sum.Records != 10 || sum.Posted["seconds"] != 55 {
		t.Errorf("%d octets, trailer %+v", len(body), sum)
	}
	lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || len(lines) != 11 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	if _, again := fetch(s.Token); !bytes.Equal(body, again) {
		t.Error("the file differs the second time")
	}
}
