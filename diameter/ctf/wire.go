package ctf

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"
)

// The commands that a switch speaks (RFC 6733 §3.1, RFC 8506 §3).
const (
	capabilitiesExchange = 257
	creditControl        = 272
	deviceWatchdog       = 280
	disconnectPeer       = 282
)

const (
	baseApplication          = 0
	creditControlApplication = 4
)

// The command flags (RFC 6733 §3).
const (
	requestFlag    = 0x80
	proxiableFlag  = 0x40
	errorFlag      = 0x20 // E
	retransmitFlag = 0x10 // T
)

const headerSize = 20

// maxFrame is the longest message that is read. No answer comes near it; a stream that claims more is lost.
const maxFrame = 1 << 20

// header is the Diameter header without version and length.
type header struct {
	flags       byte
	command     uint32
	application uint32
	hopByHop    uint32
	endToEnd    uint32
}

func (h header) isRequest() bool { return h.flags&requestFlag != 0 }

func parseHeader(frame []byte) header {
	return header{
		flags:       frame[4],
		command:     binary.BigEndian.Uint32(frame[4:]) & 0xffffff,
		application: binary.BigEndian.Uint32(frame[8:]),
		hopByHop:    binary.BigEndian.Uint32(frame[12:]),
		endToEnd:    binary.BigEndian.Uint32(frame[16:]),
	}
}

// An encoder is a message that is being written.
type encoder struct{ frame []byte }

func encode(h header) *encoder {
	e := &encoder{frame: make([]byte, headerSize, 512)}
	binary.BigEndian.PutUint32(e.frame[4:], h.command)
	e.frame[0], e.frame[4] = 1, h.flags
	binary.BigEndian.PutUint32(e.frame[8:], h.application)
	binary.BigEndian.PutUint32(e.frame[12:], h.hopByHop)
	binary.BigEndian.PutUint32(e.frame[16:], h.endToEnd)
	return e
}

// bytes returns the finished message.
func (e *encoder) bytes() []byte {
	binary.BigEndian.PutUint32(e.frame, uint32(len(e.frame))|1<<24) //nolint:gosec // G115: far below 2^24
	return e.frame
}

// open starts an AVP and returns where it starts, for close.
func (e *encoder) open(k kind) (start int) {
	start = len(e.frame)
	e.frame = binary.BigEndian.AppendUint32(e.frame, k.code)
	e.frame = binary.BigEndian.AppendUint32(e.frame, uint32(k.flags())<<24)
	if k.vendor != 0 {
		e.frame = binary.BigEndian.AppendUint32(e.frame, k.vendor)
	}
	return start
}

func (e *encoder) close(start int) {
	length := uint32(len(e.frame) - start) //nolint:gosec // G115: far below 2^24
	flags := uint32(e.frame[start+4]) << 24
	binary.BigEndian.PutUint32(e.frame[start+4:], flags|length)
	for len(e.frame)%4 != 0 {
		e.frame = append(e.frame, 0)
	}
}

func (e *encoder) octets(k kind, value []byte) {
	start := e.open(k)
	e.frame = append(e.frame, value...)
	e.close(start)
}

func (e *encoder) text(k kind, value string) { e.octets(k, []byte(value)) }

func (e *encoder) number(k kind, value uint32) {
	e.octets(k, binary.BigEndian.AppendUint32(nil, value))
}

func (e *encoder) long(k kind, value uint64) {
	e.octets(k, binary.BigEndian.AppendUint64(nil, value))
}

// ntpEpoch is the start of NTP time, from which Time counts, in Unix seconds (RFC 6733 §4.3.1).
const ntpEpoch = -2208988800

func (e *encoder) time(k kind, at time.Time) {
	e.number(k, uint32(at.Unix()-ntpEpoch)) //nolint:gosec // G115: wraps in 2036, as the standard has it
}

func (e *encoder) group(k kind, members func()) {
	start := e.open(k)
	members()
	e.close(start)
}

// An avp is one AVP of a message that was read.
type avp struct {
	kind  kind // without the M bit of its definition
	value []byte
}

// is reports whether a is of kind k, whatever its flags.
func (a avp) is(k kind) bool { return a.kind.code == k.code && a.kind.vendor == k.vendor }

func (a avp) number() uint32 {
	if len(a.value) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(a.value)
}

func (a avp) long() uint64 {
	if len(a.value) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(a.value)
}

// avps yields the AVPs in b, or the error that ends them.
func avps(b []byte) iter.Seq2[avp, error] {
	return func(yield func(avp, error) bool) {
		for len(b) > 0 {
			a, size, err := parseAVP(b)
			if !yield(a, err) || err != nil {
				return
			}
			b = b[min(size, len(b)):]
		}
	}
}

// parseAVP reads the first AVP of b. size includes its padding.
func parseAVP(b []byte) (a avp, size int, err error) {
	if len(b) < 8 {
		return avp{}, 0, fmt.Errorf("%d stray octets after the last AVP", len(b))
	}
	a.kind.code = binary.BigEndian.Uint32(b)
	length := int(binary.BigEndian.Uint32(b[4:]) & 0xffffff)
	start := 8
	if b[4]&0x80 != 0 {
		start = 12
	}
	if length < start || length > len(b) {
		return avp{}, 0, fmt.Errorf("AVP %d has the impossible length %d", a.kind.code, length)
	}
	if start == 12 {
		a.kind.vendor = binary.BigEndian.Uint32(b[8:])
	}
	a.value = b[start:length]
	return a, (length + 3) &^ 3, nil
}
