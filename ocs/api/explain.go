package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/catalog"
	"github.com/gyro-ocs/gyro/rating"
)

// An ExplainedCall is a call, a message or a data session with why it cost what it did.
type ExplainedCall struct {
	SessionID  string             `json:"session_id"`
	SubSession string             `json:"sub_session"`
	Service    string             `json:"service"`
	Direction  string             `json:"direction"`
	OtherParty string             `json:"other_party" doc:"the number that was rated; empty when unknown"`
	StartedAt  *time.Time         `json:"started_at"`
	EndedAt    *time.Time         `json:"ended_at" doc:"null: it goes on, or its CDR is not kept any more"`
	State      string             `json:"state" doc:"open, or why it ended"`
	Segments   []ExplainedSegment `json:"segments" nullable:"false"`
}

// An ExplainedSegment is the part of a call that one tariff prices. The increments count on the whole of it, not on each
// report.
type ExplainedSegment struct {
	RatingGroup *uint32      `json:"rating_group"`
	Tariff      string       `json:"tariff"`
	Plan        string       `json:"plan"`
	Catalog     string       `json:"catalog"`
	Measure     string       `json:"measure"`
	Reports     int          `json:"reports"`
	Used        rating.Units `json:"used"`
	Billed      rating.Units `json:"billed,omitempty" doc:"used, rounded up to whole increments; absent when the tariff is not known any more"`
	Unit        string       `json:"unit"`
	Charged     rating.Units `json:"charged"`
	Overrun     rating.Units `json:"overrun,omitempty" doc:"due, and no bucket could pay"`
	Taken       []Hold       `json:"taken" nullable:"false"`
	Why         string       `json:"why" doc:"in words"`
	Agrees      bool         `json:"agrees" doc:"the tariff alone comes to the same; false where others pay a part, or the clock divides it"`

	at time.Time // when it began to be used
}

// The bounds of what is read to explain a page.
const (
	mostEvents  = 20000
	mostRecords = 5000
	longestCall = 45 * 24 * time.Hour // events of a call are looked for as far back as that
)

// explainCalls explains the calls that lines name, in the order of the lines.
func (s *server) explainCalls(ctx context.Context, subscriber ocs.Subscriber, lines []StatementLine) ([]ExplainedCall, error) {
	var order []ocs.SessionKey
	var ids []string
	var first, last time.Time
	for _, l := range lines {
		if l.Kind != useLine {
			continue
		}
		key := ocs.SessionKey{ID: l.SessionID, Sub: l.SubSession}
		if !slices.Contains(order, key) {
			order, ids = append(order, key), append(ids, key.ID)
		}
		if first.IsZero() || l.At.Before(first) {
			first = l.At
		}
		if l.At.After(last) {
			last = l.At
		}
	}
	calls := make([]ExplainedCall, 0, len(order))
	if len(order) == 0 {
		return calls, nil
	}
	sessions, err := s.Store.SessionsOf(ctx, subscriber.ID, ids)
	if err != nil {
		return nil, s.storeFault(ctx, "load the sessions", err)
	}
	records, err := s.Store.RecordsOfSessions(ctx, subscriber.ID, ids, first, mostRecords)
	if err != nil {
		return nil, s.storeFault(ctx, "load the CDRs", err)
	}
	events, err := s.Store.EventsOfSessions(ctx, subscriber.ID, ids, first.Add(-longestCall), last.Add(longestCall), mostEvents)
	if err != nil {
		return nil, s.storeFault(ctx, "load the rated events", err)
	}
	for _, key := range order {
		call := ExplainedCall{SessionID: key.ID, SubSession: key.Sub, Segments: []ExplainedSegment{}}
		var conditions ocs.Conditions
		call.tell(key, sessions, records, &conditions)
		e := explainer{server: s, ctx: ctx, call: &call, conditions: conditions}
		for _, event := range events {
			if event.Session == key {
				call.Service = event.Service
				e.add(event)
			}
		}
		e.finish()
		calls = append(calls, call)
	}
	return calls, nil
}

