package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// checkClock asks the kernel whether something keeps its clock in step (adjtimex(2)). CDRs and expiries live by it.
func checkClock(now time.Time) finding {
	state, err := unix.Adjtimex(&unix.Timex{})
	switch {
	case now.Year() < buildYear:
		return fail("set the clock", "the clock says %s", now.Format(time.RFC3339))
	case err != nil:
		return warn("run chrony or systemd-timesyncd", "%s; whether it is kept in step cannot be told here: %v", now.Format(time.RFC3339), err)
	case state == unix.TIME_ERROR:
		return warn("run chrony or systemd-timesyncd", "%s, not kept in step by NTP", now.Format(time.RFC3339))
	}
	return ok("%s, kept in step", now.Format(time.RFC3339))
}
