package main

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/rating"
)

func bucketCommand(env *environment) *cobra.Command {
	return group("bucket", "Grant, list and trace buckets", bucketGrantCommand(env), bucketCorrectCommand(env), bucketListCommand(env), bucketTraceCommand(env))
}

func bucketGrantCommand(env *environment) *cobra.Command {
	var body api.NewGrant
	var seconds, units int64
	var expires string
	cmd := &cobra.Command{
		Use:   "grant MSISDN --seconds N [--reason TEXT]",
		Short: "Grant a bucket to a subscriber",
		Long: `Grant adds a bucket. Running it again with the same --id and content changes nothing and prints the first
result, so after a timeout it is safe to repeat. Without --id one is made up, and every run grants again.

What is more than your role may grant alone waits for a second person, who confirms it: gyro key show, gyro approval list.

` + whoHelp,
		Example: "  gyro bucket grant 4930123456 --seconds 6000 --id order-4711 --expires 2030-12-31 --reason 'order 4711'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			if body.Units, err = granted(cmd, seconds, units, body.Unit); err != nil {
				return err
			}
			if cmd.Flags().Changed("id") && body.ID == "" {
				return usagef("--id is empty")
			}
			if body.ExpiresAt, err = parseExpiry(expires, time.Local); err != nil {
				return err
			}
			if body.Reason, err = env.reason(body.Reason); err != nil {
				return err
			}
			return ask(cmd, env, question{method: http.MethodPost, path: path + "/buckets", body: body, about: args[0]}, env.showGrant)
		},
	}
	flags := cmd.Flags()
	flags.Int64Var(&seconds, "seconds", 0, "seconds of voice")
	flags.Int64Var(&units, "units", 0, "units of --unit, instead of --seconds")
	flags.StringVar(&body.Unit, "unit", "seconds", "what --units counts: seconds, octets, events, or a currency such as EUR, whose cents are counted")
	flags.StringVar(&body.ID, "id", "", "names the grant for good, so that it can be repeated safely")
	flags.StringVar(&expires, "expires", "", expiresUsage)
	flags.StringVar(&body.Class, "class", "purchased", "class of the bucket, which tariffs may ask for")
	flags.IntVar(&body.Priority, "priority", 0, "buckets of smaller priority are used first")
	flags.StringVar(&body.Reason, "reason", "", "why, kept with the posting, up to 200 characters; needed with a key of your own")
	return cmd
}

// maxReason is how long a reason may be that is kept, in characters.
const maxReason = 200

// reason returns why value moves. People with keys of their own must say it. A script on the server's machine, which needs no
// key, may leave it out, and then that is what is kept.
func (env *environment) reason(given string) (string, error) {
	switch {
	case given != "":
		return given, checkReason(given)
	case cmp.Or(env.tokenFlag, env.getenv("GYRO_TOKEN")) != "":
		return "", usagef("--reason TEXT is needed: it stays with the posting and in the audit log")
	}
	return "at the server's own command line, no reason given", nil
}

// checkReason refuses here what the server would refuse as a body that is too large, without a word on which part of it.
func checkReason(reason string) error {
	if n := utf8.RuneCountInString(reason); n > maxReason {
		return usagef("--reason has %d characters, and %d are the most", n, maxReason)
	}
	return nil
}

// granted returns what --seconds or --units ask for.
func granted(cmd *cobra.Command, seconds, units int64, unit string) (rating.Units, error) {
	n, flag := seconds, "--seconds"
	ofSeconds, ofUnits := cmd.Flags().Changed("seconds"), cmd.Flags().Changed("units")
	switch {
	case ofSeconds && (ofUnits || cmd.Flags().Changed("unit")):
		return 0, usagef("--seconds already says what is granted: leave out --units and --unit")
	case ofUnits:
		n, flag = units, "--units"
	case !ofSeconds:
		return 0, usagef("--seconds N is needed, or --units N --unit %s", unit)
	}
	if n < 1 {
		return 0, usagef("%s %d grants nothing", flag, n)
	}
	return rating.Units(n), nil
}

func (env *environment) showGrant(grant api.Grant) error {
	if grant.Approval != nil {
		return env.showWaiting(*grant.Approval)
	}
	verb := "granted"
	if grant.Repeated {
		verb = "granted before, and nothing was added now:"
	}
	if _, err := fmt.Fprintf(env.stdout, "%s a bucket under id %s\n\n", verb, printable(grant.ID)); err != nil {
		return err
	}
	return env.printBuckets([]api.Bucket{*grant.Bucket})
}

func bucketListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "list MSISDN",
		Short: "List all buckets of a subscriber, used up and expired ones too",
		Long:  "List prints all buckets of a subscriber, used up and expired ones too.\n\n" + whoHelp,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			var list api.BucketList
			if err := c.get(cmd.Context(), path+"/buckets", nil, &list); err != nil {
				return about(args[0], err)
			}
			switch {
			case env.json:
				return env.printJSON(list.Buckets)
			case len(list.Buckets) == 0:
				env.note("no buckets")
				return nil
			}
			return env.printBuckets(list.Buckets)
		},
	}
}

func (env *environment) printBuckets(buckets []api.Bucket) error {
	t := newTable(env.stdout)
	t.row("BUCKET", "CLASS", "BALANCE", "RESERVED", "EXPIRES")
	for _, b := range buckets {
		expires := optionalInstant(b.ExpiresAt, "never")
		if b.Expired {
			expires += " (expired)"
		}
		t.row(b.ID, b.Class, quantity(b.Balance, b.Unit), quantity(b.Reserved, b.Unit), expires)
	}
	return t.flush()
}
