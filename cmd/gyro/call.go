package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/diameter/ctf"
	"github.com/gyro-ocs/gyro/rating"
)

// calling is what "gyro call" was asked to do.
type calling struct {
	call       ctf.Call
	seconds    uint32
	ratingFlag int64
	event      string
	units      uint32
	refund     string

	count, parallel int
	repeatEach      bool
	quiet           bool

	host, realm, destination string
	timeout                  time.Duration
}

// noRatingGroup is the value of --rating-group that leaves the AVP out.
const noRatingGroup = -1

func callCommand(env *environment) *cobra.Command {
	var c calling
	cmd := &cobra.Command{
		Use:   "call --from MSISDN --to NUMBER --seconds N",
		Short: "Place calls as a simulated switch, over real Diameter",
		Long: `Call connects to a server as a switch does, places calls, and prints every message in words, or with --json as
one JSON object a line. A call takes no time: the switch reports usage as if the seconds had passed, unless
--real-time is given. Then Ctrl-C hangs up.

The switch obeys: it reports when its quota is used up, and cuts the call when the balance ends. With --event it asks
for something that is charged at once, or asks a question, and there is no call.

Exit code 4 means that a call was refused, 3 that the subscriber is unknown, 5 that the server did not answer.`,
		Example: `  gyro call --from 491700000001 --to +4930123456 --seconds 150
  gyro call --from 491700000001 --to +4930123456 --seconds 600 --count 1000 --parallel 50 --quiet
  gyro call --from 491700000001 --to +4930123456 --event check-balance`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.complete(); err != nil {
				return err
			}
			return c.run(cmd.Context(), env)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&c.call.From, "from", "", "MSISDN of the subscriber who calls")
	flags.StringVar(&c.call.To, "to", "", "number, SIP or tel URI that is called")
	flags.Uint32Var(&c.seconds, "seconds", 0, "how long the two talk; 0: nobody answers")
	flags.Var(&lapse{&c.call.AnswerDelay}, "answer-delay", "how long it rings")
	flags.Var(&lapse{&c.call.Interval}, "interval", "report usage at least so often; 0: when the quota is used up")
	flags.Uint32Var(&c.call.Ask, "ask", 0, "seconds to ask for in each request; 0: as the server sees fit")
	flags.StringVar(&c.call.Context, "context", "", "Service-Context-Id (default "+ctf.DefaultContext+", with --event "+ctf.SMSContext+")")
	flags.Int64Var(&c.ratingFlag, "rating-group", noRatingGroup, "Rating-Group; -1: none")
	flags.BoolVar(&c.call.CommandLevel, "command-level", false, "units outside any Multiple-Services-Credit-Control")
	flags.BoolVar(&c.call.RealTime, "real-time", false, "let the time pass")
	flags.StringVar(&c.event, "event", "", "no call but an event: debit, refund, check-balance or price")
	flags.Uint32Var(&c.units, "units", 1, "units of the --event")
	flags.StringVar(&c.refund, "refund", "", "Refund-Information of the debit that --event refund gives back, as the debit printed it")
	flags.IntVar(&c.count, "count", 1, "calls to place")
	flags.IntVar(&c.parallel, "parallel", 1, "calls at the same time")
	flags.BoolVar(&c.repeatEach, "repeat-each", false, "send each request once more, with the T flag and over another connection")
	flags.BoolVar(&c.quiet, "quiet", false, "print the outcome only")
	flags.StringVar(&env.serverFlag, "server", "", "HOST:PORT of a Diameter server, instead of the one that runs on --data-dir")
	flags.StringVar(&c.host, "origin-host", "", "Origin-Host of the switch (default one of its own)")
	flags.StringVar(&c.realm, "origin-realm", "switch.localdomain", "Origin-Realm of the switch")
	flags.StringVar(&c.destination, "destination-realm", "", "Destination-Realm of the requests (default the realm of the server)")
	flags.DurationVar(&c.timeout, "timeout", 10*time.Second, "how long to wait for an answer")
	return cmd
}

// lapse is a flag for whole seconds: 30 or 30s or 2m.
type lapse struct{ d *time.Duration }

func (l *lapse) Type() string   { return "seconds" }
func (l *lapse) String() string { return strconv.FormatInt(int64(*l.d/time.Second), 10) }

func (l *lapse) Set(text string) error {
	d, err := time.ParseDuration(text)
	if n, plain := strconv.ParseUint(text, 10, 31); plain == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 || d%time.Second != 0 {
		return errors.New("must be whole seconds, such as 30 or 2m")
	}
	*l.d = d
	return nil
}

