package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/rating"
)

func subscriberCommand(env *environment) *cobra.Command {
	return group("subscriber", "Create, show, list, import, block and close subscribers",
		subscriberCreateCommand(env),
		subscriberShowCommand(env),
		subscriberPlanCommand(env),
		subscriberListCommand(env),
		subscriberImportCommand(env),
		subscriberStateCommand(env, "block", "Refuse every service of a subscriber until unblocked", ocs.Blocked),
		subscriberStateCommand(env, "unblock", "Serve a blocked subscriber again", ocs.Active),
		subscriberServicesCommand(env),
		subscriberFreezeCommand(env),
		subscriberNumberCommand(env),
		subscriberCardCommand(env),
		subscriberTextsCommand(env),
		subscriberResendCommand(env),
		subscriberStateCommand(env, "close", "Close a subscriber for good", ocs.Closed),
	)
}

// whoHelp is the same for every command that takes a subscriber.
const whoHelp = `MSISDN is an international number with its country code: 4930123456, +49 30 123-456.
Where another name is at hand instead, write it as imsi-262010000000001, sip:alice@ims.example, nai-alice@example.net
or private-NAME.`

// subscriberPath returns the path of the subscriber that an argument names.
func subscriberPath(arg string) (string, error) {
	if len(arg) == 36 && uuid.Validate(arg) == nil {
		return "/care/v1/subscribers/" + arg, nil
	}
	identity, err := api.ParseSubscriber(arg)
	if err != nil {
		return "", usagef("%q names no subscriber: %w", arg, err)
	}
	return "/care/v1/subscribers/" + api.PathName(identity), nil
}

// about adds to an error of the server, which names nobody, whom it is about.
func about(arg string, err error) error {
	if err == nil {
		return nil
	}
	return failf(exitCode(err), "%s: %w", arg, err)
}

func subscriberCreateCommand(env *environment) *cobra.Command {
	var body api.NewSubscriber
	var seconds int64
	var expires string
	cmd := &cobra.Command{
		Use:   "create MSISDN --plan NAME --seconds N",
		Short: "Create a subscriber, with prepaid seconds in one bucket",
		Long: `Create makes a subscriber and, unless N is 0, one bucket of N seconds of voice.
Running it again changes nothing and exits 4: the subscriber is there already.

Requests find the subscriber by any of its names: the MSISDN, and the IMSI, SIP URI, NAI and private identity that are
given here. No two subscribers have one in common.`,
		Example: "  gyro subscriber create 4930123456 --plan demo --seconds 12000 --imsi 262010000000001",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if !cmd.Flags().Changed("plan") || !cmd.Flags().Changed("seconds") {
				return usagef("--plan NAME and --seconds N are needed (0 seconds: no bucket)")
			}
			if body.MSISDN, err = api.ParseMSISDN(args[0]); err != nil {
				return usagef("%q is no number of a subscriber: %w", args[0], err)
			}
			if body.ExpiresAt, err = parseExpiry(expires, time.Local); err != nil {
				return err
			}
			body.Seconds = rating.Units(seconds)
			c, err := env.client()
			if err != nil {
				return err
			}
			var created api.SubscriberAccount
			if err := c.send(cmd.Context(), http.MethodPost, "/care/v1/subscribers", body, &created); err != nil {
				return about(args[0], err)
			}
			return env.printSubscriber(created)
		},
	}
	cmd.Flags().StringVar(&body.Plan, "plan", "", "name of a plan in the catalogue")
	cmd.Flags().Int64Var(&seconds, "seconds", 0, "seconds of voice, in one bucket; 0: no bucket")
	cmd.Flags().StringVar(&body.IMSI, "imsi", "", "the subscriber's IMSI")
	cmd.Flags().StringVar(&body.SIPURI, "sip", "", "the subscriber's SIP URI, as sip:user@domain")
	cmd.Flags().StringVar(&body.NAI, "nai", "", "the subscriber's network access identifier, as user@realm")
	cmd.Flags().StringVar(&body.Private, "private", "", "an identity of the network's own (Subscription-Id-Type 4), up to 253 octets")
	cmd.Flags().StringVar(&expires, "expires", "", expiresUsage)
	completePlans(env, cmd)
	return cmd
}

