package tmf654

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A work is what is done to an action in one transaction, with all that belongs to it: postings, event, audit.
type work struct {
	ctx   context.Context
	tx    *postgres.Tx
	actor string
	now   time.Time

	subscriber ocs.Subscriber
}

// lock locks the subscriber of the action, before anything of it is read.
func (w *work) lock(id ocs.SubscriberID) error {
	locked, err := w.tx.LockSubscribers(w.ctx, []ocs.SubscriberID{id})
	if err != nil {
		return err
	}
	if len(locked) == 0 {
		return newFault(http.StatusConflict, codeIdentifier, "there is no such subscriber")
	}
	w.subscriber = locked[0]
	return nil
}

// begin does a new action, or has it wait for its time, and stores it. One that fails is stored too.
func (w *work) begin(a postgres.Action) (postgres.Action, error) {
	if err := w.lock(a.Subscriber); err != nil {
		return a, err
	}
	if !a.Starts.IsZero() {
		a.Due = a.Starts
		return a, w.save(a, "", created)
	}
	a, err := w.do(a)
	if err != nil {
		return a, err
	}
	event := created
	if a.Status == postgres.ActionFailed {
		event = failed
	}
	return a, w.save(a, "", event)
}

// do does what an action is for, once.
func (w *work) do(a postgres.Action) (postgres.Action, error) {
	if w.subscriber.State == ocs.Closed {
		return fail(a, newFault(http.StatusConflict, codeState, "the subscriber is closed"), w.now), nil
	}
	buckets, err := w.tx.LoadBuckets(w.ctx, []ocs.SubscriberID{a.Subscriber}, w.now, listed(a.Bucket)...)
	if err != nil {
		return a, err
	}
	d, err := readDocument(a)
	if err != nil {
		return a, err
	}
	reason := text(d.Said, "reason")
	var changes postgres.Changes
	var fault *Fault
	switch a.Kind {
	case postgres.TopupAction:
		changes, fault = topUp(a, buckets, reason, w.now)
	case postgres.AdjustAction:
		changes, fault = correct(a, buckets, reason, w.now)
	case postgres.ReserveAction:
		changes, a.Holds, fault = hold(a, buckets, w.now)
	}
	if fault != nil {
		return fail(a, fault, w.now), nil
	}
	a.Done++
	if a.Kind == postgres.ReserveAction {
		a.Units, a.Due = sum(a.Holds), a.Expires
	} else {
		a = again(a, d.Said, w.now)
	}
	if a.Kind == postgres.TopupAction {
		if err := w.tx.Recharged(w.ctx, a.Subscriber, w.now); err != nil {
			return a, err
		}
	}
	return a, w.tx.Save(w.ctx, changes)
}

func listed(id ocs.BucketID) []ocs.BucketID {
	if id == "" {
		return nil
	}
	return []ocs.BucketID{id}
}

// again says when a recurring top-up is made next, or that an action is done.
func again(a postgres.Action, said map[string]any, now time.Time) postgres.Action {
	word := text(said, "recurringPeriod")
	most, _ := count(said, "numberOfPeriods") // was read before
	if word == "" || most != 0 && a.Done >= most {
		a.Status, a.Ended, a.Due = postgres.ActionCompleted, now, time.Time{}
		return a
	}
	first := a.Requested
	if !a.Starts.IsZero() {
		first = a.Starts
	}
	a.Due = period(word, first, a.Done)
	return a
}

func fail(a postgres.Action, f *Fault, now time.Time) postgres.Action {
	d, err := readDocument(a)
	if err != nil {
		d = document{}
	}
	d.Refuse = &refusal{f.HTTP, f.Code, f.Reason}
	if a.Document, err = json.Marshal(d); err != nil {
		panic("tmf654: " + err.Error()) // it was read before
	}
	a.Status, a.Ended, a.Due = postgres.ActionFailed, now, time.Time{}
	return a
}

// movement names what an action does the n-th time.
func movement(a postgres.Action) string {
	return string(a.Kind) + ":" + a.ID + "/" + strconv.Itoa(a.Done+1)
}

