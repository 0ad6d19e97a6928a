package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Party is one side of a transfer: friend, shop, vendor or trader, each a subscriber with lots.
type Party struct {
	Subscriber ocs.Subscriber // without an ID: not known
	Buckets    []ocs.Bucket   // those with a balance, and drained ones that a stored transfer of [State] names
	Rest       Rest           // of who only receives: what is in lots that Buckets leaves out
	Counters   []Counter      // those of [Policy.Counters]
	Profile    Profile
	Role       *Role // nil: a subscriber like any other
}

// Rest sums up lots that a decision need not see one by one: nothing of what is moved can be joined to them. The purse of a shop
// has thousands, one for each lot of each customer.
type Rest struct {
	Total rating.Units // in lots that count
	Free  rating.Units // Total without what is held
}

// known reports whether there is such a subscriber. One whose account is closed is not known any more.
func (p Party) known() bool { return p.Subscriber.ID != "" && p.Subscriber.State != ocs.Closed }

// is reports whether the party has the role k. Nobody has the empty role.
func (p Party) is(k RoleKind) bool { return p.Role != nil && p.Role.Kind == k && !p.Role.Closed }

// same reports whether two parties are one: the same subscriber under two names, or two members of one shared account.
func (p Party) same(q Party) bool {
	if p.Subscriber.ID != "" && p.Subscriber.ID == q.Subscriber.ID {
		return true
	}
	return p.Profile.SharedAccount != "" && p.Profile.SharedAccount == q.Profile.SharedAccount
}

// A Profile is what the policy wants to know of a party. A zero time means that it never happened, or is not known.
type Profile struct {
	Name          string // of the person or shop; told to others only masked
	Language      string // of texts: en, ko
	PlanFamily    string
	Postpaid      bool
	Roaming       bool
	SharedAccount string // members of one have the same
	BlocksOther   bool   // its block list names the other party
	Advance       bool   // owes minutes that were lent

	OnNetSince      time.Time
	RechargedAt     time.Time
	SIMChangedAt    time.Time
	PortedAt        time.Time
	PINChangedAt    time.Time // set anew or reset
	DeviceChangedAt time.Time

	Freeze      Freeze
	FrozenUntil time.Time // zero: until lifted
}

// Freeze is what an account may not do for now, by order of the operator.
type Freeze string

// The freezes. The zero value is none.
const (
	SendBlocked    Freeze = "send-blocked"
	ReceiveBlocked Freeze = "receive-blocked"
	Frozen         Freeze = "frozen"
	Closing        Freeze = "closing" // takes nothing in, may send what is left
)

func (p Profile) frozen(now time.Time) bool {
	return p.Freeze != "" && (p.FrozenUntil.IsZero() || now.Before(p.FrozenUntil))
}

func (p Profile) maySend(now time.Time) bool {
	return !p.frozen(now) || p.Freeze == ReceiveBlocked || p.Freeze == Closing
}

func (p Profile) mayReceive(now time.Time) bool { return !p.frozen(now) || p.Freeze == SendBlocked }

// A Role is what a party does for a living. It is named by a short code ([ParseShortCode]), which the shell looks up.
type Role struct {
	Kind   RoleKind
	Code   string
	Parent string           // code of the agent above; empty: none
	Owner  ocs.SubscriberID // the person behind it: no commission is earned on one's own
	Closed bool
}

// RoleKind is the kind of a role.
type RoleKind string

// The kinds of role.
const (
	MerchantRole RoleKind = "merchant"
	AgentRole    RoleKind = "agent"
	TraderRole   RoleKind = "trader"
)
