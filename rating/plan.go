package rating

// A Plan is what a subscriber bought: the numbering of the home country and the tariffs of every kind of service.
type Plan struct {
	Name      string
	Numbering Numbering
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
	Terminating *Tariff           // of a call received; nil: not rated
	Groups      map[uint32]Tariff // by Rating-Group, before anything else (RFC 8506 §8.29)
	Default     *Tariff           // when nothing else fits; nil: rating fails
}

// Direction tells who of the two parties is charged (Role-Of-Node, TS 32.299 §7.2.177).
type Direction uint8

// The directions of a call.
const (
	Originating Direction = iota
	Terminating
	Forwarding
)

// Usage is what selects a tariff.
type Usage struct {
	Kind        Kind
	Direction   Direction
	Number      string // the other party, completed by [Numbering.Complete]; empty when unknown
	RatingGroup *uint32
}

// Tariff returns the tariff of u, or false when the plan has none: the rating failed (5031).
func (p Plan) Tariff(u Usage) (Tariff, bool) {
	rates, ok := p.Rates[u.Kind]
	if !ok {
		return Tariff{}, false
	}
	if u.RatingGroup != nil {
		if t, ok := rates.Groups[*u.RatingGroup]; ok {
			return t, true
		}
	}
	if u.Direction == Terminating && rates.Terminating != nil {
		return *rates.Terminating, true
	}
	if u.Direction != Terminating {
		if t, ok := rates.Originating.Longest(u.Number); ok {
			return t, true
		}
	}
	if rates.Default != nil {
		return *rates.Default, true
	}
	return Tariff{}, false
}

// Prefixes finds the tariff with the longest prefix of a number. The zero value has none.
type Prefixes struct {
	byPrefix map[string]Tariff
	longest  int
}

// NewPrefixes returns the table of byPrefix, which it keeps. The empty prefix fits every number, also an unknown one.
func NewPrefixes(byPrefix map[string]Tariff) Prefixes {
	p := Prefixes{byPrefix: byPrefix}
	for prefix := range byPrefix {
		p.longest = max(p.longest, len(prefix))
	}
	return p
}

// Longest returns the tariff whose prefix is the longest one of number.
func (p Prefixes) Longest(number string) (Tariff, bool) {
	for n := min(p.longest, len(number)); n >= 0; n-- {
		if t, ok := p.byPrefix[number[:n]]; ok {
			return t, true
		}
	}
	return Tariff{}, false
}
