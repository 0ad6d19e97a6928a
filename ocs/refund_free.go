package ocs

import (
	"slices"
	"strconv"

	"github.com/gyro-ocs/gyro/rating"
)

// refundFree gives back what no debit is named for, at the price of now, to the first bucket that would pay it (spec/gy 3.15). Only
// clients that are trusted with it may ask.
func (d *decision) refundFree() {
	if !d.request.FreeRefund {
		d.refuse(Unauthorised, NoFault) // minutes out of nothing
		return
	}
	charges, verdict, fault := d.priceEvent()
	if verdict != Granted {
		d.refuse(verdict, fault)
		return
	}
	d.answer.Services = make([]ServiceAnswer, max(1, len(d.request.Services)))
	d.answer.CommandLevel = d.request.CommandLevel || len(d.request.Services) == 0
	for i, s := range d.request.Services {
		d.answer.Services[i] = ServiceAnswer{RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs}
	}
	var back []Hold
	for _, c := range charges {
		i := slices.IndexFunc(d.purse.buckets, func(b Bucket) bool { return d.purse.pays(b, c.tariff) })
		if i < 0 {
			d.answer.Services = nil
			d.refuse(UnableToComply, NoFault) // there is no bucket to give back to
			return
		}
		back = addHold(back, Hold{Bucket: d.purse.buckets[i].ID, Units: c.tariff.Charge(c.units)})
		a := &d.answer.Services[c.service]
		a.Verdict, a.Measure, a.Granted = Granted, c.tariff.Measures, rating.Add(a.Granted, c.units)
	}
	d.purse.credit(back)
	name := "refund:" + d.request.Session.Sub + ";" + strconv.FormatUint(uint64(d.request.Number), 10) + ";" + d.request.Session.ID
	for i, h := range back {
		unit := d.purse.buckets[d.purse.index(h.Bucket)].Unit
		leg := func(n int, account string, bucket BucketID, units rating.Units) Posting {
			return Posting{
				Movement: name, Leg: n, Subscriber: d.session.Subscriber, At: d.now, Kind: RefundPosting,
				Account: account, Bucket: bucket, Unit: unit, Units: units, Reason: "no Refund-Information; " + d.session.Origin.Host,
			}
		}
		d.postings = append(d.postings, leg(2*i, "used", "", -h.Units), leg(2*i+1, "lot:"+string(h.Bucket), h.Bucket, h.Units))
	}
}
