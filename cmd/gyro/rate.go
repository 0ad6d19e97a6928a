package main

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func rateCommand(env *environment) *cobra.Command {
	return group("rate", "Explain what calls cost", rateExplainCommand(env))
}

func rateExplainCommand(env *environment) *cobra.Command {
	var from, to, at, plan, kind, direction, network, cdr, sub string
	var seconds, units, ratingGroup int64
	cmd := &cobra.Command{
		Use:   "explain (--from MSISDN | --plan PLAN) --to NUMBER --at TIME --seconds N | --cdr SESSION",
		Short: "Tell rule by rule what a call would cost, or why one was charged what it was",
		Long: `Explain tells which tariff a call finds and by what rule, how its seconds are counted, where the clock or another payer divides
it, and which buckets would pay. Nothing is charged. It goes by the catalogue in force and the buckets as they are now.

With --cdr it takes a session that was charged, by its id as gyro cdr list tells it, and charges every rated event again by the
version of the catalogue that the event names: it says for each whether that is what was charged, to the second.`,
		Example: `  gyro rate explain --from 4930123456 --to +33123456 --at 2026-03-02T19:59:30+01:00 --seconds 90
  gyro rate explain --plan prepaid --to 0900123 --seconds 60
  gyro rate explain --cdr 'tas1.example.net;1876543210;1'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if cdr != "" {
				query.Set("session_id", cdr)
				query.Set("sub_session", sub)
				if err := setSubscriber(query, from); err != nil {
					return err
				}
				return env.explainSession(cmd, query)
			}
			if from == "" && plan == "" {
				return usagef("--from MSISDN or --plan PLAN is needed, or --cdr SESSION")
			}
			query.Set("kind", kind)
			query.Set("direction", direction)
			query.Set("to", to)
			query.Set("units", strconv.FormatInt(max(seconds, units), 10))
			for name, value := range map[string]string{"from": from, "plan": plan, "network": network} {
				if value != "" {
					query.Set(name, value)
				}
			}
			if ratingGroup >= 0 {
				query.Set("rating_group", strconv.FormatInt(ratingGroup, 10))
			}
			if at != "" {
				instant, err := parseMoment(at)
				if err != nil {
					return err
				}
				setTime(query, "at", instant)
			}
			return env.explainRate(cmd, query)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "from", "", "MSISDN of the subscriber, whose plan and buckets count; with --cdr for a call of long ago")
	flags.StringVar(&plan, "plan", "", "plan, instead of the subscriber's")
	flags.StringVar(&to, "to", "", "number of the other party, as it is dialled")
	flags.StringVar(&at, "at", "", "when it begins: 2026-03-02T19:59:30+01:00, or without zone in that of this machine (default now)")
	flags.Int64Var(&seconds, "seconds", 0, "seconds of voice")
	flags.Int64Var(&units, "units", 0, "octets of data or messages, instead of --seconds")
	flags.StringVar(&kind, "kind", "voice", "voice, data or message")
	flags.StringVar(&direction, "direction", "originating", "originating, terminating or forwarding")
	flags.StringVar(&network, "network", "", "serving network, MCC and MNC such as 20801 (default home)")
	flags.Int64Var(&ratingGroup, "rating-group", -1, "rating group of data (default none)")
	flags.StringVar(&cdr, "cdr", "", "session that was charged, as gyro cdr list tells it")
	flags.StringVar(&sub, "sub-session", "", "sub-session of --cdr, where it has one")
	cmd.MarkFlagsMutuallyExclusive("seconds", "units")
	cmd.MarkFlagsMutuallyExclusive("cdr", "to")
	return cmd
}

// parseMoment reads an instant, in the zone of this machine unless it names one.
func parseMoment(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("--at: %q is no time such as 2026-03-02T19:59:30+01:00", text)
}

func (env *environment) explainRate(cmd *cobra.Command, query url.Values) error {
	if query.Get("units") == "0" {
		return usagef("--seconds N is needed, or --units N")
	}
	c, err := env.client()
	if err != nil {
		return err
	}
	var told api.RateExplanation
	if err := c.get(cmd.Context(), "/care/v1/rate", query, &told); err != nil {
		return err
	}
	if env.json {
		return env.printJSON(told)
	}
	return env.printLines(told.Lines)
}

func (env *environment) explainSession(cmd *cobra.Command, query url.Values) error {
	c, err := env.client()
	if err != nil {
		return err
	}
	var told api.SessionExplanation
	if err := c.get(cmd.Context(), "/care/v1/session/explanation", query, &told); err != nil {
		return err
	}
	if env.json {
		return env.printJSON(told)
	}
	return env.printLines(told.Lines)
}

func (env *environment) printLines(lines []string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(env.stdout, printable(line)); err != nil {
			return err
		}
	}
	return nil
}
