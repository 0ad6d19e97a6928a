package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func pinCommand(env *environment) *cobra.Command {
	return group("pin", "Show, set, reset and unlock PINs", pinShowCommand(env), pinSetCommand(env), pinResetCommand(env), pinUnlockCommand(env))
}

func pinShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show MSISDN", Short: "Show whether a subscriber has a PIN, and whether it is locked", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var state api.PINState
			if err := env.aboutPIN(cmd.Context(), args[0], http.MethodGet, "", nil, &state); err != nil {
				return err
			}
			return env.printPIN(state)
		},
	}
}

func pinSetCommand(env *environment) *cobra.Command {
	var body api.NewPIN
	var old bool
	cmd := &cobra.Command{
		Use: "set MSISDN", Short: "Give a subscriber a PIN, which is asked for",
		Long: `Set asks for a PIN twice, on the terminal without echo, else from two lines of stdin. It opens nothing until the
subscriber has changed it, unless --chosen says that the subscriber is here and chose it.

` + whoHelp,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if _, err := subscriberPath(args[0]); err != nil {
				return err
			}
			body.Person = env.person()
			if old {
				body.Chosen = true
				if body.Old, err = env.secret("Old PIN: "); err != nil {
					return err
				}
			}
			if body.PIN, err = env.secret("New PIN: "); err != nil {
				return err
			}
			again, err := env.secret("New PIN again: ")
			if err != nil {
				return err
			}
			if again != body.PIN {
				return usagef("the two PINs differ; nothing was changed")
			}
			var state api.PINState
			if err := env.aboutPIN(cmd.Context(), args[0], http.MethodPut, "", body, &state); err != nil {
				return err
			}
			return env.printPIN(state)
		},
	}
	cmd.Flags().BoolVar(&body.Chosen, "chosen", false, "the subscriber is here and chose it")
	cmd.Flags().BoolVar(&old, "old", false, "ask for the old PIN first; implies --chosen")
	return cmd
}

func pinResetCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "reset MSISDN", Short: "Draw a PIN for a subscriber who has lost it, and print it once",
		Long: "Reset draws a PIN that opens nothing until the subscriber has changed it. Look at papers first. The policy bounds how often.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var reset api.ResetPIN
			if err := env.aboutPIN(cmd.Context(), args[0], http.MethodPost, "/reset", api.PersonBody{Person: env.person()}, &reset); err != nil {
				return err
			}
			if env.json {
				return env.printJSON(reset)
			}
			_, err := fmt.Fprintf(env.stdout, "new PIN %s; it must be changed before it opens anything\n", reset.PIN)
			return err
		},
	}
}

func pinUnlockCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "unlock MSISDN", Short: "Let a subscriber try again whose PIN is locked", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var state api.PINState
			if err := env.aboutPIN(cmd.Context(), args[0], http.MethodPost, "/unlock", api.PersonBody{Person: env.person()}, &state); err != nil {
				return err
			}
			return env.printPIN(state)
		},
	}
}

func (env *environment) aboutPIN(ctx context.Context, who, method, path string, body, into any) error {
	subscriber, err := subscriberPath(who)
	if err != nil {
		return err
	}
	c, err := env.client()
	if err != nil {
		return err
	}
	if method == http.MethodGet {
		return about(who, c.get(ctx, subscriber+"/pin", nil, into))
	}
	return about(who, c.send(ctx, method, subscriber+"/pin"+path, body, into))
}

func (env *environment) printPIN(s api.PINState) error {
	if env.json {
		return env.printJSON(s)
	}
	t := newTable(env.stdout)
	state := "set"
	switch {
	case !s.Set:
		state = "none"
	case s.MustChange:
		state = "must be changed before it opens anything"
	case s.LockedUntil != nil:
		state = "locked until " + instant(*s.LockedUntil)
	}
	t.row("PIN", state)
	t.row("Tries left", fmt.Sprint(s.TriesLeft))
	t.row("Changed", optionalInstant(s.ChangedAt, "never"))
	return t.flush()
}
