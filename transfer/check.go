package transfer

import (
	"strconv"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Check is one rule as it was looked at, kept so that the decision can be explained. It names no subscriber.
type Check struct {
	Rule   string
	Have   string
	Want   string
	Passed bool
	NextAt time.Time // when it would pass next, if nothing else happens; zero: now, or never
}

// check records a rule. The first one that fails decides the refusal.
func (d *decision) check(rule string, passed bool, r Refusal, have, want string) bool {
	return d.checkUntil(rule, passed, r, have, want, time.Time{})
}

// checkUntil is check for a rule that time alone will let pass, at next.
func (d *decision) checkUntil(rule string, passed bool, r Refusal, have, want string, next time.Time) bool {
	if passed {
		next = time.Time{}
	}
	d.checks = append(d.checks, Check{Rule: rule, Have: have, Want: want, Passed: passed, NextAt: next})
	if passed {
		return true
	}
	switch {
	case d.answer.Refusal == None:
		d.answer.Refusal, d.retryAt = r, next
	case r != d.answer.Refusal:
	case d.retryAt.IsZero() || next.IsZero(): // one of them will never pass
		d.retryAt = time.Time{}
	case next.After(d.retryAt): // trying before the later one passes is of no use
		d.retryAt = next
	}
	return false
}

func seconds(n rating.Units) string { return strconv.FormatInt(int64(n), 10) + " s" }

func atLeast(n rating.Units) string { return "at least " + seconds(n) }

func atMost(n rating.Units) string { return "at most " + seconds(n) }

// instant tells a time in a check. Checks are for the operator, who reads UTC everywhere.
func instant(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
