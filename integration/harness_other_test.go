//go:build !linux

package integration

import "os/exec"

// startTied has no way to tie cmd to this process here; the tests end their servers themselves.
func startTied(cmd *exec.Cmd) error { return cmd.Start() }
