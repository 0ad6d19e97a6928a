package diameter

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
	"github.com/fiorix/go-diameter/v4/diam/dict"

	"github.com/gyro-ocs/gyro/dictionaries"
)

// record is a keeper that remembers.
type record struct {
	closedUntilCER bool
	frames         int
	refusals       []refusal
	drops          []dropReason
}

func (r *record) opened() bool                 { return !r.closedUntilCER }
func (r *record) heard()                       { r.frames++ }
func (r *record) dropped(reason dropReason)    { r.drops = append(r.drops, reason) }
func (r *record) refuse(_ frame, why *refusal) { r.refusals = append(r.refusals, *why) }

func testDictionary(tb testing.TB) *dict.Parser {
	tb.Helper()
	p, err := dictionaries.Parser()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// guardOf returns a guard that reads b, and its keeper.
func guardOf(p *dict.Parser, b io.Reader) (*guard, *record) {
	r := &record{}
	rules := &guardRules{limit: 64 << 10, depth: depthLimit, shapes: shapesOf(p, 0, creditControl)}
	return &guard{transport: b, rules: rules, keeper: r}, r
}

// groupOf returns a group of AVPs.
func groupOf(code uint32, avps ...[]byte) []byte {
	return appendAVP(nil, code, 0, mandatory, bytes.Join(avps, nil))
}

// nested returns Failed-AVP in itself, this many deep.
func nested(depth int) []byte {
	var b []byte
	for range depth {
		b = appendAVP(nil, avp.FailedAVP, 0, mandatory, b)
	}
	return b
}

// rawOf returns an AVP whose length field says what it likes.
func rawOf(code uint32, flags byte, length uint32, rest ...byte) []byte {
	return append([]byte{byte(code >> 24), byte(code >> 16), byte(code >> 8), byte(code), flags,
		byte(length >> 16), byte(length >> 8), byte(length)}, rest...)
}

func TestGuardRefuses(t *testing.T) {
	t.Parallel()
	p := testDictionary(t)
	ccrOf := func(avps ...[]byte) []byte { return ccr(1, "a;1;1", avps...) }
	patched := func(m []byte, offset int, b ...byte) []byte {
		copy(m[offset:], b)
		return m
	}
	const vbit, mbit = avp.Vbit, avp.Mbit
	tests := []struct {
		name   string
		input  []byte
		code   uint32
		failed []byte
		ends   bool // the connection is given up
	}{
		{name: "version 2", input: patched(ccrOf(), 0, 2), code: 5011},
		{name: "version before all else", input: patched(ccrOf(rawOf(415, 0, 3)), 0, 7), code: 5011},
		{name: "version and length wrong: version, and no way on", input: patched(ccrOf(), 0, 2, 0, 0, 8), code: 5011, ends: true},
		{name: "length 8", input: patched(ccrOf(), 1, 0, 0, 8), code: 5015, ends: true},
		{name: "length 0", input: patched(ccrOf(), 1, 0, 0, 0), code: 5015, ends: true},
		{name: "length 22", input: patched(ccrOf(), 1, 0, 0, 22), code: 5015, ends: true},
		{name: "length above the limit", input: patched(ccrOf(), 1, 1, 0, 4), code: 5015, ends: true},
		{name: "greatest length", input: patched(ccrOf(), 1, 0xFF, 0xFF, 0xFC), code: 5015, ends: true},
		{name: "E bit", input: patched(ccrOf(), 4, 0xE0), code: 3008},
		{name: "E bit before application", input: patched(patched(ccrOf(), 4, 0xA0), 8, 0, 0, 0, 9), code: 3008},
		{name: "application 99", input: patched(ccrOf(), 8, 0, 0, 0, 99), code: 3007},
		{name: "command 999", input: patched(ccrOf(), 5, 0, 3, 0xE7), code: 3001},
		{name: "STR", input: patched(ccrOf(), 5, 0, 1, 19), code: 3001},
		{name: "RAR to the server", input: patched(ccrOf(), 5, 0, 1, 2), code: 3001},
		{name: "CCR in application 0", input: patched(ccrOf(), 8, 0, 0, 0, 0), code: 3001},
		{name: "DWR in application 4", input: patched(dwr(1), 8, 0, 0, 0, 4), code: 3001},
		{name: "command before AVPs", input: patched(ccrOf(rawOf(415, 0, 3)), 5, 0, 3, 0xE7), code: 3001},
		{name: "AVP Length 0", input: ccrOf(rawOf(65000, mbit, 0)), code: 5014, failed: rawOf(65000, mbit, 8)},
		{name: "AVP Length 7", input: ccrOf(rawOf(65000, 0, 7)), code: 5014, failed: rawOf(65000, 0, 8)},
		{name: "AVP Length beyond the message", input: ccrOf(rawOf(avp.CCRequestNumber, mbit, 13, 0, 0, 0, 1)), code: 5014,
			failed: rawOf(415, mbit, 12, 0, 0, 0, 0)},
		{name: "V and Length 8", input: ccrOf(rawOf(1264, vbit, 8, 0, 0, 0x28, 0xAF)), code: 5014,
			failed: rawOf(1264, vbit, 12, 0, 0, 0x28, 0xAF)},
		{name: "V and no room for a vendor", input: ccrOf(rawOf(1264, vbit|mbit, 12)), code: 5014,
			failed: rawOf(1264, vbit|mbit, 12, 0, 0, 0, 0)},
		{name: "four octets at the end", input: ccrOf([]byte{0, 0, 1, 7}), code: 5014, failed: rawOf(263, 0, 8)},
		{name: "Unsigned32 of 8 octets", input: ccrOf(rawOf(415, mbit, 16, 0, 0, 0, 0, 0, 0, 0, 1)), code: 5014,
			failed: rawOf(415, mbit, 12, 0, 0, 0, 0)},
		{name: "Unsigned32 of no octets", input: ccrOf(rawOf(415, mbit, 8)), code: 5014, failed: rawOf(415, mbit, 12, 0, 0, 0, 0)},
		{name: "Time of 8 octets", input: ccrOf(rawOf(avp.EventTimestamp, mbit, 16, 0, 0, 0, 0, 0, 0, 0, 1)), code: 5014,
			failed: rawOf(55, mbit, 12, 0, 0, 0, 0)},
		{name: "Unsigned64 of 4 octets", input: ccrOf(rawOf(avp.CCSubSessionID, mbit, 12, 0, 0, 0, 1)), code: 5014,
			failed: rawOf(419, mbit, 16, 0, 0, 0, 0, 0, 0, 0, 0)},
		{name: "CC-Time of 3 octets in two groups", input: ccrOf(groupOf(456, number(432, 10), groupOf(437, rawOf(420, mbit, 11, 0, 0, 0, 0)))),
			code: 5014, failed: groupOf(456, groupOf(437, rawOf(420, mbit, 12, 0, 0, 0, 0)))},
		{name: "three stray octets in a group", input: ccrOf(groupOf(443, number(450, 0), []byte{0, 0, 1})), code: 5014,
			failed: groupOf(443, rawOf(0, 0, 8))},
		{name: "vendor AVP of a wrong size", input: ccrOf(appendAVP(nil, 872, vendor3GPP, mbit, []byte{1, 2})), code: 5014,
			failed: appendAVP(nil, 872, vendor3GPP, mbit, make([]byte, 4))},
		{name: "17 groups in each other", input: ccrOf(nested(17)), code: 5014, failed: nested(17)},
		{name: "a thousand groups in each other", input: ccrOf(nested(1000)), code: 5014, failed: nested(17)},
		{name: "V and Vendor-Id 0", input: ccrOf(rawOf(65000, vbit, 16, 0, 0, 0, 0, 9, 9, 9, 9)), code: 3009,
			failed: rawOf(65000, vbit, 16, 0, 0, 0, 0, 9, 9, 9, 9)},
		{name: "V and Vendor-Id 0 in a group", input: ccrOf(groupOf(443, number(450, 0), rawOf(444, vbit, 13, 0, 0, 0, 0, 'x', 0, 0, 0))),
			code: 3009, failed: groupOf(443, rawOf(444, vbit, 13, 0, 0, 0, 0, 'x', 0, 0, 0))},
		{name: "a wrong length further on comes first", input: ccrOf(rawOf(65000, vbit, 12, 0, 0, 0, 0), rawOf(415, 0, 8)), code: 5014,
			failed: rawOf(415, 0, 12, 0, 0, 0, 0)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			good := ccr(2, "b")
			g, kept := guardOf(p, bytes.NewReader(append(slices.Clone(test.input), good...)))
			passed, err := io.ReadAll(g)
			if len(kept.refusals) != 1 {
				t.Fatalf("%d refusals of % x, want 1", len(kept.refusals), test.input)
			}
			r := kept.refusals[0]
			if r.code != test.code || r.close != test.ends || r.text == "" {
				t.Errorf("got %+v, want code %d, close %t and a text", r, test.code, test.ends)
			}
			answer := questionIn(test.input[:headerLength]).appendRefusalTo(nil, identity{host: "a", realm: "b"}, &r)
			wantFailed(t, answer, test.failed)
			if test.ends {
				if !errors.Is(err, errHangUp) || len(passed) > 0 {
					t.Errorf("passed on % x with error %v, want nothing and %v", passed, err, errHangUp)
				}
				return
			}
			if err != nil || !bytes.Equal(passed, good) {
				t.Errorf("passed on % x with error %v, want the request behind", passed, err)
			}
		})
	}
}

