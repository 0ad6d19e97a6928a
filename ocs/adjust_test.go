package ocs_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

var adjustedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// purseOf has a soon and a late bucket of seconds, one that has expired, and messages.
func purseOf() []ocs.Bucket {
	lot := func(id ocs.BucketID, unit rating.Unit, balance, reserved rating.Units, expires time.Duration) ocs.Bucket {
		return ocs.Bucket{ID: id, Subscriber: "anna", Unit: unit, Balance: balance, Reserved: reserved, ExpiresAt: adjustedAt.Add(expires)}
	}
	return []ocs.Bucket{
		lot("late", rating.Seconds, 600, 100, 48*time.Hour), lot("soon", rating.Seconds, 300, 0, time.Hour),
		lot("gone", rating.Seconds, 900, 50, 0), lot("sms", rating.Events, 20, 0, time.Hour),
	}
}

func balances(buckets []ocs.Bucket) map[ocs.BucketID][2]rating.Units {
	all := map[ocs.BucketID][2]rating.Units{}
	for _, b := range buckets {
		all[b.ID] = [2]rating.Units{b.Balance, b.Reserved}
	}
	return all
}

func legsSum(t *testing.T, legs []ocs.Posting) (of map[string]rating.Units) {
	t.Helper()
	of = map[string]rating.Units{}
	var sum rating.Units
	for i, l := range legs {
		if l.Leg != i || l.Subscriber != "anna" || !l.At.Equal(adjustedAt) {
			t.Errorf("leg %d is %+v", i, l)
		}
		of[l.Account] += l.Units
		sum += l.Units
	}
	if sum != 0 {
		t.Errorf("legs %+v sum to %d", legs, sum)
	}
	return of
}

func TestAdjust(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		bucket ocs.BucketID
		unit   rating.Unit
		units  rating.Units
		want   map[ocs.BucketID][2]rating.Units // nil: refused
	}{
		{"down in the order of use", "", rating.Seconds, -350, map[ocs.BucketID][2]rating.Units{"soon": {0, 0}, "late": {550, 100}}},
		{"down to what is reserved", "", rating.Seconds, -800, map[ocs.BucketID][2]rating.Units{"soon": {0, 0}, "late": {100, 100}}},
		{"a second more than is free", "", rating.Seconds, -801, nil},
		{"down of one bucket", "late", rating.Seconds, -500, map[ocs.BucketID][2]rating.Units{"late": {100, 100}}},
		{"one bucket does not cover it, another would", "soon", rating.Seconds, -301, nil},
		{"up of one bucket", "soon", rating.Seconds, 60, map[ocs.BucketID][2]rating.Units{"soon": {360, 0}}},
		{"up of none", "", rating.Seconds, 60, nil},
		{"an expired bucket", "gone", rating.Seconds, -1, nil},
		{"up of an expired bucket", "gone", rating.Seconds, 1, nil},
		{"a bucket of another unit", "sms", rating.Seconds, -1, nil},
		{"another unit", "", rating.Events, -20, map[ocs.BucketID][2]rating.Units{"sms": {0, 0}}},
	} {
		before := purseOf()
		changed, legs, ok := ocs.Adjust(before, ocs.Adjustment{
			Movement: "m", Subscriber: "anna", Bucket: test.bucket, Unit: test.unit, Units: test.units, Reason: "error",
		}, adjustedAt)
		if !slices.Equal(before, purseOf()) {
			t.Errorf("%s: the argument was modified", test.name)
		}
		if ok != (test.want != nil) {
			t.Errorf("%s: got %v %+v", test.name, ok, changed)
			continue
		}
		if !ok {
			continue
		}
		got := balances(changed)
		if len(got) != len(test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
		for id, want := range test.want {
			if got[id] != want {
				t.Errorf("%s: bucket %s is %v, want %v", test.name, id, got[id], want)
			}
		}
		if of := legsSum(t, legs); of["adjust"] != -test.units {
			t.Errorf("%s: account adjust gained %d, want %d", test.name, of["adjust"], -test.units)
		}
	}
}

func TestReserveReleaseSpend(t *testing.T) {
	t.Parallel()
	before := purseOf()
	changed, held, ok := ocs.Reserve(before, "", rating.Seconds, 350, adjustedAt)
	if !ok || !slices.Equal(held, []ocs.Hold{{Bucket: "soon", Units: 300}, {Bucket: "late", Units: 50}}) {
		t.Fatalf("got %v %v", ok, held)
	}
	if got := balances(changed); got["soon"] != [2]rating.Units{300, 300} || got["late"] != [2]rating.Units{600, 150} {
		t.Errorf("reserved: %v", got)
	}
	if _, held, ok := ocs.Reserve(before, "", rating.Seconds, 0, adjustedAt); !ok || held[0].Units+held[1].Units != 800 {
		t.Errorf("all that is free: %v %v, want 800", ok, held)
	}
	for _, units := range []rating.Units{801, 10_000} {
		if _, _, ok := ocs.Reserve(before, "", rating.Seconds, units, adjustedAt); ok {
			t.Errorf("%d were reserved of 800", units)
		}
	}
	if _, _, ok := ocs.Reserve(before, "gone", rating.Seconds, 0, adjustedAt); ok {
		t.Error("an expired bucket was reserved")
	}
	if !slices.Equal(before, purseOf()) {
		t.Error("the argument was modified")
	}
	released, ok := ocs.Release(changed, held)
	if got := balances(released); !ok || got["soon"] != [2]rating.Units{300, 0} || got["late"] != [2]rating.Units{600, 100} {
		t.Errorf("released: %v", got)
	}
	spent, legs, ok := ocs.Spend(changed, held, "m", "ticket", adjustedAt)
	if got := balances(spent); !ok || got["soon"] != [2]rating.Units{0, 0} || got["late"] != [2]rating.Units{550, 100} {
		t.Errorf("spent: %v", got)
	}
	if of := legsSum(t, legs); of["used"] != 350 || of["lot:soon"] != -300 {
		t.Errorf("legs of what was spent: %v", of)
	}
	if _, ok := ocs.Release(nil, held); ok {
		t.Error("what is not there was released")
	}
	if _, _, ok := ocs.Spend(changed, nil, "m", "", adjustedAt); ok {
		t.Error("nothing was spent, and that was fine")
	}
}

func TestGrantInto(t *testing.T) {
	t.Parallel()
	b, legs := ocs.GrantInto(purseOf()[0], ocs.Grant{Movement: "m", Subscriber: "anna", Units: 60, Offer: "shop"}, adjustedAt)
	if b.ID != "late" || b.Balance != 660 || b.Reserved != 100 {
		t.Errorf("bucket is %+v", b)
	}
	if of := legsSum(t, legs); of["lot:late"] != 60 || of["issue:shop"] != -60 {
		t.Errorf("legs are %v", of)
	}
}
