package ocs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A world applies outcomes as the database does, and knows what must always be true of it.
type world struct {
	rules       *Rules
	now         time.Time
	subscribers map[string]Subscriber // by MSISDN
	buckets     map[BucketID]Bucket
	sessions    map[SubscriberID]map[SessionKey]Session
	events      []RatedEvent
	records     []Record
	postings    []Posting
	reported    map[SessionKey]rating.Units // what the clients said, each request once
}

func newWorld() *world {
	return &world{
		rules: testRules(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		subscribers: map[string]Subscriber{}, buckets: map[BucketID]Bucket{},
		sessions: map[SubscriberID]map[SessionKey]Session{}, reported: map[SessionKey]rating.Units{},
	}
}

// testRules are the services of the fixture in spec/gy 4 and a plan with a tariff of every shape.
func testRules() *Rules {
	second := rating.Price{Units: 1, Per: 1}
	voice := func(name string, first, next rating.Units, price rating.Price) rating.Tariff {
		return rating.Tariff{Name: name, Measures: rating.Seconds, Pays: rating.Seconds, First: first, Next: next, Price: price}
	}
	barred := voice("premium", 1, 1, second)
	barred.Barred = true
	setup := voice("setup", 1, 1, second)
	setup.Setup = 10
	bonus := voice("bonus", 1, 1, second)
	bonus.Buckets = []string{"bonus"}
	free := voice("free", 1, 1, rating.Price{Units: 0, Per: 1})
	home := voice("national", 1, 1, second)
	sms := rating.Tariff{Name: "sms", Measures: rating.Events, Pays: rating.Seconds, First: 1, Next: 1, Price: rating.Price{Units: 10, Per: 1}}
	smsFree := sms
	smsFree.Name, smsFree.Price.Units = "sms-free", 0
	data := rating.Tariff{Name: "data", Measures: rating.Octets, Pays: rating.Octets, First: 1, Next: 1, Price: second}
	twenty := uint8(2)
	// From ten past twelve to one the price is another one. A world begins at noon.
	later := func(t rating.Tariff, name string, units rating.Units) *rating.Times {
		t.Name, t.Price.Units = name, units
		return rating.NewTimes(time.UTC, nil, []rating.Period{{Days: rating.EveryDay, From: (12*60 + 10) * 60, To: 13 * 3600, Tariff: t}})
	}
	mixed := voice("mixed", 1, 1, second)
	mixed.Buckets = []string{"plan"}
	mixed.Then = []rating.Payer{{Pays: "EUR", First: 60, Next: 60, Price: rating.Price{Units: 9, Per: 60}}}
	smsMixed := sms
	smsMixed.Name, smsMixed.Pays, smsMixed.Price.Units = "sms-mixed", rating.Events, 1
	smsMixed.Then = []rating.Payer{{Pays: "EUR", First: 1, Next: 1, Price: rating.Price{Units: 10, Per: 1}}}
	timed := voice("timed", 1, 1, second)
	minutes := voice("minutes", 60, 60, second)
	barredLater := later(openLater(timed), "barred-later", 0)
	barredLater.Periods[0].Tariff.Barred = true
	dataTimed := data
	dataTimed.Name = "data-timed"
	packets := Service{
		Kind: rating.Data, Measure: rating.Octets, DefaultQuota: 10_000_000, MaxQuota: 1_000_000_000,
		Validity: time.Hour, Supervision: 2 * time.Hour, DenyInside: true, Threshold: 20,
	}
	packets.Name, packets.TariffChange = "32270@3gpp.org", true
	call := Service{
		Kind: rating.Voice, Measure: rating.Seconds, DefaultQuota: 60, MaxQuota: 3600, Ringing: 300 * time.Second,
		Supervision: 600 * time.Second, Threshold: 20, LeastThreshold: 10, LowBalance: 30,
	}
	// A call whose users are sent to an announcement when nothing is left, and data that then only reaches a portal.
	redirected := call
	redirected.Final, redirected.RestrictFor = &FinalUnits{Action: Redirect, To: "sip:topup@ims.test"}, 2*time.Minute
	redirected.Extras = &Extras{HoldingTime: new(uint32(0)), ConsumptionTime: 30, Arm: true, Triggers: []uint32{5}}
	redirected.Announce = &Announcements{Start: 1, Final: 2, FinalBefore: 10, Refused: 3}
	redirected.TellCost, redirected.TellBalance = true, true
	named := func(s Service, name string) Service { s.Name = name; return s }
	return &Rules{
		Catalog: "test", Emergency: []string{"112"},
		Services: map[string]Service{
			"32260@3gpp.org": named(call, "32260@3gpp.org"),
			"32276@3gpp.org": named(call, "32276@3gpp.org"),
			"32275@3gpp.org": named(redirected, "32275@3gpp.org"),
			"32270@3gpp.org": packets,
			"32251@3gpp.org": {
				Name: "32251@3gpp.org", Kind: rating.Data, Measure: rating.Octets, DefaultQuota: 10_000_000, MaxQuota: 1_000_000_000,
				Validity: time.Hour, Supervision: 2 * time.Hour, DenyInside: true, Threshold: 20, FailureHandling: &twenty,
			},
			"32274@3gpp.org": {
				Name: "32274@3gpp.org", Kind: rating.Message, Measure: rating.Events, DefaultQuota: 1, MaxQuota: 100,
				Validity: time.Hour, Supervision: 2 * time.Hour,
			},
		},
		Plans: map[string]rating.Plan{"test": {
			Name: "test", Numbering: rating.Numbering{CountryCode: "49", International: "00", National: "0", Shortest: 6},
			Rates: map[rating.Kind]rating.Rates{
				rating.Voice: {
					Originating: rating.NewPrefixes(map[string]rating.Tariff{
						"": home, "+33": voice("abroad", 60, 60, rating.Price{Units: 4, Per: 1}), "+4930": voice("30/6", 30, 6, second),
						"+49900": barred, "+49700": setup, "+49137": bonus, "+49800": free,
						"+49180": timed, "+49181": minutes, "+49182": mixed, "+49183": openLater(timed),
					}),
					Terminating: &free,
					Times: map[string]*rating.Times{
						"timed": later(timed, "later", 3), "minutes": later(minutes, "minutes-later", 3), "open": barredLater,
					},
				},
				rating.Message: {Originating: rating.NewPrefixes(map[string]rating.Tariff{"": sms, "+49800": smsFree, "+49182": smsMixed})},
				rating.Data: {
					Groups: map[uint32]rating.Tariff{10: data, 20: data, 30: data, 40: dataTimed},
					Times:  map[string]*rating.Times{"data-timed": later(dataTimed, "data-later", 2)},
				},
			},
		}},
	}
}

// partial sets how often a long session gets a CDR.
func (w *world) partial(interval time.Duration) {
	for name, s := range w.rules.Services {
		s.Partial = interval
		w.rules.Services[name] = s
	}
}

// openLater names a tariff that is barred later.
func openLater(t rating.Tariff) rating.Tariff {
	t.Name = "open"
	return t
}

func (w *world) subscriber(msisdn string) Subscriber {
	s, ok := w.subscribers[msisdn]
	if !ok {
		s = Subscriber{ID: SubscriberID("s" + msisdn), State: Active, Plan: "test", MSISDN: msisdn}
		w.subscribers[msisdn] = s
		w.sessions[s.ID] = map[SessionKey]Session{}
	}
	return s
}

func (w *world) grant(msisdn string, unit rating.Unit, units rating.Units, class string, priority int, expires time.Time) {
	id := BucketID(fmt.Sprintf("b%03d", len(w.buckets)+1))
	b, postings := GrantBucket(Grant{
		Movement: string(id), Subscriber: w.subscriber(msisdn).ID, Bucket: id, Unit: unit, Units: units,
		Class: class, Priority: priority, ExpiresAt: expires, Offer: "test",
	}, w.now)
	w.buckets[id] = b
	w.postings = append(w.postings, postings...)
}

func (w *world) account(msisdn string, key, refund SessionKey) Account {
	s := w.subscriber(msisdn)
	a := Account{Subscriber: s}
	for _, id := range slices.Sorted(maps.Keys(w.buckets)) {
		if w.buckets[id].Subscriber == s.ID {
			a.Buckets = append(a.Buckets, w.buckets[id])
		}
	}
	find := func(k SessionKey) *Session {
		if found, ok := w.sessions[s.ID][k]; ok {
			return &found
		}
		return nil
	}
	a.Session, a.Refunded = find(key), find(refund)
	return a
}

// send decides r for msisdn and applies the outcome.
func (w *world) send(msisdn string, r Request) Answer {
	if answer, ok := w.rules.Screen(r); ok {
		return answer
	}
	o := Decide(w.rules, w.account(msisdn, r.Session, r.RefundOf), r, w.now)
	w.apply(w.subscriber(msisdn).ID, o)
	return o.Answer
}

// supervise closes what is due by now.
func (w *world) supervise() (closed int) {
	for _, msisdn := range slices.Sorted(maps.Keys(w.subscribers)) {
		for key := range w.sessions[w.subscribers[msisdn].ID] {
			if o, ok := Supervise(w.rules, w.account(msisdn, key, SessionKey{}), w.now); ok {
				w.apply(w.subscribers[msisdn].ID, o)
				closed++
			}
		}
	}
	return closed
}

func (w *world) apply(id SubscriberID, o Outcome) {
	for _, b := range o.Buckets {
		w.buckets[b.ID] = b
	}
	for _, s := range o.Sessions {
		w.sessions[id][s.Key] = s
	}
	w.events = append(w.events, o.Events...)
	w.records = append(w.records, o.Records...)
	w.postings = append(w.postings, o.Postings...)
}

// check returns what is not as it must always be: I3, I5, I6 and I7 of spec/store, and that the CDRs tell the same.
func (w *world) check() error {
	want := map[BucketID]rating.Units{}
	movements := map[string]rating.Units{}
	for _, p := range w.postings {
		movements[p.Movement] += p.Units
		if p.Bucket != "" {
			want[p.Bucket] += p.Units
		}
	}
	for movement, sum := range movements {
		if sum != 0 {
			return fmt.Errorf("legs of movement %s sum to %d, not 0", movement, sum)
		}
	}
	rated := map[SessionKey]rating.Units{}
	for _, e := range w.events {
		rated[e.Session] += e.Used
		taken := rating.Units(0)
		for _, h := range e.Taken {
			want[h.Bucket] -= h.Units
			taken += h.Units
		}
		if taken != e.Charged {
			return fmt.Errorf("event of %v took %d but charged %d", e.Session, taken, e.Charged)
		}
	}
	held := map[BucketID]rating.Units{}
	for _, sessions := range w.sessions {
		for _, s := range sessions {
			for _, f := range s.Refunds {
				if q := s.Quotas[f.Quota]; f.Units > q.Used || total(f.Given) > total(q.Taken) {
					return fmt.Errorf("debit %v was given back %+v of %d used, %v taken", s.Key, f, q.Used, q.Taken)
				}
			}
			for _, q := range s.Quotas {
				for _, h := range q.Held {
					held[h.Bucket] += h.Units
					if s.State != Open {
						return fmt.Errorf("I7: session %v is %s and holds %d", s.Key, s.State, h.Units)
					}
				}
			}
		}
	}
	for id, b := range w.buckets {
		if b.Balance != want[id] {
			return fmt.Errorf("I3: bucket %s holds %d, postings less rated events are %d", id, b.Balance, want[id])
		}
		if b.Reserved < 0 || b.Reserved > b.Balance || b.Reserved != held[id] {
			return fmt.Errorf("I5: bucket %s has balance %d, reserved %d, sessions hold %d", id, b.Balance, b.Reserved, held[id])
		}
	}
	if err := w.checkRecords(); err != nil {
		return err
	}
	for key, sum := range w.reported {
		if rated[key] != sum {
			return fmt.Errorf("I6: session %v reported %d, rated events are %d", key, sum, rated[key])
		}
	}
	return nil
}

// checkRecords returns what the CDRs of sessions that are over tell otherwise than their rated events: in all, and month by
// month where nothing was reported after the end.
func (w *world) checkRecords() error {
	type part struct {
		key   SessionKey
		month string
	}
	told, rated := map[part]rating.Units{}, map[part]rating.Units{}
	charged, late := map[SessionKey]rating.Units{}, map[SessionKey]bool{}
	for _, r := range w.records {
		taken := map[BucketID]rating.Units{}
		for _, l := range r.Lines {
			told[part{r.Session, r.EndedAt.In(w.zone()).Format("2006-01")}] += l.Used
			charged[r.Session] += l.Charged
			for _, h := range l.Taken {
				taken[h.Bucket] += h.Units
			}
			for _, units := range taken {
				if units < 0 {
					return fmt.Errorf("CDR %d of %v takes %d", r.Number, r.Session, units)
				}
			}
		}
	}
	for _, e := range w.events {
		rated[part{e.Session, e.At.In(w.zone()).Format("2006-01")}] += e.Used
		charged[e.Session] -= e.Charged
		late[e.Session] = late[e.Session] || e.Late
	}
	for _, sessions := range w.sessions {
		for key, s := range sessions {
			if s.State == Open || w.rules.Records.NoUnanswered {
				continue
			}
			if charged[key] != 0 {
				return fmt.Errorf("CDRs of %v charge %d more than its rated events", key, charged[key])
			}
			for p, units := range rated {
				if p.key == key && !late[key] && told[p] != units {
					return fmt.Errorf("CDRs of %v in %s tell of %d, its rated events of %d", key, p.month, told[p], units)
				}
			}
		}
	}
	return nil
}

func (w *world) zone() *time.Location { return cmp.Or(w.rules.Records.Zone, time.UTC) }

func total(holds []Hold) (sum rating.Units) {
	for _, h := range holds {
		sum += h.Units
	}
	return sum
}

// codes are the Result-Codes that the verdicts become on the wire.
var codes = map[Verdict]int{
	Granted: 2001, CreditLimitReached: 4012, ServiceDenied: 4010, NotApplicable: 4011, UnknownSession: 5002, Unauthorised: 5003,
	InvalidValue: 5004, ResourcesExceeded: 5006, UnableToComply: 5012, UserUnknown: 5030, RatingFailed: 5031, Busy: 3004,
}

// describe prints an answer in one line for each service.
func describe(a Answer) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d", codes[a.Verdict])
	if a.Fault != NoFault {
		fmt.Fprintf(&out, " fault=%d", a.Fault)
	}
	if a.LowBalance {
		out.WriteString(" low-balance")
	}
	if a.BalanceCovers != nil {
		fmt.Fprintf(&out, " covers=%t", *a.BalanceCovers)
	}
	if a.Cost != nil {
		fmt.Fprintf(&out, " cost=%d %s", a.Cost.Units, a.Cost.Unit)
	}
	if a.Balance != nil {
		fmt.Fprintf(&out, " left=%d %s", a.Balance.Units, a.Balance.Unit)
	}
	if a.Refund != "" {
		out.WriteString(" refund=" + a.Refund)
	}
	out.WriteByte('\n')
	for _, s := range a.Services {
		fmt.Fprintf(&out, "  %d", codes[s.Verdict])
		if s.RatingGroup != nil {
			fmt.Fprintf(&out, " rg=%d", *s.RatingGroup)
		}
		for _, id := range s.ServiceIDs {
			fmt.Fprintf(&out, " sid=%d", id)
		}
		if s.Granted > 0 {
			fmt.Fprintf(&out, " granted=%d %s", s.Granted, s.Measure)
		}
		if s.Validity > 0 {
			fmt.Fprintf(&out, " validity=%d", s.Validity/time.Second)
		}
		if s.Threshold > 0 {
			fmt.Fprintf(&out, " threshold=%d", s.Threshold)
		}
		if s.Final {
			out.WriteString(" final=" + describeFinal(s.FinalUnits))
		}
		out.WriteString(describeExtras(s.Extras))
		if !s.TariffChange.IsZero() {
			out.WriteString(s.TariffChange.Format(" change=15:04:05"))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func describeFinal(f *FinalUnits) string {
	if f == nil {
		return "terminate"
	}
	return []string{"", "redirect:" + f.To, "restrict:" + strings.Join(slices.Concat(f.Rules, f.Filters), "+")}[f.Action]
}

func describeExtras(e *Extras) string {
	if e == nil {
		return ""
	}
	var out strings.Builder
	if e.HoldingTime != nil {
		fmt.Fprintf(&out, " holding=%d", *e.HoldingTime)
	}
	if e.ConsumptionTime > 0 {
		fmt.Fprintf(&out, " consumption=%d", e.ConsumptionTime)
	}
	if e.Arm {
		fmt.Fprintf(&out, " triggers=%v", e.Triggers)
	}
	for _, a := range e.Announcements {
		fmt.Fprintf(&out, " say=%d", a.ID)
		if a.Minutes != nil {
			fmt.Fprintf(&out, "/%dmin", *a.Minutes)
		}
		if a.Before != nil {
			fmt.Fprintf(&out, "/%ds-before", *a.Before)
		}
	}
	return out.String()
}

func (w *world) describeBuckets() string {
	var out strings.Builder
	buckets := slices.SortedFunc(maps.Values(w.buckets), func(a, b Bucket) int { return cmp.Compare(a.ID, b.ID) })
	for _, b := range buckets {
		fmt.Fprintf(&out, "%s %s balance=%d reserved=%d", strings.TrimPrefix(string(b.Subscriber), "s"), b.ID, b.Balance, b.Reserved)
		if b.Expired(w.now) {
			out.WriteString(" expired")
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func describeRecord(r Record) string {
	var out strings.Builder
	fmt.Fprintf(&out, "cdr %d %s cause=%q other=%s seconds=%d", r.Number, r.Session.ID, r.Cause, r.OtherParty, r.EndedAt.Sub(r.StartedAt)/time.Second)
	if len(r.MissingNumbers) > 0 {
		fmt.Fprintf(&out, " missing=%v", r.MissingNumbers)
	}
	if r.Verdict != 0 {
		fmt.Fprintf(&out, " verdict=%d", codes[r.Verdict])
	}
	if !r.EndedAt.Before(r.StartedAt.AddDate(0, 0, 1)) || r.Cause == ByMonth || r.Cause == ByInterval {
		fmt.Fprintf(&out, " ended=%s", r.EndedAt.Format("01-02T15:04:05"))
	}
	out.WriteByte('\n')
	for _, l := range r.Lines {
		fmt.Fprintf(&out, "  %s used=%d charged=%d overrun=%d", l.Tariff, l.Used, l.Charged, l.Overrun)
		if l.Network != "" {
			out.WriteString(" network=" + l.Network)
		}
		if l.Reasons != 0 {
			fmt.Fprintf(&out, " reasons=%b", l.Reasons)
		}
		if l.Unit != rating.Seconds && l.Unit != rating.Octets {
			fmt.Fprintf(&out, " %s", l.Unit)
		}
		if !l.From.IsZero() {
			out.WriteString(l.From.Format(" from=15:04:05"))
		}
		out.WriteByte('\n')
	}
	return out.String()
}
