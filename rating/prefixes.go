package rating

import "iter"

// Prefixes finds the tariff with the longest prefix of a number, among the prefixes of a plan itself and those of the zones
// that it prices. Where both have the same prefix, the plan's own counts. The zero value has none.
type Prefixes struct {
	tariffs []Tariff
	own     trie    // to an index of tariffs
	zones   *Zones  // nil: the plan prices none
	ofZone  []int32 // of each zone: an index of tariffs, -1: it is not priced
}

// NewPrefixes returns the table of byPrefix. The empty prefix fits every number, also an unknown one.
func NewPrefixes(byPrefix map[string]Tariff) Prefixes {
	table := NewTable(nil)
	for prefix, t := range byPrefix {
		table.Add(t, prefix)
	}
	return table.Prefixes()
}

// A Table gathers what becomes [Prefixes].
type Table struct {
	tariffs []Tariff
	entries []entry
	zones   *Zones
	ofZone  []int32
}

// NewTable returns an empty table. zones may be nil.
func NewTable(zones *Zones) *Table {
	t := &Table{zones: zones}
	if zones != nil {
		t.ofZone = make([]int32, len(zones.names))
		for i := range t.ofZone {
			t.ofZone[i] = -1
		}
	}
	return t
}

// Add adds a tariff for prefixes, none of which was added before.
func (t *Table) Add(tariff Tariff, prefixes ...string) {
	for _, p := range prefixes {
		t.entries = append(t.entries, entry{p, uint32(len(t.tariffs))}) //nolint:gosec // G115: a catalogue has no four billion tariffs
	}
	t.tariffs = append(t.tariffs, tariff)
}

// AddZones adds a tariff for the zones of these indexes of [Zones.Names].
func (t *Table) AddZones(tariff Tariff, zones ...int) {
	for _, z := range zones {
		t.ofZone[z] = int32(len(t.tariffs)) //nolint:gosec // G115: a catalogue has no two billion tariffs
	}
	t.tariffs = append(t.tariffs, tariff)
}

// Prefixes returns what was gathered. The table must not be used any more.
func (t *Table) Prefixes() Prefixes {
	return Prefixes{tariffs: t.tariffs, own: newTrie(t.entries), zones: t.zones, ofZone: t.ofZone}
}

// Longest returns the tariff whose prefix is the longest one of number.
func (p Prefixes) Longest(number string) (Tariff, bool) {
	var r Rate
	ok := p.find(number, &r)
	return r.Tariff, ok
}

// find finds the tariff and tells what it was found by.
func (p *Prefixes) find(number string, found *Rate) bool {
	index, length, ok := p.own.longest(number)
	if p.zones != nil {
		zone, zoneLength, inZone := p.zones.find(number)
		if inZone && p.ofZone[zone] >= 0 && (!ok || zoneLength > length) {
			found.Tariff = p.tariffs[p.ofZone[zone]]
			found.Choice = Choice{By: ByZone, Prefix: number[:zoneLength], Zone: p.zones.names[zone]}
			return true
		}
	}
	if !ok {
		return false
	}
	found.Tariff, found.Choice = p.tariffs[index], Choice{By: ByPrefix, Prefix: number[:length]}
	return true
}

// All yields every prefix and zone that has a tariff: prefixes first, in their order, then zones.
func (p Prefixes) All() iter.Seq2[Choice, Tariff] {
	return func(yield func(Choice, Tariff) bool) {
		goOn := true
		p.own.all(func(prefix string, index uint32) bool {
			goOn = yield(Choice{By: ByPrefix, Prefix: prefix}, p.tariffs[index])
			return goOn
		})
		for zone, index := range p.ofZone {
			if goOn && index >= 0 {
				goOn = yield(Choice{By: ByZone, Zone: p.zones.names[zone]}, p.tariffs[index])
			}
		}
	}
}
