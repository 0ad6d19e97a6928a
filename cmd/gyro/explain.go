package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/rating"
)

const whoisHelp = `WHO is any name at hand: a number, imsi-262010000000001, a SIP URI, the reference of a transfer such as 7K3M-9QTA-5, the
Session-Id of a call of the last two days, or the id of the subscriber.`

func explainCommand(env *environment) *cobra.Command {
	var lines int
	var from, to, unit string
	cmd := &cobra.Command{
		Use:   "explain WHO",
		Short: "Tell a subscriber's balance, where it came from and went, and why each call cost what it did",
		Long: `Explain answers "why was I charged" and "where did my minutes go": who it is, what is in the buckets, and every change of
the balance, newest first: calls with their tariff, increments and the buckets they took from, transfers with the other side
and the fee, grants, corrections and expiries, each with the balance after it. The newest line ends at the balance that is
shown, to the unit.

` + whoisHelp,
		Example: "  gyro explain 4930123456\n  gyro explain 7K3M-9QTA-5 --from 2026-10-01 --to 2026-11-01 --lines 500\n  gyro explain 4930123456 --json | jq '.lines[0]'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lines < 1 {
				return usagef("--lines %d is less than 1", lines)
			}
			first, end, err := parsePeriod(from, to, time.Local)
			if err != nil {
				return err
			}
			found, err := whois(cmd, env, args[0])
			if err != nil {
				return err
			}
			told := make([]api.Statement, 0, len(found))
			for _, match := range found {
				statement, err := readStatement(cmd, env, match.Subscriber.ID, first, end, lines)
				if err != nil {
					return about(args[0], err)
				}
				told = append(told, statement)
			}
			if env.json {
				if len(told) == 1 {
					return env.printJSON(told[0])
				}
				return env.printJSON(told)
			}
			for i, statement := range told {
				if i > 0 {
					_, _ = fmt.Fprintln(env.stdout)
				}
				if err := env.showStatement(statement, found[i].By, unit); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&lines, "lines", 30, "how many changes to tell, newest first")
	cmd.Flags().StringVar(&from, "from", "", "changes on this day or later, 2026-03-01, or from this instant")
	cmd.Flags().StringVar(&to, "to", "", "changes before this day, 2026-04-01, or before this instant")
	cmd.Flags().StringVar(&unit, "unit", "", "only of this unit: seconds, octets, events or a currency (default all)")
	return watched(env, cmd)
}

func whois(cmd *cobra.Command, env *environment, name string) ([]api.Match, error) {
	found, err := answerTo[api.Whois](cmd, env, question{path: "/care/v1/whois", query: url.Values{"name": {name}}, about: name})
	return found.Matches, err
}

// readStatement reads the newest changes of a period, page by page, into one statement.
func readStatement(cmd *cobra.Command, env *environment, id string, from, to time.Time, lines int) (whole api.Statement, err error) {
	const mostAtOnce = 500
	query := url.Values{}
	setTime(query, "from", from)
	setTime(query, "to", to)
	for n := 0; ; n++ {
		query.Set("limit", strconv.Itoa(min(mostAtOnce, lines-len(whole.Lines))))
		page, err := answerTo[api.Statement](cmd, env, question{path: "/care/v1/subscribers/" + id + "/statement", query: query})
		if err != nil {
			return whole, err
		}
		if n == 0 {
			whole = page
		} else {
			whole.Lines, whole.Next = append(whole.Lines, page.Lines...), page.Next
			for _, call := range page.Calls { // one may go on from the page before
				if !slices.ContainsFunc(whole.Calls, func(c api.ExplainedCall) bool {
					return c.SessionID == call.SessionID && c.SubSession == call.SubSession
				}) {
					whole.Calls = append(whole.Calls, call)
				}
			}
		}
		if page.Next == "" || len(whole.Lines) >= lines {
			return whole, nil
		}
		query.Set("to", page.Next)
	}
}

