package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func sessionEndCommand(env *environment) *cobra.Command {
	var body api.EndOfSession
	cmd := &cobra.Command{
		Use: "end SESSION-ID --reason TEXT", Short: "End a session that hangs: give back what it holds, and write its CDR",
		Long: `End closes a session here, whatever its client thinks: what it holds is given back at once and its CDR is written. What the client
reports later is still charged. To cut a call that goes on, have its client end it: gyro session abort.
Running it again changes nothing.`,
		Example: "  gyro session end 'pgw1.epc.example.net;1712;4' --reason 'the gateway lost it'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body.SessionID = args[0]
			if body.Reason == "" {
				return usagef("--reason TEXT is needed: it stays in the audit log")
			}
			return ask(cmd, env, question{method: http.MethodPost, path: "/care/v1/session/end", body: body, about: args[0]}, func(s api.Session) error {
				_, err := fmt.Fprintf(env.stdout, "ended (%s) after %s, of which %s were charged\n", printable(s.Cause), quantity(s.UsedSeconds, "seconds"), quantity(s.ChargedSeconds, "seconds"))
				return err
			})
		},
	}
	cmd.Flags().StringVar(&body.SubSession, "sub-session", "", "CC-Sub-Session-Id, where the client uses them")
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}
