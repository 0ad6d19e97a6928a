package lifecycle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/scenariotest"
	"github.com/gyro-ocs/gyro/rating"
)

// "at" runs what is due at a time. The rest of the form is scenariotest's.
func TestScenarios(t *testing.T) {
	t.Parallel()
	scenariotest.Run(t, func() scenariotest.World {
		w := newWorld()
		return scenariotest.World{Command: w.command, Check: w.check}
	})
}

// command runs one line and returns what there is to tell.
func (w *world) command(t *testing.T, line string) string {
	t.Helper()
	fields := strings.Fields(line)
	args := map[string]string{}
	for _, word := range fields[1:] {
		if name, value, ok := strings.Cut(word, "="); ok {
			args[name] = value
		}
	}
	acted := func(o Outcome, err error) string {
		if err != nil {
			return fmt.Sprintf("refused: %v\n", err)
		}
		return w.apply(o) + w.describe()
	}
	switch fields[0] {
	case "zone":
		zone, err := time.LoadLocation(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		w.zone = zone
	case "language":
		w.language = fields[1]
	case "plan":
		w.parseTerms(t, fields[1], args)
	case "withdraw":
		delete(w.terms, fields[1])
	case "state":
		w.account.Subscriber.State = ocs.SubscriberState(fields[1])
	case "at":
		w.now = w.instant(t, fields[1])
		return acted(Advance(w.rules(), w.account, w.now), nil)
	case "now":
		w.now = w.instant(t, fields[1])
	case "begin":
		w.account.Subscriber.Plan = fields[1]
		c := NewContract("c", "s", fields[1], w.now)
		w.account.Contract = &c
		return acted(Advance(w.rules(), w.account, w.now), nil)
	case "give":
		expires := time.Time{}
		if to, ok := args["to"]; ok {
			expires = w.instant(t, to)
		}
		units, unit, _ := strings.Cut(fields[1], ":")
		w.give(args["class"], rating.Unit(unit), number(t, units), expires)
	case "use":
		w.use(w.bucket(fields[1]), number(t, fields[2]))
	case "hold":
		w.bucket(fields[1]).Reserved += number(t, fields[2])
	case "change":
		return acted(Change(w.rules(), w.account, fields[1], "c", fields[2] == "now", w.now))
	case "renew":
		return acted(Renew(w.rules(), w.account, w.now))
	case "cancel":
		return acted(Cancel(w.rules(), w.account, fields[1] == "now", w.now))
	default:
		t.Fatalf("no such command: %s", line)
	}
	return ""
}

func (w *world) instant(t *testing.T, text string) time.Time {
	t.Helper()
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, w.zone); err == nil {
			return at.UTC()
		}
	}
	t.Fatalf("no time: %s", text)
	return time.Time{}
}
