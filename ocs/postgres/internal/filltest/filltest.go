// Package filltest fills values for tests that must notice a field which was forgotten.
package filltest

import (
	"fmt"
	"reflect"
	"time"
)

// Fill gives every field below *value a value that is not zero and, as far as the type allows, its own. Times are whole
// microseconds in UTC, slices have two elements. Strings have characters that need care in SQL and in JSON.
func Fill(value any) {
	n := 0
	fill(reflect.ValueOf(value).Elem(), &n)
}

var timeType = reflect.TypeFor[time.Time]()

func fill(v reflect.Value, n *int) {
	*n++
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(time.Date(2026, 3, 1, 12, 0, *n%60, *n*1000, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n%100 + 1))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n%100 + 1)) //nolint:gosec // G115: small and positive
	case reflect.String:
		v.SetString(fmt.Sprintf(`s%d "\{},'<é€𝄞`, *n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	default:
		panic(fmt.Sprintf("filltest: cannot fill a %v", v.Type()))
	}
}
