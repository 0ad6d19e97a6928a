package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// An AnswerKey names a request for good.
type AnswerKey struct {
	Caller     string
	Subscriber ocs.SubscriberID // who acts
	Reference  string           // the client's
}

// String returns the digest of k. Lengths make it one of a kind.
func (k AnswerKey) String() string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(k.Caller)) + ":" + k.Caller + string(k.Subscriber) + ":" + k.Reference))
	return hex.EncodeToString(sum[:])
}

// digest is the key in one column.
func (k AnswerKey) digest() string { return `\x` + k.String() }

// KeyOf returns the key of what was remembered.
func KeyOf(r *transfer.Remembered) AnswerKey { return AnswerKey{r.Caller, r.Subscriber, r.Reference} }

const (
	loadAnswers = `
		SELECT t.caller, t.subscriber_id, t.reference, t.fingerprint, t.at, t.answer
		FROM unnest($1::smallint[], $2::bytea[]) AS u (part, key)
		JOIN transfer_answer t ON t.part = ANY(ARRAY[u.part]) AND t.key = ANY(ARRAY[u.key])`

	insertAnswers = `
		INSERT INTO transfer_answer (part, key, caller, subscriber_id, reference, fingerprint, at, answer)
		SELECT unnest($1::smallint[]), unnest($2::bytea[]), unnest($3::text[]), unnest($4::uuid[]), unnest($5::text[]),
			unnest($6::text[]), unnest($7::timestamptz[]), unnest(string_to_array($8, chr(30)))`
)

type answerRow struct {
	Caller      string    `db:"caller"`
	Subscriber  string    `db:"subscriber_id"`
	Reference   string    `db:"reference"`
	Fingerprint string    `db:"fingerprint"`
	At          time.Time `db:"at"`
	Answer      []byte    `db:"answer"`
}

func (r answerRow) remembered() (transfer.Remembered, error) {
	d, err := readJSON[transferAnswerDocument]("transfer_answer.answer", r.Answer)
	if err != nil {
		return transfer.Remembered{}, err
	}
	answer, err := transferAnswerFromDocument(d)
	return transfer.Remembered{
		Caller: r.Caller, Subscriber: ocs.SubscriberID(r.Subscriber), Reference: r.Reference, Fingerprint: r.Fingerprint,
		Answer: answer, At: r.At.UTC(),
	}, err
}

func answerKeys(keys []AnswerKey) (slots, digests []byte) {
	var parts, list array
	for _, k := range keys {
		parts.integer(int64(k.Subscriber.Slot()))
		list.string(k.digest())
	}
	return parts.value(), list.value()
}

func remembered(rows []answerRow) (map[AnswerKey]transfer.Remembered, error) {
	found := make(map[AnswerKey]transfer.Remembered, len(rows))
	for _, row := range rows {
		r, err := row.remembered()
		if err != nil {
			return nil, err
		}
		found[KeyOf(&r)] = r
	}
	return found, nil
}

// Answered reports whether a request was answered. What it says may be old at once: it only saves work.
func (s *Store) Answered(ctx context.Context, key AnswerKey) (bool, error) {
	var rows []answerRow
	parts, digests := answerKeys([]AnswerKey{key})
	if err := s.selectHot(ctx, &rows, loadAnswers, parts, digests); err != nil {
		return false, fmt.Errorf("answered transfer: %w", err)
	}
	return len(rows) > 0, nil
}

// LoadAnswers returns what was remembered of locked subscribers' requests. Those that are new are left out.
func (tx *Tx) LoadAnswers(ctx context.Context, keys []AnswerKey) (found map[AnswerKey]transfer.Remembered, err error) {
	if len(keys) == 0 {
		return map[AnswerKey]transfer.Remembered{}, nil
	}
	var rows []answerRow
	parts, digests := answerKeys(keys)
	if err = tx.selectInto(ctx, &rows, loadAnswers, parts, digests); err == nil {
		found, err = remembered(rows)
	}
	if err != nil {
		return nil, fmt.Errorf("load answers: %w", err)
	}
	return found, nil
}

func (tx *Tx) insertAnswers(ctx context.Context, all []transfer.Remembered) error {
	var parts, keys, callers, subscribers, references, fingerprints, times array
	var answers documents
	for i := range all {
		r := &all[i]
		parts.integer(int64(r.Subscriber.Slot()))
		keys.string(KeyOf(r).digest())
		callers.string(r.Caller)
		subscribers.string(string(r.Subscriber))
		references.string(r.Reference)
		fingerprints.string(r.Fingerprint)
		times.time(r.At)
		answers.addJSON(transferAnswerToDocument(&r.Answer))
	}
	_, err := tx.exec(ctx, insertAnswers, parts.value(), keys.value(), callers.value(), subscribers.value(), references.value(),
		fingerprints.value(), times.value(), answers.value())
	return err
}
