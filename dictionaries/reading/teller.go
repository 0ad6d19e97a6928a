// Package reading tells in words what a Diameter message says, by the dictionary of this project. Unless asked it keeps to itself what
// tells who a subscriber is: numbers, names, addresses, equipment, places.
package reading

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gyro-ocs/gyro/dictionaries"
)

// A Teller turns messages into words. The zero value redacts.
type Teller struct {
	Reveal bool // tell also what belongs to a subscriber
}

// headerLength is that of a Diameter header, RFC 6733 §3.
const headerLength = 20

// ErrNoMessage means that octets are no Diameter message.
var ErrNoMessage = errors.New("no Diameter message")

// Length returns how long the message is that begins with b, or 0 when b is too short to tell. It fails when no message begins so.
func Length(b []byte) (int, error) {
	if len(b) < 4 {
		return 0, nil
	}
	length := int(uint24(b[1:]))
	if b[0] != 1 || length < headerLength || length%4 != 0 {
		return 0, fmt.Errorf("%w: it begins with %x", ErrNoMessage, b[:4])
	}
	return length, nil
}

// Message returns what one whole message says: a line for the header, then a line for each AVP, members of a group indented. What is
// wrong in it is told in its place.
func (w Teller) Message(b []byte) (string, error) {
	length, err := Length(b)
	if err != nil {
		return "", err
	}
	if len(b) < headerLength || length != len(b) {
		return "", fmt.Errorf("%w: its length says %d octets, there are %d", ErrNoMessage, length, len(b))
	}
	code, flags := uint24(b[5:]), b[4]
	name := dictionaries.CommandName(code, flags&0x80 != 0)
	if name == "" {
		name = map[bool]string{true: "Request", false: "Answer"}[flags&0x80 != 0]
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s (%d), application %d, hop-by-hop %08x, end-to-end %08x%s\n",
		name, code, binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint32(b[16:]), flagWords(flags))
	w.avps(&out, b[headerLength:], "  ", 1)
	return out.String(), nil
}

func flagWords(flags byte) string {
	var words strings.Builder
	for _, f := range []struct {
		bit  byte
		word string
	}{{0x40, "proxiable"}, {0x20, "error"}, {0x10, "sent again"}} {
		if flags&f.bit != 0 {
			words.WriteString(", " + f.word)
		}
	}
	return words.String()
}

// deepest bounds the nesting of groups that are told.
const deepest = 16

func (w Teller) avps(out *strings.Builder, b []byte, indent string, depth int) {
	for len(b) > 0 {
		a, rest, ok := cut(b)
		if !ok {
			fmt.Fprintf(out, "%sbroken: %d octets that are no AVP\n", indent, len(b))
			return
		}
		b = rest
		known, found := dictionaries.Lookup(a.vendor, a.code)
		switch {
		case !found:
			fmt.Fprintf(out, "%sAVP %d%s: unknown, %s\n", indent, a.code, ofVendor(a.vendor), w.hidden(a.data))
		case known.Type == "Grouped" && depth < deepest:
			fmt.Fprintf(out, "%s%s\n", indent, known.Name)
			w.avps(out, a.data, indent+"  ", depth+1)
		default:
			fmt.Fprintf(out, "%s%s: %s\n", indent, known.Name, w.value(known, a.data))
		}
	}
}

func ofVendor(vendor uint32) string {
	if vendor == 0 {
		return ""
	}
	return fmt.Sprintf(" of vendor %d", vendor)
}

type rawAVP struct {
	code, vendor uint32
	data         []byte
}

