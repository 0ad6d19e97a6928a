package pin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// Config is what a [Checker] needs.
type Config struct {
	Store  Store
	Pepper []byte                   // of [PepperFile] or [ParsePepper]
	Rules  func() transfer.PINRules // those of the policy that holds now; nil: of [transfer.Default]
	Clock  func() time.Time         // nil: the system's
	Hashes int                      // at a time, 19 MiB and a processor each; 0: one for each processor
	Rate   Rate                     // of wrong PINs of each channel and gateway; zero: [DefaultRate]
}

// Checker checks PINs. It is safe for concurrent use.
type Checker struct {
	store   Store
	hasher  hasher
	rules   func() transfer.PINRules
	clock   func() time.Time
	hashing chan struct{} // holds one for each hash that is being computed
	waiting chan struct{} // and for each that waits or is
	limiter *limiter
}

// waitingEach is how many may wait for each hash that is computed: two seconds or so, then it is better to say no at once.
const waitingEach = 64

// ErrBusy tells that a PIN was not looked at, and no try counted: too many at once, or too many wrong ones from that gateway.
var ErrBusy = errors.New("PINs are not checked now, too many at once")

// New returns a checker.
func New(c Config) (*Checker, error) {
	if c.Rules == nil {
		rules := transfer.Default().PIN
		c.Rules = func() transfer.PINRules { return rules }
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Hashes == 0 {
		c.Hashes = runtime.GOMAXPROCS(0)
	}
	if c.Rate == (Rate{}) {
		c.Rate = DefaultRate
	}
	switch {
	case c.Store == nil:
		return nil, errors.New("checker of PINs: no store")
	case len(c.Pepper) < pepperLength:
		return nil, fmt.Errorf("checker of PINs: a pepper of %d octets is too short, %d are needed", len(c.Pepper), pepperLength)
	case c.Hashes < 0, c.Rate.Burst < 1, c.Rate.Every <= 0:
		return nil, fmt.Errorf("checker of PINs: %d hashes at a time, %d wrong PINs and one each %v: out of range", c.Hashes, c.Rate.Burst, c.Rate.Every)
	}
	return &Checker{
		store: c.Store, hasher: newHasher(c.Pepper), rules: c.Rules, clock: c.Clock,
		hashing: make(chan struct{}, c.Hashes), waiting: make(chan struct{}, c.Hashes*(1+waitingEach)),
		limiter: newLimiter(c.Rate),
	}, nil
}

// An Attempt is a PIN that somebody typed.
type Attempt struct {
	Subscriber ocs.SubscriberID
	PIN        Secret // empty: none was given
	Channel    transfer.Channel
	Gateway    string // the client that sent it; no name that the one who types may choose
	// Key names the request for which the PIN was typed, the same for every copy: all of them together count one try, on
	// whatever servers they arrive. Empty: each attempt counts.
	Key string
}

// Check checks a PIN. A copy of a request whose PIN was found wrong gets that again, and one whose PIN is being checked waits
// for what comes of it. A subscriber without a PIN must choose one first. An error means that nobody knows whether the PIN is right;
// a try may have been counted unless it is [ErrBusy].
func (c *Checker) Check(ctx context.Context, a Attempt) (transfer.Credential, error) {
	if a.PIN == "" {
		return transfer.Credential{Result: transfer.NoCredential}, nil
	}
	_, credential, err := c.check(ctx, a)
	if err != nil {
		return transfer.Credential{}, fmt.Errorf("check a PIN: %w", err)
	}
	return credential, nil
}

// check also returns the hash that was found right.
func (c *Checker) check(ctx context.Context, a Attempt) (right string, credential transfer.Credential, err error) {
	from := source{a.Channel, a.Gateway}
	if _, ok := c.limiter.take(from, c.clock()); !ok {
		return "", credential, ErrBusy
	}
	isWrong := false // gives no token back
	defer func() {
		if !isWrong {
			c.limiter.giveBack(from)
		}
	}()
	owner := ""
	if a.Key != "" {
		owner = rand.Text()
	}
	rules := c.rules()
	counted, stored, done, err := c.turn(ctx, a, owner, rules)
	defer done()
	switch {
	case errors.Is(err, errAnswered):
		return "", counted.Asked.credential(a.Key), nil
	case errors.Is(err, errLocked):
		return "", transfer.Credential{Result: transfer.Locked, LockedUntil: counted.LockedUntil}, nil
	case err != nil:
		return "", credential, err
	case counted.Hash == "":
		return "", transfer.Credential{Result: transfer.MustChange}, nil
	}
	// From here on a failure keeps the token: a try was counted, and the gateway may have been told nothing.
	isWrong = true
	if !isPIN(a.PIN) || !c.hasher.matches(stored, a.Subscriber, a.PIN) {
		credential, err = c.close(ctx, a, owner, wrong(counted, rules, c.clock()))
		return "", credential, err
	}
	opened, err := c.open(ctx, a, owner, counted.Hash, stored)
	switch {
	case errors.Is(err, errChanged):
		credential, err = c.close(ctx, a, owner, wrong(counted, rules, c.clock()))
		return "", credential, err
	case errors.Is(err, errOvertaken):
		return "", credential, ErrBusy
	case err != nil:
		return "", credential, err
	}
	isWrong = false
	if opened.MustChange {
		return opened.Hash, transfer.Credential{Result: transfer.MustChange}, nil
	}
	return opened.Hash, transfer.Credential{Result: transfer.Verified}, nil
}

// turn waits until it is this attempt's turn and counts its try. done gives the turn on. While a copy of the request is being
// checked, others may have their turn.
func (c *Checker) turn(ctx context.Context, a Attempt, owner string, rules transfer.PINRules) (
	counted Record, stored hash, done func(), err error,
) {
	for {
		if done, err = c.enter(ctx); err != nil {
			return counted, stored, func() {}, err
		}
		counted, stored, err = c.count(ctx, a, owner, rules)
		if !errors.Is(err, errAsked) {
			return counted, stored, done, err
		}
		done()
		wait := time.NewTimer(againAfter)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return counted, stored, func() {}, ErrBusy // no try of this one was counted
		}
	}
}

