package integration

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A call of 250 s out of 200 minutes is charged to the second and leaves a CDR.
func TestCallIsChargedToTheSecond(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 12_000)
	c := s.client(t).newCall(msisdn)
	wantGrant(t, c.initial(0, service(100, wantsAny())), 100, 60, false)
	s.wantAccount(t, msisdn, 12_000, 60)
	for number := uint32(1); number <= 4; number++ {
		wantGrant(t, c.update(number, service(100, uses(60), wantsAny())), 100, 60, false)
		s.wantAccount(t, msisdn, 12_000-60*int64(number), 60)
	}
	wantCode(t, c.terminate(5, service(100, uses(10)), u32(terminationCause, 1)), 2001)
	s.wantAccount(t, msisdn, 11_750, 0)

	record := s.onlyRecord(t, msisdn)
	want := struct {
		session, cause, party  string
		used, charged, overrun int64
	}{c.id, "termination", "+4930123456", 250, 250, 0}
	if record.SessionID != want.session || record.Cause != want.cause || record.OtherParty != want.party ||
		record.Used != want.used || record.Charged != want.charged || record.Overrun != want.overrun || len(record.Missing) != 0 {
		t.Errorf("CDR: got %+v, want %+v", record, want)
	}
}

// The same CCR five times, over two connections to two servers that share a database, is charged once and answered five times.
func TestSameRequestOverTwoServersIsChargedOnce(t *testing.T) {
	t.Parallel()
	db := ownDatabase(t)
	servers := []*server{startServer(t, "--database", db.dsn), startServer(t, "--database", db.dsn, "--origin-host", "ocs2.ocs.test")}
	msisdn := servers[0].newSubscriber(t, 10_000)
	var links []*link
	for _, s := range servers {
		links = append(links, s.client(t), s.client(t))
	}
	c := links[0].newCall(msisdn)
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)

	for number := uint32(1); number <= 20; number++ {
		u := c.ccr(typeUpdate, number, service(100, uses(7), wants(60)))
		var pending []<-chan message
		for i := range 5 {
			pending = append(pending, links[i%len(links)].start(u))
			u = u.resent()
		}
		answers := answersTo(t, pending)
		for _, answer := range answers {
			wantGrant(t, answer, 100, 60, false)
			sameAnswer(t, answers[0], answer)
		}
	}
	for _, s := range servers {
		s.wantAccount(t, msisdn, 10_000-20*7, 60)
	}
	wantCode(t, c.over(links[2]).terminate(21, service(100, uses(1))), 2001) // begun on one server, ended on the other
	servers[0].wantAccount(t, msisdn, 10_000-141, 0)
	db.wantSound(t, calls)
}

// The server is killed in the middle of calls and started again on its data directory: the calls go on, and every second
// that was reported is charged once, although the client repeats whatever it got no answer to.
func TestServerIsKilledInTheMiddleOfCalls(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	const start, kills = int64(1_000_000), 3
	callers := newCallers(t, s, 8, start)
	for range kills {
		stop := callers.run(t, s)
		callers.await(t)
		s.kill()
		stop()
		s.restart(t)
	}
	callers.finish(t, s)
	s.wantSound(t)
}

// Postgres is killed under load. The server brings it back, and nothing is lost or doubled.
func TestPostgresIsKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	const start, kills = int64(1_000_000), 2
	callers := newCallers(t, s, 8, start)
	for range kills {
		stop := callers.run(t, s)
		callers.await(t)
		s.killPostgres(t)
		callers.await(t) // goes on by itself
		stop()
	}
	callers.finish(t, s)
	s.wantSound(t)
}

// One of two servers on a database is killed under load. Its clients go to the other one, repeat what was not answered, and are
// served as if nothing had happened. GY-114
func TestClientsFailOverToTheOtherServer(t *testing.T) {
	t.Parallel()
	db := ownDatabase(t)
	dying, other := startServer(t, "--database", db.dsn), startServer(t, "--database", db.dsn, "--origin-host", "ocs2.ocs.test")
	callers := newCallers(t, dying, 8, 1_000_000)
	stop := callers.run(t, dying)
	callers.await(t)
	dying.kill()
	stop()
	stop = callers.run(t, other)
	callers.await(t)
	stop()
	callers.finish(t, other)
	db.wantSound(t, calls)
}

