//go:build !linux

package main

import "syscall"

// ownGroup keeps Ctrl-C from a child, so that the generator ends first.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// isMemory reports whether what is written to dir stays in memory. Nothing here says so.
func isMemory(string) bool { return false }
