package cdr

import (
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
)

// A timeFormat writes instants: a layout of package time, or seconds since 1970.
type timeFormat struct {
	layout string
	unix   int64 // nanoseconds of the unit to count in; 0: layout
}

// timeTokens are the words of a format, as people write it. The longer ones of a letter come first.
var timeTokens = strings.NewReplacer(
	"YYYY", "2006", "MM", "01", "DD", "02", "hh", "15", "mm", "04", "ss", "05", "ffffff", "000000", "fff", "000", "zzz", "-0700", "zz", "Z07:00",
)

func readTimeFormat(v yamltext.Value) timeFormat {
	text, _ := v.Text()
	switch text {
	case "rfc3339":
		return timeFormat{layout: time.RFC3339Nano}
	case "unix":
		return timeFormat{unix: int64(time.Second)}
	case "unix_ms":
		return timeFormat{unix: int64(time.Millisecond)}
	}
	layout := timeTokens.Replace(text)
	if layout == text || strings.ContainsAny(strings.NewReplacer("Z07:00", "").Replace(layout), "YMDhsfz") {
		v.Faultf("%q is no format of times: write rfc3339, unix, unix_ms, or such as YYYY-MM-DD hh:mm:ss, with fff for milliseconds "+
			"and zz or zzz for the offset", yamltext.Clip(text))
	}
	return timeFormat{layout: layout}
}

func (f timeFormat) append(to []byte, at time.Time, zone *time.Location) []byte {
	if f.unix != 0 {
		return strconv.AppendInt(to, at.UnixNano()/f.unix, 10)
	}
	return at.In(zone).AppendFormat(to, f.layout)
}
