package integration

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// docs/spec/gy.md 4.3: headers, AVP syntax, protocol errors.

// callable is a subscriber on the shared server with more than these tests use, and a client.
func callable(t *testing.T) (*server, *link, string) {
	t.Helper()
	s := sharedServer(t)
	return s, s.client(t), s.newSubscriber(t, 1_000_000)
}

// first is a right CCR-I of a new call.
func (l *link) first(msisdn string) message {
	return l.newCall(msisdn).ccr(typeInitial, 0, service(100, wants(60)))
}

func TestGY_022_AnswerHeader(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	for request, want := range map[byte]byte{0xC0: 0x40, 0x80: 0x00, 0xD0: 0x40} {
		ccr := l.first(msisdn)
		ccr.flags = request
		cca := l.call(ccr) // its ids are compared there
		wantCode(t, cca, 2001)
		if cca.flags != want {
			t.Errorf("flags of the answer to %02x: got %02x, want %02x", request, cca.flags, want)
		}
	}
}

// That Session-Id comes first and no Destination-* comes back is looked at in every answer; here are the ones that refuse.
func TestGY_023_SessionFirstInEveryAnswer(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	wantCode(t, l.call(l.first(msisdn)), 2001)
	wantCode(t, l.call(l.first(msisdn).without(serviceContextID)), 5005)
	unknown := l.first(msisdn)
	unknown.command = 999
	wantCode(t, l.call(unknown), 3001)
}

func TestGY_024_ProxyInfoComesBack(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	route := []avp{
		text(routeRecord, "a.test"),
		group(proxyInfo, text(proxyHost, "dra1.test"), octets(proxyState, 1, 2, 3)),
		text(routeRecord, "b.test"),
		group(proxyInfo, text(proxyHost, "dra2.test"), octets(proxyState, 0xff, 0, 0xfe, 7, 8), text(unknownAVP, "own").optional()),
		text(routeRecord, "c.test"),
	}
	wantCode(t, l.call(l.first(msisdn).with(route...)), 2001)
	wantCode(t, l.call(l.first("491799999999").with(route...)), 5030)
	wantCode(t, l.call(l.first(msisdn).replacing(text(destinationRealm, "nowhere.test")).with(route...)), 3003)
}

func TestGY_025_UnknownCommand(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	for _, command := range []uint32{999, cmdSessionEnd, cmdReAuth, cmdAbort, cmdAccounting} {
		m := l.first(msisdn)
		m.command = command
		wantCode(t, l.call(m), 3001)
		wantCode(t, l.call(l.first(msisdn)), 2001)
	}
}

func TestGY_026_UnknownApplication(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	m := l.first(msisdn)
	m.app = 99
	wantCode(t, l.call(m), 3007)
	wantCode(t, l.call(l.first(msisdn)), 2001)
}

func TestGY_027_HeaderBits(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	for flags, want := range map[byte]uint32{0xE0: 3008, 0xC1: 2001, 0xCF: 2001} {
		m := l.first(msisdn)
		m.flags = flags
		wantCode(t, l.call(m), want)
	}
}

func TestGY_028_Version(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	m := l.first(msisdn)
	m.version = 2
	wantCode(t, l.call(m), 5011)
}

// Alone: its bounds are of time and of memory.
func TestGY_029_MessageLength(t *testing.T) {
	s := startServer(t)
	for range 3 { // what connections and calls need is there before it counts
		l := s.client(t)
		wantCode(t, l.call(l.first(s.newSubscriber(t, 600))), 2001)
	}
	before := residentBytes(t, s)
	for _, length := range []uint32{0, 8, 19, 22, 65_540, 4_294_967, 4_294_968, 16_777_212} {
		header := message{flags: flagRequest | flagProxy, command: cmdCreditControl, app: appCreditControl, hop: 1, end: 1}.encode()
		binary.BigEndian.PutUint32(header, 1<<24|length)
		promptly(t, fmt.Sprintf("the end of a connection for a message of length %d", length), time.Second, func() {
			l := s.client(t)
			l.write(header)
			select {
			case answer := <-l.inbox:
				wantCode(t, answer, 5015)
				l.wantClosed(5 * time.Second)
			case <-l.gone:
			case <-time.After(patience):
				t.Errorf("length %d: neither an answer nor a close", length)
			}
		})
	}
	if grown := residentBytes(t, s) - before; grown > 5<<20 {
		t.Errorf("the server grew by %d octets, want 5 MiB at most", grown)
	}
}

// residentBytes returns the memory that the server occupies; 0 where the system does not tell.
func residentBytes(t *testing.T, s *server) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	var kilobytes int64
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatalf("VmRSS: %v", err)
	}
	return kilobytes << 10
}

