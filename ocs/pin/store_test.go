package pin

import (
	"context"
	"errors"
	"sync"

	"github.com/gyro-ocs/gyro/ocs"
)

// memory is a store that keeps records until it is thrown away, and can be made to fail.
type memory struct {
	mu      sync.Mutex
	records map[ocs.SubscriberID]Record
	updates int
	failing error
	after   func() // after each update, without the lock
}

func newMemory() *memory { return &memory{records: map[ocs.SubscriberID]Record{}} }

func (m *memory) PIN(_ context.Context, id ocs.SubscriberID) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[id], m.failing
}

func (m *memory) UpdatePIN(_ context.Context, id ocs.SubscriberID, change func(Record) (Record, error)) error {
	err := m.update(id, change)
	if m.after != nil {
		m.after()
	}
	return err
}

func (m *memory) update(id ocs.SubscriberID, change func(Record) (Record, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.updates++
	if m.failing != nil {
		return m.failing
	}
	if _, err := change(m.records[id]); err != nil { // a transaction that was repeated
		return err
	}
	r, err := change(m.records[id])
	if err != nil {
		return err
	}
	m.records[id] = r
	return nil
}

// get returns the record of anna.
func (m *memory) get() Record {
	r, err := m.PIN(context.Background(), anna)
	if err != nil {
		panic(err)
	}
	return r
}

var errStore = errors.New("the database is away")
