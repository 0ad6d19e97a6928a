package postgres_test

import (
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// What customer care reads is found by the key of one subscriber, however many there are, and reads no table whole.
func TestPlansOfCare(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	if err := s.MakePartitions(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	db := postgres.HotPool(s)
	check := func(state string) {
		for statement, arguments := range postgres.Care {
			plan := explain(t, db, "EXPLAIN (COSTS OFF)", statement, arguments)
			checkPlan(t, state, statement, plan)
			if strings.Contains(statement, "DESC LIMIT") && strings.Contains(plan, "->  Sort") {
				t.Errorf("%s: %s\nsorts what an index has in order:\n%s", state, statement, plan)
			}
		}
	}
	check("never analyzed")
	analyze(t, db)
	check("analyzed when empty")
	fillTables(t, db, 20000)
	analyze(t, db)
	check("full")
}