// newBucket is the id of the bucket that an action makes. It follows from the movement.
func newBucket(a postgres.Action) ocs.BucketID {
	return ocs.BucketID(uuid.NewSHA1(uuid.NameSpaceOID, []byte("gyro "+string(a.Subscriber)+" "+movement(a))).String())
}

// notUsable says why the bucket of a cannot be used; nil: it can.
func notUsable(a postgres.Action, buckets []ocs.Bucket, now time.Time) *Fault {
	for _, b := range buckets {
		switch {
		case b.ID != a.Bucket:
			continue
		case b.Expired(now):
			return newFault(http.StatusConflict, codeState, "the bucket has expired")
		case b.Unit != a.Unit:
			return newFault(http.StatusConflict, codeState, "the bucket holds another unit")
		}
		return nil
	}
	return newFault(http.StatusConflict, codeIdentifier, "there is no such bucket")
}

func topUp(a postgres.Action, buckets []ocs.Bucket, reason string, now time.Time) (postgres.Changes, *Fault) {
	g := ocs.Grant{
		Movement: movement(a), Subscriber: a.Subscriber, Bucket: newBucket(a), Unit: a.Unit, Units: a.Units, Class: "purchased",
		ExpiresAt: a.Expires, Offer: "tmf654", Reason: reason,
	}
	if a.Bucket == "" {
		bucket, legs := ocs.GrantBucket(g, now)
		return postgres.Changes{NewBuckets: []ocs.Bucket{bucket}, Postings: legs}, nil
	}
	if fault := notUsable(a, buckets, now); fault != nil {
		return postgres.Changes{}, fault
	}
	for _, b := range buckets {
		if b.ID == a.Bucket {
			bucket, legs := ocs.GrantInto(b, g, now)
			return postgres.Changes{Buckets: []ocs.Bucket{bucket}, Postings: legs}, nil
		}
	}
	panic("tmf654: bucket is usable and not there")
}

// correctionClass is the class of buckets that corrections make. Policies of transfers name it where they let it be sent.
const correctionClass = "correction"

func correct(a postgres.Action, buckets []ocs.Bucket, reason string, now time.Time) (postgres.Changes, *Fault) {
	if a.Bucket == "" && a.Units > 0 {
		bucket, legs := ocs.GrantBucket(ocs.Grant{
			Movement: movement(a), Subscriber: a.Subscriber, Bucket: newBucket(a), Unit: a.Unit, Units: a.Units, Class: correctionClass,
			ExpiresAt: a.Expires, Offer: "correction", Reason: reason,
		}, now)
		return postgres.Changes{NewBuckets: []ocs.Bucket{bucket}, Postings: legs}, nil
	}
	if a.Bucket != "" {
		if fault := notUsable(a, buckets, now); fault != nil {
			return postgres.Changes{}, fault
		}
	}
	changed, legs, ok := ocs.Adjust(buckets, ocs.Adjustment{
		Movement: movement(a), Subscriber: a.Subscriber, Bucket: a.Bucket, Unit: a.Unit, Units: a.Units, Reason: reason,
	}, now)
	if !ok {
		return postgres.Changes{}, notEnough()
	}
	return postgres.Changes{Buckets: changed, Postings: legs}, nil
}

func hold(a postgres.Action, buckets []ocs.Bucket, now time.Time) (postgres.Changes, []ocs.Hold, *Fault) {
	if a.Bucket != "" {
		if fault := notUsable(a, buckets, now); fault != nil {
			return postgres.Changes{}, nil, fault
		}
	}
	changed, held, ok := ocs.Reserve(buckets, a.Bucket, a.Unit, a.Units, now)
	if !ok {
		return postgres.Changes{}, nil, notEnough()
	}
	return postgres.Changes{Buckets: changed}, held, nil
}

func notEnough() *Fault {
	return newFault(http.StatusConflict, codeFunds, "the balance that is not in use does not cover it")
}