// complete fills in what follows from the flags and refuses what makes no sense.
func (c *calling) complete() error {
	c.call.Talk = time.Duration(c.seconds) * time.Second
	if c.host == "" { // a peer may have one connection, so that two commands at once need two names
		c.host = fmt.Sprintf("call-%d.%s", os.Getpid(), c.realm)
	}
	switch {
	case c.ratingFlag > 1<<32-1 || c.ratingFlag < noRatingGroup:
		return usagef("--rating-group %d is no Unsigned32", c.ratingFlag)
	case c.ratingFlag != noRatingGroup:
		c.call.RatingGroup = new(uint32(c.ratingFlag))
	}
	if err := c.call.Validate(); err != nil {
		return usagef("%w", err)
	}
	if _, known := events[c.event]; c.event != "" && !known {
		return usagef("--event %q is none of debit, refund, check-balance, price", c.event)
	}
	if (c.refund != "") != (c.event == "refund") {
		return usagef("--event refund and --refund TOKEN go together; the debit printed the token")
	}
	if c.count < 1 || c.parallel < 1 {
		return usagef("--count and --parallel must be at least 1")
	}
	if c.timeout <= 0 {
		return usagef("--timeout %s leaves no time for an answer; it must be more than 0, such as 10s", c.timeout)
	}
	if !isIdentity(c.host) || !isIdentity(c.realm) {
		return usagef("--origin-host and --origin-realm must be names such as switch.example.net")
	}
	return nil
}

var events = map[string]ctf.Action{
	"debit": ctf.Debit, "refund": ctf.Refund, "check-balance": ctf.CheckBalance, "price": ctf.AskPrice,
}

// diameterAddress returns where the server listens that the flags name.
func (env *environment) diameterAddress() (string, error) {
	if env.serverFlag != "" {
		address := strings.TrimPrefix(strings.TrimPrefix(env.serverFlag, "diameter://"), "aaa://")
		if strings.Contains(address, "://") {
			return "", usagef("--server %q is not HOST:PORT of a Diameter server", env.serverFlag)
		}
		return withPort(address, "3868"), nil
	}
	dir, err := env.dataDir()
	if err != nil {
		return "", err
	}
	e, err := readEndpoint(dir)
	if err != nil {
		return "", err
	}
	if len(e.Diameter) == 0 {
		return "", failf(exitUnavailable, "the server on %s has no plain Diameter listener; a call needs diameter.listen", dir)
	}
	return e.Diameter[0], nil
}

func (c *calling) run(ctx context.Context, env *environment) error {
	address, err := env.diameterAddress()
	if err != nil {
		return err
	}
	config := ctf.Config{Host: c.host, Realm: c.realm, DestinationRealm: c.destination, Timeout: c.timeout}
	conn, err := c.dial(ctx, env, address, config)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the calls are over
	s := ctf.New(config, conn)
	if c.repeatEach {
		other := config
		other.Host = "again." + c.host // as another node of the switch; the requests keep their Origin-Host
		again, err := c.dial(ctx, env, address, other)
		if err != nil {
			return err
		}
		defer again.Close() //nolint:errcheck // the calls are over
		s.RepeatOn(again)
	}
	return c.placeAll(ctx, s, &callPrinter{env: env, many: c.count > 1, quiet: c.quiet})
}

func (c *calling) dial(ctx context.Context, env *environment, address string, config ctf.Config) (*ctf.Conn, error) {
	conn, err := ctf.Dial(ctx, address, config)
	refused, isRefused := errors.AsType[*ctf.RefusedError](err)
	switch {
	case err == nil:
		return conn, nil
	case isRefused && refused.Code == 3010:
		return nil, failf(exitRefused, "%w: it knows no peer %s. Add it to peers in its configuration, start it with "+
			"--accept-unknown-peers, or use a name it knows with --origin-host", err, config.Host)
	case isRefused:
		return nil, failf(exitRefused, "%w", err)
	case errors.Is(err, syscall.ECONNREFUSED) && env.serverFlag == "":
		dir, _ := env.dataDir()
		return nil, noServer(dir)
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		err = operation.Err
	}
	return nil, failf(exitUnavailable, "connect to %s: %w", address, err)
}

