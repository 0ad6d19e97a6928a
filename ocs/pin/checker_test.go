package pin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

const (
	anna  ocs.SubscriberID = "0191f0aa-0000-7000-8000-000000000001"
	ben   ocs.SubscriberID = "0191f0aa-0000-7000-8000-000000000002"
	right Secret           = "408263"
	other Secret           = "739104"
)

var pepper = []byte(strings.Repeat("p", pepperLength))

// cheap is the cost of hashes where the test is not about it.
var cheap = cost{memory: 64, passes: 1, lanes: 1}

// world is a checker with its store and a clock that stands still until it is moved.
type world struct {
	*Checker
	store *memory
	mu    sync.Mutex
	now   time.Time
}

func newWorld(t *testing.T, changes ...func(*Config)) *world {
	t.Helper()
	w := &world{store: newMemory(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	c := Config{Store: w.store, Pepper: pepper, Clock: w.clock}
	for _, change := range changes {
		change(&c)
	}
	checker, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Checker = checker
	w.hasher.cost = cheap
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) move(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func attempt(pin Secret) Attempt {
	return Attempt{Subscriber: anna, PIN: pin, Channel: transfer.USSD, Gateway: "gw1"}
}

// choose gives anna the right PIN.
func (w *world) choose(t *testing.T) {
	t.Helper()
	a := attempt("")
	if c, err := w.Change(t.Context(), a, right); err != nil || c.Result != transfer.Verified {
		t.Fatalf("choose a PIN: %v, %v", c, err)
	}
}

func (w *world) expect(t *testing.T, pin Secret, want transfer.Credential) {
	t.Helper()
	got, err := w.Check(t.Context(), attempt(pin))
	if err != nil || got != want {
		t.Fatalf("got %+v, %v, want %+v", got, err, want)
	}
}

var (
	verified   = transfer.Credential{Result: transfer.Verified}
	mustChange = transfer.Credential{Result: transfer.MustChange}
)

func wrongWith(tries int) transfer.Credential {
	return transfer.Credential{Result: transfer.Wrong, TriesLeft: tries}
}

func lockedUntil(t time.Time) transfer.Credential {
	return transfer.Credential{Result: transfer.Locked, LockedUntil: t}
}

func TestRightAndWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.expect(t, "", transfer.Credential{})
	w.expect(t, right, mustChange) // none was set
	w.choose(t)
	w.expect(t, right, verified)
	w.expect(t, other, wrongWith(2))
	w.expect(t, right[:5], wrongWith(1))
	w.expect(t, right, verified) // wipes the count
	w.expect(t, Secret(strings.Repeat("1", 1<<20)), wrongWith(2))
	w.expect(t, "40826x", wrongWith(1))
	if got, err := w.Check(t.Context(), Attempt{Subscriber: ben, PIN: right}); err != nil || got != mustChange {
		t.Errorf("somebody else: %+v, %v", got, err)
	}
}

// Each lock is twice as long as the one before, until a right PIN. A locked PIN is not looked at, be it right.
func TestLockGrows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	for _, hours := range []int{24, 48, 96} {
		w.expect(t, other, wrongWith(2))
		w.expect(t, other, wrongWith(1))
		until := w.clock().Add(time.Duration(hours) * time.Hour)
		w.expect(t, other, lockedUntil(until))
		w.move(until.Sub(w.clock()) - 1)
		w.expect(t, right, lockedUntil(until))
		w.move(1)
	}
	w.expect(t, right, verified)
	w.expect(t, other, wrongWith(2))
	w.expect(t, other, wrongWith(1))
	w.expect(t, other, lockedUntil(w.clock().Add(24*time.Hour)))
}

func TestLockTimeIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rules  transfer.PINRules
		before int
		want   time.Duration
	}{
		{transfer.PINRules{Lock: time.Hour, LockGrowth: 1}, 1 << 30, time.Hour},
		{transfer.PINRules{Lock: time.Hour, LockGrowth: 3}, 2, 9 * time.Hour},
		{transfer.PINRules{Lock: time.Hour, LockGrowth: 2}, 1 << 30, longestLock},
		{transfer.PINRules{Lock: 1 << 62, LockGrowth: 2}, 0, longestLock},
	} {
		if got := lockTime(c.rules, c.before); got != c.want {
			t.Errorf("lock of %v x%d after %d: %v, want %v", c.rules.Lock, c.rules.LockGrowth, c.before, got, c.want)
		}
	}
}

// A try is durable before the hash is computed: with a store that fails afterwards, or a process that dies, it is still counted.
func TestTryIsCountedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	w.store.after = func() { w.store.failing = errStore } // dies after the first update of each check
	for n := 1; n <= 3; n++ {
		w.store.failing = nil
		if got, err := w.Check(t.Context(), attempt(right)); !errors.Is(err, errStore) || got != (transfer.Credential{}) {
			t.Fatalf("check %d: %+v, %v", n, got, err)
		}
	}
	w.store.failing, w.store.after = nil, nil
	if r := w.store.get(); r.Tries != 3 || r.Locks != 1 {
		t.Errorf("record %+v, want three tries and a lock", r)
	}
	w.expect(t, right, lockedUntil(w.clock().Add(24*time.Hour)))
}

