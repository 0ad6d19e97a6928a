package policy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

func TestDiffInWords(t *testing.T) {
	t.Parallel()
	usual := Default()
	changed, err := Parse("x.yaml", []byte(strings.NewReplacer(
		"enabled: true # false", "enabled: false # false",
		"most: 500min", "most: 300min",
		"count: 10, seconds: 1000min", "count: 5, seconds: 7500",
		"    - {name: to one, scope: pair, kinds: [p2p, gift], window: day/calendar, count: 5}\n", "",
		"{name: free}", "{name: small, bands: [{up_to: 10min}, {flat: 60, percent: 2.5}]}\n    - {name: free}",
		"ussd: {confirm: pin", "ussd: {confirm: yes-no",
		"bonus: {movable: false}", "bonus: {movable: true, max_hops: 3}",
		"sim_swap: 3d", "sim_swap: 36h",
		"lock: 24h", "lock: 1h",
	).Replace(string(shipped))))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`enabled: false, was true`,
		`kinds.agent.most: 300min, was 500min`,
		`kinds.gift.most: 300min, was 500min`,
		`kinds.p2p.most: 300min, was 500min`,
		`channels.ussd: confirm yes-no, interactive true, was confirm pin, interactive true`,
		`classes.bonus: movable true, max_hops 3, was movable false`,
		`limits "a day" of sender in day/calendar: count 5, seconds 125min, kinds p2p+gift, was count 10, seconds 1000min, kinds p2p+gift`,
		`limits "to one" of pair in day/calendar: removed, was count 5, kinds p2p+gift`,
		`order of fees: cash, small, free, was cash, free`,
		`cooling_off.sim_swap: 1d12h, was 3d`,
		`pin.lock: 1h, was 1d`,
		`stop: added, nothing`,
		`fees "small": added, bands [up_to 10min; flat 1min, percent 2.5]`,
	}
	if got := Diff(usual, changed); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if back := Diff(changed, usual); len(back) != len(want) {
		t.Errorf("backwards: %d changes, want %d: %v", len(back), len(want), back)
	}
	if same := Diff(usual, usual); len(same) != 0 {
		t.Errorf("of itself: %v", same)
	}
}

// Two policies that differ anywhere but in the name of the version differ in words: a change of any one value is told.
func TestDiffSeesEveryValue(t *testing.T) {
	t.Parallel()
	base := load(t, "testdata/good/everything.yaml")
	for _, path := range values(reflect.ValueOf(*base.rules), nil) {
		changed := load(t, "testdata/good/everything.yaml")
		name, ok := change(reflect.ValueOf(changed.rules).Elem(), path)
		if !ok || strings.Contains(name, "Window.") || strings.Contains(name, "FreeEvery.") { // see TestDiffSeesWindows
			continue
		}
		if len(Diff(base, changed)) == 0 {
			t.Errorf("no word of a change of %s", name)
		}
	}
}

// What windows are made of means something together only.
func TestDiffSeesWindows(t *testing.T) {
	t.Parallel()
	windows := []string{"day/calendar", "month/calendar", "week/calendar", "week/calendar, tz: Asia/Seoul", "1d/rolling", "7d/rolling"}
	for _, more := range []string{"limits: [{scope: pair, count: 1, window: WINDOW}]", "limits: [{name: x, scope: pair, count: 1, window: WINDOW}]"} {
		for i, a := range windows {
			for _, b := range windows[i+1:] {
				var policies [2]*Policy
				for n, window := range []string{a, b} {
					p, err := Parse("x.yaml", []byte(sample(strings.ReplaceAll(more, "WINDOW", window))))
					if err != nil {
						t.Fatal(err)
					}
					policies[n] = p
				}
				if got := Diff(policies[0], policies[1]); len(got) != 2 {
					t.Errorf("%s to %s: %v", a, b, got)
				}
			}
		}
	}
}

// values returns the paths to all values in v that are no containers: indices of fields, elements and sorted keys.
func values(v reflect.Value, path []int) (all [][]int) {
	switch {
	case v.Type() == reflect.TypeFor[*time.Location](), v.Type() == reflect.TypeFor[time.Time](), v.Type() == reflect.TypeFor[transfer.Condition]():
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			all = append(all, values(v.Field(i), append(slices.Clone(path), i))...)
		}
		return all
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			all = append(all, values(v.Index(i), append(slices.Clone(path), i))...)
		}
		return all
	case v.Kind() == reflect.Pointer:
		return values(v.Elem(), append(slices.Clone(path), 0))
	case v.Kind() == reflect.Map:
		for i, key := range sortedKeys(v) {
			all = append(all, values(v.MapIndex(key), append(slices.Clone(path), i))...)
		}
		return all
	}
	return [][]int{path}
}

func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}

// change changes the value at a path, and returns the names on the way. It cannot change the version, which is no rule.
func change(v reflect.Value, path []int) (name string, ok bool) {
	switch {
	case v.Type() == reflect.TypeFor[*time.Location]():
		v.Set(reflect.ValueOf(time.FixedZone("elsewhere", 3600)))
		return "zone", true
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(time.Hour)))
		return "time", true
	case v.Type() == reflect.TypeFor[transfer.Condition]():
		other, err := transfer.ParseCondition("amount > 1")
		if err != nil {
			panic(err)
		}
		v.Set(reflect.ValueOf(other))
		return "condition", true
	}
	switch v.Kind() {
	case reflect.Struct:
		field := v.Type().Field(path[0]).Name
		if v.Type() == reflect.TypeFor[transfer.Policy]() && field == "Version" {
			return field, false
		}
		name, ok = change(v.Field(path[0]), path[1:])
		return field + "." + name, ok
	case reflect.Slice:
		return change(v.Index(path[0]), path[1:])
	case reflect.Pointer:
		return change(v.Elem(), path[1:])
	case reflect.Map:
		key := sortedKeys(v)[path[0]]
		element := reflect.New(v.Type().Elem()).Elem()
		element.Set(v.MapIndex(key))
		name, ok = change(element, path[1:])
		v.SetMapIndex(key, element)
		return key.String() + "." + name, ok
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		n := v.Int() + 1
		if v.Type() == reflect.TypeFor[time.Duration]() {
			n = v.Int() + int64(time.Second)
		}
		v.SetInt(n)
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	default:
		panic("a policy has a " + v.Kind().String())
	}
	return "value", true
}
