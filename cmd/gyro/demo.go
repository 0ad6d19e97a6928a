package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/diameter/ctf"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/rating"
)

// demoPlan is the plan of the shipped catalogue that the demo subscribers have.
const demoPlan = "demo"

// A demoSubscriber is made by "gyro serve --demo".
type demoSubscriber struct {
	name    string
	msisdn  string
	seconds rating.Units
	remark  string
}

var demoSubscribers = []demoSubscriber{
	{"Anna", "491700000001", 200 * 60, "makes the call below"},
	{"Ben", "491700000002", 20 * 60, ""},
	{"Cleo", "491700000003", 90, "a longer call is cut off"},
	{"Dora", "491700000004", 0, "every call is refused"},
}

// demoCall is the call that is shown. It is answered after four seconds of ringing and lasts two minutes and a half, so
// that quota is used up twice.
var demoCall = ctf.Call{From: "491700000001", To: "+4930123456", Talk: 150 * time.Second, AnswerDelay: 4 * time.Second}

// demo shows a newcomer what the server does. Everything goes through its doors: the HTTP API and a Diameter socket.
type demo struct {
	server *server
	care   *client
	out    io.Writer
	faults []error // of what was looked at during the call
}

// runDemo makes the demo subscribers, shows a call, and says what to try next.
func runDemo(ctx context.Context, s *server) error {
	base, err := url.Parse(s.endpoint.URL)
	if err != nil {
		return err
	}
	d := &demo{server: s, care: &client{base: base, token: s.endpoint.Token, http: &http.Client{}}, out: s.env.stdout}
	if err := d.subscribers(ctx); err != nil {
		return err
	}
	if err := d.showCall(ctx); err != nil {
		return err
	}
	if err := d.showTransfer(ctx); err != nil {
		return err
	}
	d.next()
	return nil
}

// say prints a line. The server works also when nobody reads it.
func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format+"\n", args...) }

// subscribers makes those that are missing and gives back to the others what earlier runs used.
func (d *demo) subscribers(ctx context.Context) error {
	d.say("\nFour subscribers of the plan %q, whose minutes are in Postgres:\n", demoPlan)
	t := newTable(d.out)
	for _, one := range demoSubscribers {
		done, err := d.prepare(ctx, one)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", one.name, err)
		}
		t.row("  "+one.name, "+"+one.msisdn, minutes(one.seconds)+" min", strings.TrimSuffix(done+"; "+one.remark, "; "))
	}
	return t.flush()
}

// prepare sees to it that one has at least its seconds, and says what it did. Minutes that an earlier run used come back
// by a grant, which is a posting like any other and no edited balance.
func (d *demo) prepare(ctx context.Context, one demoSubscriber) (done string, err error) {
	var account api.SubscriberAccount
	err = d.care.send(ctx, http.MethodPost, "/care/v1/subscribers", api.NewSubscriber{MSISDN: one.msisdn, Plan: demoPlan, Seconds: one.seconds}, &account)
	if err == nil {
		return "new", nil
	}
	if exitCode(err) != exitRefused { // else the subscriber is there already
		return "", err
	}
	if account, err = d.account(ctx, one.msisdn); err != nil {
		return "", err
	}
	missing := one.seconds - account.BalanceSeconds
	if missing < 0 {
		return fmt.Sprintf("has %s from an earlier run", minutes(account.BalanceSeconds)), nil
	}
	if missing == 0 {
		return "from an earlier run", nil
	}
	grant := api.NewGrant{Units: missing, Unit: string(rating.Seconds), Class: "plan", Reason: "demo: back to the start"}
	if err := d.care.send(ctx, http.MethodPost, "/care/v1/subscribers/"+one.msisdn+"/buckets", grant, new(api.Grant)); err != nil {
		return "", err
	}
	return fmt.Sprintf("had %s left from an earlier run, %s granted", minutes(account.BalanceSeconds), minutes(missing)), nil
}

func (d *demo) account(ctx context.Context, msisdn string) (account api.SubscriberAccount, err error) {
	err = d.care.get(ctx, "/care/v1/subscribers/"+msisdn, nil, &account)
	return account, err
}

