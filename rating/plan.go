package rating

import "time"

// A Plan is what a subscriber bought: the numbering of the home country and the tariffs of every kind of service.
type Plan struct {
	Name      string
	Numbering Numbering
	Home      Networks // in which the subscriber does not roam; one that is not told is home too
	Rates     map[Kind]Rates
}

// Kind is a kind of service; each has tariffs of its own.
type Kind string

// The kinds of service that Gyro charges.
const (
	Voice   Kind = "voice"
	Data    Kind = "data"
	Message Kind = "message"
)

// Rates are the tariffs of one kind of service.
type Rates struct {
	Originating Prefixes          // by the number called
	Forwarded   Prefixes          // by the number that a call is forwarded to; where none fits, as if it had been called
	Received    Prefixes          // of a call received, by the number of the caller
	Terminating *Tariff           // of a call received that Received does not have; nil: not rated
	Groups      map[uint32]Tariff // by Rating-Group, before anything else (RFC 8506 §8.29)
	Default     *Tariff           // when nothing else fits; nil: rating fails
	Times       map[string]*Times // what other prices hold by the clock, by the name of the tariff
	Roaming     []Roaming         // in other networks, the first that fits; none fits: barred. Empty: as at home
}

// Roaming are the tariffs in other networks than those of [Plan.Home].
type Roaming struct {
	Name     string
	Networks Networks
	Rates    Rates // its own Roaming is not used
}

// Direction tells who of the two parties is charged (Role-Of-Node, TS 32.299 §7.2.177).
type Direction uint8

// The directions of a call.
const (
	Originating Direction = iota
	Terminating
	Forwarding
)

// Word names a direction in CDRs and in the API, whose readers compare it; empty: a newer version made it.
func (d Direction) Word() string {
	switch d {
	case Originating:
		return "originating"
	case Terminating:
		return "terminating"
	case Forwarding:
		return "forwarding"
	}
	return ""
}

// Usage is what selects a tariff.
type Usage struct {
	Kind        Kind
	Direction   Direction
	Number      string // the other party, completed by [Numbering.Complete]; empty when unknown
	RatingGroup *uint32
	Network     string    // serving network, MCC and MNC; empty: not told
	Node        string    // digits of the serving VLR or MSC; empty: not told
	At          time.Time // when it is used
}

// A Rate is a tariff, and until when it holds.
type Rate struct {
	Tariff Tariff
	Until  time.Time // first instant of what may be another tariff; zero: there is none
	Choice Choice
}

// A Choice is what a tariff was found by.
type Choice struct {
	By      Rule
	Prefix  string // ByPrefix, ByZone: the beginning of the number that counted
	Zone    string // ByZone
	Roaming string // name of the tariffs of a visited network; empty: those at home
	Period  string // name of the tariff that holds at other times, when a period of the clock chose another one
}

// Rule is a way to find a tariff.
type Rule uint8

// The rules, in the order in which they are tried.
const (
	ByNothing   Rule = iota
	ByGroup          // the Rating-Group
	ByPrefix         // the longest prefix of the number, in the plan itself
	ByZone           // the longest prefix of the number, in a zone
	ByDirection      // a call received
	ByDefault        // nothing else fitted
	ByNetwork        // roaming where the plan allows none
)

// barredAbroad is the tariff of a network that a plan with roaming does not name.
var barredAbroad = Tariff{Name: "roaming-barred", First: 1, Next: 1, Price: Price{Per: 1}, Barred: true}

// Tariff returns the tariff of u, or false when the plan has none: the rating failed (5031).
func (p Plan) Tariff(u Usage) (Tariff, bool) {
	r, ok := p.Rate(u)
	return r.Tariff, ok
}

// Rate returns the tariff of u and until when it holds, or false when the plan has none.
func (p Plan) Rate(u Usage) (Rate, bool) {
	rates, ok := p.Rates[u.Kind]
	if !ok {
		return Rate{}, false
	}
	visited := ""
	if len(rates.Roaming) > 0 && (u.Network != "" || u.Node != "") && !p.Home.Has(u.Network, u.Node) {
		found := rates.roaming(u)
		if found == nil {
			return Rate{Tariff: barredAbroad, Choice: Choice{By: ByNetwork}}, true
		}
		rates, visited = found.Rates, found.Name
	}
	var r Rate
	if !rates.find(&u, &r) {
		return Rate{}, false
	}
	r.Choice.Roaming = visited
	if len(rates.Times) > 0 {
		r.byTheClock(rates.Times[r.Tariff.Name], u.At)
	}
	return r, true
}

func (r *Rates) roaming(u Usage) *Roaming {
	for i := range r.Roaming {
		if r.Roaming[i].Networks.Has(u.Network, u.Node) {
			return &r.Roaming[i]
		}
	}
	return nil
}

// find finds the tariff of u whatever the time.
func (r *Rates) find(u *Usage, found *Rate) bool {
	if u.RatingGroup != nil && len(r.Groups) > 0 {
		if t, ok := r.Groups[*u.RatingGroup]; ok {
			found.Tariff, found.Choice.By = t, ByGroup
			return true
		}
	}
	switch u.Direction {
	case Terminating:
		if r.Received.find(u.Number, found) {
			return true
		}
		if r.Terminating != nil {
			found.Tariff, found.Choice.By = *r.Terminating, ByDirection
			return true
		}
	case Forwarding:
		if r.Forwarded.find(u.Number, found) || r.Originating.find(u.Number, found) {
			return true
		}
	case Originating:
		if r.Originating.find(u.Number, found) {
			return true
		}
	}
	if r.Default != nil {
		found.Tariff, found.Choice.By = *r.Default, ByDefault
		return true
	}
	return false
}

func (r *Rate) byTheClock(times *Times, at time.Time) {
	if times == nil {
		return
	}
	period, until := times.At(at)
	r.Until = until
	if period >= 0 {
		r.Choice.Period = r.Tariff.Name
		r.Tariff = times.Periods[period].Tariff
	}
}
