package main

import (
	"math/bits"
	"time"
)

// A histogram counts durations in buckets that are 1/64 of their value wide or less, so that a quantile read from it is
// at most 1.6 % too high. The zero value is empty.
type histogram struct {
	counts [64 * 64]uint32
	total  uint64
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(uint64(max(d, 0)))]++
	h.total++
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// quantile returns the upper bound of the bucket in which the q-th of all durations lies, 0 when there is none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	var below uint64
	for i, n := range h.counts {
		below += uint64(n)
		if below > rank || below == h.total && n > 0 {
			return time.Duration(upperBound(i)) //nolint:gosec // G115: the bucket of a Duration
		}
	}
	return 0
}

// bucketOf returns the bucket of n: up to 63 each its own, above that the six digits below the first one select it.
func bucketOf(n uint64) int {
	shift := max(bits.Len64(n)-7, 0)
	return shift<<6 + int(n>>shift) //nolint:gosec // G115: n>>shift is below 128
}

func upperBound(bucket int) uint64 {
	if bucket < 128 {
		return uint64(bucket) //nolint:gosec // G115: not negative
	}
	shift := bucket>>6 - 1
	return (uint64(bucket&63|64)+1)<<shift - 1 //nolint:gosec // G115: not negative
}