// tell fills in what is known of the call itself.
func (c *ExplainedCall) tell(key ocs.SessionKey, sessions []ocs.Session, records []ocs.Record, conditions *ocs.Conditions) {
	for _, session := range sessions {
		if session.Key != key {
			continue
		}
		*conditions = session.Conditions
		c.StartedAt, c.EndedAt, c.State = optionalTime(session.StartedAt), optionalTime(session.EndedAt), string(session.State)
		if session.State != ocs.Open {
			c.State = string(session.Cause)
		}
		c.OtherParty = session.Conditions.Called
		if session.Conditions.Direction == rating.Terminating {
			c.OtherParty = session.Conditions.Calling
		}
	}
	for _, r := range records {
		if r.Session != key {
			continue
		}
		*conditions = r.Conditions
		c.StartedAt, c.OtherParty = optionalTime(r.StartedAt), r.OtherParty
		if c.State != string(ocs.Open) {
			c.EndedAt, c.State = optionalTime(r.EndedAt), string(r.Cause)
		}
	}
	c.OtherParty = strings.TrimPrefix(c.OtherParty, "tel:")
	c.Direction = directionWord(conditions.Direction)
}

// An explainer adds up the rated events of one call.
type explainer struct {
	server     *server
	ctx        context.Context
	call       *ExplainedCall
	conditions ocs.Conditions
}

func (e *explainer) add(event ocs.RatedEvent) {
	segments := e.call.Segments
	i := slices.IndexFunc(segments, func(s ExplainedSegment) bool {
		return sameGroup(s.RatingGroup, event.RatingGroup) && s.Tariff == event.Tariff && s.Plan == event.Plan && s.Catalog == event.Catalog &&
			s.Unit == string(event.Unit)
	})
	if i < 0 {
		i, segments = len(segments), append(segments, ExplainedSegment{
			RatingGroup: event.RatingGroup, Tariff: event.Tariff, Plan: event.Plan, Catalog: event.Catalog, Measure: string(event.Measure),
			Unit: string(event.Unit), Taken: []Hold{}, at: event.At,
		})
	}
	s := &segments[i]
	s.Reports++
	if s.Used == 0 && event.Measure == rating.Seconds {
		s.at = event.At.Add(-time.Duration(event.Used) * time.Second)
	}
	s.Used = rating.Add(s.Used, event.Used)
	s.Charged = rating.Add(s.Charged, event.Charged)
	s.Overrun = rating.Add(s.Overrun, event.Overrun)
	for _, h := range event.Taken {
		if n := len(s.Taken); n > 0 && s.Taken[n-1].Bucket == string(h.Bucket) {
			s.Taken[n-1].Units += h.Units
			continue
		}
		s.Taken = append(s.Taken, Hold{string(h.Bucket), h.Units})
	}
	e.call.Segments = segments
}

func sameGroup(a, b *uint32) bool { return a == b || a != nil && b != nil && *a == *b }

func (e *explainer) finish() {
	for i := range e.call.Segments {
		s := &e.call.Segments[i]
		tariff, known := e.server.tariffOf(e.ctx, *s, e.call.Service, e.call.OtherParty, e.conditions)
		if !known {
			s.Why = fmt.Sprintf("by the tariff %s of plan %s, of a catalogue that is not kept", s.Tariff, s.Plan)
			continue
		}
		s.Agrees = tariff.Charge(s.Used) == rating.Add(s.Charged, s.Overrun)
		if s.Agrees {
			s.Billed = tariff.RoundUp(s.Used)
		}
		s.Why = whyCharged(tariff, *s)
	}
}

