package charging

import (
	"context"
	"fmt"
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// parties are who takes part in a transfer, as far as they are known, and the stored one that it acts on.
type parties struct {
	by               transfer.Actor
	sender, receiver ocs.SubscriberID
	versions         map[ocs.SubscriberID]int64 // of the identities that they were found by
	original         transfer.Reference         // that exists, and is the actor's; else empty
	claimed          transfer.Reference         // that original wants reversed
	originalKind     transfer.Kind              // of original
	code             string                     // of the role that one of them acts in
}

// ids returns who is to be locked.
func (p *parties) ids() (ids []ocs.SubscriberID) {
	for _, id := range []ocs.SubscriberID{p.sender, p.receiver} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// telephone and the other prefixes are how a counterparty is named.
const telephone = "tel:"

// roleCode returns the code by which a counterparty is named, or "".
func roleCode(counterparty string) string {
	for _, prefix := range []string{"merchant:", "agent:", "trader:"} {
		if code, ok := strings.CutPrefix(counterparty, prefix); ok {
			return code
		}
	}
	return ""
}

// A register is what names lead to, for one batch.
type register struct {
	located   map[ocs.Identity]postgres.Located
	roles     map[string]postgres.Role
	transfers map[transfer.Reference]transfer.Transfer
}

// lookUp finds everything that the transfers of a batch name, in three statements at most.
func (e *Engine) lookUp(ctx context.Context, batch []*pending) (register, error) {
	g := register{
		located: map[ocs.Identity]postgres.Located{}, roles: map[string]postgres.Role{},
		transfers: map[transfer.Reference]transfer.Transfer{},
	}
	var names []ocs.Identity
	var codes []string
	var references []transfer.Reference
	for _, p := range batch {
		r := p.moving.Request
		if p.moving.Acting.Value != "" {
			names = append(names, p.moving.Acting)
		}
		if number, ok := strings.CutPrefix(r.Counterparty, telephone); ok {
			names = append(names, ocs.Identity{Kind: ocs.E164, Value: number})
		} else if code := roleCode(r.Counterparty); code != "" {
			codes = append(codes, code)
		}
		if ref, ok := transfer.ParseReference(r.Original); ok && r.Operation.OnStored() {
			references = append(references, ref)
		}
	}
	found, err := e.config.Store.Resolve(ctx, names)
	if err != nil {
		return g, fmt.Errorf("resolve %d identities: %w", len(names), err)
	}
	for i, name := range names {
		g.located[name] = found[i]
	}
	if len(codes) > 0 {
		roles, err := e.config.Store.Roles(ctx, codes)
		if err != nil {
			return g, err
		}
		for _, r := range roles {
			g.roles[r.Code] = r
		}
	}
	stored, err := e.config.Store.Transfers(ctx, references)
	if err != nil {
		return g, err
	}
	for _, t := range stored {
		g.transfers[t.Reference] = t
	}
	return g, nil
}

// partiesOf finds the parties of one transfer.
func (g *register) partiesOf(m *moving) parties {
	r := m.Request
	p := parties{by: r.By, versions: map[ocs.SubscriberID]int64{}}
	acting := p.located(g.located[m.Acting])
	if r.Operation.OnStored() {
		g.stored(&p, r, acting)
		return p
	}
	var other ocs.SubscriberID
	if number, ok := strings.CutPrefix(r.Counterparty, telephone); ok {
		other = p.located(g.located[ocs.Identity{Kind: ocs.E164, Value: number}])
	} else if code := roleCode(r.Counterparty); code != "" {
		other, p.code = g.roles[code].Subscriber, code
	}
	p.sender, p.receiver = acting, other
	if r.By == transfer.ByReceiver {
		p.sender, p.receiver = other, acting
	}
	return p
}

// stored finds the parties of a request that acts on a stored transfer: those of the record, and which of them acts. What
// is not the actor's is hidden from it.
func (g *register) stored(p *parties, r transfer.Request, acting ocs.SubscriberID) {
	reference, _ := transfer.ParseReference(r.Original)
	o, exists := g.transfers[reference]
	person := r.By == transfer.BySender || r.By == transfer.ByReceiver
	switch {
	case exists && person && acting != "" && acting == o.Sender:
		p.by = transfer.BySender
	case exists && person && acting != "" && acting == o.Receiver:
		p.by = transfer.ByReceiver
	case exists && !person:
	default:
		p.sender = acting
		if r.By == transfer.ByReceiver {
			p.sender, p.receiver = "", acting
		}
		return
	}
	p.sender, p.receiver, p.original, p.claimed = o.Sender, o.Receiver, o.Reference, o.Reverses
	p.originalKind, p.code = o.Kind, roleCode(o.Counterparty)
}

func (p *parties) located(l postgres.Located) ocs.SubscriberID {
	if l.Subscriber != "" {
		p.versions[l.Subscriber] = l.Version
	}
	return l.Subscriber
}
