// Conformance writes docs/conformance.md: every requirement of docs/spec/gy.md with its tests and what they came to.
//
//	go test -json ./... | go run ./integration/conformance > docs/conformance.md
//
// `make conformance` does that. A test holds a requirement when its name or the comment above it says so: TestGY_077_…, or GY-077.
// Black box means a test of package integration, which talks to the real binary in octets; the others are tests inside, where a clock can
// be moved or a function called alone.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(results io.Reader, out io.Writer) error {
	requirements, err := readRequirements("docs/spec/gy.md")
	if err != nil {
		return err
	}
	tests, err := findTests(".")
	if err != nil {
		return err
	}
	outcomes, err := readOutcomes(results)
	if err != nil {
		return err
	}
	notes, err := readNotes("integration/conformance/notes.txt")
	if err != nil {
		return err
	}
	if err := closeGaps("integration/conformance/gaps.txt", tests); err != nil {
		return err
	}
	_, err = io.WriteString(out, table(requirements, tests, notes, outcomes))
	return err
}
