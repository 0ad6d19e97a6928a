package main

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
)

const modulePath = "github.com/gyro-ocs/gyro"

// outcomes are what tests came to, as go test -json tells: pass, fail or skip, by package and test; the package alone has an empty name.
type outcomes map[[2]string]string

func readOutcomes(r io.Reader) (outcomes, error) {
	all := make(outcomes)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct{ Action, Package, Test string }
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // what the compiler said
		}
		switch event.Action {
		case "pass", "fail", "skip":
			dir := strings.TrimPrefix(strings.TrimPrefix(event.Package, modulePath), "/")
			all[[2]string{dir, event.Test}] = event.Action
		}
	}
	return all, lines.Err()
}

// of returns what a test came to; empty when it was not run. A scenario comes to what its package does.
func (o outcomes) of(t test) string {
	if strings.HasPrefix(t.name, "Test") {
		return o[[2]string{t.dir, t.name}]
	}
	return o[[2]string{t.dir, ""}]
}
