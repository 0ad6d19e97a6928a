package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// boundlessPolicy is the file of the shipped policy with limits that no test reaches.
func boundlessPolicy(t *testing.T) string {
	t.Helper()
	return changedPolicy(t)
}

// changedPolicy is boundlessPolicy with further changes, old and new; each old must be there.
func changedPolicy(t *testing.T, changes ...string) string {
	t.Helper()
	shipped, err := os.ReadFile("../deploy/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	source := regexp.MustCompile(`count: \d+`).ReplaceAllString(string(shipped), "count: 1000000")
	source = regexp.MustCompile(`seconds: \d+min`).ReplaceAllString(source, "seconds: 1000000000min")
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(source, changes[i]) {
			t.Fatalf("the shipped policy does not say %q", changes[i])
		}
		source = strings.Replace(source, changes[i], changes[i+1], 1)
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	writeFile(t, path, source)
	return path
}
