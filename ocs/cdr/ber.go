package cdr

import "time"

// A berWriter encodes BER (X.690) with definite lengths. Elements are begun and ended; the length of what was begun is put
// in when it ends.
type berWriter struct {
	data   []byte
	begins []int // where the contents of each open element begin
}

// Classes of tags.
const (
	universal    = 0x00
	contextClass = 0x80
	privateClass = 0xc0
	constructed  = 0x20
)

// tag writes identifier octets (X.690 8.1.2).
func (b *berWriter) tag(class byte, number int) {
	if number < 31 {
		b.data = append(b.data, class|byte(number)) //nolint:gosec // G115: below 31
		return
	}
	b.data = append(b.data, class|31)
	b.base128(uint64(number))
}

func (b *berWriter) base128(n uint64) {
	shift := 0
	for n>>shift >= 128 {
		shift += 7
	}
	for ; shift > 0; shift -= 7 {
		b.data = append(b.data, byte(n>>shift)|0x80) //nolint:gosec // G115: seven bits of it
	}
	b.data = append(b.data, byte(n)&0x7f) //nolint:gosec // G115: seven bits of it
}

func (b *berWriter) length(n int) {
	if n < 128 {
		b.data = append(b.data, byte(n)) //nolint:gosec // G115: below 128
		return
	}
	size := 1
	for n>>(8*size) > 0 {
		size++
	}
	b.data = append(b.data, 0x80|byte(size))
	for size--; size >= 0; size-- {
		b.data = append(b.data, byte(n>>(8*size))) //nolint:gosec // G115: one octet of it
	}
}

// begin opens a constructed element. Its length takes three octets, so that nothing moves when it is known: BER allows
// more of them than are needed (X.690 8.1.3.5), and no record is longer than 64 kB.
func (b *berWriter) begin(class byte, number int) {
	b.tag(class|constructed, number)
	b.data = append(b.data, 0x82, 0, 0)
	b.begins = append(b.begins, len(b.data))
}

func (b *berWriter) end() {
	begin := b.begins[len(b.begins)-1]
	b.begins = b.begins[:len(b.begins)-1]
	n := len(b.data) - begin
	b.data[begin-2], b.data[begin-1] = byte(n>>8), byte(n) //nolint:gosec // G115: checked by who frames the record
}

// text writes a string of any kind with a tag of the context; an empty one is left out.
func (b *berWriter) text(number int, s string) {
	if s == "" {
		return
	}
	b.tag(contextClass, number)
	b.length(len(s))
	b.data = append(b.data, s...)
}

// integer writes an INTEGER or ENUMERATED with a tag of the context.
func (b *berWriter) integer(number int, n int64) {
	b.tag(contextClass, number)
	size := 1
	for rest := n; rest > 127 || rest < -128; rest >>= 8 {
		size++
	}
	b.length(size)
	for size--; size >= 0; size-- {
		b.data = append(b.data, byte(n>>(8*size))) //nolint:gosec // G115: one octet of it
	}
}

// integerUnlessZero leaves out what is 0.
func (b *berWriter) integerUnlessZero(number int, n int64) {
	if n != 0 {
		b.integer(number, n)
	}
}

func (b *berWriter) truth(number int, yes bool) {
	if yes {
		b.tag(contextClass, number)
		b.data = append(b.data, 1, 0xff)
	}
}

func (b *berWriter) null(number int) {
	b.tag(contextClass, number)
	b.data = append(b.data, 0)
}

// time writes a TimeStamp of TS 32.298: local time in packed decimals with its offset. None is left out.
func (b *berWriter) time(number int, at time.Time, zone *time.Location) {
	if at.IsZero() {
		return
	}
	at = at.In(zone)
	b.tag(contextClass, number)
	b.length(9)
	_, offset := at.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	for _, n := range []int{at.Year() % 100, int(at.Month()), at.Day(), at.Hour(), at.Minute(), at.Second()} {
		b.data = append(b.data, packed(n))
	}
	b.data = append(b.data, sign, packed(offset/3600), packed(offset/60%60))
}

// packed writes two decimal digits in an octet.
func packed(n int) byte { return byte(n/10<<4 | n%10) } //nolint:gosec // G115: below 100
