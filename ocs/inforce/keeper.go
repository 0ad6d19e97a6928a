package inforce

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// look is how often a server looks whether another text was put in force, by itself or through another server.
const look = time.Second

// A Text is what is kept: it is named by its content and never changes.
type Text interface{ Version() string }

// Source is where texts are kept for all servers.
type Source[T Text] struct {
	What    string                                                    // "policy of transfers", for the log
	InForce func(ctx context.Context) (version string, err error)     // empty: none was put in force
	Load    func(ctx context.Context, version string) ([]byte, error) // the text of a version
	Parse   func(name string, text []byte) (T, error)                 // reads it
	Taken   func(now T, known map[string]T)                           // is told what is taken up, and of all that is known; nil: nobody
}

// A Keeper holds the text that this server goes by: the one that was put in force for all, else its own, from its
// configuration. It knows those that were in force before, and others once they were asked for.
type Keeper[T Text] struct {
	source Source[T]
	log    *slog.Logger
	own    T

	loading sync.Mutex
	known   map[string]T // under loading
	current atomic.Pointer[T]
}

// New takes up what is in force.
func New[T Text](ctx context.Context, source Source[T], own T, log *slog.Logger) (*Keeper[T], error) {
	k := &Keeper[T]{source: source, log: log, own: own, known: map[string]T{own.Version(): own}}
	k.current.Store(&own)
	k.loading.Lock()
	k.taken(own)
	k.loading.Unlock()
	return k, k.Refresh(ctx)
}

// Current is the text in force, as far as this server knows.
func (k *Keeper[T]) Current() T { return *k.current.Load() }

// Refresh takes up the text that is in force now.
func (k *Keeper[T]) Refresh(ctx context.Context) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	version, err := k.source.InForce(ctx)
	if err != nil {
		return err
	}
	next := k.own
	if version != "" {
		if next, err = k.find(ctx, version); err != nil {
			return err
		}
	}
	before := k.Current()
	if before.Version() == next.Version() {
		return nil
	}
	k.current.Store(&next)
	k.taken(next)
	k.log.Info("another "+k.source.What+" is in force", "before", before.Version(), "now", next.Version())
	return nil
}

// Version returns the text of a version, whether it is in force or not.
func (k *Keeper[T]) Version(ctx context.Context, version string) (T, error) {
	k.loading.Lock()
	defer k.loading.Unlock()
	_, had := k.known[version]
	text, err := k.find(ctx, version)
	if err == nil && !had {
		k.taken(k.Current())
	}
	return text, err
}

// find returns a text that is known, or makes it so.
func (k *Keeper[T]) find(ctx context.Context, version string) (text T, err error) {
	if text, ok := k.known[version]; ok {
		return text, nil
	}
	document, err := k.source.Load(ctx, version)
	if err != nil {
		return text, err
	}
	if text, err = k.source.Parse(k.source.What+" "+version, document); err != nil {
		return text, err
	}
	k.known[version] = text
	return text, nil
}

func (k *Keeper[T]) taken(now T) {
	if k.source.Taken != nil {
		k.source.Taken(now, maps.Clone(k.known))
	}
}

// Follow looks again and again until ctx ends.
func (k *Keeper[T]) Follow(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("the "+k.source.What+" in force was not looked for", "error", err)
		}
	}
}