// Of many guesses at once over two servers, no more are looked at than the policy allows.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	second, err := New(Config{Store: w.store, Pepper: pepper, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	second.hasher.cost = cheap
	var looked atomic.Int32
	var guessing sync.WaitGroup
	for n := range 20 {
		guessing.Go(func() {
			checker := []*Checker{w.Checker, second}[n%2]
			got, err := checker.Check(t.Context(), attempt(Secret(fmt.Sprintf("9%05d", n))))
			if err != nil {
				t.Error(err)
			}
			if got.Result == transfer.Wrong {
				looked.Add(1)
			}
		})
	}
	guessing.Wait()
	if n := looked.Load(); n != 2 { // the third is told as a lock
		t.Errorf("%d were told to be wrong, want 2", n)
	}
	w.expect(t, right, lockedUntil(w.clock().Add(24*time.Hour)))
}

// Who tries one PIN with every subscriber is stopped by the rate of the gateway, and others are not.
func TestRateOfGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Rate = Rate{Burst: 3, Every: time.Minute} })
	w.choose(t)
	for range 10 { // right ones cost nothing
		w.expect(t, right, verified)
	}
	from := func(gateway string, channel transfer.Channel, pin Secret) error {
		_, err := w.Check(t.Context(), Attempt{Subscriber: anna, PIN: pin, Gateway: gateway, Channel: channel})
		return err
	}
	for range 2 {
		if err := from("gw1", transfer.USSD, other); err != nil {
			t.Fatal(err)
		}
	}
	w.expect(t, right, verified)
	if err := from("gw1", transfer.USSD, other); err != nil {
		t.Fatal(err)
	}
	before := w.store.get()
	if err := from("gw1", transfer.USSD, right); !errors.Is(err, ErrBusy) {
		t.Errorf("a fourth: %v, want ErrBusy", err)
	}
	if got := w.store.get(); got != before {
		t.Errorf("it was counted: %+v", got)
	}
	for _, e := range []error{from("gw2", transfer.USSD, right), from("gw1", transfer.SMS, right)} {
		if e != nil {
			t.Errorf("another gateway or channel: %v", e)
		}
	}
	w.move(time.Minute)
	w.expect(t, right, verified)
}

func TestOnlySoManyWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Hashes = 1 })
	w.choose(t)
	w.hashing <- struct{}{} // somebody is hashing
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := w.store.updates
	if _, err := w.Check(ctx, attempt(other)); !errors.Is(err, ErrBusy) {
		t.Errorf("while somebody is hashing: %v, want ErrBusy", err)
	}
	for range cap(w.waiting) {
		w.waiting <- struct{}{}
	}
	if _, err := w.Check(t.Context(), attempt(other)); !errors.Is(err, ErrBusy) {
		t.Errorf("with a full queue: %v, want ErrBusy", err)
	}
	if w.store.updates != before {
		t.Error("a try was counted")
	}
}

// A server with another pepper says so, and locks nobody out.
func TestOtherPepper(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	before := w.store.get()
	stranger, err := New(Config{Store: w.store, Pepper: []byte(strings.Repeat("q", pepperLength)), Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := stranger.Check(t.Context(), attempt(right)); !errors.Is(err, ErrOtherPepper) {
			t.Fatalf("got %v, want ErrOtherPepper", err)
		}
	}
	if got := w.store.get(); got != before {
		t.Errorf("record %+v, want %+v", got, before)
	}
}

// Hashes made with less cost are made anew when the PIN is known.
func TestCheapHashIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hasher.cost = current
	salt := salt()
	w.store.records[anna] = Record{Hash: hash{cheap, w.hasher.name, salt, w.hasher.key(anna, right, salt, cheap)}.String()}
	w.expect(t, right, verified)
	if got := w.store.get().Hash; !strings.HasPrefix(got, "$argon2id$v=19$m=19456,t=2,p=1,keyid=") {
		t.Errorf("hash %s", got)
	}
	w.expect(t, right, verified)
}

// The PIN that was checked is no longer the one that is kept.
func TestChangedWhileChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Hashes = 2 })
	w.choose(t)
	w.store.after = func() {
		w.store.after = nil
		if err := w.Set(context.Background(), anna, "111111"); err != nil {
			t.Error(err)
		}
	}
	w.expect(t, right, wrongWith(2))
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"no store":     {Pepper: pepper},
		"short pepper": {Store: newMemory(), Pepper: pepper[1:]},
		"no rate":      {Store: newMemory(), Pepper: pepper, Rate: Rate{Burst: 1}},
		"no hashes":    {Store: newMemory(), Pepper: pepper, Hashes: -1},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
