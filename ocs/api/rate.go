package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/catalog"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A RateExplanation tells what a usage would cost now, rule by rule.
type RateExplanation struct {
	Plan     string        `json:"plan"`
	Catalog  string        `json:"catalog"`
	Number   string        `json:"number" doc:"of the other party, completed"`
	Verdict  string        `json:"verdict" enum:"granted,barred,no tariff"`
	Parts    []RateStretch `json:"parts" nullable:"false"`
	Lines    []string      `json:"lines" nullable:"false" doc:"the same in words"`
	Affords  bool          `json:"affords" doc:"the buckets cover all of it"`
	Balances []RateBalance `json:"balances" nullable:"false" doc:"what would be taken, by unit"`
}

// A RateStretch is a part of a usage that is charged alike.
type RateStretch struct {
	From    *time.Time   `json:"from"`
	Tariff  string       `json:"tariff"`
	Rule    string       `json:"rule" doc:"what the tariff was found by"`
	Price   string       `json:"price"`
	Used    rating.Units `json:"used"`
	Counted rating.Units `json:"counted" doc:"used in whole increments"`
	Unit    string       `json:"unit"`
	Charged rating.Units `json:"charged"`
	Short   rating.Units `json:"short" doc:"due, and no bucket can pay it"`
	Taken   []Hold       `json:"taken" nullable:"false"`
}

// A RateBalance is what is taken in one unit.
type RateBalance struct {
	Unit    string       `json:"unit"`
	Charged rating.Units `json:"charged"`
	Short   rating.Units `json:"short"`
}

// A SessionExplanation tells why a session was charged what it was, event by event, by the catalogues that it was charged by.
type SessionExplanation struct {
	MSISDN     string           `json:"msisdn"`
	SessionID  string           `json:"session_id"`
	OtherParty string           `json:"other_party"`
	Exact      bool             `json:"exact" doc:"every event was charged what its tariff says"`
	Events     []ExplainedEvent `json:"events" nullable:"false"`
	Balances   []RateBalance    `json:"balances" nullable:"false" doc:"what was taken, by unit"`
	Lines      []string         `json:"lines" nullable:"false" doc:"the same in words"`
}

// An ExplainedEvent is a rated event, and what its tariff says.
type ExplainedEvent struct {
	RatedEvent
	Price   string       `json:"price" doc:"empty: the tariff is not known any more"`
	Counted rating.Units `json:"counted" doc:"of the stretch so far, in whole increments"`
	Total   rating.Units `json:"total" doc:"used in the stretch so far"`
	Cost    rating.Units `json:"cost" doc:"of the event by its tariff"`
	Exact   bool         `json:"exact"`
}

// maxExplained bounds the events of one session that are told.
const maxExplained = 1000

type rateInput struct {
	From        string       `query:"from" maxLength:"60" doc:"MSISDN of the subscriber, or IMSI behind imsi-; absent: plan tells"`
	Plan        string       `query:"plan" maxLength:"64" doc:"instead of the subscriber's"`
	Number      string       `query:"to" maxLength:"256" doc:"number of the other party, as it is dialled"`
	Kind        string       `query:"kind" enum:"voice,data,message" default:"voice"`
	Direction   string       `query:"direction" enum:"originating,terminating,forwarding" default:"originating"`
	At          time.Time    `query:"at" doc:"absent: now"`
	Units       rating.Units `query:"units" minimum:"1" maximum:"1000000000000" default:"60" doc:"seconds of voice, octets of data, messages"`
	RatingGroup int64        `query:"rating_group" minimum:"-1" maximum:"4294967295" default:"-1"`
	Network     string       `query:"network" maxLength:"6" doc:"serving network, MCC and MNC; absent: home"`
}

func (s *server) handleExplain(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "explain-rate", Method: http.MethodGet, Path: "/care/v1/rate",
		Summary: "Tell what a usage would cost, rule by rule, and which buckets would pay", Errors: []int{http.StatusNotFound},
	}), s.explainRate)
	huma.Register(care, operation(huma.Operation{
		OperationID: "explain-session", Method: http.MethodGet, Path: "/care/v1/session/explanation",
		Summary:     "Tell why a session was charged what it was, by the catalogues of its time",
		Description: "Every rated event is charged again by the version that it names.",
		Errors:      []int{http.StatusNotFound},
	}), s.explainSession)
}

