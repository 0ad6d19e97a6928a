package main

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/transfer"
)

func merchantCommand(env *environment) *cobra.Command {
	return group("merchant", "Create and show shops that take minutes",
		roleCreateCommand(env, "merchant"), roleShowCommand(env, "merchant"), roleListCommand(env, "merchant"))
}

func agentCommand(env *environment) *cobra.Command {
	return group("agent", "Create, fund and show vendors of minutes and traders, and sell from a float",
		roleCreateCommand(env, "agent"), roleShowCommand(env, "agent"), roleListCommand(env, "agent"),
		agentFundCommand(env), agentSellCommand(env))
}

func roleCreateCommand(env *environment, one string) *cobra.Command {
	var body api.NewRole
	cmd := &cobra.Command{
		Use: "create MSISDN --name NAME", Short: "Give the account of a subscriber the short code of a " + one,
		Long: "Create gives an account a short code, which customers dial instead of a number. Its last digit checks the others, so that\na mistyped code pays nobody.\n\n" + whoHelp,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if body.Name == "" {
				return usagef("--name NAME is needed: customers see it before they pay")
			}
			body.MSISDN, body.Person = args[0], env.person()
			c, err := env.client()
			if err != nil {
				return err
			}
			var created api.Role
			if err := c.send(cmd.Context(), http.MethodPost, "/care/v1/"+one+"s", body, &created); err != nil {
				return about(args[0], err)
			}
			return env.printRole(created)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&body.Name, "name", "", "that customers see")
	flags.StringVar(&body.Owner, "owner", "", "MSISDN of the person behind it, who earns no commission on transfers of its own")
	flags.StringVar(&body.Digits, "digits", "", "4 to 6 digits of the code, to which the check digit is added (default drawn)")
	if one == "agent" {
		flags.StringVar(&body.Parent, "parent", "", "code of the agent above")
		flags.BoolVar(&body.Trader, "trader", false, "pays cash for minutes, instead of selling them")
	}
	return cmd
}

func (env *environment) printRole(r api.Role) error {
	if env.json {
		return env.printJSON(r)
	}
	t := newTable(env.stdout)
	t.row("Code", r.Code)
	t.row("Kind", r.Kind)
	t.row("Name", r.Name)
	t.row("MSISDN", r.MSISDN)
	if r.Parent != "" {
		t.row("Agent above", r.Parent)
	}
	if r.Owner != "" {
		t.row("Owner", r.Owner)
	}
	if r.Closed {
		t.row("State", "closed")
	}
	t.row("Balance", quantity(r.BalanceSeconds, "seconds"))
	if r.Kind == string(transfer.AgentRole) {
		t.row("Float", quantity(r.FloatSeconds, "seconds"))
	}
	return t.flush()
}

func rolePath(one, arg string) (string, error) {
	code, ok := transfer.ParseShortCode(arg)
	if !ok {
		return "", usagef("%q is no short code: a digit is wrong, or it is not 5 to 7 of them", arg)
	}
	return "/care/v1/" + one + "s/" + code, nil
}

func roleShowCommand(env *environment, one string) *cobra.Command {
	return &cobra.Command{
		Use: "show CODE", Short: "Show " + map[string]string{"merchant": "a merchant", "agent": "an agent"}[one] + " and its balance", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := rolePath(one, args[0])
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			var role api.Role
			if err := c.get(cmd.Context(), path, nil, &role); err != nil {
				return about(args[0], err)
			}
			return env.printRole(role)
		},
	}
}

func roleListCommand(env *environment, one string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List " + one + "s by code", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			var list api.RoleList
			if err := c.get(cmd.Context(), "/care/v1/"+one+"s", nil, &list); err != nil {
				return err
			}
			switch {
			case env.json:
				return env.printJSON(list.Roles)
			case len(list.Roles) == 0:
				env.note("no %ss", one)
				return nil
			}
			t := newTable(env.stdout)
			t.row("CODE", "KIND", "NAME", "MSISDN", "ABOVE", "BALANCE", "FLOAT")
			for _, r := range list.Roles {
				t.row(r.Code, r.Kind, r.Name, r.MSISDN, r.Parent, minutes(r.BalanceSeconds), minutes(r.FloatSeconds))
			}
			return t.flush()
		},
	}
}

func agentFundCommand(env *environment) *cobra.Command {
	var body api.NewFloat
	var amount, expires string
	cmd := &cobra.Command{
		Use: "fund CODE --minutes N [--reason TEXT]", Short: "Fill the float that an agent sells from",
		Long:    "Fund grants minutes to an agent's float. Running it again with the same --id and content grants nothing more.",
		Example: "  gyro agent fund 54325 --minutes 10000 --id invoice-2026-117 --reason 'invoice 2026-117'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			path, err := rolePath("agent", args[0])
			if err != nil {
				return err
			}
			if body.Seconds, err = transfer.ParseMinutes(amount); err != nil {
				return usagef("--minutes %q: %w", amount, err)
			}
			if body.ExpiresAt, err = parseExpiry(expires, time.Local); err != nil {
				return err
			}
			if body.Reason, err = env.reason(body.Reason); err != nil {
				return err
			}
			return ask(cmd, env, question{method: http.MethodPost, path: path + "/float", body: body, about: args[0]}, env.showGrant)
		},
	}
	cmd.Flags().StringVar(&amount, "minutes", "", "whole minutes")
	cmd.Flags().StringVar(&body.ID, "id", "", "names the grant for good, so that it can be repeated safely")
	cmd.Flags().StringVar(&expires, "expires", "", expiresUsage)
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept with the posting, up to 200 characters; needed with a key of your own")
	return cmd
}

func agentSellCommand(env *environment) *cobra.Command {
	body := api.NewTransfer{Kind: string(transfer.Agent), Channel: string(transfer.AgentDesk)}
	var amount string
	var pin bool
	cmd := &cobra.Command{
		Use: "sell CODE --to MSISDN --minutes N", Short: "Sell minutes from an agent's float to a subscriber",
		Long: `Sell moves minutes from the float of an agent to a subscriber. Running it again with the same --id and content sells
nothing more and prints the first result. With --pin the agent's PIN is asked for and checked.`,
		Example: "  gyro agent sell 54325 --to 31612345678 --minutes 60 --id till-3/991",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if _, err := rolePath("agent", args[0]); err != nil {
				return err
			}
			if body.Seconds, err = transfer.ParseMinutes(amount); err != nil {
				return usagef("--minutes %q: %w", amount, err)
			}
			body.From = "agent:" + args[0]
			if pin {
				body.As = "sender"
				if body.PIN, err = env.secret("PIN: "); err != nil {
					return err
				}
			}
			return about(args[0], env.askTransfer(cmd.Context(), askSend.path, body))
		},
	}
	cmd.Flags().StringVar(&body.To, "to", "", "MSISDN of the customer")
	cmd.Flags().StringVar(&amount, "minutes", "", "whole minutes")
	cmd.Flags().StringVar(&body.ID, "id", "", "names the sale for good, so that it can be repeated safely")
	cmd.Flags().StringVar(&body.Note, "note", "", "note")
	cmd.Flags().BoolVar(&pin, "pin", false, "ask for the agent's PIN, and act as the agent")
	return cmd
}