// placeAll places the calls, so many at a time, and returns the worst that happened.
func (c *calling) placeAll(ctx context.Context, s *ctf.Switch, p *callPrinter) error {
	started := time.Now()
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(c.parallel, c.count) {
		workers.Go(func() {
			for n := range next {
				outcome, err := c.place(ctx, s, p.watch(n))
				p.ended(n, outcome, err)
			}
		})
	}
	for n := 1; n <= c.count && ctx.Err() == nil && !p.lost(); n++ {
		select {
		case next <- n:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return p.summary(time.Since(started))
}

func (c *calling) place(ctx context.Context, s *ctf.Switch, watch func(ctf.Message)) (ctf.Outcome, error) {
	if c.event == "" {
		return s.Call(ctx, c.call, watch)
	}
	return s.Event(ctx, ctf.Event{
		From: c.call.From, To: c.call.To, Action: events[c.event], Units: c.units, Refund: c.refund, Context: c.call.Context,
	}, watch)
}

// A callPrinter tells what the calls do. It is used by all of them at once.
type callPrinter struct {
	env         *environment
	many, quiet bool

	mu       sync.Mutex
	worst    error
	broken   bool // the connection is: no further call can be placed
	outcomes map[string]int
	calls    int
	seconds  uint64
	requests int
}

func (p *callPrinter) watch(n int) func(ctf.Message) {
	return func(m ctf.Message) {
		if p.quiet {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.env.json {
			p.line(struct {
				Call int `json:"call"`
				ctf.Message
			}{n, m})
			return
		}
		arrow := "<-"
		if m.Sent {
			arrow = "->"
		}
		if p.many {
			p.say("#%d ", n)
		}
		p.say("%s %s\n", arrow, printable(m.String()))
	}
}

// say prints words. A reader that left wants no more of them.
func (p *callPrinter) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.env.stdout, format, args...)
}

// line prints v as JSON in one line.
func (p *callPrinter) line(v any) {
	encoder := json.NewEncoder(p.env.stdout)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
}

func (p *callPrinter) ended(n int, o ctf.Outcome, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	p.seconds += uint64(o.Seconds)
	p.requests += o.Asked
	if p.outcomes == nil {
		p.outcomes = make(map[string]int)
	}
	word := string(o.End)
	if err != nil {
		word = "failed"
		p.broken = p.broken || errors.Is(err, ctf.ErrClosed)
	}
	p.outcomes[word]++
	p.worst = worse(p.worst, outcomeError(o, err))
	switch {
	case p.env.json && err == nil:
		p.line(struct {
			Call int `json:"call"`
			ctf.Outcome
		}{n, o})
	case p.env.json:
		p.line(struct {
			Call    int    `json:"call"`
			Session string `json:"session"`
			Error   string `json:"error"`
		}{n, o.Session, err.Error()})
	case !p.many:
		p.one(o, err)
	}
}

func (p *callPrinter) one(o ctf.Outcome, err error) {
	switch {
	case err != nil || o.End == ctf.Refused: // the error says it
	case o.End == ctf.Done:
		p.say("\ndone, session %s\n", printable(o.Session))
	default:
		p.say("\n%s after %s min of talk, session %s\n", o.End, minutes(rating.Units(o.Seconds)), printable(o.Session))
	}
}

func (p *callPrinter) lost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

// summary tells of many calls, and returns the worst of them.
func (p *callPrinter) summary(took time.Duration) error {
	if p.many && !p.env.json {
		p.say("\n%d calls, %d requests in %v:", p.calls, p.requests, took.Round(time.Millisecond))
		for _, word := range []ctf.End{ctf.Completed, ctf.CutOff, ctf.Unanswered, ctf.Free, ctf.Refused, ctf.Done, "failed"} {
			if n := p.outcomes[string(word)]; n > 0 {
				p.say(" %d %s", n, word)
			}
		}
		p.say(", %d s talked\n", p.seconds)
	}
	return p.worst
}

// outcomeError is the error that the command ends with when o is the worst that happened.
func outcomeError(o ctf.Outcome, err error) error {
	switch {
	case errors.Is(err, ctf.ErrCopyDiffers):
		return err
	case err != nil:
		return failf(exitUnavailable, "%w", err)
	case o.End != ctf.Refused:
		return nil
	case o.Code == 5030:
		return failf(exitNotFound, "refused with %s", ctf.CodeText(o.Code))
	}
	code := exitRefused
	if o.Code/1000 == 3 { // nothing was decided: the server is busy, or it is the wrong one
		code = exitUnavailable
	}
	return failf(code, "refused with %s", ctf.CodeText(o.Code))
}

// worse returns the one of two errors that says more: a broken server before a refusal, and the first of equals.
func worse(a, b error) error {
	rank := func(err error) int {
		switch exitCode(err) {
		case exitOK:
			return 0
		case exitNotFound, exitRefused:
			return 1
		case exitUnavailable:
			return 2
		}
		return 3
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