func (env *environment) showStatement(s api.Statement, by, unit string) error {
	who := fmt.Sprintf("%s  %s, plan %s, since %s", s.Subscriber.MSISDN, s.Subscriber.State, s.Subscriber.Plan, instant(s.Subscriber.CreatedAt))
	if by == "sender" || by == "receiver" {
		who += ", the " + by
	}
	if _, err := fmt.Fprintln(env.stdout, printable(who)); err != nil {
		return err
	}
	for _, b := range s.Balances {
		line := "Balance  " + quantity(b.Balance, b.Unit)
		if b.Reserved > 0 {
			line += ", of which calls hold " + quantity(b.Reserved, b.Unit)
		}
		if _, err := fmt.Fprintln(env.stdout, line); err != nil {
			return err
		}
	}
	if err := env.showBars(s.Buckets); err != nil {
		return err
	}
	return env.showLines(s, unit)
}

// showBars draws what buckets hold, beside the fullest of their unit.
func (env *environment) showBars(buckets []api.Bucket) error {
	if len(buckets) == 0 {
		return nil
	}
	most := map[string]rating.Units{}
	for _, b := range buckets {
		most[b.Unit] = max(most[b.Unit], b.Balance)
	}
	t := newTable(env.stdout)
	t.gap()
	t.row("BUCKET", "CLASS", "HOLDS", " ", "EXPIRES")
	for _, b := range buckets {
		expires := optionalInstant(b.ExpiresAt, "never")
		if b.Expired {
			expires += " (expired)"
		}
		t.row(shortBucket(b.ID), b.Class, short(b.Balance, b.Unit), bar(b.Balance, b.Reserved, most[b.Unit], 20), expires)
	}
	return t.flush()
}

// shortBucket is the end of a bucket's id: ids of buckets that were made together begin alike.
func shortBucket(id string) string { return id[max(0, len(id)-8):] }

// short writes n of unit in few characters.
func short(n rating.Units, unit string) string {
	if unit == string(rating.Seconds) {
		return minutes(n)
	}
	return fmt.Sprintf("%d %s", n, unit)
}

func signed(n rating.Units, unit string) string {
	if n > 0 {
		return "+" + short(n, unit)
	}
	return short(n, unit)
}

// showLines prints the changes. What lies beside each other of one call is one change.
func (env *environment) showLines(s api.Statement, unit string) error {
	const head = "%-19s  %10s  %10s  %s\n"
	room := env.width() - 19 - 2 - 10 - 2 - 10 - 2
	if _, err := fmt.Fprintf(env.stdout, "\n"+head, "WHEN", "CHANGE", "BALANCE", "WHAT"); err != nil {
		return err
	}
	for _, l := range joinUses(s.Lines) {
		if unit != "" && l.Unit != unit {
			continue
		}
		what, why := whatChanged(l, s)
		for i, line := range wrapped(what, room) {
			when, change, balance := instant(l.At), signed(l.Change, l.Unit), short(l.Balance, l.Unit)
			if i > 0 {
				when, change, balance = "", "", ""
			}
			if _, err := fmt.Fprintf(env.stdout, head, when, change, balance, printable(line)); err != nil {
				return err
			}
		}
		for _, reason := range why {
			for _, line := range wrapped(reason, room-2) {
				if _, err := fmt.Fprintf(env.stdout, head, "", "", "", "  "+printable(line)); err != nil {
					return err
				}
			}
		}
	}
	if s.Next != "" {
		env.note("there are older changes: raise --lines, or give --to %s", s.Next)
	}
	return nil
}

