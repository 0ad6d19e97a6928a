// Generate makes the dictionaries of other programs from dictionary.txt. It runs in the directory of package dictionaries.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/gyro-ocs/gyro/dictionaries/internal/table"
)

func main() { os.Exit(run(os.Stderr)) }

func run(stderr io.Writer) int {
	if err := generate(); err != nil {
		_, _ = fmt.Fprintf(stderr, "generate the dictionaries: %v\n", err)
		return 1
	}
	return 0
}

func generate() error {
	master, err := os.Open("dictionary.txt")
	if err != nil {
		return err
	}
	defer func() { _ = master.Close() }() // read only
	t, err := table.Read(master)
	if err != nil {
		return err
	}
	for name, content := range table.Files(t) {
		if err := os.WriteFile(name, content, 0o644); err != nil { // sources, for everyone to read
			return err
		}
	}
	return nil
}
