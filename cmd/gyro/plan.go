package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/rating"
)

func planCommand(env *environment) *cobra.Command {
	return group("plan", "Change, renew and cancel the plans of subscribers",
		planChangeCommand(env), planRenewCommand(env), planCancelCommand(env))
}

func subscriberPlanCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "plan MSISDN",
		Short: "Show a subscriber's plan, its terms, and when it is renewed",
		Long: `Plan prints what a subscriber's plan promises for each period and what that costs, how much of the running period is
used, and when it is renewed or ends. A plan without terms only says what calls cost: it is not renewed and does not end.

` + whoHelp,
		Example: "  gyro subscriber plan 4930123456\n  gyro subscriber plan 4930123456 --json | jq .contract.ends_at",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			return ask(cmd, env, question{path: path + "/plan", about: args[0]}, env.showPlan)
		},
	}
}

func planChangeCommand(env *environment) *cobra.Command {
	var body api.PlanChange
	cmd := &cobra.Command{
		Use:   "change MSISDN --plan NAME --reason TEXT [--now]",
		Short: "Give a subscriber another plan, when the period ends or at once",
		Long: `Change gives a subscriber another plan when the running period ends, so that what is paid is used up first. Changing to the
plan that he has takes a change back that was to come.

With --now the new plan is paid and begins at once. What is left of the old period expires, or goes on where the new plan lets it
roll over; if the old plan is prorated, what was paid for the days after today is given back. When the money does not cover the
new plan, nothing is changed. A plan that does not run, or has no terms, is changed at once in any case.

` + whoHelp,
		Example: "  gyro plan change 4930123456 --plan minutes-200 --reason 'asked for it on the phone'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if body.Plan == "" {
				return usagef("--plan NAME is needed")
			}
			return actOnPlan(cmd, env, args[0], "change", body.Reason, body)
		},
	}
	cmd.Flags().StringVar(&body.Plan, "plan", "", "name of a plan in the catalogue")
	cmd.Flags().BoolVar(&body.Now, "now", false, "at once, and not when the period ends")
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	completePlans(env, cmd)
	return cmd
}

func planRenewCommand(env *environment) *cobra.Command {
	var body api.PlanAct
	cmd := &cobra.Command{
		Use:   "renew MSISDN --reason TEXT",
		Short: "Pay and begin a period now, or take back a cancellation",
		Long: `Renew pays and begins a period now, of a plan that could not be paid or has ended; what waits for its first use begins too. One
that was cancelled or is to be changed goes on as it is. A period that is paid runs until its end and is renewed by itself: then
nothing is changed, and the command exits 4.

` + whoHelp,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return actOnPlan(cmd, env, args[0], "renew", body.Reason, body)
		},
	}
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}

func planCancelCommand(env *environment) *cobra.Command {
	var body api.PlanAct
	cmd := &cobra.Command{
		Use:   "cancel MSISDN --reason TEXT [--now]",
		Short: "End a subscriber's plan, when the period ends or at once",
		Long: `Cancel ends a plan when the running period does. With --now it ends at once: what is left of it expires, and if the plan is
prorated, what was paid for the days after today is given back. The tariffs of the plan stay: gyro plan change gives another.

` + whoHelp,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return actOnPlan(cmd, env, args[0], "cancel", body.Reason, body)
		},
	}
	cmd.Flags().BoolVar(&body.Now, "now", false, "at once, and not when the period ends")
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}

func actOnPlan(cmd *cobra.Command, env *environment, who, act, reason string, body any) error {
	path, err := subscriberPath(who)
	if err != nil {
		return err
	}
	if reason == "" {
		return usagef("--reason TEXT is needed: it stays in the audit log")
	}
	return ask(cmd, env, question{method: http.MethodPost, path: path + "/plan/" + act, body: body, about: who}, env.showPlan)
}

func (env *environment) showPlan(p api.SubscriberPlan) error {
	t := newTable(env.stdout)
	t.row("Plan", p.Plan)
	if terms := p.Terms; terms != nil {
		price := "nothing"
		if terms.Price > 0 {
			price = lifecycle.Money(terms.Price, rating.Unit(terms.Currency))
		}
		period := terms.Period
		if terms.Day > 0 {
			period += fmt.Sprintf(", from day %d of the month on", terms.Day)
		}
		t.row("Period", period+", "+terms.Zone)
		t.row("Price", price)
		var brings []string
		for _, a := range terms.Allowances {
			what := quantity(a.Units, a.Unit)
			if a.Rollover > 0 {
				what += ", of which " + quantity(a.Rollover, a.Unit) + " may roll over"
			}
			brings = append(brings, what)
		}
		t.row("Brings", strings.Join(brings, "; "))
	} else {
		t.row("Terms", "none: it is not renewed and does not end")
	}
	c := p.Contract
	if c == nil {
		return t.flush()
	}
	t.row("State", c.State)
	t.row("Period number", fmt.Sprint(c.Period))
	t.row("Since", optionalInstant(c.StartsAt, "not begun"))
	switch ends := optionalInstant(c.EndsAt, "with its first use"); {
	case c.State == string(lifecycle.Waiting):
		t.row("Begins", ends)
	case c.State == string(lifecycle.Grace):
		t.row("Paid until", optionalInstant(c.EndsAt, "not yet"))
		t.row("Tried until", optionalInstant(c.GraceUntil, ""))
	case c.State == string(lifecycle.Active) && c.Cancelled:
		t.row("Ends", ends)
	case c.State == string(lifecycle.Active) && c.Next != "":
		t.row("Becomes", c.Next+" at "+ends)
	case c.State == string(lifecycle.Active):
		t.row("Renewed", ends)
	}
	if err := t.flush(); err != nil || len(c.Lots) == 0 {
		return err
	}
	if _, err := env.stdout.Write([]byte("\n")); err != nil {
		return err
	}
	return env.printBuckets(c.Lots)
}
