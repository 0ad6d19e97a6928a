package integration

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// startTied starts cmd, in a process group of its own, so that the kernel sends it a signal when this process dies, however it
// dies: nothing is left behind by a test run that was itself killed. The kernel means the thread that started it, and the Go runtime
// ends threads, so all of them are started by one that lasts.
func startTied(cmd *exec.Cmd, atDeath syscall.Signal) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: atDeath, Setpgid: true}
	result := make(chan error)
	lastingThread() <- func() { result <- cmd.Start() }
	return <-result
}

var lastingThread = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})
