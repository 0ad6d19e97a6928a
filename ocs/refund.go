package ocs

import (
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

// refund gives back a debit, once, to the buckets that it was taken from (§6.4). The whole debit is given back, also
// when fewer units were asked for: the units of an event are one message or one purchase.
func (d *decision) refund() {
	if d.request.RefundOf == (SessionKey{}) {
		d.refuse(Unauthorised, NoFault) // minutes out of nothing: no client may ask for that
		return
	}
	debit := d.account.Refunded
	if debit == nil || debit.Cause != ByEvent || debit.Refunded {
		d.refuse(InvalidValue, FaultRefund)
		return
	}
	paid := *debit
	for _, q := range paid.Quotas {
		if !d.purse.credit(q.Taken) {
			d.refuse(InvalidValue, FaultRefund) // the bucket is gone: there is nothing to give back to
			return
		}
	}
	paid.Refunded = true
	d.others = append(d.others, paid)
	d.postRefund(paid)
}

// postRefund writes the movement, with two legs for every bucket, and answers with the units given back.
func (d *decision) postRefund(paid Session) {
	leg := 0
	post := func(account string, bucket BucketID, unit rating.Unit, units rating.Units) {
		d.postings = append(d.postings, Posting{
			Movement: "refund:" + paid.Key.ID, Leg: leg, Subscriber: paid.Subscriber, At: d.now, Kind: RefundPosting,
			Account: account, Bucket: bucket, Unit: unit, Units: units, Reason: "Refund-Information",
		})
		leg++
	}
	d.answer.CommandLevel = d.request.CommandLevel || len(d.request.Services) == 0
	for _, q := range paid.Quotas {
		for _, h := range q.Taken {
			post("used", "", q.Tariff.Pays, -h.Units)
			post("lot:"+string(h.Bucket), h.Bucket, q.Tariff.Pays, h.Units)
		}
		d.answer.Services = append(d.answer.Services, ServiceAnswer{
			RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Verdict: Granted, Measure: q.Tariff.Measures, Granted: q.Used,
		})
	}
	if d.answer.CommandLevel && len(d.answer.Services) > 1 {
		d.answer.Services = d.answer.Services[:1]
	}
}
