//go:build !linux

package integration

import (
	"os/exec"
	"syscall"
)

// startTied has no way to tie cmd to this process here; the tests end what they started themselves.
func startTied(cmd *exec.Cmd, _ syscall.Signal) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd.Start()
}