// joinUses makes one line of the reports of a call between which nothing else happened. Lines are newest first.
func joinUses(lines []api.StatementLine) (joined []api.StatementLine) {
	for _, l := range lines {
		n := len(joined)
		if n == 0 || l.Kind != "use" || joined[n-1].Kind != "use" || joined[n-1].SessionID != l.SessionID ||
			joined[n-1].SubSession != l.SubSession || joined[n-1].Unit != l.Unit {
			l.Parts = slices.Clone(l.Parts)
			joined = append(joined, l)
			continue
		}
		last := &joined[n-1]
		last.Change += l.Change
		last.Used += l.Used
		last.Overrun += l.Overrun
		for _, p := range l.Parts {
			i := slices.IndexFunc(last.Parts, func(q api.Hold) bool { return q.Bucket == p.Bucket })
			if i < 0 {
				last.Parts = append(last.Parts, p)
				continue
			}
			last.Parts[i].Units += p.Units
		}
	}
	return joined
}

// whatChanged tells a change in words, and why it came to that.
func whatChanged(l api.StatementLine, s api.Statement) (what string, why []string) {
	other, reason := l.MSISDN, l.Reason
	if other == "" {
		other = "somebody"
	}
	switch l.Kind {
	case "use":
		return whatUsed(l, s)
	case "transfer":
		what = "sent to " + other
		if l.Change > 0 {
			what = "received from " + other
		}
		what += ", " + l.Reference
		if l.Fee > 0 {
			why = append(why, fmt.Sprintf("%s, and %s as the fee", short(-l.Change-l.Fee, l.Unit), short(l.Fee, l.Unit)))
		}
		return what, append(why, "gyro transfer explain "+l.Reference+" tells every rule")
	case "reversal":
		what = "taken back by " + other
		if l.Change > 0 {
			what = "given back by " + other
		}
		return what + ", " + l.Reference, []string{reason}
	case "expiry":
		return "expired", bucketsOf(l, s)
	case "grant":
		what = "granted"
	case "adjust":
		what = "corrected"
	case "refund":
		what = "refunded"
	case "reserve":
		what = "spent what was reserved"
	case "sale":
		what = "a period of the plan"
	case "rollover":
		what = "went on into the next period"
	default:
		what = l.Kind
	}
	if reason != "" {
		what += ": " + reason
	}
	return what, nil
}

func whatUsed(l api.StatementLine, s api.Statement) (what string, why []string) {
	i := slices.IndexFunc(s.Calls, func(c api.ExplainedCall) bool { return c.SessionID == l.SessionID && c.SubSession == l.SubSession })
	if i < 0 {
		return "used " + short(l.Used, l.Measure), bucketsOf(l, s)
	}
	call := s.Calls[i]
	what = "used " + short(l.Used, l.Measure)
	if l.Measure == string(rating.Seconds) {
		what = "call"
		if call.OtherParty != "" {
			what += map[bool]string{true: " from ", false: " to "}[call.Direction == "terminating"] + call.OtherParty
		}
		what += ", " + minutes(l.Used) + " min"
	}
	switch call.State {
	case "open":
		what += ", goes on"
	case "", "termination", "event":
	default:
		what += ", ended by " + call.State
	}
	for _, segment := range call.Segments {
		if segment.Tariff != "" && segment.Unit == l.Unit {
			why = append(why, segment.Why)
		}
	}
	if total := callTotal(call, l.Unit); total != -l.Change {
		why = append(why, fmt.Sprintf("the whole call took %s", short(total, l.Unit)))
	}
	return what, append(why, bucketsOf(l, s)...)
}

func callTotal(call api.ExplainedCall, unit string) (total rating.Units) {
	for _, segment := range call.Segments {
		if segment.Unit == unit {
			total += segment.Charged
		}
	}
	return total
}

// bucketsOf tells of which buckets a change is.
func bucketsOf(l api.StatementLine, s api.Statement) []string {
	var told []string
	for _, p := range l.Parts {
		name := shortBucket(p.Bucket)
		if i := slices.IndexFunc(s.Buckets, func(b api.Bucket) bool { return b.ID == p.Bucket }); i >= 0 {
			name = s.Buckets[i].Class + " " + name
		}
		told = append(told, fmt.Sprintf("%s from bucket %s", short(max(p.Units, -p.Units), l.Unit), name))
	}
	if len(told) == 0 {
		return nil
	}
	return []string{strings.Join(told, ", ")}
}
