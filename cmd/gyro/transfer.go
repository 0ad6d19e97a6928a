package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

func transferCommand(env *environment) *cobra.Command {
	return group("transfer", "Move minutes between subscribers, and look at what was moved",
		transferAskCommand(env, askQuote),
		transferAskCommand(env, askSend),
		transferAskCommand(env, askPrepare),
		transferAskCommand(env, askRequest),
		transferActCommand(env, "confirm", "Move what was prepared; a cash-out with the customer's code", "confirm"),
		transferActCommand(env, "cancel", "Give back what was prepared or asked for", "cancel"),
		transferActCommand(env, "accept", "Say yes to a request for minutes, or to minutes that wait for consent", "accept"),
		transferActCommand(env, "decline", "Say no to a request for minutes, or to minutes that wait for consent", "decline"),
		transferActCommand(env, "claim", "Claim a transfer back: what is left of it is frozen until it is decided", "claim"),
		transferActCommand(env, "refund", "Give a received transfer back, as a shop does", "refund"),
		transferDecideCommand(env),
		transferShowCommand(env),
		transferListCommand(env),
		transferUndecidedCommand(env),
		transferExplainCommand(env),
		transferAllowanceCommand(env),
	)
}

// asking is one way to ask for a transfer.
type asking struct {
	use, short, long, path, example string
}

const sendHelp = `Minutes are whole minutes. --to is an MSISDN, merchant:CODE for a shop, or agent:CODE for a trader who pays cash.
Running it again with the same --id and content moves nothing more and prints the first result, a refusal too; so after a
timeout it is safe to repeat. Without --id one is made up, and every run sends again.

The operator sends without a PIN. With --pin the sender's PIN is asked for and checked: on the terminal without echo, else
from the first line of stdin.`

var (
	askQuote = asking{
		"quote --from MSISDN --to MSISDN --minutes N", "Price a transfer, and judge it by every rule, without moving anything",
		sendHelp, "/care/v1/transfers/quote", "  gyro transfer quote --from 31612345678 --to 31687654321 --minutes 15",
	}
	askSend = asking{
		"send --from MSISDN --to MSISDN --minutes N", "Move minutes from one subscriber to another", sendHelp, "/care/v1/transfers",
		"  gyro transfer send --id 2026-03-01/17 --from 31612345678 --to 31687654321 --minutes 30\n" +
			"  gyro transfer send --from 31612345678 --to merchant:12340 --minutes 12 --note 'bill 4711'",
	}
	askPrepare = asking{
		"prepare --from MSISDN --to MSISDN --minutes N", "Set minutes aside, to be moved when it is confirmed", sendHelp,
		"/care/v1/transfers/prepare", "  gyro transfer prepare --from 31612345678 --to agent:54325 --minutes 60   # cash-out",
	}
	askRequest = asking{
		"request --from MSISDN --to MSISDN --minutes N", "Ask --from for minutes, in the name of --to", sendHelp,
		"/care/v1/transfers/request", "  gyro transfer request --from 31612345678 --to 31687654321 --minutes 5",
	}
)

func transferAskCommand(env *environment, a asking) *cobra.Command {
	var body api.NewTransfer
	var minutes string
	var seconds, maxFee int64
	var pin bool
	cmd := &cobra.Command{
		Use: a.use, Short: a.short, Long: a.short + ".\n\n" + a.long, Example: a.example, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if body.From == "" || body.To == "" {
				return usagef("--from and --to are needed")
			}
			if body.Seconds, err = moved(cmd, minutes, seconds); err != nil {
				return err
			}
			if cmd.Flags().Changed("max-fee") {
				body.MaxFee = new(rating.Units(maxFee))
			}
			if pin {
				body.As = "sender"
				if body.PIN, err = env.secret("PIN: "); err != nil {
					return err
				}
			}
			return env.askTransfer(cmd.Context(), a.path, body)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&body.From, "from", "", "who gives: MSISDN, or agent:CODE")
	flags.StringVar(&body.To, "to", "", "who gets: MSISDN, merchant:CODE or agent:CODE")
	flags.StringVar(&minutes, "minutes", "", "whole minutes")
	flags.Int64Var(&seconds, "seconds", 0, "seconds, instead of --minutes")
	flags.StringVar(&body.ID, "id", "", "names the request for good, so that it can be repeated safely")
	flags.StringVar(&body.Kind, "kind", "", "p2p, gift, merchant, cashout, agent or float (default by what --to is)")
	flags.StringVar(&body.Bearer, "bearer", "", "who bears the fee: originator or receiver (default as the policy says)")
	flags.Int64Var(&maxFee, "max-fee", 0, "refuse a higher fee, in seconds")
	flags.StringVar(&body.QuoteID, "quote", "", "charge the price of this quote")
	flags.StringVar(&body.Note, "note", "", "note, or the number of a bill")
	flags.StringVar(&body.Channel, "channel", "api", "by whose rules: ussd, sms, ivr, app, agent or api")
	flags.BoolVar(&pin, "pin", false, "ask for the sender's PIN, and act as the sender")
	flags.BoolVar(&body.Confirmed, "yes", false, "the person has said yes")
	flags.BoolVar(&body.Again, "again", false, "yes, the same again to the same")
	flags.BoolVar(&body.Papers, "papers", false, "the papers of the person were seen")
	return cmd
}