// completePlans lets the shell complete --plan with what the running server sells.
func completePlans(env *environment, cmd *cobra.Command) {
	err := cmd.RegisterFlagCompletionFunc("plan", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), time.Second)
		defer cancel()
		var status api.Status
		c, err := env.client()
		if err == nil {
			err = c.get(ctx, "/care/v1/status", nil, &status)
		}
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return status.Plans, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // there is no such flag
	}
}

func subscriberShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:     "show MSISDN",
		Short:   "Show a subscriber with balance and buckets",
		Long:    "Show prints a subscriber, the balance, what running calls hold of it, and the buckets.\n\n" + whoHelp,
		Example: "  gyro subscriber show 4930123456\n  gyro subscriber show 4930123456 --json | jq .balance_seconds",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			var account api.SubscriberAccount
			if err := c.get(cmd.Context(), path, nil, &account); err != nil {
				return about(args[0], err)
			}
			return env.printSubscriber(account)
		},
	}
}

func (env *environment) printSubscriber(account api.SubscriberAccount) error {
	if env.json {
		return env.printJSON(account)
	}
	t := newTable(env.stdout)
	t.row("MSISDN", account.MSISDN)
	t.row("IMSI", account.IMSI)
	for _, name := range [][2]string{{"SIP URI", account.SIPURI}, {"NAI", account.NAI}, {"Private", account.Private}} {
		if name[1] != "" {
			t.row(name[0], name[1])
		}
	}
	t.row("Plan", account.Plan)
	t.row("State", account.State)
	if len(account.Barred) > 0 {
		t.row("Barred from", strings.Join(account.Barred, ", "))
	}
	t.row("Balance", quantity(account.BalanceSeconds, "seconds"))
	t.row("Reserved", quantity(account.ReservedSeconds, "seconds"))
	t.row("Open sessions", strconv.Itoa(account.OpenSessions))
	t.row("Since", instant(account.CreatedAt))
	if err := t.flush(); err != nil || len(account.Buckets) == 0 {
		return err
	}
	if _, err := env.stdout.Write([]byte("\n")); err != nil {
		return err
	}
	return env.printBuckets(account.Buckets)
}

func subscriberListCommand(env *environment) *cobra.Command {
	list := listing[api.Subscriber]{
		what: "subscribers",
		head: []string{"MSISDN", "IMSI", "PLAN", "STATE", "SINCE"},
		row: func(s api.Subscriber) []string {
			return []string{s.MSISDN, s.IMSI, s.Plan, s.State, instant(s.CreatedAt)}
		},
	}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List subscribers by MSISDN",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			list.fetch = func(ctx context.Context, query url.Values) ([]api.Subscriber, string, error) {
				var page api.SubscriberPage
				err := c.get(ctx, "/care/v1/subscribers", query, &page)
				return page.Subscribers, page.Next, err
			}
			return list.print(cmd.Context(), env, nil)
		},
	}
	list.flags(cmd)
	return cmd
}

func subscriberStateCommand(env *environment, verb, short string, state ocs.SubscriberState) *cobra.Command {
	body := api.SubscriberState{State: string(state)}
	use, long := verb+" MSISDN", short+". Running it again changes nothing.\n\n"+whoHelp
	if state == ocs.Closed {
		use += " --reason TEXT"
		long = short + `: open calls are ended, what is left in the buckets is posted out, and the names rest for half a year
before somebody else may have them. From then on only the id leads to it: gyro whois tells it. Running it again changes nothing.

` + whoHelp
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			if state == ocs.Closed && body.Reason == "" {
				return usagef("--reason TEXT is needed: it stays with the postings and in the audit log")
			}
			return ask(cmd, env, question{method: http.MethodPut, path: path + "/state", body: body, about: args[0]}, env.printSubscriber)
		},
	}
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}
