package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func keyCommand(env *environment) *cobra.Command {
	return group("key", "Make, list and revoke the keys that people and programs use the API with",
		keyCreateCommand(env), keyListCommand(env), keyRevokeCommand(env), keyShowCommand(env))
}

func keyCreateCommand(env *environment) *cobra.Command {
	var body api.NewKey
	var expires string
	cmd := &cobra.Command{
		Use:   "create NAME --role ROLE",
		Short: "Make a key for a person or a program, and print it once",
		Long: `Create makes a key. It is printed once and stored nowhere: only its hash is.

ROLE is what its holder may do:

  viewer      read
  agent       also grant and correct within limits, end sessions, unlock PINs
  supervisor  also block, create, decide claims, and confirm what others may not do alone
  billing     read, and take records away
  operator    everything

Give each person a key of its own: the audit log tells who did what, and two keys of one NAME never confirm each other's
acts. The holder sets GYRO_TOKEN to the key, and GYRO_SERVER to the address of the server.`,
		Example: "  gyro key create 'Anna Weber' --role agent --expires 2027-01-01",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if body.Role == "" {
				return usagef("--role is needed: one of %s", strings.Join(api.RoleNames(), ", "))
			}
			body.Name = args[0]
			if body.ExpiresAt, err = parseExpiry(expires, time.Local); err != nil {
				return err
			}
			return ask(cmd, env, question{method: http.MethodPost, path: "/care/v1/keys", body: body}, func(made api.MadeKey) error {
				env.note("a key for %s, %s, under id %s. It is told this once:", printable(made.Name), made.Role, made.ID)
				_, err := fmt.Fprintln(env.stdout, made.Token)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&body.Role, "role", "", strings.Join(api.RoleNames(), ", "))
	cmd.Flags().StringVar(&expires, "expires", "", "last day, or the instant at which it opens nothing any more (default never)")
	return cmd
}

func keyListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List all keys, revoked and expired ones too", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := answerTo[api.KeyList](cmd, env, question{path: "/care/v1/keys"})
			switch {
			case err != nil:
				return err
			case env.json:
				return env.printJSON(list.Keys)
			case len(list.Keys) == 0:
				env.note("no keys")
				return nil
			}
			t := newTable(env.stdout)
			t.row("ID", "NAME", "ROLE", "STATE", "MADE", "BY", "EXPIRES")
			for _, k := range list.Keys {
				t.row(k.ID, k.Name, k.Role, k.State, instant(k.CreatedAt), k.CreatedBy, optionalInstant(k.ExpiresAt, "never"))
			}
			return t.flush()
		},
	}
}

func keyRevokeCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "Take a key from its holder, at once and for good",
		Long: "Revoke makes a key open nothing from the next request on, on all servers. Running it again changes nothing.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := question{method: http.MethodDelete, path: "/care/v1/keys/" + url.PathEscape(args[0]), about: args[0]}
			return ask(cmd, env, q, func(k api.Key) error {
				_, err := fmt.Fprintf(env.stdout, "the key %s of %s is revoked\n", k.ID, printable(k.Name))
				return err
			})
		},
	}
}

func keyShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show whom the key in use stands for, and within which limits", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ask(cmd, env, question{path: "/care/v1/whoami"}, func(who api.Whoami) error {
				t := newTable(env.stdout)
				t.row("Key", who.Key)
				t.row("Name", who.Name)
				t.row("Role", who.Role)
				if len(who.Limits) > 0 {
					t.gap()
					t.row("UNIT", "ALONE", "A DAY", "WITH A SECOND PERSON")
				}
				for _, l := range who.Limits {
					t.row(l.Unit, quantity(l.Alone, l.Unit), quantity(l.Day, l.Unit), quantity(l.Most, l.Unit))
				}
				return t.flush()
			})
		},
	}
}