// callers are clients with one endless call each. Each reports a random usage in every update, and repeats what was not
// answered with success until it is: what it reported in all is what must be gone from its bucket.
type callers struct {
	start    int64
	calls    []*caller
	answered atomic.Int64 // updates answered with 2001
}

type caller struct {
	host     string
	call     *call
	number   uint32
	seconds  uint32 // reported by the request number
	reported int64  // by all requests up to number
}

func newCallers(t *testing.T, s *server, n int, start int64) *callers {
	t.Helper()
	all := &callers{start: start}
	for range n {
		host := newHost()
		l := s.connect(t, host)
		c := &caller{host: host, call: l.newCall(s.newSubscriber(t, start))}
		wantGrant(t, c.call.initial(0, service(100, wants(60))), 100, 60, false)
		l.drop()
		all.calls = append(all.calls, c)
	}
	return all
}

// run has every caller report until stop is called or its connection breaks.
func (all *callers) run(t *testing.T, s *server) (stop func()) {
	t.Helper()
	stopped := all.runOver(func(c *caller) *link { return s.connectAgain(t, c.host) })
	return func() {
		stopped()
		for _, c := range all.calls {
			c.call.link.conn.Close() //nolint:errcheck // done with it
		}
	}
}

// runOver is run over connections that are there already, and stay.
func (all *callers) runOver(connection func(*caller) *link) (stop func()) {
	var stopped atomic.Bool
	var running sync.WaitGroup
	for _, c := range all.calls {
		c.call = c.call.over(connection(c))
		running.Go(func() {
			for !stopped.Load() && c.report(all) {
			}
		})
	}
	return func() {
		stopped.Store(true)
		running.Wait()
	}
}

// report repeats the last request if it is still unanswered, else makes a new one. It is false when the connection broke.
func (c *caller) report(all *callers) bool {
	if c.seconds == 0 {
		c.number++
		c.seconds = 1 + rand.Uint32N(30)
		c.reported += int64(c.seconds)
	}
	select {
	case answer := <-c.call.link.start(c.call.ccr(typeUpdate, c.number, service(100, uses(c.seconds), wants(60)))):
		switch code := answer.resultCode(); code {
		case 2001:
			c.seconds = 0
			all.answered.Add(1)
		case 3002, 3004: // not done, try again
		default:
			c.call.link.t.Errorf("update: got %v, want 2001, 3002 or 3004", answer)
			return false
		}
		return true
	case <-c.call.link.gone:
		return false
	case <-time.After(patience):
		c.call.link.t.Errorf("request %d was not answered within %v", c.number, patience)
		return false
	}
}

// await waits until two hundred more updates were answered.
func (all *callers) await(t *testing.T) {
	t.Helper()
	target := all.answered.Load() + 200
	eventually(t, 2*time.Minute, func() string {
		if got := all.answered.Load(); got < target {
			return fmt.Sprintf("%d updates answered, want %d", got, target)
		}
		return ""
	})
}

// finish has every caller get an answer to its last request, ends the calls and holds the accounts against the reports.
func (all *callers) finish(t *testing.T, s *server) {
	t.Helper()
	for _, c := range all.calls {
		l := s.connectAgain(t, c.host)
		c.call = c.call.over(l)
		for deadline := time.Now().Add(time.Minute); c.seconds > 0 && c.report(all); {
			if time.Now().After(deadline) {
				t.Fatalf("request %d of %s was not answered with success within a minute", c.number, c.host)
			}
		}
		s.wantAccount(t, c.call.msisdn, all.start-c.reported, 60)
		wantCode(t, c.call.terminate(c.number+1), 2001)
		s.wantAccount(t, c.call.msisdn, all.start-c.reported, 0)
		if record := s.onlyRecord(t, c.call.msisdn); record.Used != c.reported || record.Charged != c.reported {
			t.Errorf("CDR: got %+v, want used and charged %d", record, c.reported)
		}
	}
	t.Logf("%d updates were answered", all.answered.Load())
}

// What other tests leave out: a second server on the same data directory says which one is there already.
func TestSecondServerOnOneDataDirectory(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	second := &server{dir: s.dir, args: basicArgs()}
	err := second.start()
	if err == nil {
		second.kill()
		t.Fatal("a second server started on the data directory of the first")
	}
	if pid := fmt.Sprint(s.cmd.Process.Pid); !strings.Contains(err.Error(), pid) {
		t.Errorf("got %v, want the process id %s of the server that runs", err, pid)
	}
	s.client(t).wantOpen()
}
