package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// Codes of the protocol that the generator writes or looks at (RFC 6733, RFC 8506, TS 32.299).
const (
	headerSize = 20

	commandCE = 257
	commandCC = 272
	commandDW = 280
	commandDP = 282

	flagRequest   = 0x80
	flagProxiable = 0x40
	flagRepeated  = 0x10 // T: potentially retransmitted

	avpHostIPAddress    = 257
	avpAuthApplication  = 258
	avpVendorID         = 266
	avpResultCode       = 268
	avpProductName      = 269
	avpOriginHost       = 264
	avpOriginRealm      = 296
	avpGrantedUnit      = 431
	avpCCTime           = 420
	avpMultipleServices = 456

	vendor3GPP = 10415
)

// avp encodes an AVP with the M bit: header, content, padding. Groups are AVPs whose content is made of AVPs.
func avp(code, vendor uint32, content ...[]byte) []byte {
	length, flags := 8, byte(0x40)
	if vendor != 0 {
		length, flags = 12, 0xc0
	}
	for _, part := range content {
		length += len(part)
	}
	b := make([]byte, 0, length+3)
	b = binary.BigEndian.AppendUint32(b, code)
	b = binary.BigEndian.AppendUint32(b, uint32(flags)<<24|uint32(length))
	if vendor != 0 {
		b = binary.BigEndian.AppendUint32(b, vendor)
	}
	for _, part := range content {
		b = append(b, part...)
	}
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func text(s string) []byte { return []byte(s) }

func number(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

// request encodes a request with identifiers of zero.
func request(command uint32, flags byte, application uint32, avps ...[]byte) []byte {
	length := headerSize
	for _, a := range avps {
		length += len(a)
	}
	b := make([]byte, 0, length)
	b = binary.BigEndian.AppendUint32(b, 1<<24|uint32(length))
	b = binary.BigEndian.AppendUint32(b, uint32(flags|flagRequest)<<24|command)
	b = binary.BigEndian.AppendUint32(b, application)
	b = append(b, make([]byte, 8)...) // hop-by-hop, end-to-end
	for _, a := range avps {
		b = append(b, a...)
	}
	return b
}

// maxFrame is longer than any answer that a server has reason to send.
const maxFrame = 64 << 10

// frameLength returns the length of the message that begins b, or 0 while its header is not all there.
func frameLength(b []byte) (int, error) {
	if len(b) < headerSize {
		return 0, nil
	}
	word := binary.BigEndian.Uint32(b)
	length := int(word & 0xffffff)
	if word>>24 != 1 || length < headerSize || length > maxFrame {
		return 0, fmt.Errorf("an answer begins with %x, which is no Diameter header", b[:4])
	}
	return length, nil
}

// errBroken is an AVP whose length does not fit.
var errBroken = errors.New("an AVP of an answer is longer than what it is in")

// avps yields vendor<<32|code and content of the AVPs in b. It ends early at an AVP that does not fit.
func avps(b []byte) iter.Seq2[uint64, []byte] {
	return func(yield func(uint64, []byte) bool) {
		for len(b) >= 8 {
			code := uint64(binary.BigEndian.Uint32(b))
			word := binary.BigEndian.Uint32(b[4:])
			length, header := int(word&0xffffff), 8
			if word>>31 != 0 {
				header = 12
			}
			if length < header || length > len(b) {
				return
			}
			if header == 12 {
				code |= uint64(binary.BigEndian.Uint32(b[8:])) << 32
			}
			if !yield(code, b[header:length]) {
				return
			}
			b = b[min(len(b), (length+3)&^3):]
		}
	}
}

// answered is what the generator reads of a Credit-Control-Answer.
type answered struct {
	resultCode uint32
	granted    uint32 // CC-Time of the grant, seconds; 0: none
}

func readCCA(frame []byte) (a answered, err error) {
	for code, content := range avps(frame[headerSize:]) {
		switch code {
		case avpResultCode:
			if len(content) != 4 {
				return a, errBroken
			}
			a.resultCode = binary.BigEndian.Uint32(content)
		case avpMultipleServices:
			a.granted = grantedTime(content)
		}
	}
	if a.resultCode == 0 {
		return a, errors.New("an answer without Result-Code")
	}
	return a, nil
}

func grantedTime(services []byte) uint32 {
	for code, content := range avps(services) {
		if code != avpGrantedUnit {
			continue
		}
		for code, content := range avps(content) {
			if code == avpCCTime && len(content) == 4 {
				return binary.BigEndian.Uint32(content)
			}
		}
	}
	return 0
}