// moved returns the seconds that --minutes or --seconds ask for.
func moved(cmd *cobra.Command, minutes string, seconds int64) (rating.Units, error) {
	switch ofMinutes, ofSeconds := cmd.Flags().Changed("minutes"), cmd.Flags().Changed("seconds"); {
	case ofMinutes && ofSeconds:
		return 0, usagef("--minutes and --seconds say the same: leave one out")
	case ofMinutes:
		n, err := transfer.ParseMinutes(minutes)
		if err != nil {
			return 0, usagef("--minutes %q: %w", minutes, err)
		}
		return n, nil
	case !ofSeconds:
		return 0, usagef("--minutes N is needed")
	case seconds < 1:
		return 0, usagef("--seconds %d moves nothing", seconds)
	}
	return rating.Units(seconds), nil
}

func (env *environment) askTransfer(ctx context.Context, path string, body any) error {
	c, err := env.client()
	if err != nil {
		return err
	}
	var answer api.TransferAnswer
	if err := c.send(ctx, http.MethodPost, path, body, &answer); err != nil {
		return err
	}
	return env.printAnswer(answer)
}

func (env *environment) printAnswer(a api.TransferAnswer) error {
	if env.json {
		return env.printJSON(a)
	}
	t := newTable(env.stdout)
	if a.Reference != "" {
		t.row("Reference", a.Reference)
	}
	if a.Status != "" {
		status := a.Status
		if a.Repeated {
			status += " (done before, and nothing was done now)"
		}
		t.row("Status", status)
	}
	t.row("Kind", a.Kind)
	t.row("Minutes", quantity(a.Seconds, "seconds"))
	t.row("Fee", quantity(a.Fee, "seconds"))
	if a.Name != "" {
		t.row("To", a.Name)
	}
	if a.QuoteID != "" {
		t.row("Quote", a.QuoteID)
	}
	if a.ValidTo != nil {
		t.row("Valid to", instant(*a.ValidTo))
	}
	if a.PayoutCode != "" {
		t.row("Pay-out code", a.PayoutCode+", to be shown to the trader only")
	}
	if a.Short > 0 {
		t.row("Already spent", quantity(a.Short, "seconds"))
	}
	t.row("Left", quantity(a.Left, "seconds"))
	for i, r := range a.Receipts {
		if i == 0 {
			t.gap()
		}
		t.row("Text to "+r.To, r.Text)
	}
	return t.flush()
}

