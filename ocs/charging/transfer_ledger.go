package charging

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// A ledger is all that the transfers of one batch look at, as the decisions made so far leave it.
type ledger struct {
	codeKey []byte
	policy  *transfer.Policy
	now     time.Time

	of        map[ocs.SubscriberID]*holder
	transfers map[transfer.Reference]*entry[transfer.Transfer]
	quotes    map[string]*entry[transfer.Quote]
	answers   map[postgres.AnswerKey]transfer.Remembered
	repeats   map[postgres.Repeat]time.Time
	past      map[ocs.SubscriberID][]transfer.Past   // where a risk rule looks at it
	returns   map[ocs.SubscriberID][]transfer.Return // likewise

	held map[ocs.SubscriberID]bool // by somebody else: who needs them comes again

	strays   []*pending // that belong to others than was thought; they are looked up again
	remember []transfer.Remembered
	postings []ocs.Posting
	added    []transfer.Counter
	cards    []postgres.Card
	texts    []outbox.Message
	audit    []postgres.AuditEntry
}

// An entry is a row, and what is to be done with it.
type entry[Row any] struct {
	row     Row
	isNew   bool
	changed bool
}

// A holder is a locked party.
type holder struct {
	subscriber ocs.Subscriber
	profile    postgres.Profile
	roles      []postgres.Role
	buckets    []ocs.Bucket
	rest       transfer.Rest // of those that were not loaded
	state      map[ocs.BucketID]*entry[struct{}]
	counters   []transfer.Counter
}

func newLedger(codeKey []byte, policy *transfer.Policy, now time.Time, subscribers []ocs.Subscriber) *ledger {
	l := &ledger{
		codeKey: codeKey, policy: policy, now: now, of: make(map[ocs.SubscriberID]*holder, len(subscribers)),
		transfers: map[transfer.Reference]*entry[transfer.Transfer]{}, quotes: map[string]*entry[transfer.Quote]{},
	}
	for _, s := range subscribers {
		l.of[s.ID] = &holder{subscriber: s, state: map[ocs.BucketID]*entry[struct{}]{}}
	}
	return l
}

// load reads what the decisions about a batch look at, all of it after the lock.
func (l *ledger) load(ctx context.Context, tx *postgres.Tx, batch []*pending, ids []ocs.SubscriberID) error {
	var references []transfer.Reference
	var keys []postgres.AnswerKey
	var quotes []string
	var repeats []postgres.Repeat
	hasRoles := false
	for _, p := range batch {
		m, r := p.moving, p.moving.Request
		for _, reference := range []transfer.Reference{m.original, m.claimed} {
			if reference != "" {
				references = append(references, reference)
			}
		}
		if acting := m.acting(); acting != "" && r.Reference != "" {
			keys = append(keys, postgres.AnswerKey{Caller: r.Caller, Subscriber: acting, Reference: r.Reference})
		}
		if id, ok := transfer.ParseReference(r.QuoteID); ok {
			quotes = append(quotes, string(id))
		}
		if l.policy.RepeatAfter > 0 && l.policy.Channels[r.Channel].Interactive && !r.Operation.OnStored() && m.sender != "" {
			repeats = append(repeats, m.repeat())
		}
		hasRoles = hasRoles || m.code != "" || vendors(m.kind())
	}
	stored, err := tx.LoadTransfers(ctx, references)
	if err != nil {
		return err
	}
	var lots []ocs.BucketID
	for _, t := range stored {
		l.transfers[t.Reference] = &entry[transfer.Transfer]{row: t}
		lots = append(lots, t.Lots()...)
	}
	if l.answers, err = tx.LoadAnswers(ctx, keys); err != nil {
		return err
	}
	if l.repeats, err = tx.LoadRepeats(ctx, repeats, l.now.Add(-l.policy.RepeatAfter)); err != nil {
		return err
	}
	promised, err := tx.LoadQuotes(ctx, quotes)
	if err != nil {
		return err
	}
	for _, q := range promised {
		l.quotes[q.ID] = &entry[transfer.Quote]{row: q}
	}
	if err := l.loadHolders(ctx, tx, batch, ids, lots, hasRoles); err != nil {
		return err
	}
	return l.loadPast(ctx, tx, batch)
}