// enter waits for the turn to compute a hash. done gives it on.
func (c *Checker) enter(ctx context.Context) (done func(), err error) {
	select {
	case c.waiting <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case c.hashing <- struct{}{}:
		return func() { <-c.hashing; <-c.waiting }, nil
	case <-ctx.Done():
		<-c.waiting
		return nil, ErrBusy // nothing was counted
	}
}

// count counts a try before anything is computed. A subscriber without a PIN has nothing to guess, and a hash that this server
// cannot check says nothing about the PIN: neither counts. A copy comes before a lock: the first may have locked by its own try.
func (c *Checker) count(ctx context.Context, a Attempt, owner string, rules transfer.PINRules) (after Record, stored hash, err error) {
	now := c.clock()
	err = c.store.UpdatePIN(ctx, a.Subscriber, func(r Record) (Record, error) {
		after = r
		asked, isNew := r.Asked, true
		if a.Key != "" {
			var err error
			if asked, isNew, err = r.Asked.claim(a.Key, owner, now); err != nil {
				return r, err
			}
		}
		if isNew && r.locked(now) {
			return r, errLocked
		}
		if r.Hash == "" {
			return r, errNoPIN
		}
		var err error
		if stored, err = c.hasher.read(r.Hash); err != nil {
			return r, err
		}
		if isNew {
			after = r.counted(rules, now)
		}
		after.Asked = asked
		return after, nil
	})
	if errors.Is(err, errNoPIN) {
		err = nil
	}
	return after, stored, err
}

// close tells copies of the request what came of it. Nobody is told of it before that is durable: else a copy that took its
// place would be a second guess for one try.
func (c *Checker) close(ctx context.Context, a Attempt, owner string, told transfer.Credential) (transfer.Credential, error) {
	if a.Key == "" {
		return told, nil
	}
	err := c.store.UpdatePIN(ctx, a.Subscriber, func(r Record) (Record, error) {
		var err error
		r.Asked, err = r.Asked.settle(a.Key, owner, told)
		return r, err
	})
	switch {
	case errors.Is(err, errOvertaken):
		return transfer.Credential{}, ErrBusy
	case err != nil:
		return transfer.Credential{}, err
	}
	return told, nil
}

var (
	errNoPIN   = errors.New("there is no PIN")
	errChanged = errors.New("the PIN was changed meanwhile")
)

// open wipes the tries after a right PIN, and hashes it anew where hashes cost more by now. A record that has another hash
// than the one that was checked, since it was changed or reset meanwhile, stays as it is.
func (c *Checker) open(ctx context.Context, a Attempt, owner, checked string, stored hash) (after Record, err error) {
	hash := checked
	if stored.cost != c.hasher.cost {
		hash = c.hasher.make(a.Subscriber, a.PIN, salt())
	}
	err = c.store.UpdatePIN(ctx, a.Subscriber, func(r Record) (Record, error) {
		if r.Hash != checked {
			return r, errChanged
		}
		var err error
		if r.Asked, err = r.Asked.settle(a.Key, owner, transfer.Credential{Result: transfer.Verified}); err != nil {
			return r, err
		}
		after = r.opened()
		after.Hash = hash
		return after, nil
	})
	return after, err
}

// wrong tells what a wrong PIN came to.
func wrong(r Record, rules transfer.PINRules, now time.Time) transfer.Credential {
	if r.locked(now) {
		return transfer.Credential{Result: transfer.Locked, LockedUntil: r.LockedUntil}
	}
	return transfer.Credential{Result: transfer.Wrong, TriesLeft: max(0, rules.Tries-r.Tries)}
}

// isPIN reports whether a PIN may be one of any policy, also of an earlier one. What is not is wrong, and not worth a hash.
func isPIN(pin Secret) bool {
	return Weak(pin, len(pin)) != NotDigits && len(pin) >= 4 && len(pin) <= 8
}

func salt() []byte {
	s := make([]byte, saltLength)
	rand.Read(s)
	return s
}
