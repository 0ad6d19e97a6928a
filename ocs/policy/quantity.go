package policy

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// The units of times. A day is 24 hours, whatever the clocks do.
var units = []struct {
	name string
	unit time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// maxTime is the longest time that can be written, a little over a hundred years.
const maxTime = 100 * 366 * 24 * time.Hour

var timeForm = regexp.MustCompile(`^(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,12})s)?$`)

// parseTime reads a time such as 3d, 36h, 1d12h or 90s; 0 needs no unit.
func parseTime(text string) (d time.Duration, ok bool) {
	if text == "0" {
		return 0, true
	}
	found := timeForm.FindStringSubmatch(text)
	if found == nil || text == "" {
		return 0, false
	}
	for i, u := range units {
		if found[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(found[i+1], 10, 64)
		if err != nil || n > int64((maxTime-d)/u.unit) {
			return 0, false
		}
		d += time.Duration(n) * u.unit
	}
	return d, true
}

// sayTime writes a time as parseTime reads it.
func sayTime(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	var text strings.Builder
	for _, u := range units {
		if n := d / u.unit; n > 0 {
			text.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.unit
		}
	}
	return text.String()
}

func (v value) time() time.Duration {
	text, ok := v.Text()
	if !ok {
		return 0
	}
	d, ok := parseTime(text)
	if !ok {
		v.Faultf("%q is no time: write 3d, 36h, 90m, 30s or 1d12h, a hundred years at most", yamltext.Clip(text))
	}
	return d
}

// days reads a whole number of days.
func (v value) days() time.Duration { return time.Duration(v.Whole(0, 36600)) * 24 * time.Hour }

const minutes = "min"

// quantity reads a quantity of seconds: 7500, or 125min.
func (v value) quantity() rating.Units {
	text, ok := v.Text()
	if !ok {
		return 0
	}
	digits, isMinutes := strings.CutSuffix(text, minutes)
	n, ok := yamltext.ParseWhole(digits)
	if ok && isMinutes {
		if n > int64(transfer.MaxSeconds) {
			ok = false
		}
		n *= 60
	}
	if !ok || n > int64(transfer.MaxSeconds) {
		v.Faultf("%q is no quantity: write whole seconds, such as 7500, or minutes, such as 125min, up to %d seconds", yamltext.Clip(text), transfer.MaxSeconds)
		return 0
	}
	return rating.Units(n)
}

// sayQuantity writes a quantity as it is read.
func sayQuantity(n rating.Units) string {
	if n%60 == 0 && n != 0 {
		return strconv.FormatInt(int64(n/60), 10) + minutes
	}
	return strconv.FormatInt(int64(n), 10)
}

var percentForm = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,2}))?$`)

// percent reads a percentage with up to two decimals into basis points.
func (v value) percent() int64 {
	text, ok := v.Text()
	if !ok {
		return 0
	}
	found := percentForm.FindStringSubmatch(text)
	if found == nil {
		v.Faultf("%q is no percentage: write 0 to 100, with two decimals at most", yamltext.Clip(text))
		return 0
	}
	points, _ := strconv.ParseInt(found[1]+(found[2] + "00")[:2], 10, 64)
	if points > 10_000 {
		v.Faultf("%q is more than 100 percent", yamltext.Clip(text))
		return 0
	}
	return points
}

// sayPercent writes basis points as they are read.
func sayPercent(points int64) string {
	text := strconv.FormatInt(points/100, 10)
	if points%100 != 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(100+points%100, 10)[1:], "0")
	}
	return text
}

// The suffixes of windows.
const (
	calendar = "/calendar"
	rolling  = "/rolling"
)

// window reads a window such as day/calendar or 30d/rolling.
func (v value) window() (w transfer.Window) {
	text, ok := v.Text()
	if !ok {
		return w
	}
	period, isCalendar := strings.CutSuffix(text, calendar)
	length, isRolling := strings.CutSuffix(text, rolling)
	switch {
	case isCalendar && (period == "day" || period == "week" || period == "month"):
		return transfer.Window{Period: transfer.Period(period)}
	case isRolling:
		if d, ok := parseTime(length); ok && d > 0 {
			return transfer.Window{Period: transfer.Rolling, Length: d}
		}
	}
	v.Faultf("%q is no window: write day/calendar, week/calendar, month/calendar or 30d/rolling", yamltext.Clip(text))
	return transfer.Window{Period: transfer.Day}
}

// sayWindow writes a window as it is read.
func sayWindow(w transfer.Window) string {
	if w.Period == transfer.Rolling {
		return sayTime(w.Length) + rolling
	}
	text := string(w.Period) + calendar
	if w.Zone != nil {
		text += " " + w.Zone.String()
	}
	return text
}

// zone reads the name of a time zone. UTC is nil, as in a policy that names none.
func (v value) zone() *time.Location {
	text, ok := v.Text()
	if !ok {
		return nil
	}
	switch text {
	case "UTC", "Etc/UTC":
		return nil
	case "", "Local": // what this machine has is no rule
		v.Faultf("%q is no time zone: write a name of the tz database, such as Etc/UTC or Africa/Nairobi", text)
		return nil
	}
	zone, err := time.LoadLocation(text)
	if err != nil {
		v.Faultf("%q is no time zone: write a name of the tz database, such as Etc/UTC or Africa/Nairobi", yamltext.Clip(text))
		return nil
	}
	return zone
}

// instant reads a time of the calendar with its zone.
func (v value) instant() time.Time {
	text, ok := v.Text()
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		v.Faultf("%q is no time: write 2024-05-01T12:00:00Z", yamltext.Clip(text))
		return time.Time{}
	}
	return t.UTC()
}
