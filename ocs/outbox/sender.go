package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Config is what a [Sender] needs.
type Config struct {
	Store  Store
	Texts  Transport // nil: texts stay where they are
	Events Transport // nil: likewise
	Logger *slog.Logger
	Clock  func() time.Time // nil: the system's

	Every   time.Duration // how often the outbox is looked into when nobody calls [Sender.Wake]; 0: a second
	Timeout time.Duration // of one try; 0: 10 s
	Batch   int           // messages of one claim; 0: 64
	AtOnce  int           // tries at a time, of texts and of events each; 0: 8

	First        time.Duration       // until the second try; it doubles from there; 0: 5 s
	Longest      time.Duration       // between two tries; 0: an hour
	TextsGiveUp  time.Duration       // after the message was written; 0: a day, then a receipt only confuses
	EventsGiveUp time.Duration       // likewise; 0: three days
	Random       func(n int64) int64 // 0 to n-1, spreads tries; nil: math/rand
}

func (c *Config) complete() error {
	if c.Store == nil || c.Logger == nil {
		return errors.New("sender of the outbox: no store or no logger")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Int64N
	}
	for _, d := range []struct {
		of    *time.Duration
		unset time.Duration
	}{
		{&c.Every, time.Second}, {&c.Timeout, 10 * time.Second}, {&c.First, 5 * time.Second}, {&c.Longest, time.Hour},
		{&c.TextsGiveUp, 24 * time.Hour}, {&c.EventsGiveUp, 72 * time.Hour},
	} {
		if *d.of == 0 {
			*d.of = d.unset
		}
		if *d.of < 0 {
			return fmt.Errorf("sender of the outbox: a time of %v", *d.of)
		}
	}
	for _, n := range []struct {
		of    *int
		unset int
	}{{&c.Batch, 64}, {&c.AtOnce, 8}} {
		if *n.of == 0 {
			*n.of = n.unset
		}
		if *n.of < 0 {
			return fmt.Errorf("sender of the outbox: %d at once", *n.of)
		}
	}
	return nil
}

// lease is how long a claim lasts: as long as the slowest batch can take, and once more for what the database takes.
func (c *Config) lease() time.Duration {
	rounds := (c.Batch + c.AtOnce - 1) / c.AtOnce
	return time.Duration(rounds)*c.Timeout + storeTimeout + c.Timeout
}

// storeTimeout bounds storing what a batch came to, also when the sender is being stopped.
const storeTimeout = 10 * time.Second

// A Sender sends what is in the outbox.
type Sender struct {
	config    Config
	telemetry *telemetry
	wake      map[Kind]chan struct{}
}

// New returns a sender. [Sender.Run] makes it work.
func New(c Config) (*Sender, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	return &Sender{
		config: c, telemetry: newTelemetry(),
		wake: map[Kind]chan struct{}{Text: make(chan struct{}, 1), Event: make(chan struct{}, 1)},
	}, nil
}

// Wake has the outbox looked into at once. It never waits.
func (s *Sender) Wake() {
	for _, c := range s.wake {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Run sends until ctx is done, and returns when what came of the last batch is stored. Texts never wait for events.
func (s *Sender) Run(ctx context.Context) {
	var running sync.WaitGroup
	for kind := range s.wake {
		if s.transport(kind) != nil {
			running.Go(func() { s.run(ctx, kind) })
		}
	}
	running.Wait()
}

func (s *Sender) run(ctx context.Context, kind Kind) {
	tick := time.NewTicker(s.config.Every)
	defer tick.Stop()
	for {
		claimed, err := s.Once(ctx, kind)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.config.Logger.Warn("the outbox was not worked off", "kind", kind, "error", err)
		case claimed == s.config.Batch:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wake[kind]:
		}
	}
}

func (s *Sender) transport(kind Kind) Transport {
	if kind == Text {
		return s.config.Texts
	}
	return s.config.Events
}

// Once claims and sends one batch of a kind, and tells how many messages it had. An error of the store leaves messages claimed:
// they come again when the claim runs out.
func (s *Sender) Once(ctx context.Context, kind Kind) (claimed int, err error) {
	now := s.config.Clock()
	messages, err := s.config.Store.OutboxClaim(ctx, kind, now, now.Add(s.config.lease()), s.config.Batch)
	if err != nil {
		return 0, fmt.Errorf("claim messages: %w", err)
	}
	if len(messages) == 0 {
		return 0, nil
	}
	results := s.send(ctx, kind, messages)
	// What was sent was sent, also when the server is being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err := s.config.Store.OutboxDone(ctx, results); err != nil {
		return 0, fmt.Errorf("store what came of %d messages: %w", len(messages), err)
	}
	return len(messages), nil
}