func (s *server) explainRate(ctx context.Context, in *rateInput) (*struct{ Body RateExplanation }, error) {
	var buckets []ocs.Bucket
	name := in.Plan
	if in.From != "" {
		subscriber, err := s.find(ctx, in.From)
		if err != nil {
			return nil, err
		}
		if buckets, err = s.Store.Buckets(ctx, subscriber.ID); err != nil {
			return nil, s.storeFault(ctx, "load the buckets", err)
		}
		name = cmp.Or(name, subscriber.Plan)
	}
	rules := s.Rules()
	plan, ok := rules.Plans[name]
	if !ok {
		return nil, invalid("query.plan", fmt.Errorf("the catalogue in force has no plan %q; it has %s", name, strings.Join(slices.Sorted(maps.Keys(rules.Plans)), ", ")))
	}
	u := rating.Usage{Kind: rating.Kind(in.Kind), Network: in.Network, Direction: directions[in.Direction]}
	if n, ok := rating.ParseNumber(in.Number); ok {
		u.Number = plan.Numbering.Complete(n)
	}
	if in.RatingGroup >= 0 {
		u.RatingGroup = new(uint32(in.RatingGroup)) //nolint:gosec // G115: bounded above
	}
	at := in.At
	if at.IsZero() {
		at = s.Now()
	}
	e := RateExplanation{Plan: name, Catalog: rules.Catalog, Number: u.Number, Parts: []RateStretch{}, Balances: []RateBalance{}}
	parts, ok := ocs.Estimate(plan, u, in.Units, buckets, at.UTC().Truncate(time.Second))
	e.tell(parts, ok, buckets, in.From != "")
	return &struct{ Body RateExplanation }{e}, nil
}

var directions = map[string]rating.Direction{
	"originating": rating.Originating, "terminating": rating.Terminating, "forwarding": rating.Forwarding,
}

func (e *RateExplanation) tell(parts []ocs.Stretch, found bool, buckets []ocs.Bucket, known bool) {
	say := func(format string, args ...any) { e.Lines = append(e.Lines, fmt.Sprintf(format, args...)) }
	say("plan %s of catalogue %s; the other party is %s", e.Plan, e.Catalog, cmp.Or(e.Number, "unknown"))
	switch {
	case !found:
		e.Verdict = "no tariff"
		say("no tariff fits: the request is refused (5031)")
		return
	case len(parts) > 0 && parts[0].Meter.Tariff.Barred:
		e.Verdict = "barred"
		say("tariff %s, %s: barred, the request is refused (4010)", parts[0].Meter.Tariff.Name, sayChoice(parts[0].Choice))
		return
	}
	e.Verdict, e.Affords = "granted", known
	sums := balances{}
	for _, p := range parts {
		t := p.Meter.Pricing()
		told := RateStretch{
			From: optionalTime(p.From), Tariff: t.Name, Rule: sayChoice(p.Choice), Price: catalog.SayTariff(t), Used: p.Used,
			Counted: p.Meter.Rounded(), Unit: string(t.Pays), Charged: p.Charged, Short: p.Short, Taken: tellHolds(p.Taken),
		}
		e.Parts = append(e.Parts, told)
		say("%s from %s: tariff %s, %s", quantityOf(p.Used, t.Measures), told.From.Format(time.RFC3339), t.Name, told.Rule)
		say("  %s: %s counted as %s%s, %s", told.Price, quantityOf(p.Used, t.Measures), quantityOf(told.Counted, t.Measures),
			carried(p.Meter.Carried, t.Measures), quantityOf(p.Charged+p.Short, t.Pays))
		if known {
			for _, h := range p.Taken {
				say("  %s from bucket %s", quantityOf(h.Units, t.Pays), bucketWord(buckets, h.Bucket))
			}
			if p.Short > 0 {
				e.Affords = false
				say("  %s that no bucket can pay", quantityOf(p.Short, t.Pays))
			}
		}
		sums.add(string(t.Pays), p.Charged, p.Short)
	}
	e.Balances = sums.list()
	for _, b := range e.Balances {
		say("in all %s", quantityOf(b.Charged+b.Short, rating.Unit(b.Unit)))
	}
}

func carried(units rating.Units, measure rating.Unit) string {
	if units == 0 {
		return ""
	}
	return " (the first " + quantityOf(units, measure) + " were paid with the increment that was begun before)"
}

func bucketWord(buckets []ocs.Bucket, id ocs.BucketID) string {
	for _, b := range buckets {
		if b.ID == id {
			return string(id) + " (" + b.Class + ")"
		}
	}
	return string(id)
}