// whyCharged tells the price of a segment in words.
func whyCharged(t rating.Tariff, s ExplainedSegment) string {
	if t.Free() {
		return "tariff " + t.Name + ": free"
	}
	used, plain := amount(s.Used, t.Measures), t.Measures == t.Pays && t.Price.Units == t.Price.Per
	words := []string{"tariff " + t.Name + ": " + used}
	switch {
	case t.First != t.Next:
		words = append(words, fmt.Sprintf("counted as the first %s whole, then in steps of %s", amount(t.First, t.Measures), amount(t.Next, t.Measures)))
	case t.Next > 1:
		words = append(words, "counted in steps of "+amount(t.Next, t.Measures))
	}
	if s.Agrees && s.Billed != s.Used {
		words[len(words)-1] += " are " + amount(s.Billed, t.Measures)
	}
	if !plain {
		words = append(words, fmt.Sprintf("at %s for each %s", amount(t.Price.Units, t.Pays), amount(t.Price.Per, t.Measures)))
		if s.Agrees {
			words[len(words)-1] += ": " + amount(t.Charge(s.Used)-t.Setup, t.Pays)
		}
	}
	if t.Setup > 0 {
		words = append(words, "and "+amount(t.Setup, t.Pays)+" for the call")
	}
	if !s.Agrees {
		words = append(words, "divided with another payer or tariff, of which this part is "+amount(s.Charged, t.Pays))
	}
	if s.Overrun > 0 {
		words = append(words, amount(s.Overrun, t.Pays)+" of it could not be paid and were not taken")
	}
	return strings.Join(words, ", ")
}

func amount(n rating.Units, unit rating.Unit) string {
	if unit == rating.Seconds {
		return fmt.Sprintf("%d s", n)
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// tariffOf finds the tariff that a segment was priced by: in the catalogue that was in force then, by the rules of that
// catalogue. It must have the name that was stored.
func (s *server) tariffOf(ctx context.Context, segment ExplainedSegment, service, number string, conditions ocs.Conditions) (rating.Tariff, bool) {
	known, ok := s.Rules().Services[service]
	if !ok {
		return rating.Tariff{}, false
	}
	plan, ok := s.catalogs.plan(ctx, s, segment.Catalog, segment.Plan)
	if !ok {
		return rating.Tariff{}, false
	}
	if n, ok := rating.ParseNumber(number); ok { // of a call that goes on it is as dialled
		number = plan.Numbering.Complete(n)
	}
	for _, d := range []rating.Direction{conditions.Direction, rating.Terminating} { // a client need not tell the direction
		usage := rating.Usage{
			Kind: known.Kind, Direction: d, Number: number, RatingGroup: segment.RatingGroup, Network: conditions.Network, Node: conditions.ServingNode, At: segment.at,
		}
		t, ok := plan.Tariff(usage)
		if !ok || t.Name != segment.Tariff {
			continue
		}
		for payer := range len(t.Then) + 1 {
			if by := t.By(payer); string(by.Pays) == segment.Unit {
				return by, true
			}
		}
	}
	return rating.Tariff{}, false
}

// A catalogShelf keeps catalogues that were read to explain something. A version never changes.
type catalogShelf struct {
	mutex sync.Mutex
	plans map[string]map[string]rating.Plan // by version
}

// mostCatalogs bounds what is kept.
const mostCatalogs = 8

func (c *catalogShelf) plan(ctx context.Context, s *server, version, name string) (rating.Plan, bool) {
	if rules := s.Rules(); rules.Catalog == version {
		plan, ok := rules.Plans[name]
		return plan, ok
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	plans, ok := c.plans[version]
	if !ok {
		document, err := s.Store.Catalog(ctx, version)
		if err != nil {
			return rating.Plan{}, false
		}
		parsed, err := catalog.Parse(version, document.Document)
		if err != nil {
			return rating.Plan{}, false
		}
		if plans = parsed.Plans(); len(c.plans) >= mostCatalogs || c.plans == nil {
			c.plans = map[string]map[string]rating.Plan{}
		}
		c.plans[version] = plans
	}
	plan, ok := plans[name]
	return plan, ok
}
