package tmf654

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// subscriber finds whom an id stands for: an MSISDN, an IMSI behind imsi-, or our own id.
func (h *handler) subscriber(ctx context.Context, id string) (ocs.Subscriber, error) {
	if u, err := uuid.Parse(id); err == nil {
		return h.found(h.Store.Subscriber(ctx, ocs.SubscriberID(u.String())))
	}
	identity, err := h.Identity(id)
	if err != nil {
		return ocs.Subscriber{}, newFault(http.StatusBadRequest, codeFormat, "%s", err) // does not repeat the number
	}
	return h.found(h.Store.SubscriberByIdentity(ctx, identity))
}

func (h *handler) found(s ocs.Subscriber, err error) (ocs.Subscriber, error) {
	if errors.Is(err, postgres.ErrNotFound) {
		return ocs.Subscriber{}, newFault(http.StatusConflict, codeIdentifier, "there is no such subscriber")
	}
	return s, err
}

// owner finds the subscriber of an action, from all that names one. Two names must not name two subscribers.
func (h *handler) owner(ctx context.Context, body map[string]any) (ocs.Subscriber, error) {
	var owner ocs.Subscriber
	agree := func(s ocs.Subscriber, err error) error {
		if err != nil {
			return err
		}
		if owner.ID != "" && owner.ID != s.ID {
			return newFault(http.StatusBadRequest, codeIdentifier, "partyAccount, logicalResource and bucket belong to different subscribers")
		}
		owner = s
		return nil
	}
	for _, id := range []string{text(body, "partyAccount", "id"), text(body, "logicalResource", "id")} {
		if id == "" {
			continue
		}
		if err := agree(h.subscriber(ctx, id)); err != nil {
			return ocs.Subscriber{}, err
		}
	}
	if id := bucketID(body, "bucket"); id != "" {
		b, err := h.bucket(ctx, id)
		if err == nil {
			err = agree(h.found(h.Store.Subscriber(ctx, b.Subscriber)))
		}
		if err != nil {
			return ocs.Subscriber{}, err
		}
	}
	if owner.ID == "" {
		return ocs.Subscriber{}, newFault(http.StatusBadRequest, codeIncomplete, "logicalResource, partyAccount or bucket must say whose balance it is")
	}
	return owner, nil
}

// auto stands for the bucket that the server chooses.
const auto = "auto"

// bucketID returns the id of the bucket that a body names; empty: the server chooses.
func bucketID(body map[string]any, name string) ocs.BucketID {
	if id := text(body, name, "id"); id != auto {
		return ocs.BucketID(id)
	}
	return ""
}

// bucket finds a bucket that the body of a request names.
func (h *handler) bucket(ctx context.Context, id ocs.BucketID) (ocs.Bucket, error) {
	u, err := uuid.Parse(string(id))
	if err != nil {
		return ocs.Bucket{}, newFault(http.StatusConflict, codeIdentifier, "there is no such bucket; auto lets the server choose")
	}
	b, err := h.Store.Bucket(ctx, ocs.BucketID(u.String()))
	if errors.Is(err, postgres.ErrNotFound) {
		err = newFault(http.StatusConflict, codeIdentifier, "there is no such bucket; auto lets the server choose")
	}
	return b, err
}

// names finds the subscribers of a page, all at once.
func (h *handler) names(ctx context.Context, ids []ocs.SubscriberID) (map[ocs.SubscriberID]ocs.Subscriber, error) {
	known := map[ocs.SubscriberID]ocs.Subscriber{}
	if len(ids) == 0 {
		return known, nil
	}
	all, err := h.Store.Subscribers(ctx, ids)
	for _, s := range all {
		known[s.ID] = s
	}
	return known, err
}

// idParts tell how references to a subscriber look.
func logicalResource(msisdn string) []any {
	return []any{resource{"id": msisdn, "@referredType": "LogicalResource"}}
}

func partyAccount(id ocs.SubscriberID) resource {
	return resource{"id": string(id), "@referredType": "PartyAccount"}
}
