package postgres_test

import (
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

func TestClientRestarts(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	note := func(host string, stateID uint32, after time.Duration) {
		if err := s.NoteClient(t.Context(), host, stateID, now.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	session := func(key, host string, stateID uint32, state ocs.SessionState, after time.Duration) ocs.Session {
		made, _ := newSession(n, key, 0)
		made.Origin, made.State, made.StartedAt = ocs.Origin{Host: host, StateID: stateID}, state, now.Add(after)
		return made
	}
	save(t, s, postgres.Changes{Sessions: []ocs.Session{
		session("lost", "tas", 1, ocs.Open, 0), session("ended", "tas", 1, ocs.Ended, 0), session("of another", "msc", 1, ocs.Open, 0),
		session("without", "tas", 0, ocs.Open, 0), session("new", "tas", 2, ocs.Open, 0), session("late", "tas", 1, ocs.Open, 2*time.Minute),
	}})
	note("tas", 1, 0)
	note("msc", 1, 0)
	note("tas", 2, time.Minute)
	note("tas", 2, 3*time.Minute) // not a restart
	restarts, err := s.Restarts(t.Context(), now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "restarts", restarts, []postgres.Restart{{Host: "tas", StateID: 2, At: now.Add(time.Minute)}})
	lost, err := s.LostSessions(t.Context(), restarts[0], 10)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "lost sessions", lost, []postgres.SessionRef{{Subscriber: n.Subscriber.ID, Key: ocs.SessionKey{ID: "lost"}}})
	if err := s.SettleRestart(t.Context(), restarts[0]); err != nil {
		t.Fatal(err)
	}
	if restarts, err = s.Restarts(t.Context(), now.Add(time.Hour)); err != nil || len(restarts) > 0 {
		t.Errorf("got %v, %v, want it settled", restarts, err)
	}
}

// All servers on one database have one birth, whichever asked first.
func TestBirth(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	first, second := postgrestest.Open(t, dsn, postgres.Options{}), postgrestest.Open(t, dsn, postgres.Options{})
	for _, s := range []*postgres.Store{first, second, first} {
		got, err := s.Birth(t.Context(), now)
		if err != nil || !got.Equal(now) {
			t.Errorf("got %v, %v, want %v", got, err, now)
		}
		now := now.Add(time.Hour)
		if got, err = s.Birth(t.Context(), now); err != nil || got.Equal(now) {
			t.Errorf("an hour later: got %v, %v", got, err)
		}
	}
}