func transferActCommand(env *environment, use, short, act string) *cobra.Command {
	var body api.TransferAct
	var pin, code bool
	var minutes string
	cmd := &cobra.Command{
		Use: use + " REFERENCE", Short: short,
		Long: short + `.

REFERENCE is what the receipts tell, such as 7K3M-9QTA-5, in any case and with or without hyphens.
Running it again with the same --id changes nothing more and prints the first result.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if minutes != "" {
				if body.Seconds, err = transfer.ParseMinutes(minutes); err != nil {
					return usagef("--minutes %q: %w", minutes, err)
				}
			}
			if pin {
				if body.PIN, err = env.secret("PIN: "); err != nil {
					return err
				}
			}
			if code {
				if body.PayoutCode, err = env.secret("Pay-out code: "); err != nil {
					return err
				}
			}
			return env.actOnTransfer(cmd.Context(), args[0], act, body)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&body.ID, "id", "", "names the request for good, so that it can be repeated safely")
	flags.StringVar(&body.As, "as", "", "who asks: sender, receiver or operator (default whose turn it is, else the operator)")
	flags.StringVar(&body.Channel, "channel", "api", "by whose rules: ussd, sms, ivr, app, agent or api")
	flags.StringVar(&body.Note, "note", "", "why")
	flags.BoolVar(&pin, "pin", false, "ask for the PIN of who acts")
	flags.BoolVar(&body.Confirmed, "yes", false, "the person has said yes")
	switch act {
	case "confirm":
		flags.BoolVar(&code, "code", false, "ask for the customer's pay-out code")
	case "claim", "refund":
		flags.StringVar(&minutes, "minutes", "", "so many only (default all that is left)")
		flags.BoolVar(&body.AtFault, "at-fault", false, "the operator erred: the fee goes back too")
	}
	return cmd
}

func (env *environment) actOnTransfer(ctx context.Context, reference, act string, body api.TransferAct) error {
	path, err := transferPath(reference)
	if err != nil {
		return err
	}
	return about(reference, env.askTransfer(ctx, path+"/"+act, body))
}

// transferPath returns the path of the transfer that an argument names.
func transferPath(arg string) (string, error) {
	reference, ok := transfer.ParseReference(arg)
	if !ok {
		return "", usagef("%q is no reference of a transfer: a character is wrong or missing", arg)
	}
	return "/care/v1/transfers/" + string(reference), nil
}

func transferDecideCommand(env *environment) *cobra.Command {
	var body api.TransferAct
	var grant, refuse bool
	cmd := &cobra.Command{
		Use: "decide REFERENCE --grant|--refuse", Short: "Decide a claim, or a transfer that awaits review, as one of the operator's persons",
		Long: `Decide a claim, or a transfer that awaits review because of a rule or an approval of the policy. It takes several persons to
grant a claim against the will of who holds the minutes, each with a key of its own; the first is who filed it, if that was the
operator. A transfer takes as many as the policy says, none of whom asked for it. One person is enough to refuse. gyro transfer
undecided lists what waits.`,
		Example: "  gyro transfer decide 7K3M-9QTA-5 --grant",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if grant == refuse {
				return usagef("one of --grant and --refuse is needed")
			}
			act := "refuse-claim"
			if grant {
				act = "grant-claim"
			}
			body.As = "operator"
			return env.actOnTransfer(cmd.Context(), args[0], act, body)
		},
	}
	cmd.Flags().BoolVar(&grant, "grant", false, "the claim: the minutes go back; the transfer: it goes on")
	cmd.Flags().BoolVar(&refuse, "refuse", false, "the minutes stay where they are")
	cmd.Flags().StringVar(&body.ID, "id", "", "names the request for good, so that it can be repeated safely")
	cmd.Flags().BoolVar(&body.AtFault, "at-fault", false, "the operator erred: the fee goes back too")
	return cmd
}

func transferShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show REFERENCE", Short: "Show a transfer", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := transferPath(args[0])
			if err != nil {
				return err
			}
			return ask(cmd, env, question{path: path, about: args[0]}, env.printStored)
		},
	}
}

func (env *environment) printStored(s api.StoredTransfer) error {
	t := newTable(env.stdout)
	t.row("Reference", s.Reference)
	t.row("Status", statusOf(s))
	t.row("Kind", s.Kind+", by "+s.Operation)
	t.row("From", s.From)
	t.row("To", s.To)
	t.row("Minutes", quantity(s.Seconds, "seconds"))
	fee := quantity(s.Fee, "seconds")
	if s.Fee > 0 {
		fee += ", borne by the " + s.Bearer
	}
	t.row("Fee", fee)
	for _, share := range s.Shares {
		t.row("  to agent "+share.Agent, quantity(share.Seconds, "seconds"))
	}
	if s.Note != "" {
		t.row("Note", s.Note)
	}
	if s.Reverses != "" {
		t.row("Reverses", s.Reverses)
	}
	if s.ReversedBy != "" {
		t.row("Reversed by", s.ReversedBy+", "+quantity(s.Returned, "seconds")+" came back")
	}
	if s.Needed > 0 {
		t.row("Persons", fmt.Sprintf("%s; %d are needed", strings.Join(s.Persons, ", "), s.Needed))
	}
	t.row("Asked by", s.Caller+" as "+s.ID+", channel "+s.Channel)
	t.row("Policy", s.Policy)
	t.row("Created", instant(s.CreatedAt))
	if s.DueAt != nil {
		t.row("Lapses", instant(*s.DueAt))
	}
	if s.EndedAt != nil {
		t.row("Ended", instant(*s.EndedAt))
	}
	if len(s.Lots) > 0 {
		t.gap()
		t.row("MINUTES", "CLASS", "EXPIRES")
		for _, l := range s.Lots {
			t.row(minutes(l.Seconds), l.Class, optionalInstant(l.ExpiresAt, "never"))
		}
	}
	return t.flush()
}

func statusOf(s api.StoredTransfer) string {
	switch {
	case s.Awaits != "":
		return s.Status + ", awaits " + s.Awaits
	case s.Refusal != "":
		return s.Status + ": " + s.Refusal
	}
	return s.Status
}

func transferListCommand(env *environment) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "list MSISDN", Short: "List the last transfers of a subscriber, sent and received, newest first",
		Long: "List prints the last transfers of a subscriber, sent and received, newest first.\n\n" + whoHelp,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			var list api.TransferList
			if err := c.get(cmd.Context(), path+"/transfers", url.Values{"limit": {strconv.Itoa(limit)}}, &list); err != nil {
				return about(args[0], err)
			}
			return env.printTransfers(list)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", tableLimit, "list this many at most, up to 1000")
	return cmd
}

func transferUndecidedCommand(env *environment) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "undecided", Short: "List what awaits a decision of the operator's persons, those that lapse first before the others",
		Long: `Undecided prints the transfers that await review, because of a rule or an approval of the policy, and the claims that nobody has
decided. Decide one with gyro transfer decide; gyro transfer explain tells the rules.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			var list api.TransferList
			if err := c.get(cmd.Context(), "/care/v1/transfers", url.Values{"limit": {strconv.Itoa(limit)}}, &list); err != nil {
				return err
			}
			return env.printTransfers(list)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", tableLimit, "list this many at most, up to 1000")
	return cmd
}

func (env *environment) printTransfers(list api.TransferList) error {
	switch {
	case env.json:
		return env.printJSON(list.Transfers)
	case len(list.Transfers) == 0:
		env.note("no transfers")
		return nil
	}
	t := newTable(env.stdout)
	t.row("REFERENCE", "AT", "FROM", "TO", "MINUTES", "FEE", "KIND", "STATUS")
	for _, s := range list.Transfers {
		t.row(s.Reference, instant(s.CreatedAt), s.From, s.To, minutes(s.Seconds), minutes(s.Fee), s.Kind, statusOf(s))
	}
	return t.flush()
}

func transferExplainCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "explain REFERENCE", Short: "Show every rule that a transfer was decided by, with its inputs and its result",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := transferPath(args[0])
			if err != nil {
				return err
			}
			return ask(cmd, env, question{path: path + "/explanation", about: args[0]}, env.printExplanation)
		},
	}
}

