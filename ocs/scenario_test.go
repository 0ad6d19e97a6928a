package ocs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/scenariotest"
	"github.com/gyro-ocs/gyro/rating"
)

// Scenarios are played in a world of subscribers, whose commands are below. The rest of the form is scenariotest's.
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
	words := strings.Fields(line)
	args := map[string]string{}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		args[name] = value
	}
	switch words[0] {
	case "bucket":
		w.bucketCommand(t, words[1], args)
		return ""
	case "state":
		s := w.subscriber(words[1])
		s.State = SubscriberState(words[2])
		w.subscribers[words[1]] = s
		return ""
	case "rules":
		w.rulesCommand(t, args)
		return ""
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(d)
		return ""
	case "supervise":
		return fmt.Sprintf("closed %d\n", w.supervise()) + w.describeBuckets()
	case "ccr":
		return w.ccrCommand(t, args)
	case "buckets":
		return w.describeBuckets()
	case "cdrs":
		var out strings.Builder
		for _, r := range w.records {
			out.WriteString(describeRecord(r))
		}
		return out.String()
	}
	t.Fatalf("no such command: %s", line)
	return ""
}

// rulesCommand changes which CDRs are written.
func (w *world) rulesCommand(t *testing.T, args map[string]string) {
	t.Helper()
	if zone, ok := args["zone"]; ok {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		w.rules.Records.Zone = location
	}
	if interval, ok := args["partial"]; ok {
		d, err := time.ParseDuration(interval)
		if err != nil {
			t.Fatal(err)
		}
		w.partial(d)
	}
	w.rules.Records.Refused = args["refused"] != ""
	w.rules.Records.NoUnanswered = args["unanswered"] == "no"
}

func (w *world) bucketCommand(t *testing.T, msisdn string, args map[string]string) {
	t.Helper()
	var expires time.Time
	if in, ok := args["expires"]; ok {
		d, err := time.ParseDuration(in)
		if err != nil {
			t.Fatal(err)
		}
		expires = w.now.Add(d)
	}
	for _, unit := range []rating.Unit{rating.Seconds, rating.Octets, rating.Events, "EUR"} {
		if n, ok := args[string(unit)]; ok {
			w.grant(msisdn, unit, rating.Units(number(t, n)), args["class"], int(number(t, or(args["priority"], "0"))), expires)
		}
	}
}

// ccrCommand sends a request. Reports and Service-Identifiers of one service are joined by +, recipients by &; several services
// by commas, - where one has none: rg=10,- sid=-,4+5 used=5,7 request=60,60. A report may tell its side of a change of tariff:
// used=5:before+7:after.
func (w *world) ccrCommand(t *testing.T, args map[string]string) string {
	t.Helper()
	msisdn := or(args["from"], "491700000001")
	w.subscriber(msisdn)
	types := map[string]RequestType{"initial": Initial, "update": Update, "termination": Termination, "event": Event}
	actions := map[string]Action{"": 0, "debit": DirectDebiting, "refund": RefundAccount, "check": CheckBalance, "price": PriceEnquiry}
	r := Request{
		Session: SessionKey{ID: args["session"]}, Type: types[args["type"]], Number: uint32(number(t, or(args["number"], "0"))),
		Action: actions[args["action"]], Context: Context{Name: or(args["context"], "32260") + "@3gpp.org"},
		Emergency: args["emergency"] != "",
	}
	if at, ok := args["at"]; ok {
		clock, err := time.Parse("15:04:05", at)
		if err != nil {
			t.Fatal(err)
		}
		r.EventTime = w.now.Truncate(24 * time.Hour).Add(clock.Sub(clock.Truncate(24 * time.Hour)))
	}
	if r.Type == 0 {
		t.Fatalf("no such type of request: %q", args["type"])
	}
	r.FreeRefund = args["free"] != ""
	if refund, ok := args["refund"]; ok {
		r.RefundOf, _ = ParseRefund(refund)
	}
	r.Conditions = conditions(args)
	r.Services, r.CommandLevel = services(t, w, args)
	seen := false
	if s, ok := w.sessions[w.subscriber(msisdn).ID][r.Session]; ok {
		_, seen, _ = s.Memory.Recall(r.Type, r.Number)
	}
	answer := w.send(msisdn, r)
	if !seen && r.Type != Event && w.taken(msisdn, r) {
		for _, s := range r.Services {
			for _, u := range s.Used {
				n, _ := u.measure(w.rules.Services[r.Context.Name].Measure)
				w.reported[r.Session] += n
			}
		}
	}
	return describe(answer) + w.describeBuckets()
}