func TestGuardPasses(t *testing.T) {
	t.Parallel()
	p := testDictionary(t)
	patched := func(m []byte, offset int, b ...byte) []byte {
		copy(m[offset:], b)
		return m
	}
	tests := map[string][]byte{
		"a CCR":                   ccr(1, "a"),
		"a DWR":                   dwr(1),
		"T and reserved bits":     patched(ccr(1, "a"), 4, 0xDF),
		"no AVP at all":           message(0x80, diam.DeviceWatchdog, 0, 1, 2),
		"unknown AVP":             ccr(1, "a", rawOf(65000, mandatory, 9, 1, 0, 0, 0)),
		"known code, other owner": ccr(1, "a", appendAVP(nil, 415, 9999, 0, make([]byte, 8))),
		"vendor code, no vendor":  ccr(1, "a", appendAVP(nil, 872, 0, 0, make([]byte, 3))),
		"odd padding and P bits":  ccr(1, "a", rawOf(avp.UserName, 0x60, 9, 'x', 1, 2, 3)),
		"16 groups in each other": ccr(1, "a", nested(16)),
		"unpadded end of a group": ccr(1, "a", rawOf(443, mandatory, 21, append(rawOf(444, mandatory, 13, []byte("12345")...), 0, 0, 0)...)),
		"DWA":                     message(0, diam.DeviceWatchdog, 0, 1, 2, number(avp.ResultCode, 2001)),
		"E bit in an answer":      message(0x20, diam.DeviceWatchdog, 0, 1, 2, number(avp.ResultCode, 3004)),
	}
	for name, input := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, kept := guardOf(p, iotest.OneByteReader(bytes.NewReader(input)))
			passed, err := io.ReadAll(g)
			if err != nil || !bytes.Equal(passed, input) || len(kept.refusals)+len(kept.drops) > 0 || kept.frames != 1 {
				t.Fatalf("passed on % x, error %v, %+v; want all of % x", passed, err, kept, input)
			}
			wantDecoded(t, p, input)
		})
	}
}