// spend ends a reservation: units of what it holds are spent, all of it where units is 0, and the rest is given back.
func (w *work) spend(a postgres.Action, units rating.Units) (postgres.Action, error) {
	buckets, err := w.tx.LoadBuckets(w.ctx, []ocs.SubscriberID{a.Subscriber}, w.now, heldBuckets(a)...)
	if err != nil {
		return a, err
	}
	if units > a.Units {
		return a, newFault(http.StatusConflict, codeFunds, "the reservation holds less")
	}
	spent, back := split(a.Holds, units)
	d, err := readDocument(a)
	if err != nil {
		return a, err
	}
	changed, legs, ok := ocs.Spend(buckets, spent, movement(a), text(d.Said, "reason"), w.now)
	if !ok {
		return a, newFault(http.StatusInternalServerError, codeInternal, "what the reservation holds is not there")
	}
	released, _ := ocs.Release(merge(buckets, changed), back)
	a.Holds, a.Done, a.Units = nil, a.Done+1, sum(spent)
	a.Status, a.Ended, a.Due = postgres.ActionCompleted, w.now, time.Time{}
	return a, w.tx.Save(w.ctx, postgres.Changes{Buckets: merge(changed, released), Postings: legs})
}

// giveUp ends an action that waits, without doing it (again). What it holds is given back.
func (w *work) giveUp(a postgres.Action, end postgres.ActionStatus) (postgres.Action, error) {
	if len(a.Holds) > 0 {
		buckets, err := w.tx.LoadBuckets(w.ctx, []ocs.SubscriberID{a.Subscriber}, w.now, heldBuckets(a)...)
		if err != nil {
			return a, err
		}
		changed, ok := ocs.Release(buckets, a.Holds)
		if !ok {
			return a, newFault(http.StatusInternalServerError, codeInternal, "what the reservation holds is not there")
		}
		if err := w.tx.Save(w.ctx, postgres.Changes{Buckets: changed}); err != nil {
			return a, err
		}
	}
	a.Holds = nil
	a.Status, a.Ended, a.Due = end, w.now, time.Time{}
	return a, nil
}

func heldBuckets(a postgres.Action) (ids []ocs.BucketID) {
	for _, h := range a.Holds {
		ids = append(ids, h.Bucket)
	}
	return ids
}

func sum(holds []ocs.Hold) (all rating.Units) {
	for _, h := range holds {
		all += h.Units
	}
	return all
}

// split divides holds into the first units of them and the rest. 0 takes all.
func split(holds []ocs.Hold, units rating.Units) (first, rest []ocs.Hold) {
	if units == 0 {
		return holds, nil
	}
	for _, h := range holds {
		part := min(h.Units, units)
		units -= part
		if part > 0 {
			first = append(first, ocs.Hold{Bucket: h.Bucket, Units: part})
		}
		if part < h.Units {
			rest = append(rest, ocs.Hold{Bucket: h.Bucket, Units: h.Units - part})
		}
	}
	return first, rest
}

// merge returns buckets with those of later in their place, and what is new there.
func merge(buckets, later []ocs.Bucket) []ocs.Bucket {
	merged := append([]ocs.Bucket{}, buckets...)
next:
	for _, b := range later {
		for i := range merged {
			if merged[i].ID == b.ID {
				merged[i] = b
				continue next
			}
		}
		merged = append(merged, b)
	}
	return merged
}

// save stores an action as it is now, with its event and its audit entry. before is the status that it had.
func (w *work) save(a postgres.Action, before postgres.ActionStatus, e eventKind) error {
	if err := w.tx.SaveAction(w.ctx, a); err != nil {
		return err
	}
	told, err := kindOf(a.Kind).tell(a, w.subscriber.MSISDN)
	if err != nil {
		return err
	}
	entry := postgres.AuditEntry{
		At: w.now, Actor: w.actor, Role: "operator", Channel: "api", Action: string(a.Kind) + " " + string(a.Status),
		Subject: string(a.Subscriber), Reference: a.ID, After: audited(a, a.Status),
	}
	if before != "" {
		entry.Before = audited(a, before)
	}
	if err := w.tx.AppendAudit(w.ctx, []postgres.AuditEntry{entry}); err != nil {
		return err
	}
	if e == "" {
		return nil
	}
	return w.announce(kindOf(a.Kind), e, a, told)
}

func audited(a postgres.Action, status postgres.ActionStatus) json.RawMessage {
	return encoded(map[string]any{"status": string(status), "unit": string(a.Unit), "units": int64(a.Units)})
}
