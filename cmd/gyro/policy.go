package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/policy"
)

func policyCommand(env *environment) *cobra.Command {
	return group("policy", "Check, load, show and compare the policy of transfers, and stop them",
		policyCheckCommand(env), policyLoadCommand(env), policyShowCommand(env), policyListCommand(env), policyDiffCommand(env),
		policyKillCommand(env), policyResumeCommand(env))
}

func policyCheckCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "check FILE", Short: "Tell everything that is wrong with a policy; needs no server", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			read, err := loadPolicyFile(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(env.stdout, "the policy is good; version %s\n", read.Version())
			return err
		},
	}
}

func loadPolicyFile(name string) (*policy.Policy, error) {
	read, err := policy.Load(name)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return read, nil
}

func policyLoadCommand(env *environment) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "load FILE", Short: "Check a policy and put it in force on all servers, without a restart",
		Long: `Load checks a policy, tells what it changes, and puts it in force. Every decision keeps the version that it was made by,
and every version is kept. Loading the same again changes nothing.`,
		Example: "  gyro policy load /etc/gyro/policy.yaml --dry-run\n  gyro policy load /etc/gyro/policy.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := loadPolicyFile(args[0]) // tells faults with the name of the file
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			body := api.NewPolicy{Source: string(read.Source()), Check: dry, Person: env.person()}
			var change api.PolicyChange
			if err := c.send(cmd.Context(), http.MethodPut, "/care/v1/policy", body, &change); err != nil {
				return err
			}
			if env.json {
				return env.printJSON(change)
			}
			return env.tellLoaded(change.Changes, change.Loaded, change.Version, change.Before)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "tell what would change, and change nothing")
	return cmd
}

func policyShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show [VERSION]", Short: "Show the policy that is in force, or one that was", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			var shown api.PolicyInForce
			if len(args) == 0 {
				err = c.get(cmd.Context(), "/care/v1/policy", nil, &shown)
			} else {
				err = about(args[0], c.get(cmd.Context(), "/care/v1/policies/"+args[0], nil, &shown.Policy))
			}
			switch {
			case err != nil:
				return err
			case env.json && len(args) == 1:
				return env.printJSON(shown.Policy)
			case env.json:
				return env.printJSON(shown)
			}
			env.note("version %s", printable(shown.Version))
			if shown.StoppedAt != nil {
				env.note("%s transfers are stopped since %s by %s: %s", env.alarm("attention:"), instant(*shown.StoppedAt), printable(shown.ChangedBy), printable(shown.StopReason))
			}
			_, err = fmt.Fprint(env.stdout, shown.Source)
			return err
		},
	}
}

func policyListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the policies that were loaded, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := answerTo[api.PolicyList](cmd, env, question{path: "/care/v1/policies"})
			if err != nil {
				return err
			}
			return tellVersions(env, list.Policies, func(one api.Policy) (string, *time.Time, string) { return one.Version, one.SavedAt, one.SavedBy })
		},
	}
}

func policyDiffCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "diff FILE [FILE]", Short: "Tell in words what a policy changes: against the one in force, or against another file",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			after, err := loadPolicyFile(args[len(args)-1])
			if err != nil {
				return err
			}
			before, err := env.policyBefore(cmd, args)
			if err != nil {
				return err
			}
			return env.tellDiff(policy.Diff(before, after), "no rule differs")
		},
	}
}

// policyBefore is the first of two files, else the policy in force.
func (env *environment) policyBefore(cmd *cobra.Command, args []string) (*policy.Policy, error) {
	if len(args) == 2 {
		return loadPolicyFile(args[0])
	}
	c, err := env.client()
	if err != nil {
		return nil, err
	}
	var shown api.PolicyInForce
	if err := c.get(cmd.Context(), "/care/v1/policy", nil, &shown); err != nil {
		return nil, err
	}
	return policy.Parse("the policy in force", []byte(shown.Source))
}

func policyKillCommand(env *environment) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "kill --reason TEXT", Short: "Stop all transfers at once, on all servers",
		Long: "Kill stops whatever moves or sets minutes aside. Calls go on, balances stay spendable in them, and what is pending can be\ncancelled and lapses.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if reason == "" {
				return usagef("--reason TEXT is needed")
			}
			if err := checkReason(reason); err != nil {
				return err
			}
			return env.switchTransfers(cmd, "kill", api.Kill{Reason: reason, Person: env.person()})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, told to the people who ask, up to 200 characters")
	return cmd
}

func policyResumeCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "resume", Short: "Let transfers go on", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.switchTransfers(cmd, "resume", api.PersonBody{Person: env.person()})
		},
	}
}

func (env *environment) switchTransfers(cmd *cobra.Command, act string, body any) error {
	c, err := env.client()
	if err != nil {
		return err
	}
	var shown api.PolicyInForce
	if err := c.send(cmd.Context(), http.MethodPost, "/care/v1/policy/"+act, body, &shown); err != nil {
		return err
	}
	if env.json {
		shown.Source = ""
		return env.printJSON(shown)
	}
	told := "transfers go on"
	if shown.StoppedAt != nil {
		told = "transfers are stopped since " + instant(*shown.StoppedAt) + ": " + shown.StopReason
	}
	_, err = fmt.Fprintln(env.stdout, printable(told))
	return err
}