// sayChoice tells what a tariff was found by.
func sayChoice(c rating.Choice) string {
	var how string
	switch c.By {
	case rating.ByGroup:
		how = "by its rating group"
	case rating.ByPrefix:
		how = "by the longest prefix, " + cmp.Or(c.Prefix, "* for everything else")
	case rating.ByZone:
		how = "by zone " + c.Zone + " of the prefix " + c.Prefix
	case rating.ByDirection:
		how = "for what is received"
	case rating.ByDefault:
		how = "because nothing else fits"
	case rating.ByNetwork:
		how = "because the plan does not name the visited network"
	case rating.ByNothing:
		how = "as before"
	}
	if c.Roaming != "" {
		how += ", roaming in " + c.Roaming
	}
	if c.Period != "" {
		how += ", at this time instead of " + c.Period
	}
	return how
}

// quantityOf tells units in words.
func quantityOf(n rating.Units, unit rating.Unit) string {
	if unit == rating.Seconds {
		return fmt.Sprintf("%d s", n)
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// balances are sums by unit.
type balances map[string]RateBalance

func (b balances) add(unit string, charged, short rating.Units) {
	one := b[unit]
	b[unit] = RateBalance{Unit: unit, Charged: one.Charged + charged, Short: rating.Add(one.Short, short)}
}

func (b balances) list() []RateBalance {
	all := make([]RateBalance, 0, len(b))
	for _, unit := range slices.Sorted(maps.Keys(b)) {
		all = append(all, b[unit])
	}
	return all
}

func (s *server) explainSession(ctx context.Context, in *struct {
	SessionID  string `query:"session_id" required:"true" maxLength:"1024"`
	SubSession string `query:"sub_session" maxLength:"20"`
	OwnerInput
}) (*struct{ Body SessionExplanation }, error) {
	key, err := sessionInput{in.SessionID, in.SubSession}.key()
	if err != nil {
		return nil, err
	}
	owner, err := s.owner(ctx, in.OwnerInput)
	if err != nil {
		return nil, err
	}
	if owner == "" {
		owners, err := s.Store.Locate(ctx, []ocs.SessionKey{key})
		if err != nil {
			return nil, s.storeFault(ctx, "find the session", err)
		}
		if owner = owners[0]; owner == "" {
			return nil, notFound("no session has this id; of one that ended long ago the subscriber must be named too")
		}
	}
	isAbout(ctx, owner)
	events, err := s.Store.RatedEvents(ctx, postgres.RatedEventFilter{Subscriber: owner, Session: key, Limit: maxExplained})
	if err != nil {
		return nil, s.storeFault(ctx, "load the rated events", err)
	}
	records, err := s.Store.Records(ctx, postgres.RecordFilter{Subscriber: owner, Session: key, Limit: maxExplained})
	if err != nil {
		return nil, s.storeFault(ctx, "load the CDRs", err)
	}
	if len(events) == 0 && len(records) == 0 {
		return nil, notFound("nothing was charged in this session")
	}
	e := SessionExplanation{SessionID: key.ID, Events: []ExplainedEvent{}, Exact: true}
	if err := s.tellSessionOf(ctx, &e, events, records); err != nil {
		return nil, err
	}
	return &struct{ Body SessionExplanation }{e}, nil
}

// tellSessionOf charges the events of a session again and tells of each.
func (s *server) tellSessionOf(ctx context.Context, e *SessionExplanation, events []ocs.RatedEvent, records []ocs.Record) error {
	rules := s.Rules()
	say := func(format string, args ...any) { e.Lines = append(e.Lines, fmt.Sprintf(format, args...)) }
	kind := rating.Voice
	if len(events) > 0 {
		kind = rules.Services[events[0].Service].Kind
	}
	plans, err := s.plansOf(ctx, events)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		r := records[len(records)-1]
		e.MSISDN, e.OtherParty = r.MSISDN, r.OtherParty
		say("%s of %s, %s, began %s, ended %s: %s", r.Service, r.MSISDN, directionWord(r.Conditions.Direction), r.StartedAt.UTC().Format(time.RFC3339),
			r.EndedAt.UTC().Format(time.RFC3339), r.Cause)
		say("the number that counts is %s, the network %s", cmp.Or(r.OtherParty, "unknown"), cmp.Or(r.Conditions.Network, r.Conditions.ServingNode, "home"))
		tellChoices(say, rules, records, plans)
	} else {
		say("the session has no CDR yet: it is open")
	}
	sums := balances{}
	for _, r := range ocs.Replay(events, kind, func(version, name string) (rating.Plan, bool) {
		plan, ok := plans[version][name]
		return plan, ok
	}) {
		told := ExplainedEvent{
			RatedEvent: tellEvent(r.Event), Counted: r.Meter.Rounded(), Total: r.Meter.Used, Cost: r.Cost, Exact: r.Exact(),
		}
		if r.Known {
			told.Price = catalog.SayTariff(r.Meter.Pricing())
		} else {
			told.Counted, told.Total = 0, 0
		}
		e.Events = append(e.Events, told)
		e.Exact = e.Exact && told.Exact
		sums.add(told.Unit, told.Charged, told.Overrun)
		sayEvent(say, told, r)
	}
	e.Balances = sums.list()
	for _, b := range e.Balances {
		say("in all %s%s", quantityOf(b.Charged, rating.Unit(b.Unit)), owed(b.Short, rating.Unit(b.Unit)))
	}
	if e.Exact {
		say("this is what the tariffs say, to the second")
	} else {
		say("this is not what the tariffs say: see the lines with a difference")
	}
	return nil
}

func owed(short rating.Units, unit rating.Unit) string {
	if short == 0 {
		return ""
	}
	return ", and " + quantityOf(short, unit) + " that no bucket could pay"
}

func sayEvent(say func(string, ...any), e ExplainedEvent, r ocs.Replayed) {
	say("%s %s request %d: %s more under tariff %s of plan %s, catalogue %s", e.At.Format(time.RFC3339), e.Type, e.Number,
		quantityOf(e.Used, rating.Unit(e.Measure)), cmp.Or(e.Tariff, "(none)"), e.Plan, e.Catalog)
	if !r.Known {
		say("  the tariff is not in what is kept of this catalogue")
		return
	}
	say("  %s: %s in all%s, counted as %s; this report costs %s", e.Price, quantityOf(e.Total, rating.Unit(e.Measure)),
		carried(r.Meter.Carried, rating.Unit(e.Measure)), quantityOf(e.Counted, rating.Unit(e.Measure)), quantityOf(e.Cost, rating.Unit(e.Unit)))
	for _, h := range e.Taken {
		say("  %s from bucket %s", quantityOf(h.Units, rating.Unit(e.Unit)), h.Bucket)
	}
	if e.Overrun > 0 {
		say("  %s that no bucket could pay", quantityOf(e.Overrun, rating.Unit(e.Unit)))
	}
	if !e.Exact {
		say("  a difference: %s were charged", quantityOf(e.Charged+e.Overrun, rating.Unit(e.Unit)))
	}
}

// tellChoices tells for every line of the CDRs why its tariff was chosen, as far as the CDR knows when.
func tellChoices(say func(string, ...any), rules *ocs.Rules, records []ocs.Record, plans map[string]map[string]rating.Plan) {
	told := map[string]bool{}
	for _, r := range records {
		for _, l := range r.Lines {
			plan, ok := plans[l.Catalog][l.Plan]
			if !ok || told[l.Tariff] {
				continue
			}
			at := l.From
			if at.IsZero() {
				at = r.StartedAt
			}
			rate, ok := plan.Rate(rules.UsageOf(r, plan, l.RatingGroup, at))
			if ok && rate.Tariff.Name == l.Tariff {
				told[l.Tariff] = true
				say("tariff %s was found %s", l.Tariff, sayChoice(rate.Choice))
			}
		}
	}
}

// plansOf returns the plans of the catalogues that events were charged by. One that is lost is left out.
func (s *server) plansOf(ctx context.Context, events []ocs.RatedEvent) (map[string]map[string]rating.Plan, error) {
	rules := s.Rules()
	plans := map[string]map[string]rating.Plan{rules.Catalog: rules.Plans}
	for _, e := range events {
		if _, ok := plans[e.Catalog]; ok {
			continue
		}
		c, err := s.catalogOf(ctx, e.Catalog)
		switch {
		case errors.Is(err, postgres.ErrNotFound):
			plans[e.Catalog] = nil
		case err != nil:
			return nil, s.storeFault(ctx, "load the catalogue of a charge", err)
		default:
			plans[e.Catalog] = c.Plans()
		}
	}
	return plans, nil
}

func (s *server) catalogOf(ctx context.Context, version string) (*catalog.Catalog, error) {
	if s.CatalogOf != nil {
		return s.CatalogOf(ctx, version)
	}
	saved, err := s.Store.Catalog(ctx, version)
	if err != nil {
		return nil, err
	}
	return catalog.Parse("catalogue "+version, saved.Document)
}
