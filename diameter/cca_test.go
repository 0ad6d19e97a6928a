package diameter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// walked is an AVP as the walker of this test, which shares nothing with the code that it checks, reads it.
type walked struct {
	code, vendor uint32
	flags        byte
	data         []byte
	inside       []walked
}

// groupsOfCCA are the codes of the groups that a CCA may have.
var groupsOfCCA = []uint32{456, 431, 430, 413, 423, 445, 279, 284, 443, 437, 446, 873, 876}

// walkAVPs reads whole AVPs and fails on anything that is not exactly right, non-zero padding included.
func walkAVPs(t *testing.T, b []byte) (avps []walked) {
	t.Helper()
	for len(b) > 0 {
		if len(b) < 8 {
			t.Fatalf("%d octets are left: %x", len(b), b)
		}
		a := walked{code: binary.BigEndian.Uint32(b), flags: b[4]}
		length, header := int(b[5])<<16|int(b[6])<<8|int(b[7]), 8
		if a.flags&0x80 != 0 {
			a.vendor, header = binary.BigEndian.Uint32(b[8:]), 12
		}
		if end := (length + 3) / 4 * 4; length < header || end > len(b) {
			t.Fatalf("AVP %d has length %d, and %d octets are left", a.code, length, len(b))
		} else {
			a.data = b[header:length]
			if len(bytes.Trim(b[length:end], "\x00")) > 0 {
				t.Errorf("AVP %d is padded with %x", a.code, b[length:end])
			}
			b = b[end:]
		}
		if slices.Contains(groupsOfCCA, a.code) {
			a.inside = walkAVPs(t, a.data)
		}
		avps = append(avps, a)
	}
	return avps
}

// String shows an AVP as code, vendor when there is one, and value: 456{431{420=60} 268=2001}.
func (a walked) String() string {
	name := fmt.Sprint(a.code)
	if a.vendor != 0 {
		name = fmt.Sprintf("%d/%d", a.code, a.vendor)
	}
	switch {
	case a.inside != nil || slices.Contains(groupsOfCCA, a.code):
		return name + "{" + strings.Trim(fmt.Sprint(a.inside), "[]") + "}"
	case len(a.data) == 4 && a.code != 263:
		return fmt.Sprintf("%s=%d", name, int32(binary.BigEndian.Uint32(a.data)))
	case len(a.data) == 8 && (a.code == 421 || a.code == 417 || a.code == 447 || a.code == 419):
		return fmt.Sprintf("%s=%d", name, int64(binary.BigEndian.Uint64(a.data)))
	}
	return fmt.Sprintf("%s=%q", name, a.data)
}

var ocs1 = identity{host: "ocs1.ocs.test", realm: "ocs.test", stateID: 4711}

// answered encodes an answer to the request b and returns its AVPs.
func answered(t *testing.T, b []byte, a ocs.Answer) (frame, []walked) {
	t.Helper()
	m := decoded(t, b)
	r, refused := decodeCCR(m, Peer{Name: "peer.test"})
	if refused != nil {
		t.Fatalf("the request is refused with %d %q", refused.code, refused.text)
	}
	f := frame(appendCCA(nil, ocs1, m, r, a))
	if f.length() != len(f) {
		t.Fatalf("Message Length %d of %d octets", f.length(), len(f))
	}
	return f, walkAVPs(t, f[headerLength:])
}

// skeleton is what stands in every answer to creditRequest(1, 0).
const skeleton = `263="tas1.ims.test;1;2" 268=%d 264="ocs1.ocs.test" 296="ocs.test" 258=4 416=1 415=7`

