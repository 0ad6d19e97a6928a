package ocs

import (
	"reflect"
	"testing"
	"time"
)

// Two values that differ in one field, whichever it is, are not equal. A field that Equal forgets would have an answer
// replayed wrong, or conditions of a call lost.
func TestEqualSeesEveryField(t *testing.T) {
	t.Parallel()
	everyField(t, Answer.Equal)
	everyField(t, ServiceAnswer.Equal)
	everyField(t, Conditions.Equal)
	everyField(t, FinalUnits.Equal)
	everyField(t, Extras.Equal)
	everyField(t, Announcement.Equal)
}

func everyField[T any](t *testing.T, equal func(a, b T) bool) {
	t.Helper()
	var unset T
	if !equal(unset, unset) {
		t.Errorf("%T: the zero value is not equal to itself", unset)
	}
	for i, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if field.Type == reflect.TypeFor[Notes]() {
			continue // the client is not told
		}
		var a, b T
		set(t, reflect.ValueOf(&a).Elem().Field(i))
		set(t, reflect.ValueOf(&b).Elem().Field(i))
		if !equal(a, b) {
			t.Errorf("%T: two that have the same %s are told to differ", a, field.Name)
		}
		if equal(a, unset) || equal(unset, a) {
			t.Errorf("%T: two that differ in %s are told to be equal", a, field.Name)
		}
	}
}

// set gives v a value that is not its zero value: the same each time, in memory of its own.
func set(t *testing.T, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(t, v.Index(0))
	case reflect.Struct:
		for _, field := range v.Fields() {
			set(t, field)
		}
	default:
		t.Fatalf("%s: teach this test to fill it", v.Type())
	}
}
