package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The wire as RFC 6733 §3 and §4 describe it, written down a second time: nothing here comes from package diameter, so that a
// slip there cannot hide behind the same slip here.

// Header flags, RFC 6733 §3.
const (
	flagRequest = 0x80
	flagProxy   = 0x40
	flagError   = 0x20
	flagRetry   = 0x10 // T: potentially retransmitted
)

// AVP flags, RFC 6733 §4.1.
const (
	avpVendor    = 0x80
	avpMandatory = 0x40
	avpProtected = 0x20
)

// Commands.
const (
	cmdCapabilities  = 257
	cmdReAuth        = 258
	cmdAccounting    = 271
	cmdCreditControl = 272
	cmdAbort         = 274
	cmdSessionEnd    = 275
	cmdWatchdog      = 280
	cmdDisconnect    = 282
)

const (
	appBase          = 0
	appCreditControl = 4
	appRelay         = 0xFFFFFFFF
)

const vendor3GPP = 10415

// A message is a Diameter message. The zero version is sent as 1.
type message struct {
	version  byte
	flags    byte
	command  uint32
	app      uint32
	hop, end uint32
	avps     []avp
}

// encode returns m as it is sent.
func (m message) encode() []byte {
	version := m.version
	if version == 0 {
		version = 1
	}
	b := make([]byte, 20, 512)
	for _, a := range m.avps {
		b = a.append(b)
	}
	binary.BigEndian.PutUint32(b[0:], uint32(version)<<24|uint32(len(b)))
	binary.BigEndian.PutUint32(b[4:], uint32(m.flags)<<24|m.command)
	binary.BigEndian.PutUint32(b[8:], m.app)
	binary.BigEndian.PutUint32(b[12:], m.hop)
	binary.BigEndian.PutUint32(b[16:], m.end)
	return b
}

// decodeMessage reads one whole frame and refuses whatever a strict receiver may refuse.
func decodeMessage(frame []byte) (message, error) {
	if len(frame) < 20 || int(be24(frame[1:])) != len(frame) || len(frame)%4 != 0 {
		return message{}, fmt.Errorf("frame of %d octets says its length is %d", len(frame), be24(frame[1:]))
	}
	m := message{
		version: frame[0],
		flags:   frame[4],
		command: be24(frame[5:]),
		app:     binary.BigEndian.Uint32(frame[8:]),
		hop:     binary.BigEndian.Uint32(frame[12:]),
		end:     binary.BigEndian.Uint32(frame[16:]),
	}
	var err error
	m.avps, err = decodeAVPs(frame[20:])
	return m, err
}

func be24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func (m message) isRequest() bool { return m.flags&flagRequest != 0 }

// find returns the first AVP that path leads to, one code for each level.
func (m message) find(path ...avpCode) (avp, bool) { return findAVP(m.avps, path) }

// all returns every AVP of code at command level.
func (m message) all(code avpCode) []avp { return allAVPs(m.avps, code) }

// resultCode returns the Result-Code at command level, 0 when there is none.
func (m message) resultCode() uint32 {
	a, _ := m.find(resultCode)
	return a.uint32()
}

// with returns m with more AVPs at its end.
func (m message) with(more ...avp) message {
	m.avps = slices.Concat(m.avps, more)
	return m
}

// without returns m without the AVPs of code at command level.
func (m message) without(code avpCode) message {
	m.avps = slices.DeleteFunc(slices.Clone(m.avps), func(a avp) bool { return a.code == code })
	return m
}

// replacing returns m with a in the place of the first AVP of the same code.
func (m message) replacing(a avp) message {
	m.avps = slices.Clone(m.avps)
	for i := range m.avps {
		if m.avps[i].code == a.code {
			m.avps[i] = a
			return m
		}
	}
	m.avps = append(m.avps, a)
	return m
}

// resent returns m as a client sends it again: T set, everything else the same (RFC 6733 §5.5.4).
func (m message) resent() message {
	m.flags |= flagRetry
	return m
}