// taken reports whether a session that was there took the usage of r.
func (w *world) taken(msisdn string, r Request) bool {
	s, ok := w.sessions[w.subscriber(msisdn).ID][r.Session]
	return ok && s.State != Refused && s.Cause != ByEvent
}

func conditions(args map[string]string) *Conditions {
	var c Conditions
	set := false
	for name, field := range map[string]*string{"called": &c.Called, "calling": &c.Calling, "dialled": &c.Dialled, "network": &c.Network} {
		if value, ok := args[name]; ok {
			*field, set = value, true
		}
	}
	if role, ok := args["role"]; ok {
		roles := map[string]rating.Direction{"originating": rating.Originating, "terminating": rating.Terminating, "forwarding": rating.Forwarding}
		c.Direction, c.RoleGiven, set = roles[role], true, true
	}
	if to, ok := args["to"]; ok {
		c.Recipients, set = strings.Split(to, "&"), true
	}
	if !set {
		return nil
	}
	return &c
}

func services(t *testing.T, w *world, args map[string]string) ([]ServiceRequest, bool) {
	t.Helper()
	split := func(name string) []string {
		if args[name] == "" {
			return nil
		}
		return strings.Split(args[name], ",")
	}
	groups, ids, used, requested, reasons := split("rg"), split("sid"), split("used"), split("request"), split("reason")
	unit := w.rules.Services[or(args["context"], "32260")+"@3gpp.org"].Measure
	var all []ServiceRequest
	for i := range max(len(groups), len(ids), len(used), len(requested), len(reasons)) {
		var s ServiceRequest
		if i < len(groups) && groups[i] != "-" {
			s.RatingGroup = new(uint32(number(t, groups[i])))
		}
		if i < len(ids) && ids[i] != "-" {
			for id := range strings.SplitSeq(ids[i], "+") {
				s.ServiceIDs = append(s.ServiceIDs, uint32(number(t, id)))
			}
		}
		if i < len(used) && used[i] != "-" {
			for part := range strings.SplitSeq(used[i], "+") {
				n, side, told := strings.Cut(part, ":")
				u := Used{Measured: measured(unit, uint64(number(t, n)))}
				if told {
					u.TariffChange = new(uint8(slices.Index([]string{"before", "after", "both"}, side)))
				}
				s.Used = append(s.Used, u)
			}
		}
		if i < len(requested) && requested[i] != "-" {
			m := Measured{}
			switch n, octets := strings.CutSuffix(requested[i], "octets"); {
			case octets:
				m = measured(rating.Octets, uint64(number(t, n)))
			case requested[i] != "any":
				m = measured(unit, uint64(number(t, requested[i])))
			}
			s.Requested = &m
		}
		if i < len(reasons) && reasons[i] != "-" {
			s.Reason = Reason(slices.Index([]string{"", "threshold", "qht", "final", "exhausted", "validity"}, reasons[i]))
		}
		all = append(all, s)
	}
	return all, args["level"] == "command"
}

func measured(unit rating.Unit, n uint64) Measured {
	switch unit {
	case rating.Seconds:
		return Measured{Time: &n}
	case rating.Octets:
		return Measured{TotalOctets: &n}
	default:
		return Measured{Specific: &n}
	}
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
