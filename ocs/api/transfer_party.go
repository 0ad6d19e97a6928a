package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
	"github.com/gyro-ocs/gyro/transfer/ussd"
)

// profile returns what transfers know of a subscriber.
func (s *server) profile(ctx context.Context, id ocs.SubscriberID) (postgres.Profile, error) {
	return s.Store.Profile(ctx, id)
}

// actingParty is the identity of who acts: a subscriber by its number, or who stands behind a short code.
func (s *server) actingParty(ctx context.Context, name string) (ocs.Identity, error) {
	name = strings.TrimPrefix(strings.TrimSpace(name), telScheme)
	for _, scheme := range []string{merchantScheme, agentScheme} {
		code, ok := strings.CutPrefix(name, scheme)
		if !ok {
			continue
		}
		role, err := s.findRole(ctx, code, kindsOf(scheme)...)
		if err != nil {
			return ocs.Identity{}, err
		}
		number, err := s.msisdns().of(ctx, role.Subscriber)
		return ocs.Identity{Kind: ocs.E164, Value: number}, err
	}
	identity, err := ParseSubscriber(name)
	if err != nil {
		return identity, invalid("body.from", err)
	}
	return identity, nil
}

// kindsOf are the roles that a scheme names.
func kindsOf(scheme string) []transfer.RoleKind {
	if scheme == merchantScheme {
		return []transfer.RoleKind{transfer.MerchantRole}
	}
	return []transfer.RoleKind{transfer.AgentRole, transfer.TraderRole}
}

// byCode looks up who has a short code.
func (s *server) byCode(ctx context.Context, scheme, typed string) (counterparty, bool, error) {
	c := counterparty{name: scheme + typed, role: true}
	code, ok := transfer.ParseShortCode(typed)
	if !ok {
		return c, false, nil
	}
	c.name = scheme + code
	role, err := s.Store.Role(ctx, code)
	if errors.Is(err, postgres.ErrNotFound) || err == nil && (role.Closed || !isOf(role.Kind, scheme)) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	profile, err := s.profile(ctx, role.Subscriber)
	c.id, c.profile = role.Subscriber, profile.Name
	return c, true, err
}

func isOf(kind transfer.RoleKind, scheme string) bool {
	return slices.Contains(kindsOf(scheme), kind)
}

// block changes the block list of who dials.
func (t *teller) block(ctx context.Context, w ussd.Want) (ussd.Result, error) {
	other, found, err := t.other(ctx, transfer.P2P, w.Number)
	switch {
	case err != nil:
		return ussd.Result{}, err
	case !found:
		return ussd.Result{Answer: transfer.Answer{Refusal: transfer.ReceiverUnknown}}, nil
	case other.id == t.subscriber.ID:
		return ussd.Result{Answer: transfer.Answer{Refusal: transfer.SameParty}}, nil
	}
	act, change := "block", t.server.Store.Block
	if w.Do == ussd.Unblock {
		act, change = "unblock", t.server.Store.Unblock
	}
	if err := change(ctx, t.subscriber.ID, other.id); err != nil {
		return ussd.Result{}, err
	}
	return ussd.Result{}, t.server.audit(ctx, subscriberActed(t.subscriber.ID, string(transfer.USSD), act, map[string]string{"other": string(other.id)}))
}

// payoutDigits is how many digits a pay-out code has. It opens one transfer, at one trader, for a few tries.
const payoutDigits = 6

// payoutCode makes the code of a cash-out that is prepared, and hands it to the engine with the request. It follows from
// the request and a secret, so that a copy of the request gets the same code, and nobody has to keep it.
func (s *server) payoutCode(t *charging.Transfer) (string, error) {
	if t.Request.Operation != transfer.OpPrepare || t.Request.Kind != transfer.CashOut {
		return "", nil
	}
	secret := s.PayoutSecret
	if len(secret) == 0 {
		return "", errors.New("no secret to make pay-out codes with")
	}
	mac := hmac.New(sha256.New, secret)
	for _, part := range []string{"pay-out", t.Request.Caller, fmt.Sprint(t.Acting.Kind), t.Acting.Value, t.Request.Reference} {
		_, _ = fmt.Fprintf(mac, "%d:%s", len(part), part) // a hash takes everything
	}
	n := binary.BigEndian.Uint64(mac.Sum(nil)) % 1_000_000
	t.Payout = fmt.Sprintf("%0*d", payoutDigits, n)
	return t.Payout, nil
}

// drawDigits draws n decimal digits, the first of which is not 0.
func drawDigits(n int) (string, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	low := uint64(1)
	for range n - 1 {
		low *= 10
	}
	return fmt.Sprint(low + binary.BigEndian.Uint64(random[:])%(9*low)), nil
}
