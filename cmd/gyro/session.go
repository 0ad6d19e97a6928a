package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
)

func sessionCommand(env *environment) *cobra.Command {
	return group("session", "List and show sessions, call their clients back",
		sessionListCommand(env), sessionShowCommand(env), sessionReauthCommand(env), sessionAbortCommand(env), sessionEndCommand(env))
}

func sessionListCommand(env *environment) *cobra.Command {
	list := listing[api.Session]{
		what: "sessions",
		head: []string{"SESSION", "MSISDN", "STATE", "SERVICE", "CALLED", "STARTED", "USED", "RESERVED"},
		row: func(s api.Session) []string {
			return []string{
				sessionName(s), s.MSISDN, s.State, s.Service, s.Called, instant(s.StartedAt),
				minutes(s.UsedSeconds), minutes(s.ReservedSeconds),
			}
		},
	}
	var msisdn, state string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List sessions; the open ones, when nothing else is asked for",
		Example: "  gyro session list\n  gyro session list --msisdn 4930123456 --state any --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			if err := setSubscriber(query, msisdn); err != nil {
				return err
			}
			switch ocs.SessionState(state) {
			case ocs.Open, ocs.Ended, ocs.Expired, ocs.Refused:
				query.Set("state", state)
			case "any":
			default:
				return usagef("--state %q is not one of open, ended, expired, refused, any", state)
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			list.fetch = func(ctx context.Context, query url.Values) ([]api.Session, string, error) {
				var page api.SessionPage
				err := c.get(ctx, "/care/v1/sessions", query, &page)
				return page.Sessions, page.Next, err
			}
			return list.print(cmd.Context(), env, query)
		},
	}
	cmd.Flags().StringVar(&msisdn, "msisdn", "", "only of this subscriber")
	cmd.Flags().StringVar(&state, "state", string(ocs.Open), "open, ended, expired, refused or any")
	list.flags(cmd)
	return cmd
}

// setSubscriber limits query to the subscriber that --msisdn names.
func setSubscriber(query url.Values, msisdn string) error {
	if msisdn == "" {
		return nil
	}
	if _, err := api.ParseSubscriber(msisdn); err != nil {
		return usagef("--msisdn %q names no subscriber: %w", msisdn, err)
	}
	query.Set("msisdn", msisdn)
	return nil
}

func sessionName(s api.Session) string {
	if s.SubSession == "" {
		return s.SessionID
	}
	return s.SessionID + " sub " + s.SubSession
}

func sessionShowCommand(env *environment) *cobra.Command {
	var sub string
	cmd := &cobra.Command{
		Use:   "show SESSION-ID",
		Short: "Show a session with every exchange that is remembered",
		Long: `Show prints what a session used, what is reserved for it, and every request with its answer that is still
remembered. A session that ended is forgotten after some time; its CDR stays.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			query := url.Values{"session_id": {args[0]}}
			if sub != "" {
				query.Set("sub_session", sub)
			}
			var session api.SessionHistory
			if err := c.get(cmd.Context(), "/care/v1/session", query, &session); err != nil {
				return about(args[0], err)
			}
			return env.printSession(session)
		},
	}
	cmd.Flags().StringVar(&sub, "sub-session", "", "CC-Sub-Session-Id, where the client uses them")
	return cmd
}

func (env *environment) printSession(s api.SessionHistory) error {
	if env.json {
		return env.printJSON(s)
	}
	t := newTable(env.stdout)
	t.row("Session", sessionName(s.Session))
	t.row("MSISDN", s.MSISDN)
	t.row("State", strings.TrimSuffix(s.State+", "+s.Cause, ", "))
	t.row("Service", s.Service)
	t.row("From client", s.OriginHost)
	t.row("Call", fmt.Sprintf("%s, %s to %s", s.Direction, printable(s.Calling), printable(s.Called)))
	t.row("Started", instant(s.StartedAt))
	t.row("Last report", optionalInstant(s.ReportedAt, ""))
	t.row("Ended", optionalInstant(s.EndedAt, ""))
	t.row("Used", quantity(s.UsedSeconds, "seconds"))
	t.row("Charged", quantity(s.ChargedSeconds, "seconds"))
	t.row("Reserved", quantity(s.ReservedSeconds, "seconds"))
	if len(s.MissingNumbers) > 0 {
		t.row("Never came", "request numbers "+strings.Trim(fmt.Sprint(s.MissingNumbers), "[]"))
	}
	for _, summons := range s.Summonses {
		t.row("Client is sent", fmt.Sprintf("%s (%s) since %s, copies: %d", summons.Request, summons.Reason, instant(summons.AskedAt), summons.Sent))
	}
	t.gap()
	t.row("AT", "REQUEST", "NUMBER", "ANSWER", "GRANTED")
	for _, e := range s.Exchanges {
		t.row(instant(e.At), e.Type, fmt.Sprint(e.Number), e.Verdict, exchangeGrants(e))
	}
	return t.flush()
}

// exchangeGrants tells what an answer granted, rating group by rating group.
func exchangeGrants(e api.Exchange) string {
	var told []string
	for _, service := range e.Services {
		text := service.Verdict
		if service.Granted > 0 {
			text = fmt.Sprintf("%d %s", service.Granted, service.Measure)
		}
		if service.RatingGroup != nil {
			text = fmt.Sprintf("group %d: %s", *service.RatingGroup, text)
		}
		if service.Final {
			text += ", final"
		}
		told = append(told, text)
	}
	return strings.Join(told, "; ")
}
