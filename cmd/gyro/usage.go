package main

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/rating"
)

func usageCommand(env *environment) *cobra.Command {
	var month string
	cmd := &cobra.Command{
		Use:     "usage WHO",
		Short:   "Draw what a subscriber used in a month, day by day",
		Long:    "Usage adds up the calls, messages and data of each day of a month, and draws a bar for each.\n\n" + whoisHelp,
		Example: "  gyro usage 4930123456\n  gyro usage 4930123456 --month 2026-10 --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			first, err := parseMonth(month, time.Now())
			if err != nil {
				return err
			}
			found, err := whois(cmd, env, args[0])
			if err != nil {
				return err
			}
			zone := localZone()
			query := url.Values{"zone": {zone.String()}}
			setTime(query, "from", first.In(zone))
			end := first.AddDate(0, 1, 0)
			setTime(query, "to", end)
			q := question{path: "/care/v1/subscribers/" + found[0].Subscriber.ID + "/usage", query: query, about: args[0]}
			return ask(cmd, env, q, func(u api.Usage) error { return env.showUsage(u, first, end) })
		},
	}
	cmd.Flags().StringVar(&month, "month", "", "the month, 2026-10 (default this one)")
	return watched(env, cmd)
}

// localZone is the zone of who reads, by a name that a server knows too; UTC where it has none.
func localZone() *time.Location {
	for _, name := range []string{os.Getenv("TZ"), time.Local.String()} {
		if zone, err := time.LoadLocation(strings.TrimPrefix(name, ":")); err == nil && name != "" && name != "Local" {
			return zone
		}
	}
	return time.UTC
}

// parseMonth returns the first instant of a month; empty: of the one of now.
func parseMonth(month string, now time.Time) (time.Time, error) {
	zone := localZone()
	if month == "" {
		now = now.In(zone)
		return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, zone), nil
	}
	first, err := time.ParseInLocation("2006-01", month, zone)
	if err != nil {
		return first, usagef("--month %q is no month; write it as 2026-10", month)
	}
	return first, nil
}

// showUsage draws a plot for each unit that was used.
func (env *environment) showUsage(u api.Usage, first, end time.Time) error {
	var measures []string
	for _, d := range u.Days {
		if !slices.Contains(measures, d.Measure) {
			measures = append(measures, d.Measure)
		}
	}
	if len(measures) == 0 {
		env.note("nothing was used in %s", first.Format("2006-01"))
		return nil
	}
	for _, measure := range measures {
		if err := env.plot(u, measure, first, end); err != nil {
			return err
		}
	}
	return nil
}

func (env *environment) plot(u api.Usage, measure string, first, end time.Time) error {
	used, calls := map[string]rating.Units{}, map[string]int{}
	var most, total rating.Units
	for _, d := range u.Days {
		if d.Measure == measure {
			used[d.Day] += d.Used
			calls[d.Day] += d.Calls
			total += d.Used
			most = max(most, used[d.Day])
		}
	}
	if _, err := fmt.Fprintf(env.stdout, "%s: %s used\n", first.Format("2006-01"), quantity(total, measure)); err != nil {
		return err
	}
	for day := first; day.Before(end); day = day.AddDate(0, 0, 1) {
		key := day.Format(time.DateOnly)
		line := fmt.Sprintf("%s %s │", day.Format("02"), day.Format("Mon"))
		if n := used[key]; n > 0 {
			line += fmt.Sprintf("%s %s, %d", strings.TrimRight(bar(n, 0, most, 40), "░"), short(n, measure), calls[key])
		}
		if _, err := fmt.Fprintln(env.stdout, line); err != nil {
			return err
		}
	}
	return nil
}
