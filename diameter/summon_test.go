package diameter

import (
	"bytes"
	"testing"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
)

// raa answers a RAR or ASR.
func raa(request frame, avps ...[]byte) []byte {
	return message(0x40, request.command(), creditControl, request.hopByHop(), request.endToEnd(),
		append([][]byte{text(avp.SessionID, "s")}, avps...)...)
}

func TestRAROnTheWire(t *testing.T) {
	t.Parallel()
	s, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	replies := make(chan ocs.SummonsReply, 1)
	call := ocs.Summons{
		Session: ocs.SessionKey{ID: "s", Sub: "7"}, Kind: ocs.Reauthorise, Sent: 2, EndToEnd: 4711,
		Origin: ocs.Origin{Host: "smf.epc.test", Realm: "epc.test", Peer: "smf.epc.test"},
		Part:   ocs.Part{RatingGroup: new(uint32(10)), ServiceID: new(uint32(5)), Pool: new(uint32(1))},
	}
	s.Summon(call, func(r ocs.SummonsReply) { replies <- r })
	got := c.read()
	want := message(0xD0, diam.ReAuth, creditControl, got.hopByHop(), 4711,
		text(avp.SessionID, "s"), text(avp.OriginHost, "ocs1.ocs.test"), text(avp.OriginRealm, "ocs.test"),
		text(avp.DestinationRealm, "epc.test"), text(avp.DestinationHost, "smf.epc.test"), number(avp.AuthApplicationID, 4),
		number(avp.ReAuthRequestType, 0), number(avp.OriginStateID, 4711), appendUint64(nil, avp.CCSubSessionID, 0, mandatory, 7),
		number(avp.GSUPoolIdentifier, 1), number(avp.ServiceIdentifier, 5), number(avp.RatingGroup, 10))
	if !bytes.Equal(got, want) {
		t.Errorf("RAR:\ngot  %x\nwant %x", got, want)
	}
	c.send(raa(got, number(avp.ResultCode, 2002)))
	if r := <-replies; r != ocs.WillFollow {
		t.Errorf("reply: got %d, want WillFollow", r)
	}
	call.Kind, call.Sent, call.Session.Sub = ocs.Abort, 1, ""
	s.Summon(call, func(r ocs.SummonsReply) { replies <- r })
	got = c.read()
	want = message(0xC0, diam.AbortSession, creditControl, got.hopByHop(), 4711,
		text(avp.SessionID, "s"), text(avp.OriginHost, "ocs1.ocs.test"), text(avp.OriginRealm, "ocs.test"),
		text(avp.DestinationRealm, "epc.test"), text(avp.DestinationHost, "smf.epc.test"), number(avp.AuthApplicationID, 4),
		number(avp.OriginStateID, 4711))
	if !bytes.Equal(got, want) {
		t.Errorf("ASR:\ngot  %x\nwant %x", got, want)
	}
	_ = c.Close()
	if r := <-replies; r != ocs.Undelivered {
		t.Errorf("reply after the connection was lost: got %d, want Undelivered", r)
	}
}

func TestRepliesToSummonses(t *testing.T) {
	t.Parallel()
	experimental := func(code uint32) []byte {
		return appendGroup(nil, avp.ExperimentalResult, 0, mandatory, append(number(avp.VendorID, 10415), number(avp.ExperimentalResultCode, code)...))
	}
	asked := frame(message(0xC0, diam.ReAuth, creditControl, 1, 2))
	for _, test := range []struct {
		name   string
		result []byte
		want   ocs.SummonsReply
	}{
		{"2001", number(avp.ResultCode, 2001), ocs.Obeyed},
		{"2002", number(avp.ResultCode, 2002), ocs.WillFollow},
		{"3002", number(avp.ResultCode, 3002), ocs.Undelivered},
		{"3004", number(avp.ResultCode, 3004), ocs.Undelivered},
		{"5002", number(avp.ResultCode, 5002), ocs.NotKnown},
		{"5012", number(avp.ResultCode, 5012), ocs.Declined},
		{"experimental 5002", experimental(5002), ocs.NotKnown},
		{"no result", nil, ocs.Declined},
	} {
		if got := replyIn(raa(asked, test.result)); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
	if got := replyIn(nil); got != ocs.Undelivered {
		t.Errorf("no answer: got %d, want Undelivered", got)
	}
}

// Each copy goes by the next route: the client's own connection, its agent's, that of an agent for its realm.
func TestRoutesOfSummonses(t *testing.T) {
	t.Parallel()
	c := testConfig()
	c.Peers = append(c.Peers, Peer{Name: "dra2.agents.test", Plain: true, Realms: []string{"EPC.test"}}, Peer{Name: "dra1.agents.test", Plain: true})
	s, address := startServer(t, c, grantAll)
	clients := map[string]*client{}
	for _, host := range []string{"dra2.agents.test", "dra1.agents.test", "smf.epc.test"} {
		clients[host] = connect(t, address, host)
	}
	call := ocs.Summons{
		Session: ocs.SessionKey{ID: "s"}, Kind: ocs.Reauthorise,
		Origin: ocs.Origin{Host: "SMF.epc.test", Realm: "epc.TEST", Peer: "dra1.agents.test"},
	}
	for i, host := range []string{"smf.epc.test", "dra1.agents.test", "dra2.agents.test", "smf.epc.test"} {
		call.Sent = i + 1
		s.Summon(call, func(ocs.SummonsReply) {})
		if got := clients[host].read(); got.command() != diam.ReAuth {
			t.Errorf("copy %d: got command %d at %s, want a RAR", call.Sent, got.command(), host)
		}
	}
	call.Origin = ocs.Origin{Host: "nobody.else.test", Realm: "else.test", Peer: "nobody.else.test"}
	replies := make(chan ocs.SummonsReply, 1)
	s.Summon(call, func(r ocs.SummonsReply) { replies <- r })
	if r := <-replies; r != ocs.Undelivered {
		t.Errorf("no route: got %d, want Undelivered", r)
	}
}
