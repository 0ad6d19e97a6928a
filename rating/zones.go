package rating

import "iter"

// Zones name destinations by their prefixes: +336 is france-mobile. A catalogue has one list of them, which all its plans
// price, each as it likes. They never change.
type Zones struct {
	names  []string
	trie   trie
	length int
}

// A ZonePrefix is the beginning of the numbers of a zone.
type ZonePrefix struct {
	Prefix string // in the form of [Numbering.Complete]: +336, or a short code
	Zone   string
}

// NewZones makes zones of a list in which no prefix comes twice.
func NewZones(list []ZonePrefix) *Zones {
	z := &Zones{length: len(list)}
	number := map[string]uint32{}
	entries := make([]entry, len(list))
	for i, p := range list {
		n, ok := number[p.Zone]
		if !ok {
			n = uint32(len(z.names)) //nolint:gosec // G115: a catalogue has no four billion zones
			number[p.Zone] = n
			z.names = append(z.names, p.Zone)
		}
		entries[i] = entry{p.Prefix, n}
	}
	z.trie = newTrie(entries)
	return z
}

// Names returns the zones, in the order in which they first came.
func (z *Zones) Names() []string { return z.names }

// Len returns the number of prefixes.
func (z *Zones) Len() int { return z.length }

// Bytes returns the memory that finding takes.
func (z *Zones) Bytes() int { return len(z.trie.nodes) * 12 }

// Find returns the zone of a number by its longest prefix, and that prefix.
func (z *Zones) Find(number string) (zone, prefix string, ok bool) {
	n, length, ok := z.find(number)
	if !ok {
		return "", "", false
	}
	return z.names[n], number[:length], true
}

func (z *Zones) find(number string) (n uint32, length int, ok bool) {
	if z == nil {
		return 0, 0, false
	}
	return z.trie.longest(number)
}

// All yields every prefix with its zone, in the order of prefixes.
func (z *Zones) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if z == nil {
			return
		}
		z.trie.all(func(prefix string, zone uint32) bool { return yield(prefix, z.names[zone]) })
	}
}
