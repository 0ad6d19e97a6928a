package charging_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

var (
	seedFlag     = flag.Int64("seed", 0, "of what is drawn at random; 0: another one each time")
	durationFlag = flag.Duration("duration", 3*time.Second, "of TestI7_TransferStorm")
)

// seed is that of the flag, or a new one. What runs at once is the machine's choice all the same.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(*seedFlag)
	if s == 0 {
		s = uint64(rand.Int64())
	}
	t.Logf("replay with: go test -run '^%s$' -seed %d", t.Name(), s)
	return s
}

// query reads rows past the store, in one statement.
func query[Row any](b *bench, statement string, arguments ...any) (rows []Row) {
	b.t.Helper()
	db, err := sqlx.ConnectContext(context.Background(), "postgres", b.dsn)
	if err != nil {
		b.t.Error(err)
		return nil
	}
	defer func() { _ = db.Close() }()
	if err := db.SelectContext(context.Background(), &rows, statement, arguments...); err != nil {
		b.t.Error(err)
	}
	return rows
}

// one reads one value past the store.
func one[Value any](b *bench, statement string, arguments ...any) (value Value) {
	b.t.Helper()
	if rows := query[Value](b, statement, arguments...); len(rows) == 1 {
		return rows[0]
	}
	b.t.Errorf("not one row: %s", statement)
	return value
}

// twoEngines are two servers on the bench's database.
func (b *bench) twoEngines(change func(*charging.Config)) []*charging.Engine {
	b.t.Helper()
	return []*charging.Engine{b.engine(b.store, change), b.engine(postgrestest.Open(b.t, b.dsn, postgres.Options{}), change)}
}

// at puts the clock.
func (b *bench) at(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// partitions makes those of the months from first to last, so that no server makes one while rows are written to it.
func (b *bench) partitions(first, last time.Time) {
	b.t.Helper()
	for month := first; !month.After(last); month = month.AddDate(0, 3, 0) {
		if err := b.store.MakePartitions(b.t.Context(), month); err != nil {
			b.t.Fatal(err)
		}
	}
}
