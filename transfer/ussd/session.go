package ussd

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Session is where a person is in the dialogue. The zero value with a Key and a Language has not begun.
type Session struct {
	Key      string // names it for good: visible ASCII, at most [MaxKey]
	Language string
	At       Node
	Item     int // of the menu
	Number   string
	Name     string // of the counterparty, masked
	Seconds  rating.Units
	Note     string
	QuoteID  string
	Again    bool     // the person knows that it looks like a copy
	Offered  []string // references on the screen, in order
	Original string   // reference that was chosen
	Yes      bool     // answer to a request or a claim
	Attempts int      // references used
	Mistakes int
	Heard    int    // octets of the gateway's joined inputs that were heard
	Last     string // the last input, as the shell keeps it who has to know copies of it
	LastAt   time.Time
	Begun    bool
	Ended    bool
	Prompt   string // what is asked, without what was wrong about the last input
	Screen   string // shown last
}

// MaxKey leaves room for the count of attempts in a reference of 64.
const MaxKey = 56

// maxMistakes ends a session that goes nowhere.
const maxMistakes = 5

// Node is what the next input will be taken for.
type Node string

// The nodes.
const (
	AtMenu      Node = "menu"
	AtNumber    Node = "number" // of a receiver, a shop, a trader, or to be blocked
	AtMinutes   Node = "minutes"
	AtBill      Node = "bill"
	AtAgain     Node = "again" // looks like a copy: yes or no
	AtPIN       Node = "pin"
	AtYesNo     Node = "yes-no"
	AtClaims    Node = "claims" // claim back, or answer
	AtList      Node = "list"
	AtReference Node = "reference"
	AtSettings  Node = "settings"
	AtNewPIN    Node = "new-pin"
)

// The items of the menu.
const (
	sendItem = 1 + iota
	payItem
	askItem
	balanceItem
	recentItem
	cashItem
	claimItem
	settingsItem
	// Those below are reached from 7 and 8.
	answerItem
	blockItem
	unblockItem
)

// ErrLostInput means that a gateway's joined inputs are shorter than what was heard: it has lost count, or it uses the
// key of another session.
var ErrLostInput = errors.New("ussd: fewer inputs than were heard before")

// Input takes the newest input out of a gateway's text, in which all inputs of the session are joined by "*". It goes by
// what was heard before and not by splitting: an input may hold a "*" itself. repeated tells that there is nothing new:
// the screen shown last is to be shown again.
func (s Session) Input(joined string) (input string, repeated bool, err error) {
	switch {
	case !s.Begun:
		return joined, false, nil
	case len(joined) == s.Heard:
		return "", true, nil
	case len(joined) < s.Heard:
		return "", false, ErrLostInput
	case s.Heard == 0:
		return joined, false, nil
	}
	input, ok := strings.CutPrefix(joined[s.Heard:], "*")
	if !ok {
		return "", false, ErrLostInput
	}
	return input, false, nil
}

// Hear notes that the gateway's joined inputs up to here are heard.
func (s Session) Hear(joined string) Session {
	s.Heard = len(joined)
	return s
}

// reference is the client reference of the attempt that is being made.
func (s Session) reference() string { return s.Key + "." + strconv.Itoa(s.Attempts) }

// forget starts over at the menu. Key, language and the count of attempts stay: a reference is used once.
func (s Session) forget() Session {
	return Session{
		Key: s.Key, Language: s.Language, Attempts: s.Attempts, Mistakes: s.Mistakes, Heard: s.Heard, Begun: true,
		Last: s.Last, LastAt: s.LastAt,
	}
}
