package charging_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

// Counters of windows that no policy looks at any more are forgotten by the servers themselves, by two of them at once; those
// that one may look at stay.
func TestOldCountersAreForgotten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	db, err := sql.Open("postgres", b.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	p := openPolicy()
	p.Limits = transfer.Default().Limits
	b.subscriber(ann, 60000)
	b.subscriber(ben, 60)
	first := b.engine(b.store, withPolicy(p))
	wantRefusal(t, do(t, first, send(ann, ben, "old", 600)), transfer.None)
	kept := func() (n int) {
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM transfer_counter`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	old := kept()
	if old == 0 {
		t.Fatal("nothing was counted")
	}
	b.wait(transfer.MaxWindow)
	wantRefusal(t, do(t, first, send(ann, ben, "new", 600)), transfer.None)
	many := kept()
	b.wait(60 * 24 * time.Hour)
	b.engine(b.store, withPolicy(p)) // servers forget when they start, and then every hour
	b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), withPolicy(p))
	eventually(t, func() bool { return kept() <= many-old })
	if n := kept(); n != many-old {
		t.Errorf("%d counters are left, want the %d newer ones", n, many-old)
	}
}