func (m message) String() string {
	kind := "A"
	if m.isRequest() {
		kind = "R"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d%s flags=%02x app=%d hop=%08x end=%08x", m.command, kind, m.flags, m.app, m.hop, m.end)
	writeAVPs(&b, m.avps, "\n  ")
	return b.String()
}

// An avpCode is a code and its vendor.
type avpCode struct{ code, vendor uint32 }

func (c avpCode) String() string {
	if name, ok := avpNames[c]; ok {
		return name
	}
	return fmt.Sprintf("%d/%d", c.code, c.vendor)
}

// An avp is an AVP. Its flags are sent as they are, but for V, which follows from the vendor.
type avp struct {
	code  avpCode
	flags byte
	data  []byte
}

func (a avp) append(b []byte) []byte {
	flags, header := a.flags, 8
	if a.code.vendor != 0 {
		flags, header = flags|avpVendor, 12
	}
	b = binary.BigEndian.AppendUint32(b, a.code.code)
	b = binary.BigEndian.AppendUint32(b, uint32(flags)<<24|uint32(header+len(a.data)))
	if a.code.vendor != 0 {
		b = binary.BigEndian.AppendUint32(b, a.code.vendor)
	}
	b = append(b, a.data...)
	return append(b, make([]byte, (4-len(a.data)%4)%4)...)
}

func (a avp) String() string {
	var b strings.Builder
	writeAVPs(&b, []avp{a}, "")
	return b.String()
}

func (a avp) encode() []byte { return a.append(nil) }

// optional returns a with M clear.
func (a avp) optional() avp {
	a.flags &^= avpMandatory
	return a
}

func (a avp) uint32() uint32 {
	if len(a.data) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(a.data)
}

func (a avp) uint64() uint64 {
	if len(a.data) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(a.data)
}

func (a avp) text() string { return string(a.data) }

// members returns the AVPs of a group; none when it is no group.
func (a avp) members() []avp {
	members, err := decodeAVPs(a.data)
	if err != nil {
		return nil
	}
	return members
}

func (a avp) find(path ...avpCode) (avp, bool) { return findAVP(a.members(), path) }

func findAVP(avps []avp, path []avpCode) (avp, bool) {
	for _, a := range avps {
		if a.code != path[0] {
			continue
		}
		if len(path) == 1 {
			return a, true
		}
		if found, ok := findAVP(a.members(), path[1:]); ok {
			return found, true
		}
	}
	return avp{}, false
}

func allAVPs(avps []avp, code avpCode) []avp {
	var found []avp
	for _, a := range avps {
		if a.code == code {
			found = append(found, a)
		}
	}
	return found
}

func decodeAVPs(b []byte) ([]avp, error) {
	var avps []avp
	for len(b) > 0 {
		if len(b) < 8 {
			return avps, fmt.Errorf("%d stray octets after the last AVP", len(b))
		}
		a := avp{code: avpCode{code: binary.BigEndian.Uint32(b)}, flags: b[4]}
		length, header := int(be24(b[5:])), 8
		if a.flags&avpVendor != 0 {
			header = 12
			if len(b) < 12 {
				return avps, fmt.Errorf("AVP %d has the V bit and no room for a vendor", a.code.code)
			}
			a.code.vendor = binary.BigEndian.Uint32(b[8:])
		}
		padded := (length + 3) &^ 3
		if length < header || padded > len(b) {
			return avps, fmt.Errorf("AVP %v has length %d, of %d octets left", a.code, length, len(b))
		}
		if !bytes.Equal(b[length:padded], make([]byte, padded-length)) {
			return avps, fmt.Errorf("AVP %v is padded with %x", a.code, b[length:padded])
		}
		a.data = b[header:length]
		avps = append(avps, a)
		b = b[padded:]
	}
	return avps, nil
}

func writeAVPs(b *strings.Builder, avps []avp, indent string) {
	for _, a := range avps {
		fmt.Fprintf(b, "%s%v flags=%02x", indent, a.code, a.flags)
		switch kind := avpKinds[a.code]; {
		case kind == kindGroup:
			writeAVPs(b, a.members(), indent+"  ")
		case kind == kindText:
			fmt.Fprintf(b, " %q", a.data)
		case kind == kindFour && len(a.data) == 4:
			fmt.Fprintf(b, " %d", a.uint32())
		case kind == kindEight && len(a.data) == 8:
			fmt.Fprintf(b, " %d", a.uint64())
		default:
			fmt.Fprintf(b, " %x", a.data)
		}
	}
}

func u32(code avpCode, v uint32) avp {
	return avp{code, avpMandatory, binary.BigEndian.AppendUint32(nil, v)}
}

func u64(code avpCode, v uint64) avp {
	return avp{code, avpMandatory, binary.BigEndian.AppendUint64(nil, v)}
}

func text(code avpCode, s string) avp { return avp{code, avpMandatory, []byte(s)} }

func octets(code avpCode, b ...byte) avp { return avp{code, avpMandatory, b} }

func group(code avpCode, members ...avp) avp {
	var data []byte
	for _, a := range members {
		data = a.append(data)
	}
	return avp{code, avpMandatory, data}
}

// stamp makes a Time: seconds since 1900 (RFC 6733 §4.3.1).
func stamp(code avpCode, at time.Time) avp {
	const from1900 = 2_208_988_800
	return u32(code, uint32(at.Unix()+from1900))
}

// ipv4 makes an Address of family 1.
func ipv4(code avpCode, a, b, c, d byte) avp { return octets(code, 0, 1, a, b, c, d) }

var errNoFrame = errors.New("the stream is no Diameter")