// loadPast reads what the risk rules of the policy look back at, if there are any.
func (l *ledger) loadPast(ctx context.Context, tx *postgres.Tx, batch []*pending) (err error) {
	if len(l.policy.Rules) == 0 {
		return nil
	}
	past, returns := postgres.Since{}, postgres.Since{}
	for _, p := range batch {
		look := l.policy.Look(l.state(p.moving), p.moving.request())
		if look.Past > 0 {
			past.Look(p.moving.sender, l.now.Add(-look.Past))
		}
		if look.Returns > 0 {
			returns.Look(p.moving.receiver, l.now.Add(-look.Returns))
		}
	}
	if l.past, err = tx.LoadPast(ctx, past); err != nil {
		return err
	}
	l.returns, err = tx.LoadReturns(ctx, returns)
	return err
}

// note adds what a decision did to what later ones of the batch look back at.
func (l *ledger) note(t *transfer.Transfer) {
	if l.past == nil || t.Reverses != "" {
		return
	}
	this := transfer.Past{At: l.now, Sent: true, Other: t.Receiver, Kind: t.Kind, Seconds: t.Seconds}
	l.past[t.Sender] = append(l.past[t.Sender], this)
	this.Sent, this.Other = false, t.Sender
	l.past[t.Receiver] = append(l.past[t.Receiver], this)
	for _, m := range t.Moves {
		for _, b := range l.of[t.Sender].buckets {
			if b.ID == m.From {
				l.returns[t.Sender] = append(l.returns[t.Sender], transfer.Return{Root: b.Root, At: l.now})
			}
		}
	}
}

func (l *ledger) loadHolders(
	ctx context.Context, tx *postgres.Tx, batch []*pending, ids []ocs.SubscriberID, lots []ocs.BucketID, hasRoles bool,
) error {
	if err := l.loadLots(ctx, tx, batch, ids, lots); err != nil {
		return err
	}
	profiles, err := tx.LoadProfiles(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range profiles {
		if h := l.of[p.Subscriber]; h != nil {
			h.profile = p
		}
	}
	if hasRoles {
		roles, err := tx.RolesOf(ctx, ids)
		if err != nil {
			return err
		}
		for _, r := range roles {
			if h := l.of[r.Subscriber]; h != nil {
				h.roles = append(h.roles, r)
			}
		}
	}
	var ranges []transfer.CounterRange
	for _, p := range batch {
		for _, c := range l.policy.Counters(l.state(p.moving), p.moving.request(), l.now) {
			if c.Subscriber != "" {
				ranges = append(ranges, c)
			}
		}
	}
	counters, err := tx.LoadCounters(ctx, ranges)
	if err != nil {
		return err
	}
	for _, c := range counters {
		if h := l.of[c.Subscriber]; h != nil {
			h.counters = append(h.counters, c)
		}
	}
	return nil
}

// decideAll decides about a batch, one transfer after the other. An error is a panic of ours.
func (l *ledger) decideAll(batch []*pending) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p)
		}
	}()
	for _, p := range batch {
		if l.isStray(p.moving) {
			l.strays = append(l.strays, p)
			continue
		}
		p.moving.outcome = l.decide(p.moving)
	}
	return nil
}

// isStray reports whether a party was found by an identity that has moved on.
func (l *ledger) isStray(m *moving) bool {
	if slices.ContainsFunc(m.ids(), func(id ocs.SubscriberID) bool { return l.held[id] }) {
		return true
	}
	for id, version := range m.versions {
		h := l.of[id]
		if slices.Contains(m.ids(), id) && (h == nil || h.subscriber.IdentityVersion != version) {
			m.lookups++
			return m.lookups <= mostLookups
		}
	}
	return false
}

func (l *ledger) decide(m *moving) transfer.Outcome {
	s, r := l.state(m), m.request()
	if acting := s.Acting(r.By); acting != "" && r.Reference != "" {
		if first, ok := l.answers[postgres.AnswerKey{Caller: r.Caller, Subscriber: acting, Reference: r.Reference}]; ok {
			s.Existing = &first
		}
	}
	if s.Existing == nil {
		l.see(m, &s)
	}
	if o := s.Original; o != nil && r.Operation == transfer.OpConfirm && m.Payout != "" {
		r.Payout.Result = transfer.Wrong
		if isCode(l.codeKey, o.PayoutHash, m.Payout) {
			r.Payout.Result = transfer.Verified
		}
	}
	r.Number = l.draw(m)
	r.NewBucketID = func() ocs.BucketID { return ocs.BucketID(newID()) }
	o := transfer.Decide(l.policy, s, r, l.now)
	l.apply(s, r, o)
	return o
}

