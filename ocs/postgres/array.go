package postgres

import (
	"strconv"
	"time"
)

// An array is a list of values in the text form of a Postgres array, which lib/pq passes on as it is. It is made for
// batches: one allocation for a column and not one for every value.
type array struct{ text []byte }

func (a *array) next() {
	if len(a.text) == 0 {
		a.text = append(a.text, '{')
	} else {
		a.text = append(a.text, ',')
	}
}

// value is what is bound to a parameter.
func (a *array) value() []byte {
	if len(a.text) == 0 {
		return []byte("{}")
	}
	return append(a.text, '}')
}

func (a *array) integer(n int64) {
	a.next()
	a.text = strconv.AppendInt(a.text, n, 10)
}

// integerOrNull takes an Unsigned32 that may be absent.
func (a *array) integerOrNull(n *uint32) {
	if n == nil {
		a.null()
		return
	}
	a.integer(int64(*n))
}

func (a *array) boolean(b bool) {
	a.next()
	a.text = append(a.text, "ft"[btoi(b)])
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (a *array) null() {
	a.next()
	a.text = append(a.text, "NULL"...)
}

// string takes any text. It is quoted always, so that NULL, braces and commas are themselves.
func (a *array) string(s string) {
	a.next()
	a.text = appendQuoted(a.text, s)
}

func appendQuoted[Text string | []byte](to []byte, s Text) []byte {
	to = append(to, '"')
	begin := 0
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			to = append(to, s[begin:i]...)
			to = append(to, '\\')
			begin = i
		}
	}
	to = append(to, s[begin:]...)
	return append(to, '"')
}

// stringOrNull takes the empty string for null.
func (a *array) stringOrNull(s string) {
	if s == "" {
		a.null()
		return
	}
	a.string(s)
}

// time takes an instant, the zero one for null.
func (a *array) time(t time.Time) {
	if t.IsZero() {
		a.null()
		return
	}
	a.next()
	a.text = append(a.text, '"')
	a.text = stored(t).AppendFormat(a.text, "2006-01-02 15:04:05.999999Z07:00")
	a.text = append(a.text, '"')
}

// stored returns t as the database keeps it: in whole microseconds, cut and not rounded, so that what is read back is
// never later than what was meant.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
