package cdr

import (
	"iter"
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// Kind is the kind of a record.
type Kind string

// The kinds of record. Those of a posting are named as it is (grant, transfer, reversal, refund, adjust, reserve, expiry…).
const (
	Call  Kind = "call"
	Event Kind = "event"
	Fee   Kind = "fee"
)

// A posted is a record that postings make: what one movement does to one subscriber.
type posted struct {
	key        postgres.ExportKey // of the first leg of the movement that lies with the subscriber
	kind       Kind
	movement   string
	account    string // the other side: issue:plan, adjust, fee; empty where that lies with another subscriber
	reason     string
	unit       rating.Unit
	units      rating.Units // signed: what the subscriber gains by it
	lots       []ocs.Hold   // what each bucket gained, signed
	legs       int          // of the whole group, in the first record of it
	lastLeg    int
	subscriber ocs.SubscriberID
}

// groups puts the legs of a movement that lie with one subscriber together, and makes records of each group.
func groups(legs iter.Seq2[ocs.Posting, error]) iter.Seq2[[]posted, error] {
	return func(yield func([]posted, error) bool) {
		var group []ocs.Posting
		for leg, err := range legs {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(group) > 0 && !sameGroup(group[0], leg) {
				if !yield(recordsOf(group), nil) {
					return
				}
				group = group[:0]
			}
			group = append(group, leg)
		}
		if len(group) > 0 {
			yield(recordsOf(group), nil)
		}
	}
}

func sameGroup(a, b ocs.Posting) bool {
	return a.Movement == b.Movement && a.Subscriber == b.Subscriber && a.At.Equal(b.At)
}

// recordsOf makes the records of a group: one for each kind and unit, and one for the fee if there is any. The legs of a
// fee lie with who pays it; what it takes from the lots is told there and not in the transfer.
func recordsOf(group []ocs.Posting) []posted {
	var records []posted
	find := func(p ocs.Posting, kind Kind) *posted {
		for i := range records {
			if records[i].kind == kind && records[i].unit == p.Unit {
				return &records[i]
			}
		}
		records = append(records, posted{
			key:  postgres.ExportKey{At: p.At, Subscriber: p.Subscriber, ID: p.Movement, Number: group[0].Leg},
			kind: kind, movement: p.Movement, unit: p.Unit, reason: p.Reason, subscriber: p.Subscriber,
		})
		return &records[len(records)-1]
	}
	for _, p := range group {
		switch r := find(p, Kind(p.Kind)); {
		case p.Bucket != "":
			r.units += p.Units
			r.lots = append(r.lots, ocs.Hold{Bucket: p.Bucket, Units: p.Units})
		case p.Account == "fee" || strings.HasPrefix(p.Account, "commission:"):
			r.units += p.Units
			fee := find(p, Fee)
			fee.units -= p.Units
			fee.account = "fee"
		default:
			r.account = p.Account
		}
	}
	records[0].legs, records[0].lastLeg = len(group), group[len(group)-1].Leg
	for i := range records {
		if records[i].unit != records[0].unit { // a group of several units: the kind alone does not name a record
			records[i].kind += Kind(":" + string(records[i].unit))
		}
	}
	return records
}
