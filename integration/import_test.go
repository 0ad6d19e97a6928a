package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A hundred thousand subscribers come in within a minute. Bringing them in again, or a file with a fault in it, changes nothing.
func TestImportOfManySubscribers(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	const many = 100_000
	var roster strings.Builder
	roster.WriteString("msisdn,imsi,plan,seconds\n")
	number := func(i int) string { return fmt.Sprintf("49171%07d", i) }
	for i := range many {
		fmt.Fprintf(&roster, "%s,26202%010d,demo,%d\n", number(i), i, 600+i%60)
	}
	path := filepath.Join(t.TempDir(), "roster.csv")
	writeFile(t, path, roster.String())

	start := time.Now()
	s.gyro(t, "subscriber", "import", path)
	took := time.Since(start)
	t.Logf("%d subscribers in %v", many, took)
	if took > time.Minute {
		t.Errorf("%d subscribers took %v, more than a minute", many, took)
	}
	for _, i := range []int{0, many / 2, many - 1} {
		s.wantAccount(t, number(i), int64(600+i%60), 0)
	}

	if _, stderr, code, err := s.run(t.Context(), "subscriber", "import", path); err != nil || code != 4 || !strings.Contains(stderr, "there already") {
		t.Errorf("the same file again: exit %d, %v, %s, want 4 and that all are there already", code, err, stderr)
	}
	s.wantAccount(t, number(0), 600, 0)

	faulty := filepath.Join(t.TempDir(), "faulty.csv")
	writeFile(t, faulty, "msisdn,imsi,plan,seconds\n49172000001,,demo,60\n49172000002,,demo,much\n")
	_, stderr, code, err := s.run(t.Context(), "subscriber", "import", faulty)
	if err != nil || code != 1 || !strings.Contains(stderr, "line 3: seconds") {
		t.Errorf("a file with a fault: exit %d, %v, %s, want 1 and line 3 with its column", code, err, stderr)
	}
	if _, _, code, err := s.run(t.Context(), "subscriber", "show", "49172000001"); err != nil || code != 3 {
		t.Errorf("a subscriber of a file with a fault: exit %d, %v, want 3, not found", code, err)
	}
}
