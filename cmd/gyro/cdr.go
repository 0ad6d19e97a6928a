package main

import (
	"context"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func cdrCommand(env *environment) *cobra.Command {
	return group("cdr", "List call detail records, and take a month of them to billing",
		cdrListCommand(env), cdrExportCommand(env), cdrVerifyCommand(env), cdrColumnsCommand(env))
}

func cdrListCommand(env *environment) *cobra.Command {
	list := listing[api.CDR]{
		what: "CDRs",
		head: []string{"ENDED", "MSISDN", "OTHER PARTY", "SERVICE", "USED", "CHARGED", "CAUSE", "SESSION"},
		row: func(r api.CDR) []string {
			return []string{
				instant(r.EndedAt), r.MSISDN, r.OtherParty, r.Service, quantity(r.UsedSeconds, "seconds"),
				quantity(r.ChargedSeconds, "seconds"), r.Cause, r.SessionID,
			}
		},
	}
	var msisdn, from, to string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List CDRs by the time of their end",
		Example: "  gyro cdr list --msisdn 4930123456 --json\n  gyro cdr list --from 2026-03-01 --to 2026-04-01",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if err := setSubscriber(query, msisdn); err != nil {
				return err
			}
			first, end, err := parsePeriod(from, to, time.Local)
			if err != nil {
				return err
			}
			setTime(query, "from", first)
			setTime(query, "to", end)
			c, err := env.client()
			if err != nil {
				return err
			}
			list.fetch = func(ctx context.Context, query url.Values) ([]api.CDR, string, error) {
				var page api.CDRPage
				err := c.get(ctx, "/care/v1/cdrs", query, &page)
				return page.CDRs, page.Next, err
			}
			return list.print(cmd.Context(), env, query)
		},
	}
	cmd.Flags().StringVar(&msisdn, "msisdn", "", "only of this subscriber")
	cmd.Flags().StringVar(&from, "from", "", "ended on this day or later, 2026-03-01, or from this instant")
	cmd.Flags().StringVar(&to, "to", "", "ended before this day, 2026-04-01, or before this instant")
	list.flags(cmd)
	return cmd
}