// wantDecoded demands that the library reads from f the AVPs that are in it, all of them and nothing else.
func wantDecoded(tb testing.TB, p *dict.Parser, f frame) {
	tb.Helper()
	m, err := diam.ReadMessage(bytes.NewReader(f), p)
	if err != nil {
		tb.Fatalf("the library cannot decode % x: %v", f, err)
	}
	if m.DecodeErr != nil {
		tb.Fatalf("the library cannot decode % x: %v", f, m.DecodeErr)
	}
	var want []rawAVP
	for a := range f.avps() {
		want = append(want, a)
	}
	wantSame(tb, m.AVP, want)
}

func wantSame(tb testing.TB, got []*diam.AVP, want []rawAVP) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("the library found %d AVPs, want %d", len(got), len(want))
	}
	for i, a := range got {
		if a.Code != want[i].code || a.VendorID != want[i].vendor || a.Length != len(want[i].whole) {
			tb.Fatalf("AVP %d is %d of vendor %d with %d octets, want %+v", i, a.Code, a.VendorID, a.Length, want[i])
		}
		if g, ok := a.Data.(*diam.GroupedAVP); ok {
			wantSame(tb, g.AVP, slices.Collect(rawAVPs(want[i].data)))
		} else if !bytes.Equal(a.Data.Serialize(), want[i].data) {
			tb.Fatalf("AVP %d has the value % x, want % x", i, a.Data.Serialize(), want[i].data)
		}
	}
}

