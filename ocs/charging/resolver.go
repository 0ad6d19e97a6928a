package charging

import (
	"context"
	"fmt"
	"sync"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// mostLookups bounds how often one request looks for its subscriber. An identity that moves between two subscribers
// more often than this while one request waits does not exist.
const mostLookups = 4

// cachedNames is how many identities, and how many sessions, are remembered with their subscriber.
const cachedNames = 1 << 18

// A resolver finds the subscribers of requests: by an identity, or by the session for an update that brings none. What
// it has found is cached; a stale entry is seen by its version when the subscriber is locked (spec/store S3).
type resolver struct {
	queue
	engine     *Engine
	identities cache[ocs.Identity, postgres.Located]
	sessions   cache[ocs.SessionKey, ocs.SubscriberID]
}

func newResolver(e *Engine) *resolver {
	return &resolver{engine: e, queue: newQueue(e.config.QueueSize)}
}

// fromCache finds p's subscriber without asking the database.
func (r *resolver) fromCache(p *pending) bool {
	if len(p.request.Identities) == 0 {
		id, ok := r.sessions.get(p.request.Session)
		p.subscriber, p.version = id, -1
		return ok
	}
	found, ok := r.identities.get(p.request.Identities[0])
	p.subscriber, p.version = found.Subscriber, found.Version
	return ok
}

// again looks for the subscriber of a request that the one it was sent to knows nothing of.
func (r *resolver) again(p *pending) {
	for _, identity := range p.request.Identities {
		r.identities.drop(identity)
	}
	r.sessions.drop(p.request.Session)
	r.enqueue(p)
}

func (r *resolver) run(stop <-chan struct{}) {
	for {
		batch := r.take(r.engine.config.MaxBatch, stop)
		if batch == nil {
			return
		}
		r.work(batch)
		r.finished()
	}
}

func (r *resolver) work(batch []*pending) {
	for {
		if batch = unanswered(batch); len(batch) == 0 {
			return
		}
		err := r.resolve(batch)
		if err == nil {
			return
		}
		class := postgres.Classify(err)
		r.engine.telemetry.failed(class, err)
		if len(batch) > 1 && (class == postgres.Bug || class == postgres.Unclassified) {
			r.work(batch[:len(batch)/2])
			r.work(batch[len(batch)/2:])
			return
		}
		if class == postgres.Bug || class == postgres.Unclassified {
			r.engine.config.Logger.Error("a subscriber could not be looked up", "error", err)
			answerAll(batch, ocs.UnableToComply)
			return
		}
		if class == postgres.Unavailable {
			giveUp(batch)
		}
		pause()
	}
}

// resolve finds the subscribers of a batch, in two statements at most, and sends the requests on or answers them.
func (r *resolver) resolve(batch []*pending) error {
	var names []ocs.Identity
	for _, p := range batch {
		names = append(names, p.request.Identities...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.engine.config.Deadline)
	defer cancel()
	var located []postgres.Located
	if len(names) > 0 {
		var err error
		if located, err = r.engine.config.Store.Resolve(ctx, names); err != nil {
			return fmt.Errorf("resolve %d identities: %w", len(names), err)
		}
	}
	var unknown []*pending
	for _, p := range batch {
		count := len(p.request.Identities)
		if r.found(p, located[:count]) {
			r.engine.toLane(p)
		} else {
			unknown = append(unknown, p)
		}
		located = located[count:]
	}
	return r.bySession(ctx, unknown)
}

// found notes the subscriber of p: the first of its identities that is known wins. A request that came back from that
// very subscriber, because its session is not there, is not sent again.
func (r *resolver) found(p *pending, located []postgres.Located) bool {
	p.found++
	for i, l := range located {
		if l.Subscriber == "" {
			continue
		}
		if p.subscriber == l.Subscriber && p.version == l.Version || p.found > mostLookups {
			return false
		}
		p.subscriber, p.version = l.Subscriber, l.Version
		if i == 0 {
			r.identities.put(p.request.Identities[0], l)
		}
		return true
	}
	return false
}

// bySession looks for the sessions of requests that no identity brings to a subscriber.
func (r *resolver) bySession(ctx context.Context, unknown []*pending) error {
	var keys []ocs.SessionKey
	var asked []*pending
	for _, p := range unknown {
		if p.request.Type == ocs.Initial || p.request.Type == ocs.Event {
			p.answer(ocs.Answer{Verdict: ocs.UserUnknown})
			continue
		}
		keys, asked = append(keys, p.request.Session), append(asked, p)
	}
	if len(keys) == 0 {
		return nil
	}
	owners, err := r.engine.config.Store.Locate(ctx, keys)
	if err != nil {
		return fmt.Errorf("locate %d sessions: %w", len(keys), err)
	}
	for i, p := range asked {
		if owners[i] == "" || p.found > mostLookups {
			p.answer(ocs.Answer{Verdict: ocs.UnknownSession})
			continue
		}
		p.subscriber, p.version = owners[i], -1
		if len(p.request.Identities) == 0 {
			r.sessions.put(p.request.Session, owners[i])
		}
		r.engine.toLane(p)
	}
	return nil
}

// A cache keeps the entries that were used last, between cachedNames and twice as many. When the young half is full it
// becomes the old half, and what is read from the old half becomes young again.
type cache[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]V
}

func (c *cache[K, V]) get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.insert(k, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(k, v)
}

func (c *cache[K, V]) insert(k K, v V) {
	if c.young == nil || len(c.young) >= cachedNames {
		c.young, c.old = map[K]V{}, c.young
	}
	c.young[k] = v
}

func (c *cache[K, V]) drop(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.young, k)
	delete(c.old, k)
}