func TestAppendCCA(t *testing.T) {
	t.Parallel()
	group100 := new(uint32(100))
	mscc := groupIETF(avp.MultipleServicesCreditControl, number(avp.RatingGroup, 100), groupIETF(avp.RequestedServiceUnit, number(avp.CCTime, 60)))
	for _, c := range []struct {
		name   string
		ask    [][]byte
		answer ocs.Answer
		code   int
		before string // between the skeleton and Origin-State-Id
		want   string // from Origin-State-Id on
	}{
		{"GY-051 no services", nil, ocs.Answer{Verdict: ocs.Granted}, 2001, "", "278=4711"},
		{"voice grant", [][]byte{mscc}, ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
			RatingGroup: group100, ServiceIDs: []uint32{5, 6}, Verdict: ocs.Granted, Measure: rating.Seconds, Granted: 60,
			Validity: 360*time.Second + 999*time.Millisecond, Threshold: 12,
		}}}, 2001, "", "278=4711 456{431{420=60} 439=5 439=6 432=100 448=360 268=2001 868/10415=12}"},
		{"GY-126 GY-132 final units inside", [][]byte{mscc}, ocs.Answer{Verdict: ocs.Granted, LowBalance: true, Services: []ocs.ServiceAnswer{{
			RatingGroup: group100, Verdict: ocs.Granted, Measure: rating.Seconds, Granted: 30, Validity: time.Hour, Final: true,
		}}}, 2001, "", "278=4711 456{431{420=30} 432=100 448=3600 268=2001 430{449=0}} 2020/10415=1"},
		{"GY-116 command level", [][]byte{groupIETF(avp.RequestedServiceUnit)}, ocs.Answer{Verdict: ocs.Granted, CommandLevel: true, LowBalance: true,
			FailureHandling: new(uint8(2)), Services: []ocs.ServiceAnswer{{
				Verdict: ocs.Granted, Measure: rating.Seconds, Granted: 30, Validity: time.Minute, Final: true, Threshold: 5,
			}}}, 2001, "", "278=4711 431{420=30} 2020/10415=1 430{449=0} 427=2 448=60"},
		{"GY-115 MSCC without selectors, octets", [][]byte{groupIETF(avp.MultipleServicesCreditControl)}, ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
			Verdict: ocs.Granted, Measure: rating.Octets, Granted: 10 << 30, Threshold: 2 << 30,
		}}}, 2001, "", "278=4711 456{431{421=10737418240} 268=2001 869/10415=-2147483648}"},
		{"threshold of units", nil, ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
			Verdict: ocs.Granted, Measure: rating.Events, Granted: 10, Threshold: 2,
		}}}, 2001, "", "278=4711 456{431{417=10} 268=2001 1226/10415=2}"},
		{"GY-122 threshold without a grant", nil, ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
			Verdict: ocs.Granted, Measure: rating.Seconds, Threshold: 2,
		}}}, 2001, "", "278=4711 456{268=2001}"},
		{"more seconds than CC-Time holds", nil, ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
			Verdict: ocs.Granted, Measure: rating.Seconds, Granted: rating.Unlimited,
		}}}, 2001, "", "278=4711 456{431{420=-1} 268=2001}"},
		{"grant of money", nil, ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
			Verdict: ocs.Granted, Measure: "EUR", Granted: 250,
		}}}, 2001, "", "278=4711 456{431{413{445{447=250 429=-2} 425=978}} 268=2001}"},
		{"no credit, command and MSCC", [][]byte{mscc}, ocs.Answer{Verdict: ocs.CreditLimitReached, Services: []ocs.ServiceAnswer{{
			RatingGroup: group100, Verdict: ocs.CreditLimitReached,
		}}}, 4012, "", "278=4711 456{432=100 268=4012}"},
		{"failover", nil, ocs.Answer{Verdict: ocs.Granted, Failover: true}, 2001, "418=1 ", "278=4711"},
		{"GY-063 echoes", [][]byte{text(avp.AcctMultiSessionID, "m1"), number64Of(avp.CCSubSessionID, 7), text(avp.UserName, "alice@ims.test")},
			ocs.Answer{Verdict: ocs.Granted, Failover: true}, 2001, `1="alice@ims.test" 418=1 419=7 50="m1" `, "278=4711"},
		{"GY-148 balance covers", nil, ocs.Answer{Verdict: ocs.Granted, BalanceCovers: new(true)}, 2001, "", "278=4711 422=0"},
		{"GY-148 balance does not cover", nil, ocs.Answer{Verdict: ocs.Granted, BalanceCovers: new(false)}, 2001, "", "278=4711 422=1"},
		{"GY-149 price in euros", nil, ocs.Answer{Verdict: ocs.Granted, Cost: &ocs.Cost{Units: 10, Unit: "EUR"}}, 2001, "", "278=4711 423{445{447=10 429=-2} 425=978}"},
		{"price in a currency without minor unit", nil, ocs.Answer{Verdict: ocs.Granted, Cost: &ocs.Cost{Units: 10, Unit: "JPY"}}, 2001, "", "278=4711 423{445{447=10} 425=392}"},
		{"price with an exponent of its own", nil, ocs.Answer{Verdict: ocs.Granted, Cost: &ocs.Cost{Units: 10, Unit: "EUR", Exponent: -4}}, 2001, "", "278=4711 423{445{447=10 429=-4} 425=978}"},
		{"price in seconds", nil, ocs.Answer{Verdict: ocs.Granted, Cost: &ocs.Cost{Units: 240, Unit: rating.Seconds}}, 2001, "", `278=4711 423{445{447=240} 425=999 424="seconds"}`},
		{"GY-145 debit inside", [][]byte{mscc}, ocs.Answer{Verdict: ocs.Granted, Refund: "gyro1;;x", Services: []ocs.ServiceAnswer{{
			RatingGroup: group100, Verdict: ocs.Granted, Measure: rating.Events, Granted: 1,
		}}}, 2001, "", `278=4711 456{431{417=1} 432=100 268=2001 2022/10415="gyro1;;x"}`},
		{"GY-145 debit at command level", nil, ocs.Answer{Verdict: ocs.Granted, Refund: "gyro1;;x", CommandLevel: true, Services: []ocs.ServiceAnswer{{
			Verdict: ocs.Granted, Measure: rating.Events, Granted: 1,
		}}}, 2001, "", `278=4711 431{417=1} 2022/10415="gyro1;;x"`},
		{"GY-117 one of three is not rated", [][]byte{mscc, groupIETF(avp.MultipleServicesCreditControl, number(avp.RatingGroup, 99))}, ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{
			{RatingGroup: group100, Verdict: ocs.Granted, Measure: rating.Seconds, Granted: 1},
			{RatingGroup: new(uint32(99)), Verdict: ocs.RatingFailed, Fault: ocs.FaultRatingGroup},
		}}, 2001, "", "278=4711 456{431{420=1} 432=100 268=2001} 456{432=99 268=5031} 279{432=99}"},
		{"GY-053 unknown context", nil, ocs.Answer{Verdict: ocs.RatingFailed, Fault: ocs.FaultContext}, 5031, "", `278=4711 279{461="32260@3gpp.org"}`},
		{"no Rating-Group to blame: Service-Identifier", [][]byte{groupIETF(avp.MultipleServicesCreditControl, number(avp.ServiceIdentifier, 5))},
			ocs.Answer{Verdict: ocs.RatingFailed, Services: []ocs.ServiceAnswer{{ServiceIDs: []uint32{5}, Verdict: ocs.RatingFailed, Fault: ocs.FaultRatingGroup}}},
			5031, "", "278=4711 456{439=5 268=5031} 279{439=5}"},
		{"neither: an example", [][]byte{groupIETF(avp.MultipleServicesCreditControl)},
			ocs.Answer{Verdict: ocs.RatingFailed, Fault: ocs.FaultRatingGroup, Services: []ocs.ServiceAnswer{{Verdict: ocs.RatingFailed, Fault: ocs.FaultRatingGroup}}},
			5031, "", "278=4711 456{268=5031} 279{432=0}"},
		{"GY-068 units that the service does not have", [][]byte{mscc, groupIETF(avp.MultipleServicesCreditControl, number(avp.RatingGroup, 99), groupIETF(avp.RequestedServiceUnit, number64Of(avp.CCTotalOctets, 9)))},
			ocs.Answer{Verdict: ocs.RatingFailed, Services: []ocs.ServiceAnswer{{RatingGroup: new(uint32(99)), Verdict: ocs.RatingFailed, Fault: ocs.FaultUnits}}},
			5031, "", "278=4711 456{432=99 268=5031} 279{437{421=9}}"},
		{"units at command level", [][]byte{groupIETF(avp.RequestedServiceUnit, number64Of(avp.CCTotalOctets, 9))},
			ocs.Answer{Verdict: ocs.RatingFailed, Fault: ocs.FaultUnits}, 5031, "", "278=4711 279{437{421=9}}"},
		{"the same blame twice is told once", nil, ocs.Answer{Verdict: ocs.RatingFailed, Services: []ocs.ServiceAnswer{
			{Verdict: ocs.RatingFailed, Fault: ocs.FaultCalledParty}, {Verdict: ocs.RatingFailed, Fault: ocs.FaultCalledParty},
		}}, 5031, "", `278=4711 456{268=5031} 456{268=5031} 279{873/10415{876/10415{832/10415=""}}}`},
		{"GY-165 called party that is no number", [][]byte{ims(text3GPP(avp.CalledPartyAddress, "unknown"))},
			ocs.Answer{Verdict: ocs.RatingFailed, Fault: ocs.FaultCalledParty}, 5031, "", `278=4711 279{873/10415{876/10415{832/10415="unknown"}}}`},
		{"refund of nothing", nil, ocs.Answer{Verdict: ocs.InvalidValue, Fault: ocs.FaultRefund}, 5004, "", `278=4711 279{2022/10415=""}`},
		{"refund at command level", [][]byte{text3GPP(avp.RefundInformation, "a")}, ocs.Answer{Verdict: ocs.InvalidValue, Fault: ocs.FaultRefund}, 5004, "", `278=4711 279{2022/10415="a"}`},
		{"refund in a service", [][]byte{groupIETF(avp.MultipleServicesCreditControl, text3GPP(avp.RefundInformation, "b"))}, ocs.Answer{Verdict: ocs.InvalidValue, Fault: ocs.FaultRefund}, 5004, "", `278=4711 279{2022/10415="b"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, avps := answered(t, creditRequest(1, 0, c.ask...), c.answer)
			got := strings.Trim(fmt.Sprint(avps), "[]")
			want := fmt.Sprintf(skeleton, c.code) + " " + c.before + c.want
			if got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
			if f.flags() != 0x40 || f.command() != 272 || f.application() != 4 || f.hopByHop() != 1 || f.endToEnd() != 2 {
				t.Errorf("header %x", f[:headerLength])
			}
			checkFlags(t, avps)
		})
	}
}

// checkFlags finds a flag that the specification does not set: all that we send are mandatory, P is never set.
func checkFlags(t *testing.T, avps []walked) {
	t.Helper()
	for _, a := range avps {
		want := byte(0x40)
		if a.vendor != 0 {
			want = 0xC0
		}
		if a.flags != want {
			t.Errorf("AVP %d has flags %x, want %x", a.code, a.flags, want)
		}
		checkFlags(t, a.inside)
	}
}

func TestResultCodes(t *testing.T) {
	t.Parallel()
	for v, want := range map[ocs.Verdict]uint32{
		ocs.Granted: 2001, ocs.CreditLimitReached: 4012, ocs.ServiceDenied: 4010, ocs.NotApplicable: 4011,
		ocs.UnknownSession: 5002, ocs.Unauthorised: 5003, ocs.InvalidValue: 5004, ocs.ResourcesExceeded: 5006,
		ocs.UnableToComply: 5012, ocs.UserUnknown: 5030, ocs.RatingFailed: 5031,
	} {
		f, avps := answered(t, creditRequest(1, 0), ocs.Answer{Verdict: v})
		codes := slices.DeleteFunc(avps, func(a walked) bool { return a.code != avp.ResultCode })
		if len(codes) != 1 || binary.BigEndian.Uint32(codes[0].data) != want { // GY-052: one and no more
			t.Errorf("verdict %d has Result-Code %v, want %d", v, codes, want)
		}
		if f.isError() { // GY-046
			t.Errorf("verdict %d has the E bit", v)
		}
	}
}

// A verdict that nobody thought of is our bug; the server answers 5012 for it.
func TestVerdictWithoutCodePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("verdict 0 has a Result-Code")
		}
	}()
	resultCode(0)
}

func TestGY_049_Busy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		more []byte
		want string
	}{
		{nil, `263="tas1.ims.test;1;2" 264="ocs1.ocs.test" 296="ocs.test" 268=3002 258=4 416=1 415=7 278=4711`},
		{text(avp.DestinationHost, "ocs1.ocs.test"), `263="tas1.ims.test;1;2" 264="ocs1.ocs.test" 296="ocs.test" 268=3004 258=4 416=1 415=7 278=4711`},
	} {
		f, avps := answered(t, creditRequest(1, 0, c.more), ocs.Answer{Verdict: ocs.Busy})
		if got := strings.Trim(fmt.Sprint(avps), "[]"); !strings.HasPrefix(got, c.want) || !f.isError() {
			t.Errorf("E bit %t, %s, want %s…", f.isError(), got, c.want)
		}
	}
}

// The answer to a copy differs from the first in the identifiers and the Proxy-Info, which are those of the copy, octet
// for octet: flags, padding and order (GY-024, GY-096).
func TestGY_096_AnswerToACopy(t *testing.T) {
	t.Parallel()
	proxy := func(host, state string) []byte {
		return appendAVP(nil, avp.ProxyInfo, 0, mandatory|avp.Pbit, slices.Concat(text(avp.ProxyHost, host), appendAVP(nil, avp.ProxyState, 0, 0, []byte(state))))
	}
	odd := proxy("dra2.epc.test", "xyz")
	odd[len(odd)-1] = 0xAA // padding inside the group that is not zero
	first := creditRequest(1, 0, proxy("dra1.epc.test", "1"), odd)
	second := bytes.Clone(creditRequest(1, 0, proxy("dra3.epc.test", "22")))
	second[4] |= 0x10 // T
	copy(second[12:], []byte{9, 9, 9, 9})
	a := ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{Verdict: ocs.Granted, Measure: rating.Seconds, Granted: 60}}}

	encode := func(b []byte) []byte {
		m := decoded(t, b)
		r, _ := decodeCCR(m, Peer{Name: "peer.test"})
		return appendCCA(nil, ocs1, m, r, a)
	}
	f1, f2 := encode(first), frame(encode(second))
	if want := slices.Concat(proxy("dra1.epc.test", "1"), odd); !bytes.HasSuffix(f1, want) {
		t.Errorf("answer %x does not end in the Proxy-Info %x", f1, want)
	}
	if want := proxy("dra3.epc.test", "22"); !bytes.HasSuffix(f2, want) {
		t.Errorf("answer %x does not end in the Proxy-Info %x", f2, want)
	}
	if f2.hopByHop() != 0x09090909 || f2.endToEnd() != 2 || f2.flags() != 0x40 {
		t.Errorf("header of the answer to the copy: %x", f2[:headerLength])
	}
	cut := func(f []byte) []byte { return f[headerLength:bytes.Index(f, []byte{0, 0, 1, 0x1c, 0x60})] }
	if !bytes.Equal(cut(f1), cut(f2)) {
		t.Errorf("answers differ:\n%x\n%x", cut(f1), cut(f2))
	}
}

// A request is answered long after it was read, and its message is kept until then; others come meanwhile.
func TestMessagesOutliveTheReadBuffer(t *testing.T) {
	t.Parallel()
	kept := decoded(t, messagesIn(t, "ccr_kamailio.hex")[0])
	r, refused := decodeCCR(kept, Peer{Name: "peer.test"})
	if refused != nil {
		t.Fatal(refused.text)
	}
	before := fmt.Sprintf("%x %+v", appendCCA(nil, ocs1, kept, r, ocs.Answer{Verdict: ocs.RatingFailed, Fault: ocs.FaultCalledParty}), r)
	for range 100 {
		decoded(t, message(0xC0, diam.CreditControl, creditControl, 3, 4, text(avp.SessionID, strings.Repeat("x", 900))))
	}
	after := fmt.Sprintf("%x %+v", appendCCA(nil, ocs1, kept, r, ocs.Answer{Verdict: ocs.RatingFailed, Fault: ocs.FaultCalledParty}), r)
	if before != after {
		t.Errorf("the answer changed:\n%s\n%s", before, after)
	}
}

func BenchmarkAppendCCA(b *testing.B) {
	m := decoded(b, messagesIn(b, "ccr_kamailio.hex")[0])
	r, refused := decodeCCR(m, Peer{Name: "peer.test"})
	if refused != nil {
		b.Fatal(refused.text)
	}
	a := ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{
		RatingGroup: new(uint32(100)), ServiceIDs: []uint32{1000}, Verdict: ocs.Granted, Measure: rating.Seconds, Granted: 60,
		Validity: 360 * time.Second, Threshold: 12,
	}}}
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = appendCCA(dst[:0], ocs1, m, r, a)
	}
}
