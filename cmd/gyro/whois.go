package main

import (
	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func whoisCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "whois WHO", Short: "Find a subscriber by any name at hand", Long: "Whois tells whom a name leads to; the reference of a transfer leads to two.\n\n" + whoisHelp,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			found, err := whois(cmd, env, args[0])
			switch {
			case err != nil:
				return err
			case env.json:
				return env.printJSON(found)
			}
			t := newTable(env.stdout)
			t.row("MSISDN", "IMSI", "PLAN", "STATE", "BY", "ID")
			for _, m := range found {
				t.row(m.Subscriber.MSISDN, m.Subscriber.IMSI, m.Subscriber.Plan, m.Subscriber.State, matchedBy(m), m.Subscriber.ID)
			}
			return t.flush()
		},
	}
}

func matchedBy(m api.Match) string {
	switch m.By {
	case "sender", "receiver":
		return m.By + " of the transfer"
	}
	return m.By
}
