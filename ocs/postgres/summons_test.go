package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// sessionOf makes an open session of a client, whose quota is final or not.
func sessionOf(n postgres.NewSubscriber, key, host, peer string, final bool) ocs.Session {
	s, _ := newSession(n, key, 0)
	s.Origin = ocs.Origin{Host: host, Realm: "Epc.test", Peer: peer}
	s.Quotas[0].Final = final
	return s
}

func claim(t *testing.T, s *postgres.Store, hosts, realms []string, at time.Time) (claimed []ocs.Summons) {
	t.Helper()
	err := s.InTx(t.Context(), func(tx *postgres.Tx) (err error) {
		claimed, err = tx.ClaimSummonses(t.Context(), hosts, realms, at, at.Add(-2*time.Second), 10)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return claimed
}

// Whatever brings units to a subscriber summons the clients of the sessions that wait for some, in the same transaction.
func TestUnitsThatComeSummon(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	both := create(t, s, 2)
	n, other := both[0], both[1]
	save(t, s, postgres.Changes{NewSessions: []ocs.Session{
		sessionOf(n, "final", "PGW1.epc.test", "pgw1.epc.test", true), sessionOf(n, "plenty", "pgw1.epc.test", "pgw1.epc.test", false),
		sessionOf(other, "of another", "pgw1.epc.test", "pgw1.epc.test", true),
	}})
	bucket, postings := ocs.GrantBucket(ocs.Grant{
		Movement: newID(), Subscriber: n.Subscriber.ID, Bucket: ocs.BucketID(newID()), Unit: "seconds", Units: 60, Class: "plan",
	}, now.Add(time.Minute))
	if _, err := s.Grant(t.Context(), "m1", n.Subscriber.ID, bucket, postings); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Summoned():
	default:
		t.Error("nobody was told that there is something to send")
	}
	got := claim(t, s, []string{"pgw1.epc.test"}, nil, now.Add(time.Hour))
	want := sessionOf(n, "final", "pgw1.epc.test", "pgw1.epc.test", true)
	want.Origin.Realm = "epc.test"
	same(t, "summonses", got, []ocs.Summons{want.Summon(ocs.Reauthorise, ocs.UnitsCame, ocs.Part{}, now.Add(time.Minute))})
}

func TestSummonsesGoToWhoCanReachTheClient(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	save(t, s, postgres.Changes{NewSessions: []ocs.Session{sessionOf(n, "s", "tas1.epc.test", "dra1.test", false)}})
	key := ocs.SessionKey{ID: "s"}
	if err := s.Summon(t.Context(), key, ocs.Reauthorise, ocs.Part{RatingGroup: new(uint32(10))}, now); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name          string
		hosts, realms []string
		after         time.Duration
		want          int
	}{
		{"of another client", []string{"pgw1.epc.test"}, nil, time.Minute, 0},
		{"the client's own", []string{"Tas1.epc.test"}, nil, 0, 1},
		{"of the agent that brought it", []string{"dra1.test"}, nil, 0, 1},
		{"of an agent of the realm, at once", []string{"dra2.test"}, []string{"EPC.test"}, time.Second, 0},
		{"of an agent of the realm, later", []string{"dra2.test"}, []string{"EPC.test"}, 2 * time.Second, 1},
		{"before it is due", []string{"tas1.epc.test"}, nil, -time.Second, 0},
	} {
		if got := claim(t, s, test.hosts, test.realms, now.Add(test.after)); len(got) != test.want {
			t.Errorf("a connection %s: got %d, want %d", test.name, len(got), test.want)
		}
	}
	// A second wish, about something else, is about all of it. What is locked is passed over.
	if err := s.Summon(t.Context(), key, ocs.Reauthorise, ocs.Part{RatingGroup: new(uint32(20))}, now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		held, err := tx.ClaimSummonses(t.Context(), []string{"tas1.epc.test"}, nil, now, now, 10)
		if err != nil || len(held) != 1 || held[0].Part != (ocs.Part{}) || !held[0].AskedAt.Equal(now.Add(time.Second)) {
			t.Errorf("got %+v, %v, want one about the whole session, asked for again", held, err)
		}
		if got := claim(t, s, []string{"tas1.epc.test"}, nil, now.Add(time.Minute)); len(got) != 0 {
			t.Errorf("got %+v, want nothing: somebody else has it", got)
		}
		held[0].Sent, held[0].SentAt, held[0].EndToEnd, held[0].DueAt = 1, now, 1<<32-1, now.Add(10*time.Second)
		return tx.SaveSummons(t.Context(), held[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	ref := postgres.SessionRef{Subscriber: n.Subscriber.ID, Key: key}
	left, err := s.SummonsesOf(t.Context(), ref)
	if err != nil || len(left) != 1 || left[0].Sent != 1 || left[0].EndToEnd != 1<<32-1 || !left[0].DueAt.Equal(now.Add(10*time.Second)) {
		t.Errorf("got %+v, %v, want what was saved", left, err)
	}
	if err := s.ForgetSummonses(t.Context(), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if left, err = s.SummonsesOf(t.Context(), ref); err != nil || len(left) != 0 {
		t.Errorf("got %+v, %v, want it forgotten", left, err)
	}
}

func TestSummonOfNoOpenSession(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	ended := sessionOf(n, "ended", "h", "h", false)
	ended.State = ocs.Ended
	save(t, s, postgres.Changes{NewSessions: []ocs.Session{ended}})
	for _, id := range []string{"ended", "none"} {
		if err := s.Summon(t.Context(), ocs.SessionKey{ID: id}, ocs.Abort, ocs.Part{}, now); !errors.Is(err, postgres.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", id, err)
		}
	}
}

// A state that changes summons the clients of all open sessions; the same state again does not.
func TestStateSummons(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	n := create(t, s, 1)[0]
	save(t, s, postgres.Changes{NewSessions: []ocs.Session{sessionOf(n, "s", "h", "h", false)}})
	for _, step := range []struct {
		state ocs.SubscriberState
		want  []ocs.SummonsKind // in the order of the words
	}{
		{ocs.Active, nil}, {ocs.Blocked, []ocs.SummonsKind{ocs.Reauthorise}}, {ocs.Closed, []ocs.SummonsKind{ocs.Abort, ocs.Reauthorise}},
	} {
		if err := s.SetState(context.Background(), n.Subscriber.ID, step.state, now); err != nil {
			t.Fatal(err)
		}
		left, err := s.SummonsesOf(t.Context(), postgres.SessionRef{Subscriber: n.Subscriber.ID, Key: ocs.SessionKey{ID: "s"}})
		if err != nil {
			t.Fatal(err)
		}
		var kinds []ocs.SummonsKind
		for _, one := range left {
			kinds = append(kinds, one.Kind)
		}
		same(t, "kinds after "+string(step.state), kinds, step.want)
	}
}
