package ocs

import (
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// find finds the tariff of a Rating-Group at an instant under the conditions in force, or the input that is to blame.
func (d *decision) find(plan rating.Plan, group *uint32, at time.Time) (rating.Rate, Fault, bool) {
	usage, fault := d.rated(group, at)
	if fault != NoFault {
		return rating.Rate{}, fault, false
	}
	r, ok := plan.Rate(usage)
	if !ok {
		return rating.Rate{}, FaultRatingGroup, false
	}
	return r, NoFault, true
}

// rated tells what the tariff of a Rating-Group is chosen by.
func (d *decision) rated(group *uint32, at time.Time) (rating.Usage, Fault) {
	c := &d.session.Conditions
	usage := rating.Usage{Kind: d.service.Kind, RatingGroup: group, Network: c.Network, Node: c.ServingNode, At: at}
	if d.service.Kind == rating.Voice {
		direction, number, told := d.otherParty()
		if !told && d.namesParties() && direction != rating.Terminating {
			return usage, FaultCalledParty
		}
		usage.Direction, usage.Number = direction, number
	}
	return usage, NoFault
}

// otherParty returns the direction of the call and the number that rates it (spec/gy 3.19): the party called, for a
// call received the party calling.
func (d *decision) otherParty() (direction rating.Direction, number string, told bool) {
	c := d.session.Conditions
	direction = c.Direction
	if !c.RoleGiven && d.isSubscriber(c.Called) && !d.isSubscriber(c.Calling) {
		direction = rating.Terminating
	}
	candidates := []string{c.Called, c.Dialled}
	if direction == rating.Terminating {
		candidates = []string{c.Calling}
	}
	for _, address := range candidates {
		if n, ok := rating.ParseNumber(address); ok {
			return direction, d.plan.Numbering.Complete(n), true
		}
	}
	return direction, "", false
}

func (d *decision) isSubscriber(address string) bool {
	n, ok := rating.ParseNumber(address)
	return ok && d.account.Subscriber.MSISDN != "" &&
		strings.TrimPrefix(d.plan.Numbering.Complete(n), "+") == d.account.Subscriber.MSISDN
}

// namesParties reports whether the network told anything about the call. A client that speaks RFC 8506 alone sends no
// Service-Information, and is rated by the default of the service context (spec/gy 3.9).
func (d *decision) namesParties() bool {
	c := d.session.Conditions
	return d.request.Conditions != nil || c.RoleGiven || c.Calling != "" || c.Called != "" || c.Dialled != ""
}
