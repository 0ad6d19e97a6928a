package main

import "syscall"

// ownGroup keeps Ctrl-C from a child, so that the generator ends first, and has the kernel end it when this process is
// killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// tmpfs is the number of that file system in statfs(2).
const tmpfs = 0x01021994

// isMemory reports whether what is written to dir stays in memory.
func isMemory(dir string) bool {
	var s syscall.Statfs_t
	return syscall.Statfs(dir, &s) == nil && s.Type == tmpfs
}
