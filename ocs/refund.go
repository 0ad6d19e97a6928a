package ocs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gyro-ocs/gyro/rating"
)

// refundPrefix marks the tokens of this server, and their version.
const refundPrefix = "gyro1;"

// refundToken names a debit in Refund-Information (TS 32.299 §7.2.171). It holds no secret: a refund is also checked
// against the subscriber, and is made once.
func refundToken(k SessionKey) string { return refundPrefix + k.Sub + ";" + k.ID }

// ParseRefund reads a token that a client brought back; false when it is none of ours.
func ParseRefund(token string) (SessionKey, bool) {
	rest, ok := strings.CutPrefix(token, refundPrefix)
	if !ok {
		return SessionKey{}, false
	}
	sub, id, ok := strings.Cut(rest, ";")
	if !ok || id == "" || len(id) > MaxSessionID {
		return SessionKey{}, false
	}
	return SessionKey{ID: id, Sub: sub}, true
}

// refund gives back a debit or a part of it, to the buckets that it was taken from (§6.4, spec/gy 3.15). Each service of the
// request names one of the debit's, by Rating-Group and Service-Identifier or as much of them as it has; one that names none
// means all. Its Requested-Service-Unit is how much is given back at most; without an amount it is all that is left. What was
// given back once is never given back again, so that the refunds of a debit are never more than the debit. All or nothing: a
// service for which nothing can be given back refuses the rest too.
func (d *decision) refund() {
	if d.request.RefundOf == (SessionKey{}) {
		d.refundFree()
		return
	}
	debit := d.account.Refunded
	if debit == nil || debit.Cause != ByEvent || len(debit.Quotas) == 0 || debit.Refunded {
		d.refuse(InvalidValue, FaultRefund)
		return
	}
	asked := d.request.Services
	if len(asked) == 0 {
		asked = []ServiceRequest{{}}
	}
	r := refunding{debit: *debit}
	r.debit.Refunds = slices.Clone(debit.Refunds)
	for i, s := range asked {
		if v, fault := r.give(s); v != Granted {
			d.refuseRefund(i, v, fault)
			return
		}
	}
	var back []Hold
	for _, part := range r.given {
		back = addHolds(back, part.Given)
	}
	if !d.purse.credit(back) {
		d.refuse(InvalidValue, FaultRefund) // a bucket is gone: there is nothing to give back to
		return
	}
	r.debit.Refunded = r.isEmpty()
	d.others = append(d.others, r.debit)
	d.postRefund(&r)
	d.answer.Services, d.answer.CommandLevel = r.answers, d.request.CommandLevel || len(d.request.Services) == 0
	if d.answer.CommandLevel {
		d.answer.Services = []ServiceAnswer{inOne(r.answers)}
	}
}

// refuseRefund refuses the whole request because of its service of that index.
func (d *decision) refuseRefund(service int, v Verdict, fault Fault) {
	d.refuseInside(v)
	if len(d.answer.Services) > 0 {
		d.answer.Services[service].Fault = fault
	}
	d.refuse(v, fault)
}

// postRefund writes the movement, with two legs for every bucket. It is named by the request: a debit can be given back in
// parts, and a Session-Id has one movement for each number.
func (d *decision) postRefund(r *refunding) {
	name := "refund:" + d.request.Session.Sub + ";" + strconv.FormatUint(uint64(d.request.Number), 10) + ";" + d.request.Session.ID
	leg := 0
	post := func(account string, bucket BucketID, unit rating.Unit, units rating.Units) {
		d.postings = append(d.postings, Posting{
			Movement: name, Leg: leg, Subscriber: r.debit.Subscriber, At: d.now, Kind: RefundPosting,
			Account: account, Bucket: bucket, Unit: unit, Units: units, Reason: "Refund-Information " + refundToken(r.debit.Key),
		})
		leg++
	}
	for _, part := range r.given {
		pays := r.debit.Quotas[part.Quota].Unit()
		for _, h := range part.Given {
			post("used", "", pays, -h.Units)
			post("lot:"+string(h.Bucket), h.Bucket, pays, h.Units)
		}
	}
}

// refunding is the work on one debit. Its Refunds are its own.
type refunding struct {
	debit   Session
	given   []Refund        // by this request
	answers []ServiceAnswer // one for each service of the debit of which something was given back
}

