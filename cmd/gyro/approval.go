package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func approvalCommand(env *environment) *cobra.Command {
	return group("approval", "List, confirm and reject acts that need a second person",
		approvalListCommand(env), approvalShowCommand(env),
		approvalDecideCommand(env, "confirm", "Confirm an act as the second person, which does it",
			"Who asked for an act cannot confirm it, also not with another key of the same name. Running it again changes nothing and\ntells how the act ended; an act that was lost while it was being done is done then."),
		approvalDecideCommand(env, "reject", "Reject an act, or take back your own", "Running it again changes nothing."))
}

func approvalListCommand(env *environment) *cobra.Command {
	list := listing[api.Approval]{
		what: "acts that need a second person",
		head: []string{"ID", "ASKED", "BY", "ACT", "MSISDN", "UNITS", "REASON", "STATE"},
		row: func(a api.Approval) []string {
			return []string{a.ID, instant(a.AskedAt), a.AskedBy, a.Action, a.MSISDN, quantity(a.Units, a.Unit), a.Reason, a.State}
		},
	}
	var all bool
	cmd := &cobra.Command{
		Use: "list", Short: "List acts that wait for a second person", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			list.fetch = func(ctx context.Context, query url.Values) ([]api.Approval, string, error) {
				var page api.ApprovalPage
				err := c.get(ctx, "/care/v1/approvals", query, &page)
				return page.Approvals, page.Next, err
			}
			query := url.Values{}
			if !all {
				query.Set("waiting", "true")
			}
			return list.print(cmd.Context(), env, query)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "list decided ones too")
	list.flags(cmd)
	return cmd
}

// approvalPath returns the path of the approval that an argument names.
func approvalPath(arg string) (string, error) {
	if uuid.Validate(arg) != nil {
		return "", usagef("%q is no id: gyro approval list tells them", arg)
	}
	return "/care/v1/approvals/" + arg, nil
}

func approvalShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show an act that needs a second person", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := approvalPath(args[0])
			if err != nil {
				return err
			}
			return ask(cmd, env, question{path: path, about: args[0]}, env.showApproval)
		},
	}
}

func approvalDecideCommand(env *environment, verb, short, long string) *cobra.Command {
	var body api.Decision
	cmd := &cobra.Command{
		Use: verb + " ID", Short: short, Long: short + ".\n\n" + long, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := approvalPath(args[0])
			if err != nil {
				return err
			}
			if verb == "reject" && body.Note == "" {
				return usagef("--note TEXT is needed: tell why")
			}
			return ask(cmd, env, question{method: http.MethodPost, path: path + "/" + verb, body: body, about: args[0]}, env.showApproval)
		},
	}
	cmd.Flags().StringVar(&body.Note, "note", "", "why, kept with the act")
	return cmd
}

func (env *environment) showApproval(a api.Approval) error {
	t := newTable(env.stdout)
	t.row("Act", a.Action)
	t.row("MSISDN", a.MSISDN)
	t.row("Moves", quantity(a.Units, a.Unit))
	t.row("Reason", a.Reason)
	t.row("Asked", instant(a.AskedAt)+" by "+a.AskedBy+", "+a.AskedRole)
	t.row("State", a.State)
	if a.DecidedAt != nil {
		t.row("Decided", instant(*a.DecidedAt)+" by "+a.DecidedBy)
		t.row("Note", a.Note)
	} else {
		t.row("Until", instant(a.ExpiresAt))
	}
	if string(a.Result) != "null" {
		t.row("Result", string(a.Result))
	}
	return t.flush()
}

// showWaiting says that an act waits for somebody else.
func (env *environment) showWaiting(a api.Approval) error {
	_, err := fmt.Fprintf(env.stdout, "nothing was moved yet: %s is more than %s may move alone.\nA second person can confirm it until %s: gyro approval confirm %s\n",
		quantity(a.Units, a.Unit), printable(a.AskedBy), instant(a.ExpiresAt), a.ID)
	return err
}
