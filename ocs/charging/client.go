package charging

import (
	"context"
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// restartDelay is how long the sessions of a restarted client are kept, so that its last requests, sent again, still
// find them (spec/gy 1.6).
const restartDelay = 30 * time.Second

// lostLimit is how many lost sessions are closed before the next are looked for.
const lostLimit = 4096

// clientQueue bounds the news that wait to be stored. What does not fit is told again with the next watchdog request.
const clientQueue = 1024

// clients knows the Origin-State-Id that each client told last. A rise means that the client restarted and lost its
// sessions (RFC 6733 §8.16).
type clients struct {
	told sync.Map // Origin-Host -> uint32, stored or in news
	news chan clientState
}

type clientState struct {
	host    string
	stateID uint32
}

// ClientState is told the Origin-State-Id of a client whose name is proven: the peer's own. What an agent says of those
// behind it is not proven, and a lie would end the calls of others. ClientState does not block.
func (e *Engine) ClientState(host string, stateID uint32) {
	if stateID == 0 || host == "" {
		return
	}
	if known, ok := e.clients.told.Load(host); ok && known == stateID {
		return
	}
	e.clients.told.Store(host, stateID)
	select {
	case e.clients.news <- clientState{host, stateID}:
	default:
		e.clients.told.Delete(host)
	}
}

// followClients stores what clients tell, and closes the sessions that restarted ones have lost.
func (e *Engine) followClients(ctx context.Context) {
	tick := time.NewTicker(e.config.Sweep)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case news := <-e.clients.news:
			if err = e.config.Store.NoteClient(ctx, news.host, news.stateID, e.config.Clock()); err != nil {
				e.clients.told.Delete(news.host)
			}
		case <-tick.C:
			err = e.closeLost(ctx)
		}
		if err != nil && ctx.Err() == nil {
			e.config.Logger.Warn("restarts of clients are not followed", "error", err)
		}
	}
}

// closeLost closes the sessions of clients that restarted long enough ago. Several servers may do so at once.
func (e *Engine) closeLost(ctx context.Context) error {
	restarts, err := e.config.Store.Restarts(ctx, e.config.Clock().Add(-restartDelay))
	if err != nil {
		return err
	}
	for _, r := range restarts {
		lost, err := e.config.Store.LostSessions(ctx, r, lostLimit)
		if err != nil {
			return err
		}
		e.closeAll(lost, ocs.ByRestart)
		if len(lost) > 0 {
			continue // some may be left: look again
		}
		if err := e.config.Store.SettleRestart(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// EndSession closes a session by order of the operator, and returns when that is decided.
func (e *Engine) EndSession(ref postgres.SessionRef) {
	e.closeAll([]postgres.SessionRef{ref}, ocs.ByOperator)
}

// closeAll has sessions closed for a cause, and returns when all of them were decided.
func (e *Engine) closeAll(refs []postgres.SessionRef, cause ocs.EndCause) {
	var all sync.WaitGroup
	for _, ref := range refs {
		all.Add(1)
		e.decideClosing(ref.Subscriber, &closing{key: ref.Key, cause: cause}, all.Done)
	}
	all.Wait()
}

func (e *Engine) decideClosing(subscriber ocs.SubscriberID, c *closing, done func()) {
	now := time.Now()
	e.toLane(&pending{
		closing: c, subscriber: subscriber, version: -1,
		submitted: now, deadline: now.Add(e.config.Deadline), done: func(ocs.Answer) { done() },
	})
}
