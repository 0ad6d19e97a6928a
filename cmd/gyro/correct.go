package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/rating"
)

func bucketCorrectCommand(env *environment) *cobra.Command {
	var body api.NewCorrection
	var seconds, units int64
	cmd := &cobra.Command{
		Use:   "correct MSISDN --seconds N --reason TEXT",
		Short: "Correct a balance, up or down",
		Long: `Correct takes N units from the buckets of a subscriber in the order of use, when N is below 0, or from the bucket that
--bucket names; above 0 it adds them to that bucket. It is all or nothing, and never touches what calls hold. Running it again
with the same --id changes nothing more and prints the first result. To give units with an expiry of their own: gyro bucket grant.

What is more than your role may move alone waits for a second person: gyro key show, gyro approval list.

` + whoHelp,
		Example: "  gyro bucket correct 4930123456 --seconds -120 --id ticket-991 --reason 'charged twice by the old system'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			ofSeconds, ofUnits := cmd.Flags().Changed("seconds"), cmd.Flags().Changed("units")
			switch {
			case ofSeconds == ofUnits:
				return usagef("--seconds N is needed, or --units N --unit UNIT")
			case ofSeconds && cmd.Flags().Changed("unit"):
				return usagef("--seconds already says what is corrected: leave out --unit")
			case body.Reason == "":
				return usagef("--reason TEXT is needed: it stays with the posting and in the audit log")
			}
			body.Units = rating.Units(seconds + units)
			return ask(cmd, env, question{method: http.MethodPost, path: path + "/corrections", body: body, about: args[0]}, env.showCorrection)
		},
	}
	flags := cmd.Flags()
	flags.Int64Var(&seconds, "seconds", 0, "seconds that the balance gains; below 0: loses")
	flags.Int64Var(&units, "units", 0, "units of --unit, instead of --seconds")
	flags.StringVar(&body.Unit, "unit", "seconds", "what --units counts: seconds, octets, events, or a currency such as EUR, whose cents are counted")
	flags.StringVar(&body.Bucket, "bucket", "", "id of the bucket to correct (default, to take: in the order of use)")
	flags.StringVar(&body.ID, "id", "", "names the correction for good, so that it can be repeated safely")
	flags.StringVar(&body.Reason, "reason", "", "why, kept with the posting")
	return cmd
}

func (env *environment) showCorrection(c api.Corrected) error {
	if c.Approval != nil {
		return env.showWaiting(*c.Approval)
	}
	verb := "corrected"
	if c.Repeated {
		verb = "corrected before, and nothing was changed now:"
	}
	if _, err := fmt.Fprintf(env.stdout, "%s under id %s\n\n", verb, printable(c.ID)); err != nil {
		return err
	}
	return env.printBuckets(c.Buckets)
}

func subscriberNumberCommand(env *environment) *cobra.Command {
	var body api.NewNumber
	cmd := &cobra.Command{
		Use: "number MSISDN NEW-MSISDN --reason TEXT", Short: "Give a subscriber another number",
		Long: `Number moves a subscriber to another number. Balance, history and running calls stay; the old number leads nowhere from now on,
and rests for half a year before somebody else may have it: nobody gets the calls, texts and minutes of a stranger.`,
		Example: "  gyro subscriber number 4930123456 4930123499 --reason 'asked for it, papers seen'",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			if body.MSISDN, err = api.ParseMSISDN(args[1]); err != nil {
				return usagef("%q is no number of a subscriber: %w", args[1], err)
			}
			if body.Reason == "" {
				return usagef("--reason TEXT is needed: it stays in the audit log")
			}
			return ask(cmd, env, question{method: http.MethodPut, path: path + "/msisdn", body: body, about: args[0]}, env.printSubscriber)
		},
	}
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}

func subscriberCardCommand(env *environment) *cobra.Command {
	var body api.NewCard
	cmd := &cobra.Command{
		Use: "sim MSISDN NEW-IMSI --reason TEXT", Short: "Give a subscriber another SIM",
		Long: `Sim gives a subscriber the card with another IMSI. Everything else stays. The policy of transfers may have a time to cool off
after it, in which nothing can be sent: whoever stole a number finds no minutes to take.`,
		Example: "  gyro subscriber sim 4930123456 262010000000002 --reason 'card lost, papers seen'",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			if body.IMSI, err = api.ParseIMSI(args[1]); err != nil {
				return usagef("%q is no IMSI: %w", args[1], err)
			}
			if body.Reason == "" {
				return usagef("--reason TEXT is needed: it stays in the audit log")
			}
			return ask(cmd, env, question{method: http.MethodPut, path: path + "/imsi", body: body, about: args[0]}, env.printSubscriber)
		},
	}
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}

func subscriberFreezeCommand(env *environment) *cobra.Command {
	var body api.Freezing
	var until string
	cmd := &cobra.Command{
		Use: "freeze MSISDN --reason TEXT", Short: "Stop the transfers of a subscriber, until an end or until lifted",
		Long: `Freeze keeps minutes where they are: nothing is sent, nothing is received, or neither. Calls go on. With --until it ends by itself at
that instant; --what none lifts it.

` + whoHelp,
		Example: "  gyro subscriber freeze 4930123456 --until 2026-12-01 --reason 'phone stolen'\n  gyro subscriber freeze 4930123456 --what none --reason 'found again'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			if body.Reason == "" {
				return usagef("--reason TEXT is needed: it stays in the audit log")
			}
			if body.Until, err = parseExpiry(until, time.Local); err != nil {
				return err
			}
			return ask(cmd, env, question{method: http.MethodPut, path: path + "/freeze", body: body, about: args[0]}, func(p api.Profile) error {
				what := "not frozen"
				if p.Freeze != "" {
					what = p.Freeze + " until " + optionalInstant(p.FrozenUntil, "lifted")
				}
				_, err := fmt.Fprintln(env.stdout, what)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&body.What, "what", "frozen", "frozen, send-blocked, receive-blocked, or none to lift it")
	cmd.Flags().StringVar(&until, "until", "", "last day of it, 2026-12-01, or the instant at which it ends (default until lifted)")
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}

func subscriberServicesCommand(env *environment) *cobra.Command {
	var body api.Barring
	cmd := &cobra.Command{
		Use: "services MSISDN --bar LIST|--allow-all --reason TEXT", Short: "Bar a subscriber from services, or let it use all again",
		Long: `Services sets which services a subscriber is barred from: voice, message, data, transfers. Running calls learn it with their next
report, which their switches are asked for at once. Emergency calls are never refused.

` + whoHelp,
		Example: "  gyro subscriber services 4930123456 --bar data,transfers --reason 'asked for it'\n  gyro subscriber services 4930123456 --allow-all --reason 'asked for it'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			allow, _ := cmd.Flags().GetBool("allow-all")
			switch {
			case allow == (len(body.Barred) > 0):
				return usagef("one of --bar and --allow-all is needed")
			case body.Reason == "":
				return usagef("--reason TEXT is needed: it stays in the audit log")
			}
			if allow {
				body.Barred = []string{}
			}
			return ask(cmd, env, question{method: http.MethodPut, path: path + "/services", body: body, about: args[0]}, env.printSubscriber)
		},
	}
	cmd.Flags().StringSliceVar(&body.Barred, "bar", nil, "voice, message, data, transfers; these and no others")
	cmd.Flags().Bool("allow-all", false, "bar from nothing")
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}
