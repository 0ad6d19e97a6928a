package outbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// row is a message as the table holds it.
type row struct {
	Message
	state   State
	dueAt   time.Time
	problem string
}

// memory is an outbox that keeps to the contract of [Store], for any number of senders.
type memory struct {
	mu      sync.Mutex
	rows    map[string]*row
	failing error // of OutboxDone
}

func newMemory(messages ...Message) *memory {
	m := &memory{rows: map[string]*row{}}
	for _, one := range messages {
		m.rows[one.ID] = &row{Message: one, state: Waiting, dueAt: one.CreatedAt}
	}
	return m
}

func (m *memory) OutboxClaim(ctx context.Context, kind Kind, now, until time.Time, limit int) (claimed []Message, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var due []*row
	for _, r := range m.rows {
		if r.Kind == kind && r.state == Waiting && !r.dueAt.After(now) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b *row) int { return cmp.Or(a.dueAt.Compare(b.dueAt), cmp.Compare(a.ID, b.ID)) })
	for _, r := range due[:min(limit, len(due))] {
		r.Tries++
		r.dueAt = until
		claimed = append(claimed, r.Message)
	}
	return claimed, nil
}

func (m *memory) OutboxDone(ctx context.Context, results []Result) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := cmp.Or(ctx.Err(), m.failing); err != nil {
		return err
	}
	for _, one := range results {
		r, ok := m.rows[one.ID]
		if !ok || r.state != Waiting || one.State != Sent && one.Tries != r.Tries {
			continue
		}
		r.state, r.problem, r.dueAt = one.State, one.Problem, one.NextAt
	}
	return nil
}

func (m *memory) get(id string) row {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.rows[id]
}

var errStore = errors.New("the database is away")