func TestGY_030_AVPLength(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	number := u32(ccRequestNumber, 0).encode()
	for name, broken := range map[string][]byte{
		"length 0":             withAVPLength(number, 0),
		"length 7":             withAVPLength(number, 7),
		"beyond the message":   withAVPLength(number, 4000),
		"no room for a vendor": {0, 0, 0xfd, 0xe8, avpVendor, 0, 0, 8},
		"eight octets for four": append(slices.Concat(number[:4], []byte{avpMandatory, 0, 0, 16}),
			0, 0, 0, 0, 0, 0, 0, 1),
		"stray octets at the end": {0, 0, 1, 0},
	} {
		frame := l.first(msisdn).without(ccRequestNumber).encode()
		frame = append(frame, broken...)
		hop := l.hop.Add(1)
		binary.BigEndian.PutUint32(frame, 1<<24|uint32(len(frame)))
		binary.BigEndian.PutUint32(frame[12:], hop)
		answer := l.callBytes(frame)
		if answer.resultCode() != 5014 {
			t.Errorf("%s: got %v, want 5014", name, answer)
		}
		if _, ok := answer.find(failedAVP); !ok {
			t.Errorf("%s: no Failed-AVP in %v", name, answer)
		}
		wantCode(t, l.call(l.first(msisdn)), 2001)
	}
}

func withAVPLength(encoded []byte, length uint32) []byte {
	changed := slices.Clone(encoded)
	binary.BigEndian.PutUint32(changed[4:], uint32(encoded[4])<<24|length)
	return changed
}

// Alone: its bound is of time.
func TestGY_031_DeepGroups(t *testing.T) {
	_, l, msisdn := callable(t)
	nested := u32(ccTime, 1)
	for range 1000 {
		nested = group(failedAVP, nested)
	}
	promptly(t, "the answer to groups 1000 deep", 50*time.Millisecond, func() {
		if answer := l.call(l.first(msisdn).with(nested)); answer.resultCode() != 5014 && answer.resultCode() != 5004 {
			t.Errorf("got %v, want 5014 or 5004", answer)
		}
	})
	l.wantOpen()
	wantCode(t, l.call(l.first(msisdn)), 2001)
}

// frames is how many mutated frames TestGY_032 sends. The specification says a million: go test ./integration -run GY_032 -frames
// 1000000 takes a minute or two. Inputs by the million are also what the fuzz tests of package diameter are for.
var frames = flag.Int("frames", 20_000, "how many mutated frames are sent to a server")