// The library measures an Address by its look. What follows such an AVP must be found all the same.
func TestGuardAddressesKeepTheirLength(t *testing.T) {
	t.Parallel()
	p := testDictionary(t)
	mapped := append([]byte{0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 10, 0, 0, 1)
	for name, value := range map[string][]byte{
		"IPv4-mapped IPv6": mapped,
		"E.164, 14 digits": append([]byte{0, 8}, "49170000000123"...),
		"E.164, 2 digits":  append([]byte{0, 8}, "49"...),
		"family alone":     {0, 1},
		"nothing":          {},
		"IPv4 of 3 octets": {0, 1, 10, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantDecoded(t, p, message(0x80, diam.CapabilitiesExchange, 0, 1, 2,
				appendAVP(nil, avp.HostIPAddress, 0, mandatory, value), text(avp.OriginHost, "a.test"), number(avp.VendorID, 9)))
		})
	}
}

// An AVP of a vendor that no dictionary has is unknown, even when another vendor uses its code. GY-035, GY-037
func TestGuardVendorsAreKeptApart(t *testing.T) {
	t.Parallel()
	p := testDictionary(t)
	f := ccr(1, "a", appendAVP(nil, 415, 9999, 0, make([]byte, 8)), appendAVP(nil, 872, 0, 0, []byte{1}))
	m, err := diam.ReadMessage(bytes.NewReader(f), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range m.AVP[len(m.AVP)-2:] {
		if _, ok := a.Data.(datatype.Unknown); !ok {
			t.Errorf("AVP %d of vendor %d was decoded as %T", a.Code, a.VendorID, a.Data)
		}
	}
}

func TestGuardBeforeCER(t *testing.T) {
	t.Parallel()
	p := testDictionary(t)
	for name, test := range map[string]struct {
		input []byte
		drop  dropReason
	}{
		"DWR":                 {dwr(1), dropBeforeCER},
		"CCR of wrong length": {append(ccr(1, "a")[:1], 0, 0, 8), dropBeforeCER},
		"CEA":                 {message(0, diam.CapabilitiesExchange, 0, 1, 2), dropBeforeCER},
		"HTTP":                {[]byte("GET / HTTP/1.1\r\nHost: ocs\r\n\r\n"), dropNotDiameter},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, kept := guardOf(p, bytes.NewReader(append(test.input, make([]byte, headerLength)...)))
			kept.closedUntilCER = true
			passed, err := io.ReadAll(g)
			if !errors.Is(err, errBeforeCER) || len(passed) > 0 || len(kept.refusals) > 0 || !slices.Equal(kept.drops, []dropReason{test.drop}) {
				t.Errorf("passed on % x, error %v, %+v; want nothing, %v and a drop: %s", passed, err, kept, errBeforeCER, test.drop)
			}
		})
	}
}

func TestGuardDropsAnswers(t *testing.T) {
	t.Parallel()
	p := testDictionary(t)
	for name, test := range map[string]struct {
		input []byte
		drop  dropReason
	}{
		"RAA of application 0":    {message(0x40, diam.ReAuth, 0, 1, 2, number(avp.ResultCode, 2001)), dropUnexpectedAnswer},
		"CCA":                     {message(0x40, diam.CreditControl, creditControl, 1, 2), dropUnexpectedAnswer},
		"unknown command":         {message(0, 999, 5, 1, 2), dropUnexpectedAnswer},
		"DWA that is malformed":   {message(0, diam.DeviceWatchdog, 0, 1, 2, rawOf(268, 0, 9, 1, 0, 0, 0)), dropMalformedAnswer},
		"DWA of another version":  {append([]byte{3}, message(0, diam.DeviceWatchdog, 0, 1, 2)[1:]...), dropVersion},
		"DWA with V and vendor 0": {message(0, diam.DeviceWatchdog, 0, 1, 2, rawOf(9, 0x80, 12, 0, 0, 0, 0)), dropMalformedAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := dwr(3)
			g, kept := guardOf(p, bytes.NewReader(append(test.input, next...)))
			passed, err := io.ReadAll(g)
			if err != nil || !bytes.Equal(passed, next) || len(kept.refusals) > 0 || !slices.Equal(kept.drops, []dropReason{test.drop}) {
				t.Errorf("passed on % x, error %v, %+v; want the next message and a drop: %s", passed, err, kept, test.drop)
			}
		})
	}
}

