package ocs

import "time"

// SubscriberID names a subscriber for good: a UUID in text form.
type SubscriberID string

// Slots is the number of slots that subscribers are spread over. It never changes: it is part of every key.
const Slots = 256

// Slot returns the slot of id, 0 to Slots-1: FNV-1a of its octets. The function never changes (spec/store S1).
func (id SubscriberID) Slot() int16 {
	hash := uint32(2166136261)
	for i := range len(id) {
		hash = (hash ^ uint32(id[i])) * 16777619
	}
	return int16(hash % Slots)
}

// A Subscriber pays. It is named by its identities, each of which belongs to one subscriber only.
type Subscriber struct {
	ID              SubscriberID
	State           SubscriberState
	Plan            string // name in the catalogue
	IdentityVersion int64  // rises with every change of the identities, so that a cached one is seen to be stale
	MSISDN          string
	IMSI            string // empty when not known
	CreatedAt       time.Time
	Barred          Bars // services that it may not use
}

// SubscriberState tells what a subscriber may do.
type SubscriberState string

// The states of a subscriber.
const (
	Active  SubscriberState = "active"
	Blocked SubscriberState = "blocked" // every service is refused for now: 4010
	Closed  SubscriberState = "closed"  // for good: 5003
)
