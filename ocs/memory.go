package ocs

import (
	"slices"
	"time"
)

// Memory is what a session remembers of its requests, so that each takes effect once, however often and in whatever
// order its copies arrive (§8.2, RFC 6733 appendix C). It never forgets that a request was seen. It keeps the last
// answers, a bounded number: a session that reports a hundred thousand times must not grow without end.
type Memory struct {
	Seen    []Span       // sorted by type, then number; no two touch
	Answers []Remembered // oldest first
}

// The bounds of what is kept. A call of four hours fits, with an update every minute; a client has one request in flight in
// a session (§5.7), so an answer that falls out was given long ago.
const (
	maxRemembered = 256  // answers
	maxServices   = 1024 // services in them
	maxSpans      = 512  // runs of numbers
)

// A Span is a run of request numbers of one type that were all seen.
type Span struct {
	Type        RequestType
	First, Last uint32
}

// Remembered is an answer that was given.
type Remembered struct {
	Type   RequestType
	Number uint32
	At     time.Time
	Answer Answer
}

// Recall returns the answer given to a request. When the request was seen and its answer is no longer kept, seen is
// true and kept is false.
func (m Memory) Recall(t RequestType, number uint32) (answer Answer, seen, kept bool) {
	if !m.has(t, number) {
		return Answer{}, false, false
	}
	for _, r := range slices.Backward(m.Answers) {
		if r.Type == t && r.Number == number {
			return r.Answer, true, true
		}
	}
	return Answer{}, true, false
}

func (m Memory) has(t RequestType, number uint32) bool {
	return slices.ContainsFunc(m.Seen, func(s Span) bool {
		return s.Type == t && s.First <= number && number <= s.Last
	})
}

// with returns m with one more answer. m itself stays as it is.
func (m Memory) with(r Remembered) Memory {
	answers := m.Answers
	services := len(r.Answer.Services)
	for _, a := range answers {
		services += len(a.Answer.Services)
	}
	for len(answers) > 0 && (len(answers) >= maxRemembered || services > maxServices) {
		services -= len(answers[0].Answer.Services)
		answers = answers[1:]
	}
	return Memory{
		Seen:    closeOldest(withNumber(m.Seen, r.Type, r.Number)),
		Answers: append(slices.Clip(answers), r),
	}
}

// closeOldest joins the two lowest spans of a type when there are too many: a client that counts all its sessions by one
// counter leaves a gap before every number, and what is hundreds of requests old does not come for the first time.
func closeOldest(seen []Span) []Span {
	if len(seen) <= maxSpans {
		return seen
	}
	for i := range len(seen) - 1 {
		if seen[i].Type == seen[i+1].Type {
			seen[i].Last = seen[i+1].Last
			return slices.Delete(seen, i+1, i+2)
		}
	}
	return seen
}

func withNumber(seen []Span, t RequestType, number uint32) []Span {
	at, _ := slices.BinarySearchFunc(seen, Span{Type: t, First: number}, func(a, b Span) int {
		if a.Type != b.Type {
			return int(a.Type) - int(b.Type)
		}
		return int(int64(a.First) - int64(b.First))
	})
	joinsBefore := at > 0 && seen[at-1].Type == t && uint64(seen[at-1].Last)+1 == uint64(number)
	joinsAfter := at < len(seen) && seen[at].Type == t && uint64(number)+1 == uint64(seen[at].First)
	seen = slices.Clone(seen)
	switch {
	case joinsBefore && joinsAfter:
		seen[at-1].Last = seen[at].Last
		return slices.Delete(seen, at, at+1)
	case joinsBefore:
		seen[at-1].Last = number
		return seen
	case joinsAfter:
		seen[at].First = number
		return seen
	}
	return slices.Insert(seen, at, Span{Type: t, First: number, Last: number})
}

// Missing returns the numbers between the lowest and the highest seen that never came, the first limit of them. Types
// share one count of numbers (§8.2).
func (m Memory) Missing(limit int) []uint32 {
	spans := slices.Clone(m.Seen)
	slices.SortFunc(spans, func(a, b Span) int { return int(int64(a.First) - int64(b.First)) })
	var missing []uint32
	for i := 1; i < len(spans); i++ {
		for n := uint64(spans[i-1].Last) + 1; n < uint64(spans[i].First) && len(missing) < limit; n++ {
			missing = append(missing, uint32(n)) //nolint:gosec // G115: below a uint32
		}
		spans[i].Last = max(spans[i].Last, spans[i-1].Last)
	}
	return missing
}
