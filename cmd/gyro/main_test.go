package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the command gyro when it is started under that name, so that scripts run the real
// thing in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gyro": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}
