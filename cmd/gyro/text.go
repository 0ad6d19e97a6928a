package main

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func subscriberTextsCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "texts MSISDN", Short: "List texts to a subscriber that wait to be sent, or were given up",
		Long: "Texts lists what was not sent yet; what was sent is not kept.\n\n" + whoHelp, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			return ask(cmd, env, question{path: path + "/texts", about: args[0]}, func(list api.TextList) error {
				if len(list.Texts) == 0 {
					env.note("no texts wait")
					return nil
				}
				t := newTable(env.stdout)
				t.row("ID", "MADE", "NEXT TRY", "TRIES", "PROBLEM", "TEXT")
				for _, text := range list.Texts {
					t.row(text.ID, instant(text.CreatedAt), optionalInstant(text.DueAt, "given up"), fmt.Sprint(text.Tries), text.Problem, text.Text)
				}
				return t.flush()
			})
		},
	}
}

func subscriberResendCommand(env *environment) *cobra.Command {
	var body api.Resend
	cmd := &cobra.Command{
		Use: "resend MSISDN TEXT-ID --reason TEXT", Short: "Have a text tried again at once that waits, or was given up",
		Long: "Resend keeps the id of the text, so that a gateway which got it after all sends it once. gyro subscriber texts tells the ids.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			switch {
			case err != nil:
				return err
			case uuid.Validate(args[1]) != nil:
				return usagef("%q is no id: gyro subscriber texts tells them", args[1])
			case body.Reason == "":
				return usagef("--reason TEXT is needed: it stays in the audit log")
			}
			q := question{method: http.MethodPost, path: path + "/texts/" + args[1] + "/resend", body: body, about: args[0]}
			return ask(cmd, env, q, func(api.TextList) error {
				_, err := fmt.Fprintln(env.stdout, "the text is tried again now")
				return err
			})
		},
	}
	cmd.Flags().StringVar(&body.Reason, "reason", "", "why, kept in the audit log")
	return cmd
}
