package reading

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Hex returns the octets of text in hexadecimal. Spaces, line ends and what stands behind a # do not count.
func Hex(text string) ([]byte, error) {
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for field := range strings.FieldsSeq(line) {
			digits.WriteString(field)
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		return nil, fmt.Errorf("hexadecimal octets: %w", err)
	}
	return b, nil
}

// A Spoken is a message of a capture.
type Spoken struct {
	At       time.Time // of the packet with its end
	From, To netip.AddrPort
	Message  []byte
}

// IsCapture reports whether b begins like a capture file that [Capture] reads, or cannot read but knows.
func IsCapture(b []byte) bool { return len(b) >= 4 && (order(b) != nil || isNG(b)) }

func isNG(b []byte) bool { return bytes.HasPrefix(b, []byte{0x0a, 0x0d, 0x0d, 0x0a}) }

// order returns the order of octets of a pcap file, nil when it is none.
func order(b []byte) binary.ByteOrder {
	switch binary.BigEndian.Uint32(b) {
	case 0xa1b2c3d4, 0xa1b23c4d:
		return binary.BigEndian
	case 0xd4c3b2a1, 0x4d3cb2a1:
		return binary.LittleEndian
	}
	return nil
}

// Capture returns the Diameter messages in a pcap file, in the order in which they were complete. Whatever else is in it is passed over: a
// stream that does not begin with a Diameter message, other protocols, packets cut short.
func Capture(b []byte) ([]Spoken, error) {
	if isNG(b) {
		return nil, errors.New("this is a pcapng file: make a pcap file of it, for example with editcap -F pcap")
	}
	if len(b) < 24 || order(b) == nil {
		return nil, errors.New("no pcap file")
	}
	o := order(b)
	fraction := time.Microsecond
	if magic := o.Uint32(b); magic == 0xa1b23c4d {
		fraction = time.Nanosecond
	}
	link, streams := o.Uint32(b[20:])&0xffff, make(map[way]*stream)
	var all []Spoken
	for b = b[24:]; len(b) >= 16; {
		length := int64(o.Uint32(b[8:]))
		if length > int64(len(b)-16) {
			break // cut off in the middle of a packet
		}
		at := time.Unix(int64(o.Uint32(b)), int64(o.Uint32(b[4:]))*int64(fraction))
		packet := b[16 : 16+length]
		b = b[16+length:]
		if s, ok := segmentOf(packet, link); ok {
			if streams[s.way] == nil {
				streams[s.way] = &stream{}
			}
			for _, message := range streams[s.way].take(s) {
				all = append(all, Spoken{at, s.way.from, s.way.to, message})
			}
		}
	}
	return all, nil
}

// A way is one direction of a connection.
type way struct{ from, to netip.AddrPort }

type segment struct {
	way      way
	sequence uint32
	begins   bool // SYN
	data     []byte
}

// A stream puts the octets of one direction together.
type stream struct {
	begun   bool
	lost    bool   // it is no Diameter
	next    uint32 // sequence number of the first octet that is missing
	early   []segment
	pending []byte
}

// mostEarly bounds the segments that wait for one that a capture may have missed.
const mostEarly = 256

// take takes a segment and returns the messages that are complete by it.
func (s *stream) take(seg segment) [][]byte {
	if seg.begins {
		*s = stream{begun: true, next: seg.sequence + 1}
		return nil
	}
	if len(seg.data) == 0 || s.lost {
		return nil
	}
	if !s.begun { // the capture began in the middle of the connection
		s.begun, s.next = true, seg.sequence
	}
	s.early = append(s.early, seg)
	slices.SortStableFunc(s.early, func(a, b segment) int { return cmp.Compare(int32(a.sequence-s.next), int32(b.sequence-s.next)) }) //nolint:gosec // G115: sequence numbers go round
	if len(s.early) > mostEarly {
		s.next, s.pending = s.early[0].sequence, nil // that one will not come any more
	}
	for len(s.early) > 0 {
		first := s.early[0]
		seen := int(int32(s.next - first.sequence)) //nolint:gosec // G115: as above
		if seen < 0 {
			break
		}
		if seen < len(first.data) {
			s.pending = append(s.pending, first.data[seen:]...)
			s.next += uint32(len(first.data) - seen) //nolint:gosec // G115: as above
		}
		s.early = s.early[1:]
	}
	return s.messages()
}

func (s *stream) messages() [][]byte {
	var all [][]byte
	for {
		length, err := Length(s.pending)
		if err != nil {
			s.lost, s.pending, s.early = true, nil, nil
			return all
		}
		if length == 0 || length > len(s.pending) {
			return all
		}
		all = append(all, bytes.Clone(s.pending[:length]))
		s.pending = s.pending[length:]
	}
}

// The link types of pcap files that are read.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRaw      = 101
	linkCooked   = 113
	linkCooked2  = 276
)

// segmentOf returns the TCP segment in a packet.
func segmentOf(packet []byte, link uint32) (segment, bool) {
	switch skip := map[uint32]int{linkNull: 4, linkEthernet: 14, linkRaw: 0, linkCooked: 16, linkCooked2: 20}; {
	case link == linkEthernet && len(packet) >= 18 && binary.BigEndian.Uint16(packet[12:]) == 0x8100: // VLAN
		packet = packet[18:]
	case len(packet) < skip[link]:
		return segment{}, false
	default:
		packet = packet[skip[link]:]
	}
	if len(packet) == 0 {
		return segment{}, false
	}
	switch packet[0] >> 4 {
	case 4:
		header := int(packet[0]&15) * 4
		if header < 20 || len(packet) < header || packet[9] != 6 {
			return segment{}, false
		}
		total := int(binary.BigEndian.Uint16(packet[2:]))
		if total < header || total > len(packet) {
			total = len(packet)
		}
		from, to := netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))
		return tcpSegment(packet[header:total], from, to)
	case 6:
		if len(packet) < 40 || packet[6] != 6 {
			return segment{}, false
		}
		from, to := netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40]))
		return tcpSegment(packet[40:min(len(packet), 40+int(binary.BigEndian.Uint16(packet[4:])))], from, to)
	}
	return segment{}, false
}

func tcpSegment(b []byte, from, to netip.Addr) (segment, bool) {
	if len(b) < 20 || int(b[12]>>4)*4 < 20 || len(b) < int(b[12]>>4)*4 {
		return segment{}, false
	}
	return segment{
		way:      way{netip.AddrPortFrom(from, binary.BigEndian.Uint16(b)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(b[2:]))},
		sequence: binary.BigEndian.Uint32(b[4:]),
		begins:   b[13]&2 != 0,
		data:     b[int(b[12]>>4)*4:],
	}, true
}
