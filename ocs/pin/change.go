package pin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A WeakError tells why a PIN may not be chosen. It does not hold the PIN.
type WeakError struct {
	Weakness Weakness
	Digits   int // that are needed
}

// Error tells what would do.
func (e WeakError) Error() string {
	switch e.Weakness {
	case NotDigits, WrongLength:
		return fmt.Sprintf("a PIN has %d digits", e.Digits)
	case SameAsLast:
		return "the new PIN is the old one; choose another"
	case Strong, Repeats, IsRun, IsDate, OwnNumber, IsCommon:
	}
	return fmt.Sprintf("the PIN is too easy to guess: it is %s; choose another", e.Weakness)
}

// ErrNoReset tells that a subscriber has used up the resets of its time.
var ErrNoReset = errors.New("the PIN was reset as often as the policy allows")

// Change gives a subscriber the PIN of its own choice. a is the attempt with the old one; it is empty where there never was
// one, and only there. numbers are the digits of the subscriber's numbers, in every form that people write. The PIN is changed
// only when the credential is [transfer.Verified]; a new PIN that is too easy is a [WeakError] and costs no try.
func (c *Checker) Change(ctx context.Context, a Attempt, chosen Secret, numbers ...string) (transfer.Credential, error) {
	credential, err := c.change(ctx, a, chosen, numbers)
	if err != nil {
		return transfer.Credential{}, fmt.Errorf("change a PIN: %w", err)
	}
	return credential, nil
}

func (c *Checker) change(ctx context.Context, a Attempt, chosen Secret, numbers []string) (credential transfer.Credential, err error) {
	if err := c.mayChoose(chosen, numbers); err != nil {
		return credential, err
	}
	old := ""
	if a.PIN != "" {
		if old, credential, err = c.check(ctx, a); err != nil || old == "" {
			return credential, err
		}
		if chosen == a.PIN {
			return transfer.Credential{}, WeakError{SameAsLast, c.rules().Digits}
		}
	}
	hash, err := c.hash(ctx, a.Subscriber, chosen)
	if err != nil {
		return credential, err
	}
	err = c.store.UpdatePIN(ctx, a.Subscriber, func(r Record) (Record, error) {
		if r.Hash != old { // without an old PIN: there is one. With one: it was changed or reset meanwhile.
			return r, errChanged
		}
		return r.opened().with(hash, false, c.clock()), nil
	})
	switch {
	case errors.Is(err, errChanged) && old == "":
		return transfer.Credential{Result: transfer.NoCredential}, nil
	case err != nil:
		return transfer.Credential{}, err
	}
	return transfer.Credential{Result: transfer.Verified}, nil
}

// Set gives a subscriber a PIN of somebody else's choice. It opens nothing until the subscriber has chosen another, and may
// therefore be any PIN of the right length. A lock and its growth end.
func (c *Checker) Set(ctx context.Context, id ocs.SubscriberID, pin Secret) error {
	if digits := c.rules().Digits; !isPIN(pin) || len(pin) != digits {
		return fmt.Errorf("set a PIN: %w", WeakError{WrongLength, digits})
	}
	if err := c.give(ctx, id, pin, func(r Record) (Record, error) { return r, nil }); err != nil {
		return fmt.Errorf("set a PIN: %w", err)
	}
	return nil
}

// Reset draws a PIN, which opens nothing until the subscriber has chosen another. Who may ask for it, and how the new PIN
// comes to the subscriber, is the caller's to know. The policy bounds how often ([ErrNoReset]).
func (c *Checker) Reset(ctx context.Context, id ocs.SubscriberID) (Secret, error) {
	rules := c.rules()
	pin, err := draw(rules.Digits)
	if err != nil {
		return "", fmt.Errorf("reset a PIN: %w", err)
	}
	err = c.give(ctx, id, pin, func(r Record) (Record, error) {
		after, ok := r.reset(rules, c.clock())
		if !ok {
			return r, ErrNoReset
		}
		return after, nil
	})
	if err != nil {
		return "", fmt.Errorf("reset a PIN: %w", err)
	}
	return pin, nil
}

// Unlock ends a lock and forgets the tries. The PIN stays, and so does the growth of the next lock: who unlocks on demand
// must not become a way to guess on.
func (c *Checker) Unlock(ctx context.Context, id ocs.SubscriberID) error {
	err := c.store.UpdatePIN(ctx, id, func(r Record) (Record, error) {
		r.Tries, r.LockedUntil = 0, time.Time{}
		return r, nil
	})
	if err != nil {
		return fmt.Errorf("unlock a PIN: %w", err)
	}
	return nil
}

// State tells about a subscriber's PIN without its hash.
func (c *Checker) State(ctx context.Context, id ocs.SubscriberID) (State, error) {
	r, err := c.store.PIN(ctx, id)
	if err != nil {
		return State{}, fmt.Errorf("state of a PIN: %w", err)
	}
	rules, now := c.rules(), c.clock()
	s := State{IsSet: r.Hash != "", MustChange: r.MustChange, TriesLeft: max(0, rules.Tries-r.Tries), ChangedAt: r.ChangedAt}
	switch {
	case r.locked(now):
		s.TriesLeft, s.LockedUntil = 0, r.LockedUntil
	case !r.LockedUntil.IsZero():
		s.TriesLeft = rules.Tries
	}
	return s, nil
}

func (c *Checker) mayChoose(pin Secret, numbers []string) error {
	digits := c.rules().Digits
	if w := Weak(pin, digits, numbers...); w != Strong {
		return WeakError{w, digits}
	}
	return nil
}

// give stores a PIN that its owner must change, and what allow makes of the record.
func (c *Checker) give(ctx context.Context, id ocs.SubscriberID, pin Secret, allow func(Record) (Record, error)) error {
	hash, err := c.hash(ctx, id, pin)
	if err != nil {
		return err
	}
	return c.store.UpdatePIN(ctx, id, func(r Record) (Record, error) {
		r, err := allow(r)
		if err != nil {
			return r, err
		}
		return r.opened().with(hash, true, c.clock()), nil
	})
}

// hash waits for its turn as checks do.
func (c *Checker) hash(ctx context.Context, id ocs.SubscriberID, pin Secret) (string, error) {
	done, err := c.enter(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return c.hasher.make(id, pin, salt()), nil
}

// draw draws a PIN that is not weak by itself.
func draw(digits int) (Secret, error) {
	bound := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	for {
		n, err := rand.Int(rand.Reader, bound)
		if err != nil {
			return "", err
		}
		pin := Secret(fmt.Sprintf("%0*d", digits, n))
		if Weak(pin, digits) == Strong {
			return pin, nil
		}
	}
}
