package lifecycle

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Notice is a text to the subscriber about the plan. [Notice.Render] makes the words, which the shell writes to its outbox
// in the transaction of what they tell of.
type Notice struct {
	To        ocs.SubscriberID
	Message   Message
	Plan      string
	Percent   int          // that is used, of Units
	Units     rating.Units // of the allowance, or that expired
	Unit      rating.Unit
	Left      []Quantity
	Price     rating.Units // 0: free
	PriceUnit rating.Unit
	ValidTo   time.Time      // first instant at which it no longer is; zero: not told
	Zone      *time.Location // of the dates
}

// A Quantity is units of a kind.
type Quantity struct {
	Units rating.Units
	Unit  rating.Unit
}

// Message is what a notice says.
type Message uint8

// The messages.
const (
	Started    Message = 1 + iota
	Renewed            //
	RenewsSoon         // the period ends soon, and the next one follows
	EndsSoon           // the period ends soon, and the plan with it or to another
	Unpaid             // it could not be paid, and is tried until ValidTo
	PlanEnded          //
	Used               // so many percent
	UsedUp             //
	Low                //
	LotEnds            // units that are not of the period
	LotEnded           //
)

// Messages returns all messages.
func Messages() (all []Message) {
	for m := Started; m <= LotEnded; m++ {
		all = append(all, m)
	}
	return all
}

// tell notes a notice, in the name of the contract's plan unless it has one. What was valid only until before now comes too
// late to be of use.
func (w *work) tell(n Notice) {
	if n.Plan == "" {
		n.Plan = w.subscriber.Plan
		if w.contract != nil {
			n.Plan = w.contract.Plan
		}
	}
	t, ok := w.rules.Terms(n.Plan)
	isLate := !n.ValidTo.IsZero() && !w.now.Before(n.ValidTo) && n.Message != LotEnded
	if !ok || t.Notices.Off || isLate {
		return
	}
	n.To, n.Zone = w.subscriber.ID, t.zone()
	w.out.Notices = append(w.out.Notices, n)
}

func (w *work) tellLot(m Message, b *holding, units rating.Units) {
	if units > 0 {
		w.tell(Notice{Message: m, Units: units, Unit: b.Unit, ValidTo: b.ExpiresAt})
	}
}
