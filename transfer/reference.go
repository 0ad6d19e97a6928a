package transfer

import (
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
)

// A Reference names a transfer for good, in a form that a person can read out: Crockford's base 32 without I, L, O, U, in
// groups of four, the last character being a check: 7K3M-9QTA-5. The first 8 bits are the slot of the sender, so that
// whoever has only the reference finds the record.
type Reference string

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// ReferenceBits is how many bits of the number that is handed in a reference tells apart, within one slot. At a million
// transfers in a slot, one new reference in four thousand is taken already: the unique key finds it, and another is drawn.
const ReferenceBits = 32

// referenceLength is without hyphens: eight characters for slot and number, and the check.
const referenceLength = 9

// NewReference returns the reference that the lower [ReferenceBits] of number make for a sender.
func NewReference(sender ocs.SubscriberID, number uint64) Reference {
	n := uint64(sender.Slot())<<ReferenceBits | number&(1<<ReferenceBits-1) //nolint:gosec // G115: a slot is 0 to 255
	var symbols [referenceLength]byte
	for i := referenceLength - 2; i >= 0; i-- {
		symbols[i] = byte(n & 31)
		n >>= 5
	}
	symbols[referenceLength-1] = checkSymbol(symbols[:referenceLength-1])
	return referenceOf(symbols[:])
}

// ParseReference reads what a person typed: in any case, with or without hyphens and blanks, with O for 0 and I or L for 1.
// One wrong character, or two neighbours exchanged, is always found.
func ParseReference(s string) (Reference, bool) {
	var symbols []byte
	for _, r := range strings.ToUpper(s) {
		if r == '-' || r == ' ' {
			continue
		}
		switch r {
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		i := strings.IndexRune(alphabet, r)
		if i < 0 || len(symbols) == referenceLength {
			return "", false
		}
		symbols = append(symbols, byte(i)) //nolint:gosec // G115: below 32
	}
	if len(symbols) != referenceLength || checkSymbol(symbols[:referenceLength-1]) != symbols[referenceLength-1] {
		return "", false
	}
	return referenceOf(symbols), true
}

func referenceOf(symbols []byte) Reference {
	var b strings.Builder
	for i, s := range symbols {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[s])
	}
	return Reference(b.String())
}

// Slot returns the slot of the sender. r is one that [NewReference] or [ParseReference] returned.
func (r Reference) Slot() int16 {
	first, second := strings.IndexByte(alphabet, r[0]), strings.IndexByte(alphabet, r[1])
	return int16(first<<3 | second>>2) //nolint:gosec // G115: 8 bits
}

// checkSymbol returns the symbol c that makes the sum of s[i]·x^(n-i) + c zero in GF(32), x being a generator. A change of
// one symbol changes the sum, and so does an exchange of two neighbours, since x^i and x^(i+1) differ.
func checkSymbol(symbols []byte) (sum byte) {
	for _, s := range symbols {
		sum = timesX(sum ^ s)
	}
	return sum
}

// timesX multiplies in GF(32) with the primitive polynomial x^5 + x^2 + 1.
func timesX(a byte) byte {
	a <<= 1
	if a&32 != 0 {
		a ^= 0b100101
	}
	return a
}
