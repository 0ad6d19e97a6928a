package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsAreInOrder(t *testing.T) {
	t.Parallel()
	for _, n := range []uint64{0, 1, 63, 64, 127, 128, 129, 255, 256, 1_000_000, 1 << 40, math.MaxInt64} {
		b := bucketOf(n)
		upper := upperBound(b)
		if upper < n || float64(upper) > float64(n)*(1+1.0/64) {
			t.Errorf("%d is in bucket %d, which ends at %d", n, b, upper)
		}
		if b > 0 && upperBound(b-1) >= n {
			t.Errorf("%d is in bucket %d, but the one before ends at %d", n, b, upperBound(b-1))
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var h, half histogram
	var all []time.Duration
	for i := range 10_000 {
		d := time.Duration(random.ExpFloat64() * float64(time.Millisecond))
		all = append(all, d)
		if i%2 == 0 {
			h.add(d)
		} else {
			half.add(d)
		}
	}
	h.merge(&half)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.99, 0.999, 1} {
		exact := all[min(int(q*float64(len(all))), len(all)-1)]
		if got := h.quantile(q); got < exact || float64(got) > float64(exact)*(1+1.0/64)+1 {
			t.Errorf("quantile %v: %v, exactly %v", q, got, exact)
		}
	}
	var empty histogram
	if got := empty.quantile(0.5); got != 0 {
		t.Errorf("median of nothing: %v", got)
	}
}
