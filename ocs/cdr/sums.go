package cdr

import "maps"

// Sums are what the records of a file or of a month come to, by unit.
type Sums struct {
	Records int64            `json:"records"`
	Kinds   map[string]int64 `json:"kinds"`   // records of each kind
	Used    map[string]int64 `json:"used"`    // reported, by what it is measured in
	Charged map[string]int64 `json:"charged"` // taken from buckets by calls and events
	Overrun map[string]int64 `json:"overrun"` // due and not covered
	Posted  map[string]int64 `json:"posted"`  // what subscribers gained otherwise, less what they lost
}

func newSums() Sums {
	return Sums{
		Kinds: map[string]int64{}, Used: map[string]int64{}, Charged: map[string]int64{}, Overrun: map[string]int64{},
		Posted: map[string]int64{},
	}
}

func (s *Sums) add(r *Row) {
	s.Records++
	s.Kinds[r.Kind]++
	if r.Unit != "" {
		s.Posted[r.Unit] += r.Units
		return
	}
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.Measure != "" {
			s.Used[l.Measure] += l.Used
		}
		if l.Unit != "" {
			s.Charged[l.Unit] += l.Charged
			s.Overrun[l.Unit] += l.Overrun
		}
	}
}

// plus returns the sums of both.
func (s Sums) plus(other Sums) Sums {
	both := Sums{
		Records: s.Records + other.Records, Kinds: maps.Clone(s.Kinds), Used: maps.Clone(s.Used), Charged: maps.Clone(s.Charged),
		Overrun: maps.Clone(s.Overrun), Posted: maps.Clone(s.Posted),
	}
	for _, pair := range []struct{ to, from map[string]int64 }{
		{both.Kinds, other.Kinds}, {both.Used, other.Used}, {both.Charged, other.Charged}, {both.Overrun, other.Overrun},
		{both.Posted, other.Posted},
	} {
		for unit, n := range pair.from {
			pair.to[unit] += n
		}
	}
	return both
}
