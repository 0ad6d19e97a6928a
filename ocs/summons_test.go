package ocs_test

import (
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// What is done about a summons when its time has come.
func TestSummonsDue(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := asked.Add(time.Minute)
	heard := func(at time.Time) *ocs.Session {
		return &ocs.Session{State: ocs.Open, StartedAt: asked.Add(-time.Hour), Memory: ocs.Memory{Answers: []ocs.Remembered{{At: at}}}}
	}
	silent := heard(asked)
	for _, test := range []struct {
		name    string
		summons ocs.Summons
		session *ocs.Session
		want    ocs.SummonsStep
		sent    int
	}{
		{"the first copy", ocs.Summons{Kind: ocs.Reauthorise}, silent, ocs.Send, 1},
		{"the last copy", ocs.Summons{Kind: ocs.Reauthorise, Sent: 2, EndToEnd: 7}, silent, ocs.Send, 3},
		{"one copy too many", ocs.Summons{Kind: ocs.Reauthorise, Sent: 3, EndToEnd: 7}, silent, ocs.Forget, 3},
		{"an abort is repeated too", ocs.Summons{Kind: ocs.Abort, Sent: 1, EndToEnd: 7}, heard(now), ocs.Send, 2},
		{"the session is not there any more", ocs.Summons{Kind: ocs.Abort}, nil, ocs.Forget, 0},
		{"the operator ended the session, which its client does not know", ocs.Summons{Kind: ocs.Abort}, &ocs.Session{State: ocs.Ended, Cause: ocs.ByOperator}, ocs.Send, 1},
		{"nothing is to be asked about one that the operator ended", ocs.Summons{Kind: ocs.Reauthorise}, &ocs.Session{State: ocs.Ended, Cause: ocs.ByOperator}, ocs.Forget, 0},
		{"the session ended", ocs.Summons{Kind: ocs.Abort}, &ocs.Session{State: ocs.Ended}, ocs.Forget, 0},
		{"the client came by itself", ocs.Summons{Kind: ocs.Reauthorise}, heard(asked.Add(time.Second)), ocs.Forget, 0},
		{"a request crossed the RAR", ocs.Summons{Kind: ocs.Reauthorise, Sent: 1, EndToEnd: 7}, heard(asked.Add(time.Second)), ocs.Forget, 1},
		{"a promise that was not kept is reminded of", ocs.Summons{Kind: ocs.Reauthorise, Round: 1}, silent, ocs.Send, 1},
		{"once", ocs.Summons{Kind: ocs.Reauthorise, Round: 2}, silent, ocs.Forget, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.summons.AskedAt = asked
			got, step := test.summons.Due(test.session, 7, now)
			if step != test.want || got.Sent != test.sent {
				t.Errorf("got step %d with %d copies, want step %d with %d", step, got.Sent, test.want, test.sent)
			}
			if step == ocs.Send && (got.EndToEnd != 7 || !got.DueAt.Equal(now.Add(10*time.Second))) {
				t.Errorf("got End-to-End id %d, due %v, want 7, ten seconds later", got.EndToEnd, got.DueAt)
			}
		})
	}
	if _, step := (ocs.Summons{AskedAt: asked, Kind: ocs.Abort}).Due(silent, 7, asked.Add(25*time.Hour)); step != ocs.Forget {
		t.Errorf("a day later: got step %d, want Forget", step)
	}
}

// What is done after each reply (spec/gy 3.18).
func TestSummonsAnswered(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := asked.Add(time.Minute)
	for _, test := range []struct {
		name  string
		kind  ocs.SummonsKind
		reply ocs.SummonsReply
		again bool // wished for again since it was sent
		want  ocs.SummonsStep
		due   time.Duration
		sent  int
	}{
		{"RAA 2002", ocs.Reauthorise, ocs.WillFollow, false, ocs.Await, 10 * time.Second, 0},
		{"RAA 2001", ocs.Reauthorise, ocs.Obeyed, false, ocs.Forget, 0, 1},
		{"RAA 2001, and a second wish", ocs.Reauthorise, ocs.Obeyed, true, ocs.Await, 0, 0},
		{"RAA 5002", ocs.Reauthorise, ocs.NotKnown, false, ocs.Hasten, 0, 1},
		{"RAA 3004", ocs.Reauthorise, ocs.Undelivered, false, ocs.Await, 2 * time.Second, 1},
		{"RAA 5012", ocs.Reauthorise, ocs.Declined, false, ocs.Forget, 0, 1},
		{"ASA 2001", ocs.Abort, ocs.Obeyed, false, ocs.Hasten, 0, 1},
		{"ASA 5002", ocs.Abort, ocs.NotKnown, false, ocs.End, 0, 1},
		{"ASA 3002", ocs.Abort, ocs.Undelivered, false, ocs.Await, 2 * time.Second, 1},
		{"ASA 5012", ocs.Abort, ocs.Declined, false, ocs.Forget, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := ocs.Summons{Kind: test.kind, AskedAt: asked, SentAt: asked.Add(time.Second), Sent: 1, EndToEnd: 7}
			if test.again {
				s.AskedAt = asked.Add(2 * time.Second)
			}
			got, step := s.Answered(test.reply, now)
			if step != test.want || got.Sent != test.sent {
				t.Errorf("got step %d with %d copies, want step %d with %d", step, got.Sent, test.want, test.sent)
			}
			if step == ocs.Await && !got.DueAt.Equal(now.Add(test.due)) {
				t.Errorf("due at %v, want %v", got.DueAt, now.Add(test.due))
			}
		})
	}
}

func TestHastenSession(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name  string
		state ocs.SessionState
		due   time.Duration
		want  bool
	}{
		{"due later", ocs.Open, time.Hour, true},
		{"due before anyhow", ocs.Open, 30 * time.Second, false},
		{"over", ocs.Ended, time.Hour, false},
	} {
		s := &ocs.Session{State: test.state, DueAt: now.Add(test.due)}
		o, ok := ocs.HastenSession(ocs.Account{Session: s}, now)
		if ok != test.want || ok && !o.Sessions[0].DueAt.Equal(now.Add(time.Minute)) {
			t.Errorf("%s: got %+v %t, want %t", test.name, o.Sessions, ok, test.want)
		}
	}
	if _, ok := ocs.HastenSession(ocs.Account{}, now); ok {
		t.Error("no session: got one hastened")
	}
}
