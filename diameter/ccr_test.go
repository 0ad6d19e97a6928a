package diameter

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/dict"

	"github.com/gyro-ocs/gyro/dictionaries"
	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// sharedParser is the dictionary of these tests. Nothing changes it.
var sharedParser = sync.OnceValues(dictionaries.Parser)

func parserOf(tb testing.TB) *dict.Parser {
	tb.Helper()
	p, err := sharedParser()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// decoded returns the message that b is, decoded as the server does it, with its frame kept.
func decoded(tb testing.TB, b []byte) *diam.Message {
	tb.Helper()
	m, err := diam.ReadMessage(bytes.NewReader(b), parserOf(tb))
	if err != nil {
		tb.Fatalf("decode %x: %v", b, err)
	}
	keepFrame(m, b)
	return m
}

// messagesIn returns the messages of a .hex file.
func messagesIn(tb testing.TB, name string) [][]byte {
	tb.Helper()
	var messages [][]byte
	for rest := readHex(tb, filepath.Join("testdata", name)); len(rest) > 0; {
		n := frame(rest).length()
		messages, rest = append(messages, rest[:n]), rest[n:]
	}
	return messages
}

// These build AVPs: of vendor 10415, or of none.
func text3GPP(code uint32, value string) []byte {
	return appendText(nil, code, vendor3GPP, mandatory, value)
}
func number3GPP(code, value uint32) []byte {
	return appendUint32(nil, code, vendor3GPP, mandatory, value)
}
func group3GPP(code uint32, members ...[]byte) []byte {
	return appendAVP(nil, code, vendor3GPP, mandatory, bytes.Join(members, nil))
}
func groupIETF(code uint32, members ...[]byte) []byte {
	return appendAVP(nil, code, 0, mandatory, bytes.Join(members, nil))
}
func number64Of(code uint32, value uint64) []byte {
	return appendUint64(nil, code, 0, mandatory, value)
}
func subscriptionOf(kind uint32, data string) []byte {
	return groupIETF(avp.SubscriptionID, number(avp.SubscriptionIDType, kind), text(avp.SubscriptionIDData, data))
}

// ims returns a Service-Information with these AVPs in IMS-Information.
func ims(avps ...[]byte) []byte {
	return group3GPP(avp.ServiceInformation, group3GPP(avp.IMSInformation, avps...))
}

// creditRequest returns a CCR that lacks nothing, without the AVPs of a code, and with more at its end.
func creditRequest(requestType, drop uint32, more ...[]byte) []byte {
	avps := [][]byte{
		text(avp.SessionID, "tas1.ims.test;1;2"), text(avp.OriginHost, "tas1.ims.test"), text(avp.OriginRealm, "ims.test"),
		text(avp.DestinationRealm, "ocs.test"), number(avp.AuthApplicationID, 4), text(avp.ServiceContextID, "32260@3gpp.org"),
		number(avp.CCRequestType, requestType), number(avp.CCRequestNumber, 7),
	}
	return message(0xC0, diam.CreditControl, creditControl, 1, 2, append(without(avps, drop), more...)...)
}

func decodeBytes(tb testing.TB, b []byte) (ocs.Request, *refusal) {
	tb.Helper()
	return decodeCCR(decoded(tb, b), Peer{Name: "peer.test"})
}

// mustDecode returns the request of a CCR that is right.
func mustDecode(tb testing.TB, b []byte) ocs.Request {
	tb.Helper()
	r, refused := decodeBytes(tb, b)
	if refused != nil {
		tb.Fatalf("refused with %d %q, Failed-AVP %x", refused.code, refused.text, refused.failed)
	}
	return r
}

// What clients really send comes out as the specification says (spec/gy 3.22).
func TestDecodeRealRequests(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	both := []ocs.Identity{{Kind: ocs.E164, Value: "491700000001"}, {Kind: ocs.IMSI, Value: "262010000000001"}}
	open5gs := func(r ocs.Request) ocs.Request {
		r.Session.ID = "smf.epc.test;1772452800;1;gy"
		r.Context = ocs.Context{Name: "32251@3gpp.org"}
		r.Identities = both
		r.Origin = ocs.Origin{Host: "smf.epc.test", Realm: "epc.test", Peer: "peer.test"}
		r.Conditions = &ocs.Conditions{Network: "26201", APN: "internet"}
		return r
	}
	rhino := func(r ocs.Request) ocs.Request {
		r.Session.ID = "tas1.ims.test;1772452800;7;f81d4fae-7dec-11d0@10.0.0.9"
		r.Context = ocs.Context{Name: "32275@3gpp.org", Release: 12}
		r.Identities = []ocs.Identity{
			{Kind: ocs.E164, Value: "491700000001"}, {Kind: ocs.NAI, Value: "262010000000001@ims.mnc001.mcc262.3gppnetwork.org"},
		}
		r.Origin = ocs.Origin{Host: "tas1.ims.test", Realm: "ims.test", Peer: "peer.test"}
		return r
	}
	for name, want := range map[string][]ocs.Request{
		"ccr_open5gs.hex": {
			open5gs(ocs.Request{Type: ocs.Initial, EventTime: noon, Services: []ocs.ServiceRequest{
				{Requested: &ocs.Measured{TotalOctets: new(uint64(1000000))}},
			}}),
			open5gs(ocs.Request{Type: ocs.Update, Number: 1, EventTime: noon.Add(30 * time.Second), Services: []ocs.ServiceRequest{{
				Requested: &ocs.Measured{TotalOctets: new(uint64(1000000))},
				Used: []ocs.Used{{
					Measured: ocs.Measured{Time: new(uint64(30)), InputOctets: new(uint64(123456)), OutputOctets: new(uint64(654321))},
					Reason:   ocs.ValidityTimeOver,
				}},
			}}}),
			open5gs(ocs.Request{Type: ocs.Termination, Number: 2, EventTime: noon.Add(35 * time.Second), TerminationCause: new(uint32(1)),
				Services: []ocs.ServiceRequest{{Used: []ocs.Used{{
					Measured: ocs.Measured{Time: new(uint64(5)), InputOctets: new(uint64(10)), OutputOctets: new(uint64(20))},
					Reason:   ocs.FinalReport,
				}}}}}),
		},
		"ccr_kamailio.hex": {{
			Session: ocs.SessionKey{ID: "scscf.ims.test;1772452800;42"}, Type: ocs.Initial,
			Context:    ocs.Context{Name: "32260@3gpp.org", Release: 8},
			Identities: []ocs.Identity{{Kind: ocs.SIPURI, Value: "sip:+491700000001@ims.test"}, {Kind: ocs.E164, Value: "491700000001"}},
			Origin:     ocs.Origin{Host: "scscf.ims.test", Realm: "ims.test", Peer: "peer.test"},
			EventTime:  noon,
			Services: []ocs.ServiceRequest{{
				RatingGroup: new(uint32(100)), ServiceIDs: []uint32{1000}, Requested: &ocs.Measured{Time: new(uint64(60))},
			}},
			Conditions: &ocs.Conditions{
				RoleGiven: true, Calling: "sip:+491700000001@ims.test", Called: "sip:+493012345678@10.1.2.3:5060",
				Network: "20801", CallStart: noon,
			},
		}},
		"ccr_rhino.hex": {
			rhino(ocs.Request{Type: ocs.Initial, EventTime: noon,
				Services: []ocs.ServiceRequest{{RatingGroup: new(uint32(100)), Requested: &ocs.Measured{}}},
				Conditions: &ocs.Conditions{
					Direction: rating.Forwarding, RoleGiven: true, Calling: "tel:+33123456789", Called: "tel:+4930123",
					Dialled: "tel:+491700000001", Network: "20801", ICID: "icid-0815",
				}}),
			rhino(ocs.Request{Type: ocs.Update, Number: 1, EventTime: noon.Add(time.Minute), Services: []ocs.ServiceRequest{
				{
					RatingGroup: new(uint32(100)), Requested: &ocs.Measured{}, Reason: ocs.RatingConditionChange,
					Used: []ocs.Used{{Measured: ocs.Measured{Time: new(uint64(60))}}},
				},
				{RatingGroup: new(uint32(200)), Requested: &ocs.Measured{}},
			}}),
		},
		"ccr_camel.hex": {{
			Session: ocs.SessionKey{ID: "scp1.core.test;99;1"}, Type: ocs.Initial,
			Context: ocs.Context{Name: "32276@3gpp.org", Release: 15}, Identities: both,
			Origin:    ocs.Origin{Host: "scp1.core.test", Realm: "core.test", StateID: 1772000000, Peer: "peer.test"},
			EventTime: noon,
			Services:  []ocs.ServiceRequest{{RatingGroup: new(uint32(100)), Requested: &ocs.Measured{Time: new(uint64(0))}}},
			Conditions: &ocs.Conditions{
				RoleGiven: true, Calling: "tel:+491700000001", Called: "tel:+4930123", ICID: "0123456789@4917010000000",
				CallStart: noon, Answered: noon.Add(8 * time.Second), CauseCode: new(int32(16)), ServingNode: "3306123456789",
			},
		}},
		"ccr_huawei.hex": {{
			Session: ocs.SessionKey{ID: "scp2.core.test;5;6"}, Type: ocs.Initial, Context: ocs.Context{Name: "voice@huawei.com"},
			Identities: both[:1], Origin: ocs.Origin{Host: "scp2.core.test", Realm: "core.test", Peer: "peer.test"}, EventTime: noon,
			Services:     []ocs.ServiceRequest{{ServiceIDs: []uint32{0}, Requested: &ocs.Measured{Time: new(uint64(300))}}},
			CommandLevel: true,
			Conditions: &ocs.Conditions{
				RoleGiven: true, Calling: "491700000001", Called: "004930123", ICID: "77aa", ServingNode: "4917012345",
			},
		}},
		"ccr_scap.hex": {{
			Session: ocs.SessionKey{ID: "msc7.core.test;1;2"}, Type: ocs.Update, Number: 1,
			Context: ocs.Context{Name: "scap_v.2.0@ericsson.com"}, Identities: both[:1],
			Origin: ocs.Origin{Host: "msc7.core.test", Realm: "core.test", Peer: "peer.test"}, EventTime: noon,
			Services: []ocs.ServiceRequest{{
				Requested: &ocs.Measured{}, Used: []ocs.Used{{Measured: ocs.Measured{Time: new(uint64(60))}}},
			}},
			CommandLevel: true, Conditions: &ocs.Conditions{Called: "4930123"},
		}},
		"ccr_smsc.hex": {{
			Session: ocs.SessionKey{ID: "smsc1.core.test;1;1"}, Type: ocs.Event, Context: ocs.Context{Name: "32274@3gpp.org"},
			Identities: both[:1], Origin: ocs.Origin{Host: "smsc1.core.test", Realm: "core.test", Peer: "peer.test"}, EventTime: noon,
			Services: []ocs.ServiceRequest{{Requested: &ocs.Measured{Specific: new(uint64(2))}}},
			Conditions: &ocs.Conditions{
				RoleGiven: true, Recipients: []string{"4930123", "22333"}, MessageCount: 2, ServingNode: "49170123456789",
			},
		}},
		"ccr_cisco.hex": {{
			Session: ocs.SessionKey{ID: "pgw1.epc.test;10;20;30"}, Type: ocs.Update, Number: 4,
			Context: ocs.Context{Name: "32251@3gpp.org", Release: 8}, Identities: both,
			Origin: ocs.Origin{Host: "pgw1.epc.test", Realm: "epc.test", StateID: 5, Peer: "peer.test"},
			Services: []ocs.ServiceRequest{
				{RatingGroup: new(uint32(10)), Requested: &ocs.Measured{}, Used: []ocs.Used{
					{Measured: ocs.Measured{InputOctets: new(uint64(3)), OutputOctets: new(uint64(4))}, Reason: ocs.QuotaExhausted},
					{Measured: ocs.Measured{InputOctets: new(uint64(5)), OutputOctets: new(uint64(6))}, TariffChange: new(uint8(1))},
				}},
				{
					RatingGroup: new(uint32(20)), ServiceIDs: []uint32{5, 6}, Reason: ocs.FinalReport,
					Used: []ocs.Used{{Measured: ocs.Measured{TotalOctets: new(uint64(99))}}},
				},
				{RatingGroup: new(uint32(30)), Requested: &ocs.Measured{}},
			},
			Conditions: &ocs.Conditions{Network: "310140", APN: "ims", Routes: []string{"pgw1.epc.test"}},
		}},
	} {
		messages := messagesIn(t, name)
		if len(messages) != len(want) {
			t.Errorf("%s holds %d messages, want %d", name, len(messages), len(want))
			continue
		}
		for i, b := range messages {
			if got := mustDecode(t, b); !reflect.DeepEqual(got, want[i]) {
				t.Errorf("%s, message %d:\n got %s\nwant %s", name, i, inWords(got), inWords(want[i]))
			}
		}
	}
}

func TestGY_038_MissingAVP(t *testing.T) {
	t.Parallel()
	for _, missing := range []struct {
		code uint32
		size int
	}{
		{avp.SessionID, 0}, {avp.OriginHost, 0}, {avp.OriginRealm, 0}, {avp.DestinationRealm, 0},
		{avp.AuthApplicationID, 4}, {avp.ServiceContextID, 0}, {avp.CCRequestType, 4}, {avp.CCRequestNumber, 4},
	} {
		_, got := decodeBytes(t, creditRequest(1, missing.code))
		wantRefusal(t, got, 5005, appendAVP(nil, missing.code, 0, mandatory, make([]byte, missing.size)))
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	unknown := appendAVP(nil, 65000, 0, mandatory|avp.Pbit, []byte{1, 2, 3})
	ofVendor := appendAVP(nil, 415, 9999, mandatory, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	withoutM := func(b []byte) []byte { b = bytes.Clone(b); b[4] &^= avp.Mbit; return b }
	mscc := func(avps ...[]byte) []byte { return groupIETF(avp.MultipleServicesCreditControl, avps...) }
	for _, c := range []struct {
		name        string
		requestType uint32
		drop        uint32
		more        [][]byte
		code        uint32 // 0: served
		failed      []byte
	}{
		{"GY-034 unknown at command level", 1, 0, [][]byte{unknown}, 5001, unknown},
		{"GY-034 unknown in an MSCC", 1, 0, [][]byte{mscc(unknown)}, 5001, unknown},
		{"GY-034 unknown in a Subscription-Id", 1, 0, [][]byte{groupIETF(avp.SubscriptionID, number(avp.SubscriptionIDType, 0), text(avp.SubscriptionIDData, "491"), unknown)}, 5001, unknown},
		{"GY-034 unknown in a Requested-Service-Unit", 1, 0, [][]byte{mscc(groupIETF(avp.RequestedServiceUnit, unknown))}, 5001, unknown},
		{"GY-034 unknown in a Used-Service-Unit at command level", 2, 0, [][]byte{groupIETF(avp.UsedServiceUnit, unknown)}, 5001, unknown},
		{"unknown vendor with a code we know", 1, 0, [][]byte{ofVendor}, 5001, ofVendor},
		{"GY-035 unknown without M", 1, 0, [][]byte{withoutM(unknown), withoutM(ofVendor), mscc(withoutM(unknown)), ims(withoutM(unknown))}, 0, nil},
		{"GY-036 unknown with M inside Service-Information", 1, 0, [][]byte{group3GPP(avp.ServiceInformation, unknown, group3GPP(avp.IMSInformation, unknown))}, 0, nil},
		{"known AVPs that the grammar does not name, with M", 1, 0, [][]byte{number(480, 2), number(485, 0), text(30, "internet"), number(avp.RatingGroup, 5)}, 0, nil},
		{"order: unknown before missing", 1, avp.ServiceContextID, [][]byte{unknown}, 5001, unknown},
		{"order: missing before too often", 1, avp.CCRequestNumber, [][]byte{number(avp.CCRequestType, 1)}, 5005, number(avp.CCRequestNumber, 0)},
		{"order: too often before not allowed", 1, 0, [][]byte{number(avp.ResultCode, 2001), number(avp.CCRequestType, 2)}, 5009, number(avp.CCRequestType, 2)},
		{"order: not allowed before application", 1, avp.AuthApplicationID, [][]byte{number(avp.AuthApplicationID, 3), number(avp.ResultCode, 2001)}, 5008, number(avp.ResultCode, 2001)},
		{"order: application before value", 1, avp.AuthApplicationID, [][]byte{subscriptionOf(0, "4\x0091"), number(avp.AuthApplicationID, 3)}, 5004, number(avp.AuthApplicationID, 3)},
		{"GY-040 CC-Request-Type twice", 1, 0, [][]byte{number(avp.CCRequestType, 3)}, 5009, number(avp.CCRequestType, 3)},
		{"GY-040 Session-Id twice", 1, 0, [][]byte{text(avp.SessionID, "other")}, 5009, text(avp.SessionID, "other")},
		{"Origin-Host twice, as Kamailio has it", 1, 0, [][]byte{text(avp.OriginHost, "x.test"), text(avp.OriginRealm, "x.test")}, 0, nil},
		{"Origin-Host three times", 1, 0, [][]byte{text(avp.OriginHost, "x.test"), text(avp.OriginHost, "y.test")}, 5009, text(avp.OriginHost, "y.test")},
		{"Requested-Service-Unit twice", 1, 0, [][]byte{groupIETF(avp.RequestedServiceUnit), groupIETF(avp.RequestedServiceUnit)}, 5009, groupIETF(avp.RequestedServiceUnit)},
		{"Rating-Group twice in an MSCC", 1, 0, [][]byte{mscc(number(avp.RatingGroup, 1), number(avp.RatingGroup, 2))}, 5009, number(avp.RatingGroup, 2)},
		{"CC-Time twice", 1, 0, [][]byte{mscc(groupIETF(avp.UsedServiceUnit, number(avp.CCTime, 1), number(avp.CCTime, 2)))}, 5009, number(avp.CCTime, 2)},
		{"GY-041 Result-Code", 1, 0, [][]byte{number(avp.ResultCode, 2001)}, 5008, number(avp.ResultCode, 2001)},
		{"GY-041 Granted-Service-Unit at command level", 1, 0, [][]byte{groupIETF(avp.GrantedServiceUnit, number(avp.CCTime, 1))}, 5008, groupIETF(avp.GrantedServiceUnit, number(avp.CCTime, 1))},
		{"Granted-Service-Unit in an MSCC", 1, 0, [][]byte{mscc(groupIETF(avp.GrantedServiceUnit, number(avp.CCTime, 1)))}, 0, nil},
		{"GY-042 Auth-Application-Id 3", 1, avp.AuthApplicationID, [][]byte{number(avp.AuthApplicationID, 3)}, 5004, number(avp.AuthApplicationID, 3)},
		{"GY-042 CC-Request-Type 0", 0, 0, nil, 5004, number(avp.CCRequestType, 0)},
		{"GY-042 CC-Request-Type 5", 5, 0, nil, 5004, number(avp.CCRequestType, 5)},
		{"CC-Request-Type 257 is not 1", 257, 0, nil, 5004, number(avp.CCRequestType, 257)},
		{"application inside 260 only", 1, avp.AuthApplicationID, [][]byte{groupIETF(avp.VendorSpecificApplicationID, number(avp.VendorID, 10415), number(avp.AuthApplicationID, 4))}, 0, nil},
		{"another application inside 260 only", 1, avp.AuthApplicationID, [][]byte{groupIETF(avp.VendorSpecificApplicationID, number(avp.VendorID, 10415), number(avp.AuthApplicationID, 3))}, 5005, number(avp.AuthApplicationID, 0)},
		{"GY-142 event without Requested-Action", 4, 0, nil, 5005, number(avp.RequestedAction, 0)},
		{"event with an action that is not defined", 4, 0, [][]byte{number(avp.RequestedAction, 4)}, 5004, number(avp.RequestedAction, 4)},
		{"GY-150 Requested-Action in a session", 1, 0, [][]byte{number(avp.RequestedAction, 9)}, 0, nil},
		{"Subscription-Id without type", 1, 0, [][]byte{groupIETF(avp.SubscriptionID, text(avp.SubscriptionIDData, "491"))}, 5005, groupIETF(avp.SubscriptionID, number(avp.SubscriptionIDType, 0))},
		{"Subscription-Id without data", 1, 0, [][]byte{groupIETF(avp.SubscriptionID, number(avp.SubscriptionIDType, 0))}, 5005, groupIETF(avp.SubscriptionID, text(avp.SubscriptionIDData, ""))},
		{"GY-058 Subscription-Id-Type 9 alone", 1, 0, [][]byte{subscriptionOf(9, "x")}, 5001, number(avp.SubscriptionIDType, 9)},
		{"GY-058 Subscription-Id-Type 9 and another", 1, 0, [][]byte{subscriptionOf(9, "x"), subscriptionOf(0, "491700000001")}, 0, nil},
		{"Subscription-Id-Type 9 alone in an update", 2, 0, [][]byte{subscriptionOf(9, "x")}, 0, nil},
		{"identity of ten kilobytes", 1, 0, [][]byte{subscriptionOf(4, strings.Repeat("x", 10000))}, 5004, text(avp.SubscriptionIDData, strings.Repeat("x", 10000))},
		{"identity with NUL", 1, 0, [][]byte{subscriptionOf(4, "a\x00b")}, 5004, text(avp.SubscriptionIDData, "a\x00b")},
		{"identity that is no UTF-8", 1, 0, [][]byte{subscriptionOf(4, "a\xffb")}, 5004, text(avp.SubscriptionIDData, "a\xffb")},
		{"empty identity", 1, 0, [][]byte{subscriptionOf(0, ""), text(avp.UserName, "")}, 0, nil},
		{"User-Name that is no UTF-8", 1, 0, [][]byte{text(avp.UserName, "\xff")}, 5004, text(avp.UserName, "\xff")},
		{"empty Session-Id", 1, avp.SessionID, [][]byte{text(avp.SessionID, "")}, 5004, text(avp.SessionID, "")},
		{"longest Session-Id", 1, avp.SessionID, [][]byte{text(avp.SessionID, strings.Repeat("s", ocs.MaxSessionID))}, 0, nil},
		{"Session-Id longer than served", 1, avp.SessionID, [][]byte{text(avp.SessionID, strings.Repeat("s", ocs.MaxSessionID+1))}, 5004, text(avp.SessionID, strings.Repeat("s", ocs.MaxSessionID+1))},
		{"Session-Id with NUL", 1, avp.SessionID, [][]byte{text(avp.SessionID, "a\x00")}, 5004, text(avp.SessionID, "a\x00")},
		{"Service-Context-Id that is no UTF-8", 1, avp.ServiceContextID, [][]byte{text(avp.ServiceContextID, "\xc3\x28@3gpp.org")}, 5004, text(avp.ServiceContextID, "\xc3\x28@3gpp.org")},
		{"called party with NUL", 1, 0, [][]byte{ims(text3GPP(avp.CalledPartyAddress, "tel:\x00"))}, 5004, text3GPP(avp.CalledPartyAddress, "tel:\x00")},
		{"refund of a debit that was not ours", 4, 0, [][]byte{number(avp.RequestedAction, 1), text3GPP(avp.RefundInformation, "rubbish")}, 5004, text3GPP(avp.RefundInformation, "rubbish")},
		{"Refund-Information of another event", 4, 0, [][]byte{number(avp.RequestedAction, 0), text3GPP(avp.RefundInformation, "rubbish")}, 0, nil},
		{"refund of one debit, named in each service", 4, 0, [][]byte{number(avp.RequestedAction, 1), mscc(text3GPP(avp.RefundInformation, "gyro1;;a")), mscc(text3GPP(avp.RefundInformation, "gyro1;;a"))}, 0, nil},
		{"refund of two debits", 4, 0, [][]byte{number(avp.RequestedAction, 1), mscc(text3GPP(avp.RefundInformation, "gyro1;;a")), mscc(text3GPP(avp.RefundInformation, "gyro1;;b"))}, 5004, text3GPP(avp.RefundInformation, "gyro1;;b")},
		{"too many services", 1, 0, [][]byte{bytes.Repeat(mscc(), maxServices+1)}, 5009, mscc()},
		{"as many services as may be", 1, 0, [][]byte{bytes.Repeat(mscc(), maxServices)}, 0, nil},
		{"too many Service-Identifiers", 1, 0, [][]byte{mscc(bytes.Repeat(number(avp.ServiceIdentifier, 1), maxServiceIDs+1))}, 5009, number(avp.ServiceIdentifier, 1)},
		{"too many Service-Identifiers in an update", 2, 0, [][]byte{mscc(bytes.Repeat(number(avp.ServiceIdentifier, 1), maxServiceIDs+1))}, 5009, number(avp.ServiceIdentifier, 1)},
		{"too many reports", 1, 0, [][]byte{mscc(bytes.Repeat(groupIETF(avp.UsedServiceUnit), maxReports+1))}, 5009, groupIETF(avp.UsedServiceUnit)},
		{"too many reports at command level", 1, 0, [][]byte{bytes.Repeat(groupIETF(avp.UsedServiceUnit), maxReports+1)}, 5009, groupIETF(avp.UsedServiceUnit)},
		{"more Subscription-Ids than are tried", 1, 0, [][]byte{bytes.Repeat(subscriptionOf(0, "491"), maxSubscription+1)}, 0, nil},
		{"too many recipients", 1, 0, [][]byte{group3GPP(avp.ServiceInformation, group3GPP(avp.SMSInformation, bytes.Repeat(group3GPP(avp.RecipientInfo), maxRecipients+1)))}, 5009, group3GPP(avp.RecipientInfo)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, got := decodeBytes(t, creditRequest(c.requestType, c.drop, c.more...))
			if c.code == 0 {
				if got != nil {
					t.Fatalf("refused with %d %q, Failed-AVP %x", got.code, got.text, got.failed)
				}
				return
			}
			wantRefusal(t, got, c.code, c.failed)
		})
	}
}

// Of two that are missing the first in the grammar is reported, and nothing else.
func TestGY_039_OnlyTheFirstError(t *testing.T) {
	t.Parallel()
	avps := [][]byte{
		text(avp.SessionID, "a"), text(avp.OriginHost, "b"), text(avp.OriginRealm, "c"), text(avp.DestinationRealm, "d"),
		number(avp.AuthApplicationID, 4), number(avp.CCRequestType, 1),
	}
	_, got := decodeBytes(t, message(0xC0, diam.CreditControl, creditControl, 1, 2, avps...))
	wantRefusal(t, got, 5005, text(avp.ServiceContextID, ""))
}

func wantRefusal(t *testing.T, got *refusal, code uint32, failed []byte) {
	t.Helper()
	if got == nil {
		t.Fatalf("served, want %d with Failed-AVP %x", code, failed)
	}
	if got.code != code || !bytes.Equal(got.failed, failed) {
		t.Errorf("refused with %d %q and Failed-AVP %x, want %d with %x", got.code, got.text, got.failed, code, failed)
	}
	if got.text == "" {
		t.Errorf("refused with %d without a text", got.code)
	}
}

// No text of a refusal holds anything that the client sent (RFC 8506 §15).
func TestGY_187_RefusalsNameNoSubscriber(t *testing.T) {
	t.Parallel()
	const secret = "491712345678\x00"
	for _, more := range [][]byte{
		subscriptionOf(0, secret), subscriptionOf(4, secret+strings.Repeat("1", 300)), text(avp.UserName, secret),
		ims(text3GPP(avp.CalledPartyAddress, secret)), text(65000, secret),
	} {
		_, got := decodeBytes(t, creditRequest(1, 0, more))
		if got == nil {
			t.Errorf("%x is served", more)
		} else if strings.Contains(got.text, "4917") {
			t.Errorf("text %q holds an identity", got.text)
		}
	}
}

func TestGY_037_SameCodeOfTwoVendors(t *testing.T) {
	t.Parallel()
	r := mustDecode(t, creditRequest(1, 0,
		group3GPP(avp.ServiceInformation, group3GPP(avp.PSInformation, text3GPP(1, "262019999999999"))), // 3GPP-IMSI
		text(avp.UserName, "alice@ims.test")))
	want := []ocs.Identity{{Kind: ocs.NAI, Value: "alice@ims.test"}}
	if !reflect.DeepEqual(r.Identities, want) {
		t.Errorf("identities %v, want %v", r.Identities, want)
	}
}

func TestGY_056_GY_057_Subscriptions(t *testing.T) {
	t.Parallel()
	extension := func(code uint32, data string) []byte {
		return groupIETF(subscriptionIDExtension, text(code, data))
	}
	e164 := ocs.Identity{Kind: ocs.E164, Value: "491700000001"}
	for _, c := range []struct {
		name string
		avps [][]byte
		want []ocs.Identity
	}{
		{"none", nil, nil},
		{"type 0", [][]byte{subscriptionOf(0, "491700000001")}, []ocs.Identity{e164}},
		{"type 1", [][]byte{subscriptionOf(1, "262010000000001")}, []ocs.Identity{{Kind: ocs.IMSI, Value: "262010000000001"}}},
		{"type 2", [][]byte{subscriptionOf(2, "sip:alice@x")}, []ocs.Identity{{Kind: ocs.SIPURI, Value: "sip:alice@x"}}},
		{"type 3", [][]byte{subscriptionOf(3, "alice@X")}, []ocs.Identity{{Kind: ocs.NAI, Value: "alice@x"}}},
		{"type 4", [][]byte{subscriptionOf(4, "Alice")}, []ocs.Identity{{Kind: ocs.Private, Value: "Alice"}}},
		{"extension E164", [][]byte{extension(subscriptionIDE164, "+491700000001")}, []ocs.Identity{e164}},
		{"extension IMSI", [][]byte{extension(subscriptionIDIMSI, "262010000000001")}, []ocs.Identity{{Kind: ocs.IMSI, Value: "262010000000001"}}},
		{"extension SIP-URI", [][]byte{extension(subscriptionIDSIPURI, "sip:+491700000001@x")}, []ocs.Identity{{Kind: ocs.SIPURI, Value: "sip:+491700000001@x"}, e164}},
		{"extension NAI", [][]byte{extension(subscriptionIDNAI, "alice@x")}, []ocs.Identity{{Kind: ocs.NAI, Value: "alice@x"}}},
		{"extension private", [][]byte{extension(subscriptionIDPrivate, "Alice")}, []ocs.Identity{{Kind: ocs.Private, Value: "Alice"}}},
		{"inside Service-Information", [][]byte{group3GPP(avp.ServiceInformation, subscriptionOf(0, "491700000001"))}, []ocs.Identity{e164}},
	} {
		if got := mustDecode(t, creditRequest(1, 0, c.avps...)).Identities; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestServicesAndUnits(t *testing.T) {
	t.Parallel()
	rsu := groupIETF(avp.RequestedServiceUnit, number(avp.CCTime, 60))
	asked := &ocs.Measured{Time: new(uint64(60))}
	for _, c := range []struct {
		name        string
		requestType uint32
		avps        [][]byte
		want        []ocs.ServiceRequest
		level       bool
	}{
		{"GY-073 no units at all", 1, nil, nil, false},
		{"GY-116 units at command level", 1, [][]byte{rsu}, []ocs.ServiceRequest{{Requested: asked}}, true},
		{"GY-115 MSCC without any selector", 1, [][]byte{number(avp.MultipleServicesIndicator, 0), groupIETF(avp.MultipleServicesCreditControl, rsu)}, []ocs.ServiceRequest{{Requested: asked}}, false},
		{"service at command level with units", 1, [][]byte{rsu, number(avp.ServiceIdentifier, 5)}, []ocs.ServiceRequest{{ServiceIDs: []uint32{5}, Requested: asked}}, true},
		{"service of an event without units", 4, [][]byte{number(avp.RequestedAction, 3), number(avp.ServiceIdentifier, 5)}, []ocs.ServiceRequest{{ServiceIDs: []uint32{5}}}, true},
		{"every unit", 2, [][]byte{groupIETF(avp.UsedServiceUnit,
			number(avp.CCTime, 1), groupIETF(avp.CCMoney), number64Of(avp.CCTotalOctets, 2), number64Of(avp.CCInputOctets, 3),
			number64Of(avp.CCOutputOctets, 4), number64Of(avp.CCServiceSpecificUnits, 5))},
			[]ocs.ServiceRequest{{Used: []ocs.Used{{Measured: ocs.Measured{
				Time: new(uint64(1)), Money: true, TotalOctets: new(uint64(2)), InputOctets: new(uint64(3)),
				OutputOctets: new(uint64(4)), Specific: new(uint64(5)),
			}}}}}, true},
		{"reasons that are not defined", 2, [][]byte{groupIETF(avp.MultipleServicesCreditControl, number3GPP(avp.ReportingReason, 10),
			groupIETF(avp.UsedServiceUnit, number3GPP(avp.ReportingReason, 0xffffffff), number(avp.TariffChangeUsage, 3)))},
			[]ocs.ServiceRequest{{Used: []ocs.Used{{}}}}, false},
		{"FINAL outweighs the reasons beside it", 2, [][]byte{groupIETF(avp.MultipleServicesCreditControl,
			number3GPP(avp.ReportingReason, 3), number3GPP(avp.ReportingReason, 2), number3GPP(avp.ReportingReason, 9))},
			[]ocs.ServiceRequest{{Reason: ocs.FinalReport}}, false},
	} {
		r := mustDecode(t, creditRequest(c.requestType, 0, c.avps...))
		if !reflect.DeepEqual(r.Services, c.want) || r.CommandLevel != c.level {
			t.Errorf("%s: %s, command level %t, want %s, %t", c.name, inWords(r.Services), r.CommandLevel, inWords(c.want), c.level)
		}
	}
}

func TestSubSessionAndRefund(t *testing.T) {
	t.Parallel()
	r := mustDecode(t, creditRequest(4, 0, number64Of(avp.CCSubSessionID, 1<<63), number(avp.RequestedAction, 1),
		text3GPP(avp.RefundInformation, "gyro1;7;smsc1.core.test;1;1")))
	if want := (ocs.SessionKey{ID: "tas1.ims.test;1;2", Sub: "9223372036854775808"}); r.Session != want {
		t.Errorf("session %+v, want %+v", r.Session, want)
	}
	if want := (ocs.SessionKey{ID: "smsc1.core.test;1;1", Sub: "7"}); r.RefundOf != want || r.Action != ocs.RefundAccount {
		t.Errorf("refund of %+v by action %d, want %+v", r.RefundOf, r.Action, want)
	}
}

// What was used is charged and what runs ends, whatever else a request brings too much of.
func TestNothingIsTooMuchToEndASession(t *testing.T) {
	t.Parallel()
	mscc := func(members ...[]byte) []byte { return groupIETF(avp.MultipleServicesCreditControl, members...) }
	used := groupIETF(avp.UsedServiceUnit, number(avp.CCTime, 1))
	ids := bytes.Repeat(number(avp.ServiceIdentifier, 1), 1000)
	recipients := group3GPP(avp.ServiceInformation, group3GPP(avp.SMSInformation, bytes.Repeat(group3GPP(avp.RecipientInfo), 1000)))
	for _, test := range []struct {
		name        string
		requestType uint32
		avps        []byte
		services    int
		reports     int // in all services
		ids         int // in the first
	}{
		{"services of an update", 2, bytes.Repeat(mscc(used), 1500), 1500, 1500, 0},
		{"services of a termination", 3, bytes.Repeat(mscc(used), 1500), 1500, 1500, 0},
		{"reports of an update", 2, mscc(bytes.Repeat(used, 3000)), 1, 3000, 0},
		{"reports of a termination at command level", 3, bytes.Repeat(used, 3000), 1, 3000, 0},
		{"Service-Identifiers of a termination", 3, mscc(ids, used), 1, 1, maxServiceIDs},
		{"recipients of a termination", 3, append(mscc(used), recipients...), 1, 1, 0},
		{"Subscription-Ids of a termination", 3, append(mscc(used), bytes.Repeat(subscriptionOf(0, "491"), 1000)...), 1, 1, 0},
	} {
		r := mustDecode(t, creditRequest(test.requestType, 0, test.avps))
		reports := 0
		for _, s := range r.Services {
			reports += len(s.Used)
		}
		if len(r.Services) != test.services || reports != test.reports || len(r.Services[0].ServiceIDs) != test.ids {
			t.Errorf("%s: %d services, %d reports, %d ids, want %d, %d, %d", test.name, len(r.Services), reports, len(r.Services[0].ServiceIDs),
				test.services, test.reports, test.ids)
		}
	}
}

// Bytes of a peer decode to a request or a refusal with a Failed-AVP that is one AVP, and never panic.
func FuzzDecodeCCR(f *testing.F) {
	names, err := filepath.Glob("testdata/ccr_*.hex")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		for _, b := range messagesIn(f, filepath.Base(name)) {
			f.Add(b[headerLength:])
		}
	}
	p := testDictionary(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		b := message(0xC0, diam.CreditControl, creditControl, 1, 2, body)
		g, kept := guardOf(p, bytes.NewReader(b))
		m, err := diam.ReadMessage(g, p) // only what the guard lets pass is ever decoded
		if err != nil || len(kept.refusals) > 0 {
			return
		}
		keepFrame(m, b)
		r, refused := decodeCCR(m, Peer{Name: "peer.test"})
		if refused == nil {
			checkRequest(t, r)
			r.Conditions = nil
			appendCCA(nil, identity{host: "ocs1.ocs.test", realm: "ocs.test"}, m, r, ocs.Answer{Verdict: ocs.RatingFailed, Fault: ocs.FaultCalledParty})
			return
		}
		if _, rest, ok := cutAVP(refused.failed); refused.failed != nil && (!ok || len(rest) > 0) {
			t.Errorf("Failed-AVP %x is not one AVP", refused.failed)
		}
	})
}

// checkRequest finds what the engine relies on.
func checkRequest(t *testing.T, r ocs.Request) {
	t.Helper()
	texts := []string{r.Session.ID, r.Context.Name, r.Origin.Host, r.Origin.Realm}
	for _, i := range r.Identities {
		texts = append(texts, i.Value)
	}
	if c := r.Conditions; c != nil {
		texts = append(texts, append(c.Recipients, c.Calling, c.Called, c.Dialled, c.Network, c.ICID, c.APN, c.ServingNode)...)
	}
	for _, s := range texts {
		if !isText(s) || len(s) > maxText {
			t.Errorf("text %q cannot be stored", s)
		}
	}
	if r.Session.ID == "" || r.Type < ocs.Initial || r.Type > ocs.Event {
		t.Errorf("session %q of type %d", r.Session.ID, r.Type)
	}
	if r.CommandLevel && len(r.Services) != 1 {
		t.Errorf("%d services at command level", len(r.Services))
	}
}

func BenchmarkDecodeCCR(b *testing.B) {
	for _, name := range []string{"ccr_kamailio.hex", "ccr_open5gs.hex", "ccr_cisco.hex"} {
		b.Run(name, func(b *testing.B) {
			m := decoded(b, messagesIn(b, name)[0])
			b.ReportAllocs()
			for b.Loop() {
				if _, refused := decodeCCR(m, Peer{Name: "peer.test"}); refused != nil {
					b.Fatal(refused.text)
				}
			}
		})
	}
}