// draw draws a number whose reference, in either party's slot, is none of this batch. That it is no other one's either is
// found when it is stored.
func (l *ledger) draw(m *moving) uint64 {
	for {
		n := rand.Uint64()
		if l.transfers[transfer.NewReference(m.sender, n)] == nil && l.transfers[transfer.NewReference(m.receiver, n)] == nil {
			return n
		}
	}
}

// see notices that the actor has a new card.
func (l *ledger) see(m *moving, s *transfer.State) {
	h := l.of[m.acting()]
	if h == nil || m.IMSI == "" || m.by != transfer.BySender && m.by != transfer.ByReceiver {
		return
	}
	before := h.profile.IMSI
	if before == m.IMSI {
		return
	}
	card := postgres.Card{Subscriber: h.subscriber.ID, IMSI: m.IMSI}
	if before == "" {
		before = h.subscriber.IMSI
	}
	if before != "" && before != m.IMSI {
		card.ChangedAt = l.now
		h.profile.SIMChangedAt = l.now
		party := &s.Sender
		if m.by == transfer.ByReceiver {
			party = &s.Receiver
		}
		party.Profile.SIMChangedAt = l.now
	}
	h.profile.IMSI = m.IMSI
	l.cards = slices.DeleteFunc(l.cards, func(c postgres.Card) bool {
		if c.Subscriber == card.Subscriber && card.ChangedAt.IsZero() {
			card.ChangedAt = c.ChangedAt
		}
		return c.Subscriber == card.Subscriber
	})
	l.cards = append(l.cards, card)
}

// state puts together what one decision looks at.
func (l *ledger) state(m *moving) transfer.State {
	s := transfer.State{Sender: l.party(m, m.sender, m.receiver), Receiver: l.party(m, m.receiver, m.sender)}
	if o := l.transfers[m.original]; o != nil {
		original := o.row
		s.Original = &original
	}
	if o := l.transfers[m.claimed]; o != nil {
		claimed := o.row
		s.Claimed = &claimed
	}
	if id, ok := transfer.ParseReference(m.Request.QuoteID); ok {
		if q := l.quotes[string(id)]; q != nil {
			quote := q.row
			s.Quote = &quote
		}
	}
	if m.sender != "" && !m.Request.Operation.OnStored() {
		s.LastSame = l.repeats[m.repeat()]
	}
	s.Past, s.Returns = l.past[m.sender], l.returns[m.receiver]
	return s
}

func (l *ledger) party(m *moving, id, other ocs.SubscriberID) transfer.Party {
	h := l.of[id]
	if h == nil {
		return transfer.Party{}
	}
	p := transfer.Party{Subscriber: h.subscriber, Buckets: h.buckets, Rest: h.rest, Counters: h.counters, Profile: h.profile.Profile, Role: h.role(m)}
	if p.Profile.OnNetSince.IsZero() {
		p.Profile.OnNetSince = h.subscriber.CreatedAt
	}
	p.Profile.BlocksOther = other != "" && slices.Contains(h.profile.Blocks, other)
	return p
}

// role returns the role that a party acts in: the one that was named by its code, or that of the vendor whose float it is.
func (h *holder) role(m *moving) *transfer.Role {
	var vendor *transfer.Role
	for i := range h.roles {
		role := &h.roles[i].Role
		if role.Code == m.code {
			return role
		}
		if vendor == nil && role.Kind == transfer.AgentRole && !role.Closed {
			vendor = role
		}
	}
	if vendors(m.kind()) {
		return vendor
	}
	return nil
}

// vendors reports whether a vendor takes part in transfers of a kind, whose code nobody names.
func vendors(k transfer.Kind) bool { return k == transfer.Agent || k == transfer.Float }

// kind is that of the stored transfer which m acts on, else its own.
func (m *moving) kind() transfer.Kind { return cmp.Or(m.originalKind, m.Request.Kind) }

// request is what is asked for, by whom it was found to be, on what it was found to name.
func (m *moving) request() transfer.Request {
	r := m.Request
	r.By = m.by
	if r.Operation.OnStored() {
		if reference, ok := transfer.ParseReference(r.Original); ok {
			r.Original = string(reference)
		}
	}
	return r
}

// acting is the subscriber under whom the request is remembered.
func (m *moving) acting() ocs.SubscriberID {
	if m.by == transfer.ByReceiver {
		return m.receiver
	}
	return m.sender
}

