package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/gyro-ocs/gyro/ocs"
)

const (
	insertMovement = `
		INSERT INTO movement (part, subscriber_id, id, fingerprint, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (part, subscriber_id, id) DO NOTHING`
	selectMovement = `SELECT fingerprint FROM movement WHERE part = $1 AND subscriber_id = $2 AND id = $3`
)

// Grant adds a bucket and writes the postings that it comes from. movement is the caller's id: when the same was asked
// for under it before, nothing changes and repeated is true; when something else was, the error is ErrMovementDiffers.
// beside is done in the same transaction when something changes; its error undoes all of it.
func (s *Store) Grant(
	ctx context.Context, movement string, id ocs.SubscriberID, bucket ocs.Bucket, postings []ocs.Posting,
	beside ...func(context.Context, *Tx) error,
) (repeated bool, err error) {
	asked := fingerprint(bucket, postings)
	err = s.InTx(ctx, func(tx *Tx) error {
		repeated = false
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			return ErrNotFound
		}
		count, err := tx.run(ctx, insertMovement, id.Slot(), string(id), movement, asked[:], stored(bucket.CreatedAt))
		if err != nil {
			return err
		}
		if count == 0 {
			repeated = true
			return tx.sameMovement(ctx, id, movement, asked)
		}
		for _, do := range beside {
			if err := do(ctx, tx); err != nil {
				return err
			}
		}
		return tx.Save(ctx, Changes{NewBuckets: []ocs.Bucket{bucket}, Postings: postings})
	})
	if err != nil {
		return false, fmt.Errorf("grant to subscriber %s: %w", id, err)
	}
	return repeated, nil
}

func (tx *Tx) sameMovement(ctx context.Context, id ocs.SubscriberID, movement string, asked [sha256.Size]byte) error {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var made []byte
	err := tx.tx.GetContext(ctx, &made, selectMovement, id.Slot(), string(id), movement)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("movement is there and is not: %w", err)
	case err != nil:
		return err
	case string(made) != string(asked[:]):
		return ErrMovementDiffers
	}
	return nil
}

// fingerprint tells whether two grants ask for the same. Ids and times that are made anew for every attempt are left out.
func fingerprint(b ocs.Bucket, postings []ocs.Posting) [sha256.Size]byte {
	type leg struct {
		Kind    ocs.PostingKind
		Account string
		Unit    string
		Units   int64
		Reason  string
	}
	asked := struct {
		Unit     string
		Class    string
		Priority int
		Balance  int64
		Expires  string
		Legs     []leg
	}{Unit: string(b.Unit), Class: b.Class, Priority: b.Priority, Balance: int64(b.Balance)}
	if !b.ExpiresAt.IsZero() {
		asked.Expires = stored(b.ExpiresAt).String()
	}
	for _, p := range postings {
		account := p.Account
		if p.Bucket != "" {
			account = "lot" // of the bucket, whose id is new every time
		}
		asked.Legs = append(asked.Legs, leg{p.Kind, account, string(p.Unit), int64(p.Units), p.Reason})
	}
	return sha256.Sum256(encode(asked))
}
