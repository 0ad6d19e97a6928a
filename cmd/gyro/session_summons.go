package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func sessionReauthCommand(env *environment) *cobra.Command {
	var order api.SummonsOrder
	var group, service uint32
	cmd := &cobra.Command{
		Use:   "reauth SESSION-ID",
		Short: "Have the client of a session ask anew for quota (RAR)",
		Long: `Reauth has a Re-Auth-Request sent to the network element that has the session (RFC 8506 section 5.5). It reports what
was used and asks anew; what it is given then follows from the balance, tariff and state of that moment. The order is stored, and carried
out by whichever server is connected with the client: at once, or when the client is back, within a day.`,
		Example: "  gyro session reauth 'pgw1.epc.example.net;1712;4'\n  gyro session reauth 'pgw1.epc.example.net;1712;4' --rating-group 10",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			order.SessionID = args[0]
			if cmd.Flags().Changed("rating-group") {
				order.RatingGroup = &group
			}
			if cmd.Flags().Changed("service") {
				order.ServiceID = &service
			}
			return env.summon(cmd, "reauthorise", order)
		},
	}
	cmd.Flags().StringVar(&order.SubSession, "sub-session", "", "CC-Sub-Session-Id, where the client uses them")
	cmd.Flags().Uint32Var(&group, "rating-group", 0, "only this Rating-Group; all when not given")
	cmd.Flags().Uint32Var(&service, "service", 0, "only this Service-Identifier; all when not given")
	return cmd
}

func sessionAbortCommand(env *environment) *cobra.Command {
	var order api.SummonsOrder
	cmd := &cobra.Command{
		Use:   "abort SESSION-ID",
		Short: "Have the client of a session end it (ASR)",
		Long: `Abort has an Abort-Session-Request sent to the network element that has the session (RFC 6733 section 8.5): it cuts the
call and reports what was used, which is charged as always. When it says that it has no such session, the session is closed and what it
reserved is given back. The order is stored, and carried out by whichever server is connected with the client.`,
		Example: "  gyro session abort 'pgw1.epc.example.net;1712;4'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			order.SessionID = args[0]
			return env.summon(cmd, "abort", order)
		},
	}
	cmd.Flags().StringVar(&order.SubSession, "sub-session", "", "CC-Sub-Session-Id, where the client uses them")
	return cmd
}

func (env *environment) summon(cmd *cobra.Command, act string, order api.SummonsOrder) error {
	c, err := env.client()
	if err != nil {
		return err
	}
	var taken api.SummonsTaken
	if err := c.send(cmd.Context(), http.MethodPost, "/care/v1/session/"+act, order, &taken); err != nil {
		return about(order.SessionID, err)
	}
	if env.json {
		return env.printJSON(taken)
	}
	_, err = fmt.Fprintf(env.stdout, "%s for session %s: stored, and sent by the server that is connected with its client\n", taken.Request, taken.SessionID)
	return err
}
