package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// Totals are sums over all subscribers, for people to look at. They decide nothing (spec/store S11).
type Totals struct {
	OpenSessions int64
	Reserved     map[rating.Unit]rating.Units
}

type totalsCache struct {
	mu    sync.Mutex
	last  Totals
	until time.Time
}

// shortestTotals is how long totals are good for, at least; and at least twenty times as long as it took to find them,
// so that whoever asks however often costs a twentieth of a processor.
const shortestTotals = 5 * time.Second

const (
	countOpen   = `SELECT count(*) FROM session WHERE NOT resting AND state = 'open'`
	sumReserved = `SELECT unit, sum(reserved)::bigint AS units FROM bucket WHERE reserved > 0 GROUP BY unit`
)

// Totals returns the totals, some seconds old. One caller at a time finds them, the others wait.
func (s *Store) Totals(ctx context.Context) (Totals, error) {
	c := &s.totals
	c.mu.Lock()
	defer c.mu.Unlock()
	begin := time.Now()
	if begin.Before(c.until) {
		return c.last, nil
	}
	t := Totals{Reserved: map[rating.Unit]rating.Units{}}
	err := retryDead(s.maxConns, func() error { return s.bulk.GetContext(ctx, &t.OpenSessions, countOpen) })
	if err != nil {
		return Totals{}, s.orClosed(fmt.Errorf("count open sessions: %w", err))
	}
	var sums []struct {
		Unit  rating.Unit  `db:"unit"`
		Units rating.Units `db:"units"`
	}
	if err := s.bulk.SelectContext(ctx, &sums, sumReserved); err != nil {
		return Totals{}, s.orClosed(fmt.Errorf("sum up reservations: %w", err))
	}
	for _, sum := range sums {
		t.Reserved[sum.Unit] = sum.Units
	}
	end := time.Now()
	c.last, c.until = t, end.Add(max(shortestTotals, 20*end.Sub(begin)))
	return t, nil
}
