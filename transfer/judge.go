package transfer

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// judge looks at every rule for moving minutes, in the order in which a person should hear of them: who, whether at all,
// how much, with what right, how often, at what price, from what. It goes on after a failure where the next rule still
// makes sense, so that the whole decision can be explained; the first failure is the answer.
func (d *decision) judge() bool {
	if !d.parties() || !d.allowed() {
		return false
	}
	d.standing()
	d.eligible()
	d.cooledOff()
	d.check("risk", d.state.Risk == "", RiskRefused, d.state.Risk, "no rule against it")
	if !d.amount() {
		return false
	}
	d.credential()
	d.limits()
	d.price()
	d.covered()
	d.risks()
	d.room()
	d.repeat()
	return d.answer.Refusal == None
}

// sides returns who acts and who is on the other side, so that a refusal can say "you" and "this number".
func (d *decision) sides() (self, other Party) {
	if d.request.By == ByReceiver {
		return d.state.Receiver, d.state.Sender
	}
	return d.state.Sender, d.state.Receiver
}

func (d *decision) parties() bool {
	self, other := d.sides()
	return d.check("you are known", self.known(), SenderUnknown, yesNo(self.known()), "yes") &&
		d.check("the other is known", other.known(), ReceiverUnknown, yesNo(other.known()), "yes") &&
		d.check("two parties", !self.same(other), SameParty, sameOrNot(self, other), "different")
}

func sameOrNot(one, other Party) string {
	if one.same(other) {
		return "the same"
	}
	return "different"
}

// allowed judges whether transfers go on at all, and this kind by this channel.
func (d *decision) allowed() bool {
	rules, known := d.policy.Kinds[d.request.Kind]
	_, open := d.policy.Channels[d.request.Channel]
	open = open || d.request.By == ByOperator
	ok := d.going()
	ok = d.check("kind", known && !rules.Off, KindNotAllowed, string(d.request.Kind), "one that is on") && ok
	ok = d.check("channel", open, KindNotAllowed, string(d.request.Channel), "one that is on") && ok
	return d.check("roles", d.roles(), KindNotAllowed, yesNo(d.roles()), "those of "+string(d.request.Kind)) && ok
}

// going judges the kill switch.
func (d *decision) going() bool {
	have := "on"
	if s := d.policy.Stop; s != nil {
		have = "off since " + instant(s.Since) + ": " + s.Reason
	}
	return d.check("transfers go on", d.policy.Stop == nil, Stopped, have, "on")
}

// roles reports whether the parties are what the kind needs.
func (d *decision) roles() bool {
	from, to := d.state.Sender, d.state.Receiver
	switch d.request.Kind {
	case P2P, Gift:
		return true
	case Merchant:
		return to.is(MerchantRole)
	case CashOut:
		return to.is(TraderRole)
	case Agent:
		return from.is(AgentRole)
	case Float:
		return from.is(AgentRole) && to.is(AgentRole) &&
			(from.Role.Parent == to.Role.Code || to.Role.Parent == from.Role.Code) // along the hierarchy only
	}
	return false
}

// standing judges whether both accounts may take part at all.
func (d *decision) standing() {
	self, other := d.sides()
	may := func(p Party, sends bool) bool {
		return p.Subscriber.State == ocs.Active && p.Subscriber.Barred&ocs.BarTransfers == 0 && (sends && p.Profile.maySend(d.now) || !sends && p.Profile.mayReceive(d.now))
	}
	selfSends := d.request.By != ByReceiver
	d.checkUntil("your account", may(self, selfSends), SenderFrozen, d.stateOf(self), string(ocs.Active), self.Profile.FrozenUntil)
	d.check("the other's account", may(other, !selfSends), ReceiverFrozen, d.stateOf(other), string(ocs.Active))
	d.check("block list", !other.Profile.BlocksOther, ReceiverDeclines, yesNo(other.Profile.BlocksOther), "no")
}

func (d *decision) stateOf(p Party) string {
	if p.Profile.frozen(d.now) {
		return string(p.Profile.Freeze)
	}
	if p.Subscriber.State == ocs.Active && p.Subscriber.Barred&ocs.BarTransfers != 0 {
		return "barred from transfers"
	}
	return string(p.Subscriber.State)
}

// eligible judges the parties that act as private persons.
func (d *decision) eligible() {
	e, from, to := d.policy.Eligibility, d.state.Sender.Profile, d.state.Receiver.Profile
	private := d.request.Kind == P2P || d.request.Kind == Gift
	if private || d.request.Kind == Merchant || d.request.Kind == CashOut {
		d.aged("sender on net", from.OnNetSince, e.SenderAge, SenderNotEligible)
		if e.RechargeWithin > 0 {
			d.check("sender's last recharge", !from.RechargedAt.IsZero() && d.now.Sub(from.RechargedAt) <= e.RechargeWithin,
				SenderNotEligible, instant(from.RechargedAt), "within "+e.RechargeWithin.String())
		}
		d.check("sender at home", e.Roaming || !from.Roaming, SenderNotEligible, yesNo(!from.Roaming), "yes")
		d.check("sender prepaid", e.PostpaidSends || !from.Postpaid, SenderNotEligible, yesNo(!from.Postpaid), "yes")
		d.check("nothing borrowed", !e.RepayFirst || !from.Advance, SenderNotEligible, yesNo(!from.Advance), "yes")
	}
	if private {
		d.aged("receiver on net", to.OnNetSince, e.ReceiverAge, ReceiverNotEligible)
		d.check("receiver prepaid", e.PostpaidReceives || !to.Postpaid, ReceiverNotEligible, yesNo(!to.Postpaid), "yes")
		pair := FamilyPair{From: from.PlanFamily, To: to.PlanFamily}
		d.check("plans", fits(e.Families, pair), KindNotAllowed, pair.From+" to "+pair.To, "an allowed pair")
	}
}