// showCall places a call over the real socket and tells what is said and what becomes of the bucket.
func (d *demo) showCall(ctx context.Context) error {
	if len(d.server.endpoint.Diameter) == 0 {
		d.say("\nThere is no plain Diameter listener, so no call is shown.")
		return nil
	}
	config := ctf.Config{Host: fmt.Sprintf("switch-%d.demo.localdomain", os.Getpid()), Realm: "demo.localdomain"}
	conn, err := ctf.Dial(ctx, d.server.endpoint.Diameter[0], config)
	if err != nil {
		return fmt.Errorf("connect the switch: %w", err)
	}
	defer conn.Close() //nolint:errcheck // the call is over
	d.say("\nA switch connects to %s and places a call: Anna talks to %s for %s min.\nThe time is simulated, the Diameter messages are real:\n",
		d.server.endpoint.Diameter[0], demoCall.To, minutes(rating.Units(demoCall.Talk/time.Second)))
	if err := d.bucket(ctx); err != nil {
		return err
	}
	outcome, err := ctf.New(config, conn).Call(ctx, demoCall, func(m ctf.Message) { d.message(ctx, m) })
	if err := errors.Join(append(d.faults, err)...); err != nil {
		return err
	}
	if outcome.End != ctf.Completed {
		d.say("\nThe call was %s with %d. Did an earlier experiment change the subscriber?", outcome.End, outcome.Code)
		return nil
	}
	return d.record(ctx, outcome.Session)
}

func (d *demo) message(ctx context.Context, m ctf.Message) {
	if m.Sent {
		d.say("  switch -> gyro   %s", printable(m.String()))
		return
	}
	d.say("  switch <- gyro   %s", printable(m.String()))
	if err := d.bucket(ctx); err != nil {
		d.faults = append(d.faults, err)
	}
}

// bucket shows what the caller has now.
func (d *demo) bucket(ctx context.Context) error {
	account, err := d.account(ctx, demoCall.From)
	if err != nil {
		return err
	}
	held := ""
	if account.ReservedSeconds > 0 {
		held = fmt.Sprintf(", %s of it reserved for the call", minutes(account.ReservedSeconds))
	}
	d.say("                   bucket of Anna: %s min%s\n", minutes(account.BalanceSeconds), held)
	return nil
}

// record shows the CDR of the call.
func (d *demo) record(ctx context.Context, session string) error {
	query := url.Values{"msisdn": {demoCall.From}, "from": {d.server.endpoint.StartedAt.Add(-time.Minute).Format(time.RFC3339)}}
	for {
		var page api.CDRPage
		if err := d.care.get(ctx, "/care/v1/cdrs", query, &page); err != nil {
			return err
		}
		for _, r := range page.CDRs {
			if r.SessionID != session {
				continue
			}
			d.say("The call detail record:\n")
			t := newTable(d.out)
			t.row("  session", r.SessionID)
			t.row("  subscriber", "+"+r.MSISDN)
			t.row("  other party", r.OtherParty)
			t.row("  service", r.Service)
			t.row("  used", quantity(r.UsedSeconds, string(rating.Seconds)))
			t.row("  charged", quantity(r.ChargedSeconds, string(rating.Seconds)))
			t.row("  ended by", r.Cause)
			return t.flush()
		}
		if page.Next == "" {
			return errors.New("the call has ended and there is no CDR of it")
		}
		query.Set("after", page.Next)
	}
}

// next says what a newcomer can type, in a form that works when it is copied.
func (d *demo) next() {
	gyro := os.Args[0]
	where := ""
	if home := d.server.env.getenv("HOME"); d.server.config.DataDir != filepath.Join(home, ".local", "share", "gyro") || home == "" {
		where = " --data-dir " + shellWord(d.server.config.DataDir)
	}
	d.say("\nThe server stays up; Ctrl-C stops it. In another terminal, try:\n")
	for _, command := range []string{
		"subscriber show 491700000001",
		"call --from 491700000002 --to +4930123456 --seconds 300",
		"call --from 491700000003 --to +4930123456 --seconds 300   # cut off: 1:30 is all there is",
		"call --from 491700000001 --to +61291234567 --seconds 60   # abroad: a minute takes four",
		"subscriber create 491700000005 --plan demo --seconds 3600",
		"bucket grant 491700000004 --seconds 600 --reason goodwill",
		"cdr list --msisdn 491700000001",
		"ussd 491700000001   # the handset of Anna: the menu; her PIN is " + demoPIN,
		"transfer list 491700000001",
		"transfer quote --from 491700000001 --to 491700000002 --minutes 500   # refused, and why",
		"doctor",
	} {
		arguments, remark, remarked := strings.Cut(command, "   # ")
		if remarked {
			remark = "   # " + remark
		}
		d.say("  %s %s%s%s", shellWord(gyro), arguments, where, remark)
	}
	d.say("")
}

// shellWord writes s so that a shell reads it as one word.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+:@%") == "" && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
