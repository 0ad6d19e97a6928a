package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func topCommand(env *environment) *cobra.Command {
	var every time.Duration
	var once bool
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch traffic, results, latency, sessions and peers of the server",
		Long: `Top shows what the server does now, from its metrics: requests a second by result, how long they took, open sessions,
reservations, and the peers that are connected. It prints anew every --every until it is interrupted; with --once it measures
one interval, prints and ends.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < leastWatch {
				return usagef("--every %s is less than %s", every, leastWatch)
			}
			return env.top(cmd, every, once || env.json)
		},
	}
	cmd.Flags().DurationVar(&every, "every", 2*time.Second, "time between two pictures")
	cmd.Flags().BoolVar(&once, "once", false, "measure one interval, print and end")
	return cmd
}

// A topPicture is what the server did in an interval.
type topPicture struct {
	At       time.Time          `json:"at"`
	Interval float64            `json:"interval_seconds"`
	Requests map[string]float64 `json:"requests_per_second"` // by result
	Median   float64            `json:"median_seconds"`      // an upper bound
	Slow     float64            `json:"p99_seconds"`         // likewise
	Status   api.Status         `json:"status"`
}

func (env *environment) top(cmd *cobra.Command, every time.Duration, once bool) error {
	before, at, err := env.metrics(cmd)
	if err != nil {
		return err
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-cmd.Context().Done():
			return nil
		case <-ticker.C:
		}
		after, now, err := env.metrics(cmd)
		if err != nil {
			return err
		}
		picture := pictureOf(before, after, now.Sub(at))
		picture.At = now
		if picture.Status, err = answerTo[api.Status](cmd, env, question{path: "/care/v1/status"}); err != nil {
			return err
		}
		if env.json {
			return env.printJSON(picture)
		}
		if err := env.showTop(picture); err != nil || once {
			return err
		}
		before, at = after, now
	}
}

// The metrics that top looks at, as Prometheus spells them.
const (
	requestsMetric = "gyro_diameter_requests_total{"
	durationMetric = "gyro_diameter_request_duration_seconds_bucket{"
)

// metrics reads the server's metrics: the value of each series.
func (env *environment) metrics(cmd *cobra.Command) (map[string]float64, time.Time, error) {
	c, err := env.client()
	if err != nil {
		return nil, time.Time{}, err
	}
	answer, err := c.open(cmd.Context(), http.MethodGet, "/metrics", nil, "", nil)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer answer.Close() //nolint:errcheck // only read
	series, err := readMetrics(answer)
	return series, time.Now(), err
}

// readMetrics reads the text form of Prometheus.
func readMetrics(r io.Reader) (map[string]float64, error) {
	series := map[string]float64{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || end < 0 {
			continue
		}
		if value, err := strconv.ParseFloat(line[end+1:], 64); err == nil {
			series[line[:end]] = value
		}
	}
	return series, lines.Err()
}

// label returns the value of a label of a series; empty: it has none.
func label(series, name string) string {
	_, rest, ok := strings.Cut(series, name+`="`)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// pictureOf tells what happened between two readings.
func pictureOf(before, after map[string]float64, took time.Duration) topPicture {
	p := topPicture{Interval: took.Seconds(), Requests: map[string]float64{}}
	buckets := map[float64]float64{} // by upper bound, all requests up to it
	for series, value := range after {
		more := value - before[series]
		switch {
		case more <= 0 || took <= 0:
		case strings.HasPrefix(series, requestsMetric):
			p.Requests[label(series, "type")+" "+label(series, "result")] += more / took.Seconds()
		case strings.HasPrefix(series, durationMetric):
			if bound, err := strconv.ParseFloat(label(series, "le"), 64); err == nil {
				buckets[bound] += more
			}
		}
	}
	p.Median, p.Slow = quantile(buckets, .5), quantile(buckets, .99)
	return p
}

// quantile returns the bound of the bucket that holds it: what was asked for is not above. Where it lies beyond the last
// bound, that is returned; without any request 0.
func quantile(buckets map[float64]float64, part float64) float64 {
	bounds := slices.Sorted(maps.Keys(buckets))
	if len(bounds) == 0 {
		return 0
	}
	wanted, finite := part*buckets[bounds[len(bounds)-1]], 0.0
	for _, bound := range bounds {
		if !math.IsInf(bound, 1) {
			finite = bound
		}
		if buckets[bound] >= wanted {
			break
		}
	}
	return finite
}

func (env *environment) showTop(p topPicture) error {
	if isTerminal(env.stdout) {
		if _, err := io.WriteString(env.stdout, "\x1b[H\x1b[2J"); err != nil {
			return err
		}
	}
	s := p.Status
	state := "ready"
	if !s.Ready {
		state = s.NotReady
	}
	total, most := 0.0, 0.0
	for _, rate := range p.Requests {
		total, most = total+rate, max(most, rate)
	}
	_, err := fmt.Fprintf(env.stdout, "gyro %s, %s, up %s   %s\n%d open sessions hold %s min   %.1f requests/s   half within %s, 99 %% within %s\n\n",
		printable(s.Version), printable(state), time.Duration(s.UptimeSeconds)*time.Second, instant(p.At), s.OpenSessions, minutes(s.ReservedSeconds), total,
		took(p.Median), took(p.Slow))
	if err != nil {
		return err
	}
	t := newTable(env.stdout)
	t.row("REQUEST", "RESULT", "PER SECOND", " ")
	names := slices.SortedFunc(maps.Keys(p.Requests), func(a, b string) int { return cmp.Or(cmp.Compare(p.Requests[b], p.Requests[a]), cmp.Compare(a, b)) })
	for _, name := range names {
		kind, result, _ := strings.Cut(name, " ")
		t.row(kind, result, fmt.Sprintf("%.1f", p.Requests[name]), strings.Repeat("█", int(math.Ceil(p.Requests[name]/most*30))))
	}
	if len(names) == 0 {
		t.row("none", " ", " ", " ")
	}
	t.gap()
	t.row("PEER", "REALM", "ADDRESS", "STATE", "SINCE")
	for _, peer := range s.Peers {
		t.row(peer.OriginHost, peer.OriginRealm, peer.Address, peer.State, instant(peer.Since))
	}
	if len(s.Peers) == 0 {
		t.row("none", " ", " ", " ", " ")
	}
	return t.flush()
}

// took writes seconds as people do.
func took(seconds float64) string {
	return (time.Duration(seconds * float64(time.Second))).String()
}
