package transfer

import (
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Text is a receipt for one party. It tells the other one only by a masked name and four digits. [Text.Render] makes
// the words, which the shell writes to its outbox in the transaction of the transfer.
type Text struct {
	To        ocs.SubscriberID
	Language  string
	Message   Message
	Other     string // the other party: a shop's name and code, or a masked name
	Tail      string // its number, the last four digits
	Seconds   rating.Units
	Fee       rating.Units // told to who bears it
	Left      rating.Units // what To has, free, after it
	Reference Reference
	ValidTo   time.Time // when the first of the moved seconds dies; zero: never
	DueAt     time.Time // until when To may answer
}

// Message is what a text says.
type Message uint8

// The messages.
const (
	Sent              Message = 1 + iota
	Received                  //
	HeldForConsent            // to the sender: the receiver must say yes
	ConsentAsked              // to the receiver
	HeldForPayout             // to the sender: the trader must have the code
	GivenBack                 // to the sender: nothing came of it
	AskedFor                  // to who is asked for minutes
	NotGiven                  // to who asked
	ClaimedFrom               // to who holds minutes that are claimed
	ClaimFiled                // to who claims
	ClaimClosed               // to who claims: not granted
	ClaimClosedHolder         // to who holds them: free again
	GaveBack                  // to who received
	GotBack                   // to who had sent
	HeldForReview             // to the sender: the operator looks at it
)

// Messages returns all messages.
func Messages() (all []Message) {
	for m := Sent; m <= HeldForReview; m++ {
		all = append(all, m)
	}
	return all
}

// tell writes a receipt about t.
func (d *decision) tell(to ocs.SubscriberID, m Message, t *Transfer) {
	party, other, lots := d.state.Sender, d.state.Receiver, d.sender
	if to == d.state.Receiver.Subscriber.ID {
		party, other, lots = d.state.Receiver, d.state.Sender, d.receiver
	}
	text := Text{
		To: to, Language: party.Profile.Language, Message: m, Other: other.called(), Seconds: t.Seconds,
		Left: lots.free(d.now), Reference: t.Reference, DueAt: t.DueAt,
	}
	if other.Role == nil {
		text.Tail = tail(other.Subscriber.MSISDN)
	}
	for _, l := range t.lots() {
		text.ValidTo = sooner(text.ValidTo, l.ExpiresAt)
	}
	if (to == t.Receiver) == (t.Bearer == Receiver) {
		text.Fee = t.Fee
	}
	if m == Received || m == ConsentAsked {
		text.Seconds = t.moved()
	}
	d.texts = append(d.texts, text)
}

// called is how a party is told to others: a shop by its name and code, a person by a masked name.
func (p Party) called() string {
	if p.Role == nil {
		return MaskName(p.Profile.Name)
	}
	return strings.TrimSpace(p.Profile.Name + " " + p.Role.Code)
}

// Languages returns the languages of texts. Whoever speaks another is told in the first.
func Languages() []string { return []string{"en", "ko"} }

// words are the texts of one language.
type words struct {
	messages map[Message]string
	refusals map[Refusal]string
	clauses  map[string]string
	date     func(t time.Time, year bool) string
	wait     func(time.Duration) string
	sms      int // characters or septets in one message
	measure  func(string) int
}

func wordsOf(language string) words {
	if strings.HasPrefix(language, "ko") {
		return korean
	}
	return english
}

// Render makes the words, with dates in zone. They fit into one message: a name that is too long, or that would make an
// English text need UCS-2, is left out, as the number tells who is meant. Where that is not enough, the validity is too.
func (x Text) Render(zone *time.Location) string {
	w := wordsOf(x.Language)
	for _, other := range []string{strings.TrimSpace(x.Other + " " + x.Tail), x.Tail, w.clauses["somebody"]} {
		if s := x.with(w, other, zone); other != "" && w.fits(s) {
			return s
		}
	}
	x.ValidTo = time.Time{}
	return x.with(w, w.clauses["somebody"], zone)
}

// fits reports whether s fits into one message of the language's alphabet.
func (w words) fits(s string) bool { n := w.measure(s); return n >= 0 && n <= w.sms }

func (x Text) with(w words, other string, zone *time.Location) string {
	clause := func(name string, present bool, value string) string {
		if !present {
			return ""
		}
		return strings.ReplaceAll(w.clauses[name], "{}", value)
	}
	return strings.NewReplacer(
		"{minutes}", w.minutes(x.Seconds),
		"{other}", other,
		"{ref}", string(x.Reference),
		"{fee}", clause("fee", x.Fee > 0, w.minutes(x.Fee)),
		"{left}", w.minutes(x.Left),
		"{valid}", clause("valid", !x.ValidTo.IsZero(), w.day(x.ValidTo, zone)),
		"{due}", w.hour(x.DueAt, zone),
	).Replace(w.messages[x.Message])
}

// SayMinutes tells a quantity in a language.
func SayMinutes(language string, n rating.Units) string { return wordsOf(language).minutes(n) }

// SayDay tells the last day on which something is valid that dies at t.
func SayDay(language string, t time.Time, zone *time.Location) string {
	return wordsOf(language).day(t, zone)
}

// SayHour tells a day of these months and its hour.
func SayHour(language string, t time.Time, zone *time.Location) string {
	return wordsOf(language).hour(t, zone)
}

// minutes tells a quantity: whole minutes, and what is over in seconds.
func (w words) minutes(n rating.Units) string {
	m, s := strconv.FormatInt(int64(n/minute), 10), strconv.FormatInt(int64(n%minute), 10)
	switch {
	case n%minute == 0:
		return strings.ReplaceAll(w.clauses["minutes"], "{}", m)
	case n < minute:
		return strings.ReplaceAll(w.clauses["seconds"], "{}", s)
	}
	return strings.ReplaceAll(w.clauses["minutes"], "{}", m) + " " + strings.ReplaceAll(w.clauses["seconds"], "{}", s)
}

// day tells the last day on which something is valid. What dies at midnight was valid the day before.
func (w words) day(t time.Time, zone *time.Location) string {
	return w.date(in(t.Add(-time.Nanosecond), zone), true)
}

func (w words) hour(t time.Time, zone *time.Location) string {
	local := in(t, zone)
	return w.date(local, false) + local.Format(" 15:04")
}

func in(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}

// Say tells a refusal to the person who asked, with what to do about it. It fits on one USSD screen.
func (a Answer) Say(language string) string {
	w := wordsOf(language)
	purse := Purse{}
	if a.Purse != nil {
		purse = *a.Purse
	}
	again := ""
	if a.RetryAfter > 0 {
		again = strings.ReplaceAll(w.clauses["again"], "{}", w.wait(a.RetryAfter))
	}
	return strings.NewReplacer(
		"{movable}", w.minutes(purse.Movable),
		"{total}", w.minutes(purse.Total),
		"{inuse}", w.minutes(purse.InUse),
		"{minutes}", w.minutes(a.Seconds),
		"{tries}", strconv.Itoa(a.TriesLeft),
		"{again}", again,
	).Replace(w.refusals[a.Refusal])
}