// give gives back what s asks for.
func (r *refunding) give(s ServiceRequest) (Verdict, Fault) {
	var most Measured
	if s.Requested != nil {
		most = *s.Requested
	}
	bounds := map[rating.Unit]rating.Units{} // what may still be given back, by unit of usage
	answered, found, measured := len(r.answers), false, false
	for i, q := range slices.Backward(r.debit.Quotas) { // what was charged last is given back first
		if !q.isNamedBy(s) {
			continue
		}
		found = true
		bound, begun := bounds[q.Tariff.Measures]
		if !begun {
			n, named := most.measure(q.Tariff.Measures)
			if !named && !most.empty() {
				continue // the amount is of something else
			}
			if bound = n; n == 0 {
				bound = rating.Unlimited
			}
		}
		measured = true
		units := min(r.left(i), bound)
		bounds[q.Tariff.Measures] = bound - units
		if units > 0 {
			r.take(i, units)
			r.tell(&q, units, answered)
		}
	}
	slices.Reverse(r.answers[answered:])
	switch {
	case !found:
		return InvalidValue, FaultRatingGroup
	case !measured:
		return RatingFailed, FaultUnits
	case len(r.answers) == answered:
		return InvalidValue, FaultRefund // all of it was given back before
	}
	return Granted, NoFault
}

// isNamedBy reports whether s means the service of q.
func (q *Quota) isNamedBy(s ServiceRequest) bool {
	return (s.RatingGroup == nil || equalGroup(q.RatingGroup, s.RatingGroup)) &&
		(len(s.ServiceIDs) == 0 || equalSet(q.ServiceIDs, s.ServiceIDs))
}

// before returns what was given back of a quota until now.
func (r *refunding) before(quota int) Refund {
	if i := r.index(quota); i >= 0 {
		return r.debit.Refunds[i]
	}
	return Refund{Quota: quota}
}

func (r *refunding) index(quota int) int {
	return slices.IndexFunc(r.debit.Refunds, func(f Refund) bool { return f.Quota == quota })
}

// left returns how much usage of a quota was not given back.
func (r *refunding) left(quota int) rating.Units {
	return r.debit.Quotas[quota].Used - r.before(quota).Units
}

func (r *refunding) isEmpty() bool {
	for i := range r.debit.Quotas {
		if r.left(i) > 0 {
			return false
		}
	}
	return true
}

// take gives back units of a quota: the debit is afterwards what it would have been without them, so that parts sum to the
// whole under every tariff. What was taken last goes back first, as if it had never been needed.
func (r *refunding) take(quota int, units rating.Units) {
	q, before, left := &r.debit.Quotas[quota], r.before(quota), r.left(quota)
	due := q.costOf(left) - q.costOf(left-units)
	part := Refund{Quota: quota, Units: units}
	for _, h := range slices.Backward(q.Taken) {
		if back := min(h.Units-unitsOf(before.Given, h.Bucket), due); back > 0 {
			part.Given = append(part.Given, Hold{Bucket: h.Bucket, Units: back})
			due -= back
		}
	}
	r.given = append(r.given, part)
	after := Refund{Quota: quota, Units: before.Units + units, Given: addHolds(before.Given, part.Given)}
	if i := r.index(quota); i >= 0 {
		r.debit.Refunds[i] = after
	} else {
		r.debit.Refunds = append(r.debit.Refunds, after)
	}
}

// unitsOf returns what holds have of a bucket; they name each once.
func unitsOf(holds []Hold, bucket BucketID) rating.Units {
	for _, h := range holds {
		if h.Bucket == bucket {
			return h.Units
		}
	}
	return 0
}

// tell adds units of the service of q to the answers from that index on.
func (r *refunding) tell(q *Quota, units rating.Units, from int) {
	for i := from; i < len(r.answers); i++ {
		a := &r.answers[i]
		if equalGroup(a.RatingGroup, q.RatingGroup) && equalSet(a.ServiceIDs, q.ServiceIDs) && a.Measure == q.Tariff.Measures {
			a.Granted = rating.Add(a.Granted, units)
			return
		}
	}
	r.answers = append(r.answers, ServiceAnswer{
		RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Verdict: Granted, Measure: q.Tariff.Measures, Granted: units,
	})
}

// inOne returns answers as the one that there is room for at command level. What is counted in another unit than the first
// cannot be added.
func inOne(answers []ServiceAnswer) ServiceAnswer {
	one := answers[0]
	one.RatingGroup, one.ServiceIDs = nil, nil
	for _, a := range answers[1:] {
		if a.Measure == one.Measure {
			one.Granted = rating.Add(one.Granted, a.Granted)
		}
	}
	return one
}