func cut(b []byte) (a rawAVP, rest []byte, ok bool) {
	if len(b) < 8 {
		return a, nil, false
	}
	header, length := 8, int(uint24(b[5:]))
	a.code = binary.BigEndian.Uint32(b)
	if b[4]&0x80 != 0 {
		header = 12
	}
	if length < header || length > len(b) {
		return a, nil, false
	}
	if header == 12 {
		a.vendor = binary.BigEndian.Uint32(b[8:])
	}
	a.data = b[header:length]
	return a, b[min((length+3)&^3, len(b)):], true
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

// open are the AVPs of text and octets that tell nothing about a subscriber. Every other one is redacted, a new one too.
var open = map[string]bool{
	"Session-Id": true, "Origin-Host": true, "Origin-Realm": true, "Destination-Host": true, "Destination-Realm": true, "Route-Record": true,
	"Proxy-Host": true, "Error-Message": true, "Error-Reporting-Host": true, "Product-Name": true, "Service-Context-Id": true,
	"Host-IP-Address": true, "Cost-Unit": true, "Filter-Id": true, "Redirect-Server-Address": true, "Charging-Rule-Base-Name": true,
	"SIP-Method": true, "Called-Station-Id": true, "Refund-Information": true, "3GPP-RAT-Type": true, "3GPP-MS-TimeZone": true,
	"Originating-IOI": true, "Terminating-IOI": true,
}

// value returns the value of an AVP.
func (w Teller) value(known dictionaries.AVP, data []byte) string {
	wrong := func() string { return fmt.Sprintf("broken: %d octets for %s", len(data), known.Type) }
	switch known.Type {
	case "Unsigned32", "Integer32", "Enumerated", "Time":
		if len(data) != 4 {
			return wrong()
		}
		return fourOctets(known, binary.BigEndian.Uint32(data))
	case "Unsigned64":
		if len(data) != 8 {
			return wrong()
		}
		return fmt.Sprint(binary.BigEndian.Uint64(data))
	case "Integer64":
		if len(data) != 8 {
			return wrong()
		}
		return fmt.Sprint(int64(binary.BigEndian.Uint64(data))) //nolint:gosec // G115: two's complement
	}
	if !w.Reveal && !open[known.Name] {
		return w.hidden(data)
	}
	if known.Type == "Address" {
		return address(data)
	}
	text := printable(data)
	if !w.Reveal {
		text = withoutNumbers(text)
	}
	return text
}

func fourOctets(known dictionaries.AVP, n uint32) string {
	switch known.Type {
	case "Integer32":
		return fmt.Sprint(int32(n)) //nolint:gosec // G115: two's complement
	case "Time": // seconds since 1900, RFC 6733 §4.3.1; what has the highest bit clear is of the era after 2036
		const from1900, era = 2_208_988_800, 1 << 32
		seconds := int64(n)
		if n < 1<<31 {
			seconds += era
		}
		return time.Unix(seconds-from1900, 0).UTC().Format(time.RFC3339)
	case "Enumerated":
		if name := known.Values[int32(n)]; name != "" { //nolint:gosec // G115: two's complement
			return fmt.Sprintf("%s (%d)", name, int32(n)) //nolint:gosec // G115: two's complement
		}
		return fmt.Sprint(int32(n)) //nolint:gosec // G115: two's complement
	}
	return fmt.Sprint(n)
}

// hidden tells of octets only how many there are, unless all is to be told.
func (w Teller) hidden(data []byte) string {
	if w.Reveal {
		return printable(data)
	}
	return fmt.Sprintf("(%d octets, redacted)", len(data))
}

// printable returns text as it is and other octets in hexadecimal.
func printable(data []byte) string {
	if len(data) == 0 {
		return `""`
	}
	if utf8.Valid(data) && !strings.ContainsFunc(string(data), func(r rune) bool { return !unicode.IsPrint(r) }) {
		return string(data)
	}
	return fmt.Sprintf("0x%x", data)
}

// withoutNumbers hides in text whatever may be a telephone number: seven digits or more in a row, all but the first three.
func withoutNumbers(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		switch {
		case digits >= 7:
			out.WriteString(text[:3] + "…")
		case digits == 0:
			digits = len(text)
			if next := strings.IndexAny(text, "0123456789"); next >= 0 {
				digits = next
			}
			out.WriteString(text[:digits])
		default:
			out.WriteString(text[:digits])
		}
		text = text[digits:]
	}
	return out.String()
}

// address returns an Address, RFC 6733 §4.3.1: two octets of family, then the address.
func address(data []byte) string {
	if len(data) < 2 {
		return fmt.Sprintf("broken: %d octets for Address", len(data))
	}
	family, rest := binary.BigEndian.Uint16(data), data[2:]
	if ip, ok := netip.AddrFromSlice(rest); ok && (family == 1 || family == 2) {
		return ip.String()
	}
	return fmt.Sprintf("family %d, %s", family, printable(rest))
}