// One read hands out octets of one frame: while its handler runs, current is that frame.
func TestGuardCurrentIsTheFrameAtHand(t *testing.T) {
	t.Parallel()
	first, second := ccr(1, "first"), ccr(2, "second")
	g, _ := guardOf(testDictionary(t), bytes.NewReader(slices.Concat(first, second)))
	b := make([]byte, 4096)
	for _, want := range [][]byte{first, second} {
		n, err := g.Read(b)
		if err != nil || !bytes.Equal(b[:n], want) || !bytes.Equal(g.current, want) {
			t.Fatalf("read % x with current % x and error %v, want % x", b[:n], g.current, err, want)
		}
	}
}

// GY-029: a header costs what a header costs, whatever length it tells. GY-031: nesting is refused cheaply.
func TestGY_029_GY_031_BadFramesAreCheap(t *testing.T) {
	t.Parallel()
	p := testDictionary(t)
	huge := ccr(1, "a")
	copy(huge[1:], []byte{0xFF, 0xFF, 0xFC})
	deep := ccr(1, "a", nested(7000))
	for name, input := range map[string][]byte{"16 MB announced": huge, "7,000 groups": deep} {
		took := time.Hour
		var g *guard
		for range 5 { // the best of five: the machine may be busy with other things
			var kept *record
			start := time.Now()
			g, kept = guardOf(p, bytes.NewReader(input))
			_, _ = io.ReadAll(g)
			took = min(took, time.Since(start))
			if len(kept.refusals) != 1 {
				t.Errorf("%s: %+v, want one refusal", name, kept)
			}
		}
		if took > 50*time.Millisecond {
			t.Errorf("%s: took %v", name, took)
		}
		if got := cap(g.buffer); got > 128<<10 {
			t.Errorf("%s: %d octets buffered", name, got)
		}
	}
}

func TestGuardTakesTheMessagesOfTestdata(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.hex")
	if err != nil || len(names) == 0 {
		t.Fatalf("no messages in testdata: %v", err)
	}
	p := testDictionary(t)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			input := readHex(t, name)
			g, kept := guardOf(p, bytes.NewReader(input))
			passed, err := io.ReadAll(g)
			if err != nil || !bytes.Equal(passed, input) || len(kept.refusals) > 0 {
				t.Fatalf("passed on %d of %d octets, error %v, refusals %+v", len(passed), len(input), err, kept.refusals)
			}
			for len(passed) > 0 {
				f := frame(passed)
				wantDecoded(t, p, f[:f.length()])
				passed = passed[f.length():]
			}
		})
	}
}

// FuzzGuard sends octets through the guard into the library: what one lets pass the other reads as it is meant. Memory
// stays within what one frame may have.
func FuzzGuard(f *testing.F) {
	p := testDictionary(f)
	for _, seed := range [][]byte{
		cer("a.epc.test"), dwr(1), dpr(), ccr(1, "a"), ccr(1, "a", nested(20)), ccr(1, "a", rawOf(415, 0, 9, 1)),
		slices.Concat(ccr(1, "a"), dwr(2), ccr(3, "b", appendAVP(nil, 415, 9999, 0, make([]byte, 8)))),
		ccr(1, "a", rawOf(443, mandatory, 21, append(rawOf(444, mandatory, 13, []byte("12345")...), 0, 0, 0)...)),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		g, kept := guardOf(p, bytes.NewReader(input))
		for {
			m, err := diam.ReadMessage(g, p)
			if err != nil {
				break
			}
			if m.DecodeErr != nil {
				t.Fatalf("decode % x: %v", g.current, m.DecodeErr)
			}
			wantDecoded(t, p, g.current)
		}
		if cap(g.buffer) > 2*g.rules.limit {
			t.Errorf("buffer of %d octets", cap(g.buffer))
		}
		for _, r := range kept.refusals {
			answer := questionIn(ccr(1, "a")).appendRefusalTo(nil, identity{host: "a", realm: "b"}, &r)
			for a := range frame(answer).avps() {
				if a.is(avp.FailedAVP) && len(slices.Collect(rawAVPs(a.data))) != 1 {
					t.Errorf("Failed-AVP % x of %+v has not one member", a.data, r)
				}
			}
		}
	})
}
