package rating_test

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gyro-ocs/gyro/rating"
)

// The slow model tries every prefix.
func TestLongestPrefixAgainstTryingAll(t *testing.T) {
	t.Parallel()
	digits := rapid.StringMatching(`\+?[0-2*#]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		own := rapid.MapOf(digits, rapid.Just(true)).Draw(t, "own")
		zones := rapid.MapOf(digits, rapid.Just(true)).Draw(t, "zones")
		var list []rating.ZonePrefix
		for prefix := range zones {
			list = append(list, rating.ZonePrefix{Prefix: prefix, Zone: "zone " + prefix})
		}
		z := rating.NewZones(list)
		table := rating.NewTable(z)
		for i, name := range z.Names() {
			table.AddZones(rating.Tariff{Name: name}, i)
		}
		for prefix := range maps.Keys(own) {
			table.Add(rating.Tariff{Name: "own " + prefix}, prefix)
		}
		number := digits.Draw(t, "number") + digits.Draw(t, "rest")
		want := ""
		for length := range len(number) + 1 {
			switch prefix := number[:length]; {
			case own[prefix]:
				want = "own " + prefix
			case zones[prefix]:
				want = "zone " + prefix
			}
		}
		if got, ok := table.Prefixes().Longest(number); got.Name != want || ok != (want != "") {
			t.Fatalf("%q: got %q, want %q", number, got.Name, want)
		}
	})
}

// manyZones is a list as a carrier sells it: every country with its areas and networks.
func manyZones(n int) []rating.ZonePrefix {
	list := make([]rating.ZonePrefix, n)
	for i := range list {
		list[i] = rating.ZonePrefix{Prefix: fmt.Sprintf("+%d", 1_000_000+i*29), Zone: fmt.Sprintf("zone%d", i%1500)}
	}
	return list
}

const carrierPrefixes = 300_000

// Making a table of 300,000 prefixes, with the memory that it takes for good.
func BenchmarkZonesMake(b *testing.B) {
	list := manyZones(carrierPrefixes)
	var z *rating.Zones
	for b.Loop() {
		z = rating.NewZones(list)
	}
	b.ReportMetric(float64(z.Bytes())/carrierPrefixes, "B/prefix")
	runtime.KeepAlive(z)
}

// Finding a number among 300,000 prefixes.
func BenchmarkZonesFind(b *testing.B) {
	list := manyZones(carrierPrefixes)
	z := rating.NewZones(list)
	numbers := make([]string, 4096)
	for i := range numbers {
		numbers[i] = list[i*7919%len(list)].Prefix + strings.Repeat("5", 4)
	}
	i := 0
	for b.Loop() {
		_, prefix, _ := z.Find(numbers[i%len(numbers)])
		sink += rating.Units(len(prefix))
		i++
	}
}
