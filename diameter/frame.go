package diameter

import (
	"encoding/binary"
	"iter"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

// A frame is one whole message as it came from the wire, at least a header long (RFC 6733 §3).
type frame []byte

const (
	headerLength       = diam.HeaderLength
	avpHeaderLength    = 8
	vendorHeaderLength = 12
)

func (f frame) version() byte       { return f[0] }
func (f frame) length() int         { return int(uint24(f[1:])) }
func (f frame) flags() byte         { return f[4] }
func (f frame) isRequest() bool     { return f[4]&diam.RequestFlag != 0 }
func (f frame) isError() bool       { return f[4]&diam.ErrorFlag != 0 }
func (f frame) command() uint32     { return uint24(f[5:]) }
func (f frame) application() uint32 { return binary.BigEndian.Uint32(f[8:]) }
func (f frame) hopByHop() uint32    { return binary.BigEndian.Uint32(f[12:]) }
func (f frame) endToEnd() uint32    { return binary.BigEndian.Uint32(f[16:]) }

// avps yields the AVPs at command level up to the first that is not well-formed.
func (f frame) avps() iter.Seq[rawAVP] { return rawAVPs(f[headerLength:]) }

// A rawAVP is an AVP on the wire (RFC 6733 §4.1). Its slices are parts of the frame.
type rawAVP struct {
	code, vendor uint32
	flags        byte
	data         []byte
	whole        []byte // header and data, without the padding
}

// is reports whether a is the AVP of this code that no vendor owns.
func (a rawAVP) is(code uint32) bool { return a.code == code && a.vendor == 0 }

// unsigned32 returns the value of an AVP of a 32-bit type, whose size the guard has checked. It is 0 for another size.
func (a rawAVP) unsigned32() uint32 {
	if len(a.data) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(a.data)
}

// rawAVPs yields the AVPs in b up to the first that is not well-formed.
func rawAVPs(b []byte) iter.Seq[rawAVP] {
	return func(yield func(rawAVP) bool) {
		for len(b) > 0 {
			a, rest, ok := cutAVP(b)
			if !ok || !yield(a) {
				return
			}
			b = rest
		}
	}
}

// cutAVP splits b after its first AVP and the padding of it. Not ok means that the AVP Length is wrong; what of code,
// flags and vendor lies inside b is there even then, so that Failed-AVP can name it. Padding may be missing after the
// last AVP of a group, where some senders do not count it.
func cutAVP(b []byte) (a rawAVP, rest []byte, ok bool) {
	if len(b) < avpHeaderLength {
		if len(b) >= 4 {
			a.code = binary.BigEndian.Uint32(b)
		}
		return a, nil, false
	}
	a.code, a.flags = binary.BigEndian.Uint32(b), b[4]
	header, length := avpHeaderLength, int(uint24(b[5:]))
	if a.flags&avp.Vbit != 0 {
		header = vendorHeaderLength
		if len(b) >= header {
			a.vendor = binary.BigEndian.Uint32(b[8:])
		}
	}
	if length < header || length > len(b) {
		return a, nil, false
	}
	a.whole, a.data = b[:length:length], b[header:length:length]
	return a, b[min(padded(length), len(b)):], true
}

// padded returns n rounded up to whole words of four octets.
func padded(n int) int { return (n + 3) &^ 3 }

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func putUint24(b []byte, n int) { b[0], b[1], b[2] = byte(n>>16), byte(n>>8), byte(n) } //nolint:gosec // G115: cut on purpose

// mandatory is the M bit, the only flag that we choose: V follows from the vendor and P is never set.
const mandatory = avp.Mbit

// appendAVP appends an AVP with its padding. A vendor other than 0 sets the V bit.
func appendAVP(dst []byte, code, vendor uint32, flags byte, data []byte) []byte {
	dst, start := beginAVP(dst, code, vendor, flags)
	return endAVP(append(dst, data...), start)
}

// appendText is appendAVP for a value that is text.
func appendText(dst []byte, code, vendor uint32, flags byte, text string) []byte {
	dst, start := beginAVP(dst, code, vendor, flags)
	return endAVP(append(dst, text...), start)
}

// appendUint32 appends an AVP of type Unsigned32, Enumerated or Time.
func appendUint32(dst []byte, code, vendor uint32, flags byte, n uint32) []byte {
	dst, start := beginAVP(dst, code, vendor, flags)
	return endAVP(binary.BigEndian.AppendUint32(dst, n), start)
}

// appendUint64 appends an AVP of type Unsigned64, or Integer64 in two's complement.
//
//nolint:unparam // the vendor: 3GPP has none of these in an answer yet, and the appends are to look alike
func appendUint64(dst []byte, code, vendor uint32, flags byte, n uint64) []byte {
	dst, start := beginAVP(dst, code, vendor, flags)
	return endAVP(binary.BigEndian.AppendUint64(dst, n), start)
}

// appendGroup appends a group whose only member is a whole encoded AVP, with or without its padding.
func appendGroup(dst []byte, code, vendor uint32, flags byte, member []byte) []byte {
	dst, start := beginAVP(dst, code, vendor, flags)
	dst = append(dst, member...)
	return endAVP(appendPadding(dst, len(member)), start)
}

// beginAVP appends the header of an AVP whose length endAVP, called with the same start, fills in. What is appended
// between the two is its value; for a group these are whole AVPs.
func beginAVP(dst []byte, code, vendor uint32, flags byte) (_ []byte, start int) {
	start = len(dst)
	dst = binary.BigEndian.AppendUint32(dst, code)
	if vendor == 0 {
		return append(dst, flags, 0, 0, 0), start
	}
	dst = append(dst, flags|avp.Vbit, 0, 0, 0)
	return binary.BigEndian.AppendUint32(dst, vendor), start
}

// endAVP ends the AVP that began at start and pads it with zeros.
func endAVP(dst []byte, start int) []byte {
	length := len(dst) - start
	putUint24(dst[start+5:], length)
	return appendPadding(dst, length)
}

// appendPadding appends the zeros that follow an AVP of this length.
func appendPadding(dst []byte, length int) []byte {
	var zeros [3]byte
	return append(dst, zeros[:padded(length)-length]...)
}

// beginMessage appends a header whose length endMessage, called with the same start, fills in.
func beginMessage(dst []byte, flags byte, command, application, hopByHop, endToEnd uint32) (_ []byte, start int) {
	start = len(dst)
	dst = append(dst, 1, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(flags)<<24|command)
	dst = binary.BigEndian.AppendUint32(dst, application)
	dst = binary.BigEndian.AppendUint32(dst, hopByHop)
	return binary.BigEndian.AppendUint32(dst, endToEnd), start
}

// endMessage ends the message that began at start.
func endMessage(dst []byte, start int) []byte {
	putUint24(dst[start+1:], len(dst)-start)
	return dst
}
