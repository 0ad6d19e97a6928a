package pin

import (
	"context"
	"errors"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Record is what is kept of one subscriber's PIN. The zero value is a subscriber that has none.
type Record struct {
	Hash        string // empty: none was ever set
	MustChange  bool   // set by somebody else: opens nothing until changed
	Tries       int    // counted since the last right one or the last lock
	Locks       int    // since the last right one; each makes the next longer
	LockedUntil time.Time
	ChangedAt   time.Time // when Hash last took the place of another, by whom ever; zero: it is the first
	Resets      int       // since ResetsSince
	ResetsSince time.Time
	Asked       AskedList // the latest tries that came with a reference
}

// A Store keeps records.
type Store interface {
	// PIN returns the record of a subscriber, the zero value where there is none.
	PIN(ctx context.Context, subscriber ocs.SubscriberID) (Record, error)

	// UpdatePIN stores what change makes of a subscriber's record, which is locked meanwhile; it is durable when UpdatePIN
	// returns. change may run more than once. When it returns an error nothing is stored, and UpdatePIN returns that error,
	// wrapped or not.
	UpdatePIN(ctx context.Context, subscriber ocs.SubscriberID, change func(Record) (Record, error)) error
}

// errLocked ends an update that has nothing to store.
var errLocked = errors.New("PIN is locked")

func (r Record) locked(now time.Time) bool { return now.Before(r.LockedUntil) }

// counted returns r with one try more. The last one that is allowed locks at once, as if it were wrong.
func (r Record) counted(rules transfer.PINRules, now time.Time) Record {
	if !r.LockedUntil.IsZero() { // that lock is over; its tries begin anew
		r.LockedUntil, r.Tries = time.Time{}, 0
	}
	r.Tries++
	if r.Tries >= rules.Tries {
		r.LockedUntil = now.Add(lockTime(rules, r.Locks))
		r.Locks++
	}
	return r
}

// opened returns r after a right PIN.
func (r Record) opened() Record {
	r.Tries, r.Locks, r.LockedUntil = 0, 0, time.Time{}
	return r
}

// with returns r with another PIN. The first one is no change: nobody who knew one before is locked out by it, so nothing has
// to cool off (spec/transfer 6.1 names the reset of a PIN), and who dials for the first time need not wait a day to send.
func (r Record) with(hash string, mustChange bool, now time.Time) Record {
	if r.Hash != "" {
		r.ChangedAt = now
	}
	r.Hash, r.MustChange = hash, mustChange
	return r
}

// longestLock bounds what growth makes of a lock.
const longestLock = 366 * 24 * time.Hour

// lockTime is how long the lock lasts that comes after so many others.
func lockTime(rules transfer.PINRules, before int) time.Duration {
	d := min(rules.Lock, longestLock)
	for range before {
		if rules.LockGrowth <= 1 || d == longestLock {
			break
		}
		if d > longestLock/time.Duration(rules.LockGrowth) {
			return longestLock
		}
		d *= time.Duration(rules.LockGrowth)
	}
	return d
}

// reset returns r with one reset more. ok is false when there were as many as rules allow.
func (r Record) reset(rules transfer.PINRules, now time.Time) (after Record, ok bool) {
	if r.ResetsSince.IsZero() || !now.Before(r.ResetsSince.Add(rules.ResetEvery)) {
		r.Resets, r.ResetsSince = 0, now
	}
	if r.Resets >= rules.Resets {
		return r, false
	}
	r.Resets++
	return r, true
}