// aged judges how long ago something happened. Of who is not known to have come, nobody knows when that passes.
func (d *decision) aged(rule string, since time.Time, least time.Duration, r Refusal) {
	if least == 0 {
		return
	}
	ok := !since.IsZero() && !d.now.Before(since.Add(least))
	next := time.Time{}
	if !since.IsZero() {
		next = since.Add(least)
	}
	d.checkUntil(rule, ok, r, "since "+instant(since), "for "+least.String(), next)
}

// cooledOff judges the changes that a thief would make.
func (d *decision) cooledOff() {
	c, p := d.policy.Cooling, d.state.Sender.Profile
	for _, change := range []struct {
		what string
		at   time.Time
		wait time.Duration
	}{
		{"SIM", p.SIMChangedAt, c.SIM}, {"number ported", p.PortedAt, c.Port},
		{"PIN", p.PINChangedAt, c.PIN}, {"device", p.DeviceChangedAt, c.Device},
	} {
		if change.wait == 0 || change.at.IsZero() {
			continue
		}
		until := change.at.Add(change.wait)
		d.checkUntil("cooling off: "+change.what, !d.now.Before(until), CoolingOff, instant(change.at), "before "+change.wait.String(), until)
	}
}

// amount judges the quantity alone. What lies outside every bound is looked at no further: later rules calculate with it.
func (d *decision) amount() bool {
	rules, n := d.policy.Kinds[d.request.Kind], d.request.Seconds
	ok := d.check("at least", n >= rules.Least, BelowMinimum, seconds(n), atLeast(rules.Least))
	ok = d.check("at most", n <= min(rules.Most, MaxSeconds), AboveMaximum, seconds(n), atMost(rules.Most)) && ok
	return d.check("step", n%rules.Step == 0, WrongStep, seconds(n), "a multiple of "+seconds(rules.Step)) && ok
}

// credential judges the right to act. A wrong PIN is refused also where none was needed.
func (d *decision) credential() {
	if d.request.Operation == OpQuote {
		return
	}
	c := d.request.Credential
	switch c.Result {
	case Wrong:
		d.answer.TriesLeft = c.TriesLeft
		d.check("PIN", false, WrongPIN, string(c.Result), string(Verified))
		return
	case Locked:
		d.checkUntil("PIN", false, PINLocked, string(c.Result), string(Verified), c.LockedUntil)
		return
	case MustChange:
		d.check("PIN", false, PINMustChange, string(c.Result), string(Verified))
		return
	case NoCredential, Verified:
	}
	verified := c.Result == Verified
	switch d.step() {
	case NoStep:
	case YesNo:
		d.check("confirmed", d.request.Confirmed || verified, NotConfirmed, yesNo(d.request.Confirmed), "yes")
	case PIN:
		d.check("PIN", verified, PINNeeded, yesNo(verified), string(Verified))
	case PINAndID:
		d.check("PIN", verified, PINNeeded, yesNo(verified), string(Verified))
		d.check("papers seen", c.IdentityDocuments, PINNeeded, yesNo(c.IdentityDocuments), "yes")
	}
}

// step is what the channel wants of a person. The operator's own people have logged in.
func (d *decision) step() ConfirmStep {
	rules := d.policy.Channels[d.request.Channel]
	if d.request.By == ByOperator || d.request.Seconds <= rules.StepAbove && rules.StepAbove > 0 {
		return NoStep
	}
	return rules.Step
}

// parts returns what the receiver gets and what the sender gives.
func (d *decision) parts() (amount, need rating.Units) {
	if d.bearer() == Receiver {
		return d.request.Seconds - d.fee, d.request.Seconds
	}
	return d.request.Seconds, d.request.Seconds + d.fee
}

// covered judges the lots.
func (d *decision) covered() {
	purse := d.policy.purse(d.sender, d.request.Kind, d.request.Seconds, d.now)
	_, need := d.parts()
	rules := d.policy.Kinds[d.request.Kind]
	have := seconds(purse.Movable) + " movable, " + seconds(purse.InUse) + " in use, " + seconds(purse.Total) + " in all"
	refusal := NotEnough
	switch {
	case need <= purse.Movable:
		refusal = MinimumRemaining
	case need <= rating.Add(purse.Movable, purse.kept(ByHops)):
		refusal = KindNotAllowed
	case need <= purse.Total:
		refusal = NotTransferable
	}
	ok := need <= purse.Movable-rules.MinRemaining
	want := seconds(need) + ", and " + seconds(rules.MinRemaining) + " to remain"
	if !d.check("balance", ok, refusal, have, want) && d.request.By != ByReceiver {
		d.answer.Purse = &purse
	}
}

// room judges how much the receiver may have.
func (d *decision) room() {
	limit := d.policy.Kinds[d.request.Kind].ReceiverCap
	if limit == 0 {
		return
	}
	amount, _ := d.parts()
	after := rating.Add(d.receiver.total(d.now), amount)
	d.check("receiver's balance", after <= limit, ReceiverFull, seconds(after)+" after", atMost(limit))
}

// repeat asks a person who seems to do the same twice.
func (d *decision) repeat() {
	last, within := d.state.LastSame, d.policy.RepeatAfter
	isNew := slices.Contains([]Operation{OpQuote, OpSend, OpPrepare}, d.request.Operation)
	if !isNew || !d.policy.Channels[d.request.Channel].Interactive || last.IsZero() || within == 0 {
		return
	}
	d.checkUntil("no copy", d.request.Again || !d.now.Before(last.Add(within)), RepeatSuspected, instant(last), "before "+within.String(), last.Add(within))
}