// Alone: its bound is of time.
func TestGY_032_NonsenseDisturbsNobody(t *testing.T) {
	s := startServer(t)
	msisdn := s.newSubscriber(t, 100_000_000)
	good := s.client(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	bad := s.client(t)
	bad.silent.Store(true)
	const round = 20
	for sent := 0; sent < *frames; sent += round {
		for range round {
			bad.write(mutated(random, bad.first(msisdn).encode()))
		}
		for drained := false; !drained; {
			select {
			case <-bad.inbox:
			case <-bad.gone:
				bad, drained = s.client(t), true
				bad.silent.Store(true)
			default:
				drained = true
			}
		}
		if sent/round%30 == 0 {
			promptly(t, "the answer to a good client", 100*time.Millisecond, func() { wantCode(t, good.call(good.first(msisdn)), 2001) })
		}
	}
	good.wantOpen()
}

// mutated changes a few octets of frame behind its length, or its order, or cuts it and mends the length.
func mutated(random *rand.Rand, frame []byte) []byte {
	for range 1 + random.IntN(8) {
		at := 4 + random.IntN(len(frame)-4)
		frame[at] = byte(random.Uint32())
	}
	if random.IntN(4) == 0 {
		frame = frame[:20+4*random.IntN((len(frame)-20)/4)]
		binary.BigEndian.PutUint32(frame, 1<<24|uint32(len(frame)))
	}
	return frame
}

func TestGY_033_VendorBitWithVendorZero(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	frame := l.first(msisdn).encode()
	wrong := []byte{0, 0, 0, 1, avpVendor | avpMandatory, 0, 0, 16, 0, 0, 0, 0, 'a', 'b', 'c', 'd'} // User-Name with V and vendor 0
	frame = append(frame, wrong...)
	binary.BigEndian.PutUint32(frame, 1<<24|uint32(len(frame)))
	binary.BigEndian.PutUint32(frame[12:], l.hop.Add(1))
	answer := l.callBytes(frame)
	wantCode(t, answer, 3009)
	if blamed, ok := answer.find(failedAVP); !ok || !bytes.Equal(blamed.data, wrong) {
		t.Errorf("Failed-AVP: got %x, want %x", blamed.data, wrong)
	}
	wantCode(t, l.call(l.first(msisdn)), 2001)
}

func TestGY_034_UnknownMandatoryAVP(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	unknown := text(unknownAVP, "what is this")
	for name, ccr := range map[string]message{
		"command level": l.first(msisdn).with(unknown),
		"MSCC":          l.newCall(msisdn).ccr(typeInitial, 0, service(100, wants(60), unknown)),
		"Requested-Service-Unit": l.newCall(msisdn).ccr(typeInitial, 0,
			service(100, group(requested, u32(ccTime, 60), unknown))),
		"Subscription-Id": l.first(msisdn).without(subscriptionID).with(
			group(subscriptionID, u32(subscriptionType, 0), text(subscriptionData, msisdn), unknown)),
	} {
		answer := l.call(ccr)
		if answer.resultCode() != 5001 {
			t.Errorf("%s: got %v, want 5001", name, answer)
		}
		blamed, ok := answer.find(failedAVP)
		if !ok || !bytes.Contains(blamed.data, unknown.encode()) {
			t.Errorf("%s: Failed-AVP %x does not hold %x", name, blamed.data, unknown.encode())
		}
	}
}

func TestGY_035_UnknownOptionalAVP(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	strange := []avp{text(unknownAVP, "x").optional(), octets(foreignRequestNum, 1, 2, 3, 4, 5, 6, 7, 8).optional()}
	ccr := l.newCall(msisdn).ccr(typeInitial, 0,
		append(strange, service(100, append(strange, group(requested, append(strange, u32(ccTime, 60))...))...))...)
	wantGrant(t, l.call(ccr), 100, 60, false)
}

func TestGY_036_UnknownMandatoryInServiceInformation(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	c := l.newCall(msisdn)
	ccr := c.ccr(typeInitial, 0, service(100, wants(60))).without(serviceInformation).with(group(serviceInformation,
		text(avpCode{65001, 9999}, "ours"),
		group(imsInformation, u32(nodeFunctionality, 6), text(calledParty, c.called), text(avpCode{65002, vendor3GPP}, "new"))))
	wantGrant(t, l.call(ccr), 100, 60, false)
}

// Code 1 is User-Name without a vendor and 3GPP-IMSI with 10415.
func TestGY_037_SameCodeOfAnotherVendor(t *testing.T) {
	t.Parallel()
	s, l, msisdn := callable(t)
	owner := newMSISDN()
	s.gyro(t, "subscriber", "create", owner, "--plan", "demo", "--seconds", "600", "--imsi", "26201"+owner[2:])
	c := l.newCall(msisdn)
	imsi := group(serviceInformation, append(toNumber(c.called).members(), group(psInformation, text(imsi3GPP, "26201"+owner[2:])))...)

	wantCode(t, l.call(l.first("").replacing(imsi)), 5030)
	s.wantAccount(t, owner, 600, 0)

	cca := l.call(c.ccr(typeInitial, 0, service(100, wants(60)), text(userName, "alice@ims.test")).replacing(imsi))
	wantCode(t, cca, 2001)
	if name, _ := cca.find(userName); name.text() != "alice@ims.test" {
		t.Errorf("User-Name: got %q, want that of the request", name.text())
	}
	s.wantAccount(t, owner, 600, 0)
}

func TestGY_038_MissingAVP(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	for code, length := range map[avpCode]int{
		sessionID: 0, originHost: 0, originRealm: 0, destinationRealm: 0, authApplicationID: 4, serviceContextID: 0, ccRequestType: 4, ccRequestNumber: 4,
	} {
		blamed := wantFailed(t, l.call(l.first(msisdn).without(code)), 5005, code)
		if !bytes.Equal(blamed.data, make([]byte, length)) {
			t.Errorf("example of %v: got %x, want %d zero octets", code, blamed.data, length)
		}
	}
}

func TestGY_039_OnlyTheFirstErrorIsReported(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	answer := l.call(l.first(msisdn).without(serviceContextID).without(ccRequestNumber))
	wantCode(t, answer, 5005)
	if failed := answer.all(failedAVP); len(failed) != 1 || len(failed[0].members()) != 1 {
		t.Errorf("got %v, want one Failed-AVP with one AVP", answer)
	}
}

func TestGY_040_AVPTwice(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	blamed := wantFailed(t, l.call(l.first(msisdn).with(u32(ccRequestType, typeUpdate))), 5009, ccRequestType)
	if blamed.uint32() != typeUpdate {
		t.Errorf("Failed-AVP holds CC-Request-Type %d, want the second: %d", blamed.uint32(), typeUpdate)
	}
}

func TestGY_041_AVPNotAllowed(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	for _, a := range []avp{u32(resultCode, 2001), group(granted, u32(ccTime, 60)), u32(ccSessionFailover, 1)} {
		wantFailed(t, l.call(l.first(msisdn).with(a)), 5008, a.code)
	}
}

func TestGY_042_WrongValue(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	for _, a := range []avp{u32(authApplicationID, 3), u32(ccRequestType, 0), u32(ccRequestType, 5), u32(ccRequestType, 9)} {
		blamed := wantFailed(t, l.call(l.first(msisdn).replacing(a)), 5004, a.code)
		if !bytes.Equal(blamed.data, a.data) {
			t.Errorf("Failed-AVP: got %x, want %x", blamed.data, a.data)
		}
	}
}

func TestGY_043_Loop(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	wantCode(t, l.call(l.first(msisdn).with(text(routeRecord, "dra.test"), text(routeRecord, "OCS1.ocs.test"))), 3005)
}

func TestGY_044_DestinationHost(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	wantCode(t, l.call(l.first(msisdn).with(text(destinationHost, "other.test"))), 3002)
	wantCode(t, l.call(l.first(msisdn).with(text(destinationHost, "Ocs1.OCS.test"))), 2001)
}

func TestGY_045_DestinationRealm(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	wantCode(t, l.call(l.first(msisdn).replacing(text(destinationRealm, "nowhere.test"))), 3003)
	wantCode(t, l.call(l.first(msisdn).replacing(text(destinationRealm, "OCS.Test"))), 2001)
}

// faultsOf looks at the E bit of every answer of the suite; here is one answer of each class.
func TestGY_046_ErrorBitBelongsToProtocolErrors(t *testing.T) {
	t.Parallel()
	s, l, msisdn := callable(t)
	poor := s.newSubscriber(t, 0)
	for code, ccr := range map[uint32]message{
		2001: l.first(msisdn),
		3003: l.first(msisdn).replacing(text(destinationRealm, "nowhere.test")),
		4012: l.first(poor),
		5030: l.first("491799999999"),
	} {
		answer := l.call(ccr)
		wantCode(t, answer, code)
		if got := answer.flags&flagError != 0; got != (code/1000 == 3) {
			t.Errorf("E bit of %d: got %t", code, got)
		}
	}
}

func TestGY_047_ErrorsRepeatTypeAndNumber(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	answer := l.call(l.newCall(msisdn).ccr(typeUpdate, 17).replacing(text(destinationRealm, "nowhere.test")))
	wantCode(t, answer, 3003)
	requestType, _ := answer.find(ccRequestType)
	number, _ := answer.find(ccRequestNumber)
	if requestType.uint32() != typeUpdate || number.uint32() != 17 {
		t.Errorf("got type %d number %d, want %d and 17, in %v", requestType.uint32(), number.uint32(), typeUpdate, answer)
	}
}

func TestGY_048_AnswerNobodyAskedFor(t *testing.T) {
	t.Parallel()
	_, l, _ := callable(t)
	l.send(message{flags: flagProxy, command: cmdReAuth, app: appCreditControl, hop: 99, end: 99,
		avps: append([]avp{text(sessionID, "x;1;1"), u32(resultCode, 2001)}, l.origin()...)})
	l.wantOpen() // and nothing came before it
	select {
	case m := <-l.inbox:
		t.Errorf("got %v, want nothing", m)
	default:
	}
}

func TestGY_049_StoreOutage(t *testing.T) {
	t.Parallel()
	db := ownDatabase(t)
	s := startServer(t, "--database", db.dsn)
	msisdn := s.newSubscriber(t, 600)
	l := s.client(t)
	wantCode(t, l.call(l.first(msisdn)), 2001)
	db.crash(t)
	wantCode(t, l.call(l.first(msisdn)), 3002)
	wantCode(t, l.call(l.first(msisdn).with(text(destinationHost, serverHost))), 3004)
	l.wantOpen()
	db.start(t)
	eventually(t, 30*time.Second, func() string {
		if answer := l.call(l.first(msisdn)); answer.resultCode() != 2001 {
			return fmt.Sprintf("Result-Code %d", answer.resultCode())
		}
		return ""
	})
	s.wantAccount(t, msisdn, 600, 120) // of the two that were granted
}

func TestGY_050_OrderPaddingAndReservedBits(t *testing.T) {
	t.Parallel()
	_, l, msisdn := callable(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		ccr := l.first(msisdn).with(text(userName, "abcde"))
		rest := ccr.avps[1:]
		random.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		for i := range ccr.avps {
			ccr.avps[i].flags = 0x60 // M and P
		}
		ccr.hop, ccr.end = l.hop.Add(1), l.end.Add(1)
		frame := dirtyPadding(ccr.encode())
		wantGrant(t, l.await(ccr, l.startBytes(frame, ccr)), 100, 60, false)
	}
}

// dirtyPadding fills the padding between the AVPs at command level with ones.
func dirtyPadding(frame []byte) []byte {
	for at := 20; at < len(frame); {
		length := int(be24(frame[at+5:]))
		padded := (length + 3) &^ 3
		for i := at + length; i < at+padded; i++ {
			frame[i] = 0xff
		}
		at += padded
	}
	return frame
}
