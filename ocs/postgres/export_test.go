package postgres

import (
	"testing"

	"github.com/jmoiron/sqlx"
)

// BackendOf returns the process that serves tx.
func BackendOf(t testing.TB, tx *Tx) (pid int) {
	t.Helper()
	if err := tx.tx.GetContext(t.Context(), &pid, `SELECT pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	return pid
}

// HotPool is the pool of charging, with its settings.
func HotPool(s *Store) *sqlx.DB { return s.db }

// What the tests of plans look at.
var (
	Hot             = hot
	SweepSessions   = sweepSessions
	ForgetSessions  = forgetSessions
	LockSubscribers = lockSubscribers
	LoadBuckets     = loadBuckets
	LoadSessions    = loadSessions
	UpdateBuckets   = updateBuckets
	Locate          = locate
	AnySubscription = anySubscription
)

// Care are statements of customer care that are about one subscriber, or one name of it, with arguments.
var Care = map[string][]string{
	statementEvents:   {"7", someone, "'2026-01-01'", "'2026-12-01'", "100"},
	statementPostings: {"7", someone, "'2026-01-01'", "'2026-12-01'", "100"},
	laterEvents:       {"7", someone, "'2026-01-01'"},
	laterPostings:     {"7", someone, "'2026-01-01'"},
	eventsOfSessions:  {"7", someone, "'2026-01-01'", "'2026-12-01'", "'{a,b}'", "100"},
	recordsOfSessions: {"7", someone, "'2026-01-01'", "'{a,b}'", "100"},
	sessionsOfIDs:     {"'{a,b}'", "7", someone},
	selectBuckets:     {"7", someone},
	selectAPIKey:      {"'a'"},
	usageByDay:        {"7", someone, "'2026-01-01'", "'2026-12-01'", "'Europe/Berlin'"},
	textsTo:           {"'a'"},
	resting:           {"'{a,b}'", "'{0,1}'", "'2026-01-01'"},
	formerOwner:       {"'a'", "0"},
	namesOf:           {"7", someone},
}

const someone = "'00000000-0000-0000-0000-000000000007'"

// Spread makes s use the statements that it uses on Citus.
func Spread(s *Store) { s.spread = true }

// Of one slot, which only Citus is sent.
var OfSlot = []string{lockSubscribersOfSlot, loadBucketsOfSlot, loadSessionsOfSlot, updateBucketsOfSlot}
