package charging

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// Clients are those that ask: the other ends of the connections of this server.
type Clients interface {
	// Reach returns who is connected, and the realms that are reached through agents.
	Reach() (hosts, realms []string)
	// EndToEnd returns an identifier for a request.
	EndToEnd() uint32
	// Summon sends a copy of a summons, the Sent-th, which one of the routes to its client takes. replied is called at most
	// once, from any goroutine, and must not block; without a reply within some seconds the summons is due again.
	Summon(s ocs.Summons, replied func(ocs.SummonsReply))
}

// A Courier brings summonses to clients. Every server has one, and each takes those whose client it can reach; what one had in
// hand when it died is due again ten seconds later, for another.
type Courier struct {
	engine  *Engine
	clients Clients
	log     *slog.Logger
	replies chan reply
}

type reply struct {
	summons ocs.Summons
	what    ocs.SummonsReply
}

const (
	courierLoad  = 256             // summonses that are taken at a time
	agentsWait   = 2 * time.Second // how long an agent's connection leaves a summons to one nearer to the client
	summonsSweep = 10 * time.Minute
)

// NewCourier returns a courier for what the store of e has. Start it with Run.
func NewCourier(e *Engine, clients Clients) *Courier {
	return &Courier{engine: e, clients: clients, log: e.config.Logger, replies: make(chan reply, courierLoad)}
}

// Run works until ctx ends.
func (c *Courier) Run(ctx context.Context) {
	tick, sweep := time.NewTicker(c.engine.config.Sweep), time.NewTicker(summonsSweep)
	defer tick.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case r := <-c.replies:
			err = c.settle(ctx, r)
		case <-c.engine.config.Store.Summoned():
			err = c.round(ctx)
		case <-tick.C:
			err = c.round(ctx)
		case <-sweep.C:
			err = c.engine.config.Store.ForgetSummonses(ctx, c.engine.config.Clock().Add(-ocs.SummonsLimit))
		}
		if err != nil && ctx.Err() == nil {
			c.log.Warn("clients are not called back", "error", err)
		}
	}
}

// round sends what is due and can be sent from here.
func (c *Courier) round(ctx context.Context) error {
	for {
		sent, found, err := c.take(ctx)
		for _, s := range sent {
			c.clients.Summon(s, func(r ocs.SummonsReply) {
				select {
				case c.replies <- reply{s, r}:
				default: // it is due again in ten seconds
				}
			})
		}
		if err != nil || found < courierLoad {
			return err
		}
	}
}

// take decides about summonses that are due. What is to be sent is stored as sent before it is: whoever takes over knows that it may be a
// copy.
func (c *Courier) take(ctx context.Context) (sent []ocs.Summons, found int, err error) {
	hosts, realms := c.clients.Reach()
	if len(hosts) == 0 {
		return nil, 0, nil
	}
	now := c.engine.config.Clock()
	err = c.engine.config.Store.InTx(ctx, func(tx *postgres.Tx) error {
		sent = nil
		due, err := tx.ClaimSummonses(ctx, hosts, realms, now, now.Add(-agentsWait), courierLoad)
		if err != nil {
			return err
		}
		found = len(due)
		sessions, err := sessionsOf(ctx, tx, due)
		if err != nil {
			return err
		}
		for _, s := range due {
			next, step := s.Due(sessions[refOf(s)], c.clients.EndToEnd(), now)
			if step == ocs.Send {
				sent = append(sent, next)
			}
			if err := store(ctx, tx, next, step); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return sent, found, nil
}

func refOf(s ocs.Summons) postgres.SessionRef {
	return postgres.SessionRef{Subscriber: s.Subscriber, Key: s.Session}
}

func sessionsOf(ctx context.Context, tx *postgres.Tx, due []ocs.Summons) (map[postgres.SessionRef]*ocs.Session, error) {
	refs := make([]postgres.SessionRef, len(due))
	for i, s := range due {
		refs[i] = refOf(s)
	}
	sessions, err := tx.LoadSessions(ctx, refs)
	if err != nil {
		return nil, err
	}
	by := make(map[postgres.SessionRef]*ocs.Session, len(sessions))
	for i := range sessions {
		by[postgres.SessionRef{Subscriber: sessions[i].Subscriber, Key: sessions[i].Key}] = &sessions[i]
	}
	return by, nil
}

// store keeps a summons that goes on and deletes one that is over.
func store(ctx context.Context, tx *postgres.Tx, s ocs.Summons, step ocs.SummonsStep) error {
	if step == ocs.Send || step == ocs.Await {
		return tx.SaveSummons(ctx, s)
	}
	return tx.DeleteSummons(ctx, s)
}

// settle does what a reply asks for. A reply to a request that is not the one under way is late, and means nothing any more.
func (c *Courier) settle(ctx context.Context, r reply) error {
	now := c.engine.config.Clock()
	step := ocs.Forget
	err := c.engine.config.Store.InTx(ctx, func(tx *postgres.Tx) error {
		step = ocs.Forget
		s, err := tx.LockSummons(ctx, r.summons)
		if err != nil {
			return err
		}
		if s.EndToEnd != r.summons.EndToEnd || s.Sent == 0 {
			return nil
		}
		var next ocs.Summons
		next, step = s.Answered(r.what, now)
		return store(ctx, tx, next, step)
	})
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	done := func() {}
	switch step { //nolint:exhaustive // the others are done with
	case ocs.Hasten:
		c.engine.decideClosing(r.summons.Subscriber, &closing{key: r.summons.Session, hasten: true}, done)
	case ocs.End:
		c.engine.decideClosing(r.summons.Subscriber, &closing{key: r.summons.Session, cause: ocs.ByClient}, done)
	}
	return nil
}