func (env *environment) printExplanation(e api.Explanation) error {
	t := newTable(env.stdout)
	t.row("Transfer", e.Transfer.Reference+", "+statusOf(e.Transfer))
	t.row("Policy", e.Transfer.Policy)
	if e.Transfer.Refusal != "" {
		t.row("Would pass", optionalInstant(e.NextAt, "not by waiting"))
	}
	t.gap()
	t.row("", "RULE", "HAVE", "WANT", "NEXT")
	for _, c := range e.Checks {
		mark := "ok"
		if !c.Passed {
			mark = "NO"
		}
		t.row(mark, c.Rule, c.Have, c.Want, optionalInstant(c.NextAt, ""))
	}
	return t.flush()
}

func transferAllowanceCommand(env *environment) *cobra.Command {
	var kind string
	cmd := &cobra.Command{
		Use: "allowance MSISDN", Short: "Show how much a subscriber may send now, and what keeps the rest", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := subscriberPath(args[0])
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			var a api.TransferAnswer
			if err := c.get(cmd.Context(), path+"/allowance", url.Values{"kind": {kind}}, &a); err != nil {
				return about(args[0], err)
			}
			if env.json || a.Purse == nil {
				return env.printJSON(a)
			}
			t := newTable(env.stdout)
			t.row("May send", quantity(a.May, "seconds"))
			t.row("Of", quantity(a.Purse.Total, "seconds"))
			t.row("In use", quantity(a.Purse.InUse, "seconds"))
			for _, k := range a.Purse.Kept {
				t.row("Kept, "+k.Class, quantity(k.Seconds, "seconds")+", by "+k.Reason)
			}
			return t.flush()
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "p2p", "p2p, gift, merchant, cashout, agent or float")
	return cmd
}