func (m *moving) repeat() postgres.Repeat {
	return postgres.Repeat{Sender: m.sender, Receiver: m.receiver, Seconds: m.Request.Seconds}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// apply takes over what a decision came to.
func (l *ledger) apply(s transfer.State, r transfer.Request, o transfer.Outcome) {
	if o.Repeated {
		return
	}
	for _, b := range o.Buckets {
		l.of[b.Subscriber].put(b, false)
	}
	for _, b := range o.NewBuckets {
		l.of[b.Subscriber].put(b, true)
	}
	for _, t := range o.Transfers {
		e := l.transfers[t.Reference]
		if e == nil {
			e = &entry[transfer.Transfer]{isNew: true}
			l.transfers[t.Reference] = e
		}
		e.row, e.changed = t, true
		if t.CreatedAt.Equal(l.now) && (t.Status == transfer.Completed || t.Status == transfer.Pending) {
			if l.repeats != nil {
				l.repeats[postgres.Repeat{Sender: t.Sender, Receiver: t.Receiver, Seconds: t.Seconds}] = l.now
			}
			l.note(&t)
		}
	}
	if o.Quote != nil {
		e := l.quotes[o.Quote.ID]
		if e == nil {
			e = &entry[transfer.Quote]{isNew: true}
			l.quotes[o.Quote.ID] = e
		}
		e.row, e.changed = *o.Quote, true
	}
	if o.Remembered != nil {
		l.answers[postgres.KeyOf(o.Remembered)] = *o.Remembered
		l.remember = append(l.remember, *o.Remembered)
	}
	for _, c := range o.Counters {
		l.of[c.Subscriber].count(c)
	}
	l.postings = append(l.postings, o.Postings...)
	l.added = append(l.added, o.Counters...)
	l.tell(o.Texts)
	if !r.Operation.ReadsOnly() {
		l.audit = append(l.audit, auditOf(l, s, r, o))
	}
}

// put replaces or adds a bucket.
func (h *holder) put(b ocs.Bucket, isNew bool) {
	if e := h.state[b.ID]; e != nil {
		e.changed = true
		h.buckets = slices.Clone(h.buckets) // an earlier state may have it
		h.buckets[slices.IndexFunc(h.buckets, func(old ocs.Bucket) bool { return old.ID == b.ID })] = b
		return
	}
	h.state[b.ID] = &entry[struct{}]{isNew: isNew, changed: true}
	h.buckets = append(h.buckets, b)
}

// count adds to the counters that later decisions see.
func (h *holder) count(c transfer.Counter) {
	h.counters = slices.Clone(h.counters)
	for i := range h.counters {
		if k := &h.counters[i]; k.Row == c.Row && k.Other == c.Other && k.Start.Equal(c.Start) {
			k.Count += c.Count
			k.Seconds += c.Seconds
			return
		}
	}
	h.counters = append(h.counters, c)
}

// save writes every row that changed.
func (l *ledger) save(
	ctx context.Context, tx *postgres.Tx,
	events func(context.Context, *postgres.Tx, []transfer.Transfer, time.Time) ([]outbox.Message, error),
) error {
	c := postgres.TransferChanges{
		Answers: l.remember, Counters: l.added, Cards: l.cards, Outbox: l.texts, Audit: l.audit,
	}
	for _, e := range l.transfers {
		switch {
		case e.isNew:
			c.New = append(c.New, &e.row)
		case e.changed:
			c.Changed = append(c.Changed, &e.row)
		}
	}
	if events != nil && len(c.New)+len(c.Changed) > 0 {
		made := make([]transfer.Transfer, 0, len(c.New)+len(c.Changed))
		for _, t := range slices.Concat(c.New, c.Changed) {
			made = append(made, *t)
		}
		messages, err := events(ctx, tx, made, l.now)
		if err != nil {
			return fmt.Errorf("events of transfers: %w", err)
		}
		c.Outbox = append(c.Outbox, messages...)
	}
	for _, q := range l.quotes {
		if q.changed {
			c.Quotes = append(c.Quotes, &q.row)
		}
	}
	var b postgres.Changes
	b.Postings = l.postings
	for _, h := range l.of {
		for _, bucket := range h.buckets {
			switch e := h.state[bucket.ID]; {
			case e.isNew:
				b.NewBuckets = append(b.NewBuckets, bucket)
			case e.changed:
				b.Buckets = append(b.Buckets, bucket)
			}
		}
	}
	if err := tx.Save(ctx, b); err != nil {
		return err
	}
	return tx.SaveTransfers(ctx, c)
}
