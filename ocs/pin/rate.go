package pin

import (
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

// A Rate bounds wrong PINs of one channel and gateway, on one server: so many at once, and then one each Every.
type Rate struct {
	Burst int
	Every time.Duration
}

// DefaultRate lets a gateway with many customers mistype, and lets nobody try a PIN with a whole network.
var DefaultRate = Rate{Burst: 120, Every: time.Second}

// source is where PINs come from.
type source struct {
	channel transfer.Channel
	gateway string
}

// maxSources bounds the memory. Gateways are authenticated clients, far fewer.
const maxSources = 1024

// limiter is a token bucket for each source. A try takes a token, a right one gives it back.
type limiter struct {
	rate    Rate
	mu      sync.Mutex
	buckets map[source]*tokens
}

type tokens struct {
	left  int
	since time.Time // of the last token that came
}

func newLimiter(r Rate) *limiter { return &limiter{rate: r, buckets: map[source]*tokens{}} }

// take takes a token of s. Without one it tells how long until the next.
func (l *limiter) take(s source, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.bucket(s, now)
	l.fill(t, now)
	if t.left == 0 {
		return t.since.Add(l.rate.Every).Sub(now), false
	}
	t.left--
	return 0, true
}

// giveBack returns a token.
func (l *limiter) giveBack(s source) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ok := l.buckets[s]; ok {
		t.left = min(l.rate.Burst, t.left+1)
	}
}

// bucket returns the tokens of s. When there are too many sources, those that are full again are forgotten, and where none is,
// newcomers share one bucket: a source with a name of its own choice gains nothing by another.
func (l *limiter) bucket(s source, now time.Time) *tokens {
	if t, ok := l.buckets[s]; ok {
		return t
	}
	if len(l.buckets) >= maxSources {
		for other, t := range l.buckets {
			if l.fill(t, now); t.left == l.rate.Burst {
				delete(l.buckets, other)
			}
		}
	}
	if len(l.buckets) >= maxSources {
		if s = (source{}); l.buckets[s] != nil {
			return l.buckets[s]
		}
	}
	t := &tokens{left: l.rate.Burst, since: now}
	l.buckets[s] = t
	return t
}

// fill adds the tokens that came since. A clock that was put back adds none.
func (l *limiter) fill(t *tokens, now time.Time) {
	if t.left == l.rate.Burst {
		t.since = now
		return
	}
	came := int64(now.Sub(t.since) / l.rate.Every)
	if came <= 0 {
		return
	}
	t.since = t.since.Add(time.Duration(came) * l.rate.Every)
	t.left = int(min(int64(l.rate.Burst), int64(t.left)+came))
}