// send tries each message once, and tells what came of it in the same order.
func (s *Sender) send(ctx context.Context, kind Kind, messages []Message) []Result {
	results := make([]Result, len(messages))
	turns := make(chan struct{}, s.config.AtOnce)
	var sending sync.WaitGroup
	for _, group := range grouped(messages) {
		turns <- struct{}{}
		sending.Go(func() {
			defer func() { <-turns }()
			s.sendGroup(ctx, kind, messages, group, results)
		})
	}
	sending.Wait()
	return results
}

// grouped puts the events for one address together, by their places; every text stands alone. So one receiver that does not
// answer holds up no other for longer than one try takes.
func grouped(messages []Message) (groups [][]int) {
	at := map[string]int{}
	for i, m := range messages {
		group, ok := at[m.To]
		if !ok || m.Kind == Text {
			group = len(groups)
			groups = append(groups, nil)
			at[m.To] = group
		}
		groups[group] = append(groups[group], i)
	}
	return groups
}

// sendGroup sends one after the other. When the receiver cannot be reached, the rest is put off with it, untried.
func (s *Sender) sendGroup(ctx context.Context, kind Kind, messages []Message, group []int, results []Result) {
	var unreachable error
	for _, i := range group {
		err := unreachable
		if err == nil {
			err = s.try(ctx, kind, messages[i])
		}
		if errors.Is(err, timedOut) || errors.Is(err, noConnection) {
			unreachable = err
		}
		results[i] = s.result(ctx, messages[i], err)
	}
}

// try sends one message. A transport that panics has failed, and takes nothing else with it.
func (s *Sender) try(ctx context.Context, kind Kind, m Message) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.config.Logger.Error("a transport of the outbox panicked", "kind", kind, "id", m.ID)
			err = unspecified
		}
	}()
	if err := s.transport(kind).Send(ctx, m); err != nil {
		return problemOf(err)
	}
	return nil
}

// result decides what a try comes to.
func (s *Sender) result(ctx context.Context, m Message, err error) Result {
	now := s.config.Clock()
	r := Result{ID: m.ID, Tries: m.Tries, State: Sent, At: now}
	if err == nil {
		s.telemetry.sent(m.Kind, r)
		return r
	}
	p := problemOf(err)
	r.State, r.Problem = Waiting, p.What
	if ctx.Err() != nil { // this server stops; another one goes on
		r.NextAt, r.Problem = now, stopped
		return r
	}
	r.NextAt = now.Add(s.wait(m.Tries))
	if giveUp := s.giveUp(m.Kind); p.ForGood || r.NextAt.Sub(m.CreatedAt) > giveUp {
		r.State, r.NextAt = Failed, time.Time{}
		s.config.Logger.Warn("a message was given up", "kind", m.Kind, "id", m.ID, "tries", m.Tries, "problem", p.What)
	}
	s.telemetry.sent(m.Kind, r)
	return r
}

const stopped = "stopped"

func (s *Sender) giveUp(kind Kind) time.Duration {
	if kind == Text {
		return s.config.TextsGiveUp
	}
	return s.config.EventsGiveUp
}

// wait is how long to wait after so many tries: it doubles up to the longest, and between half of it and all of it is drawn.
func (s *Sender) wait(tries int) time.Duration {
	d := min(s.config.First, s.config.Longest)
	for range tries - 1 {
		if d >= s.config.Longest/2 {
			d = s.config.Longest
			break
		}
		d *= 2
	}
	half := d / 2
	return half + time.Duration(s.config.Random(int64(d-half)+1))
}
