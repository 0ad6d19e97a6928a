//go:build unix && !linux

package cluster

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// attributes make a process of a that Ctrl-C does not reach. There are no user namespaces here, and it does not die with
// us: the next start stops it.
func (a account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if a.change {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // G115: ids of accounts
	}
	return attributes
}

// isPostmasterOf reports whether the process is a postmaster that was started for data.
func isPostmasterOf(pid int, data string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec,noctx // G204: a number; ps does not wait
	return err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), data)
}
