package rating

import (
	"cmp"
	"math/bits"
	"slices"
)

// A trie finds the longest prefix of a number among many: 300,000 take some five megabytes, and one is found in as many
// steps as it has digits. It never changes. The zero value has none.
type trie struct{ nodes []trieNode }

// A trieNode is what one prefix leads to. Its children lie side by side, so that their first one and a bit for each symbol
// name them all.
type trieNode struct {
	first    uint32 // index of the first child
	value    uint32 // of the prefix that ends here, plus one; 0: none does
	children uint16 // a bit for each symbol that goes on
}

// An entry is a prefix and what it stands for.
type entry struct {
	prefix string
	value  uint32
}

// newTrie sorts entries, which must have no prefix twice, and makes a trie of them. A prefix with anything but digits, + * #
// would never be found and is left out.
func newTrie(entries []entry) trie {
	entries = slices.DeleteFunc(entries, func(e entry) bool {
		return slices.ContainsFunc([]byte(e.prefix), func(c byte) bool { return symbol(c) < 0 })
	})
	if len(entries) == 0 {
		return trie{}
	}
	slices.SortFunc(entries, compareEntries)
	type span struct{ low, high, depth int } // entries that share their first depth symbols
	t := trie{nodes: make([]trieNode, 1, len(entries)+len(entries)/4)}
	queue := []span{{0, len(entries), 0}}
	for at := 0; at < len(queue); at++ {
		s := queue[at]
		if len(entries[s.low].prefix) == s.depth {
			t.nodes[at].value = entries[s.low].value + 1
			s.low++
		}
		t.nodes[at].first = uint32(len(t.nodes)) //nolint:gosec // G115: a catalogue has no four billion prefixes
		for low := s.low; low < s.high; {
			c := entries[low].prefix[s.depth]
			high := low + 1
			for high < s.high && entries[high].prefix[s.depth] == c {
				high++
			}
			t.nodes[at].children |= 1 << symbol(c)
			t.nodes = append(t.nodes, trieNode{})
			queue = append(queue, span{low, high, s.depth + 1})
			low = high
		}
	}
	t.nodes = slices.Clip(t.nodes)
	return t
}

// compareEntries is the order of symbols, in which the children of a node lie.
func compareEntries(a, b entry) int {
	for i := range min(len(a.prefix), len(b.prefix)) {
		if c := cmp.Compare(symbol(a.prefix[i]), symbol(b.prefix[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.prefix), len(b.prefix))
}

// longest returns the value of the longest prefix of number, and how long that prefix is.
func (t trie) longest(number string) (value uint32, length int, ok bool) {
	if len(t.nodes) == 0 {
		return 0, 0, false
	}
	n := &t.nodes[0]
	for i := 0; ; i++ {
		if n.value != 0 {
			value, length, ok = n.value-1, i, true
		}
		if i == len(number) {
			return value, length, ok
		}
		s := symbol(number[i])
		if s < 0 || n.children>>s&1 == 0 {
			return value, length, ok
		}
		before := bits.OnesCount16(n.children & (1<<s - 1))
		n = &t.nodes[int(n.first)+before]
	}
}

// symbol numbers what numbers are made of; -1: it is no part of one.
func symbol(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c == '+':
		return 10
	case c == '*':
		return 11
	case c == '#':
		return 12
	}
	return -1
}

// all yields every prefix, in their order, and what it stands for.
func (t trie) all(yield func(prefix string, value uint32) bool) {
	if len(t.nodes) > 0 {
		t.below(0, nil, yield)
	}
}

func (t trie) below(node uint32, prefix []byte, yield func(string, uint32) bool) bool {
	n := &t.nodes[node]
	if n.value != 0 && !yield(string(prefix), n.value-1) {
		return false
	}
	child := n.first
	for s := range len(symbols) {
		if n.children>>s&1 == 0 {
			continue
		}
		if !t.below(child, append(prefix, symbols[s]), yield) {
			return false
		}
		child++
	}
	return true
}

// symbols are what symbol numbers.
const symbols = "0123456789+*#"
