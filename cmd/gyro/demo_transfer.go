package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/api"
)

// demoPIN is Anna's PIN. It is told at every start: nothing of the demonstration is a secret.
const demoPIN = "730185"

// The transfer that is shown: minutes of Anna for Ben.
const (
	demoSender, demoReceiver = "491700000001", "491700000002"
	demoMinutes              = 15
)

// showTransfer lets Anna dial minutes to Ben, as on a handset, and follows them.
func (d *demo) showTransfer(ctx context.Context) error {
	if err := d.people(ctx); err != nil {
		return err
	}
	code := fmt.Sprintf("*999*%d*%s#", demoMinutes, demoReceiver)
	d.say("\nMinutes are money here. Anna dials %s on her handset, and then her PIN:\n", code)
	h := &handset{env: d.server.env, care: d.care, msisdn: demoSender, session: rand.Text(), text: fmt.Sprintf("%d*%s", demoMinutes, demoReceiver)}
	screen, err := d.dial(ctx, h, "")
	if err == nil && !screen.End && !strings.Contains(screen.Text, "PIN:") { // the same to the same within a minute
		screen, err = d.dial(ctx, h, "1")
	}
	if err == nil && !screen.End {
		screen, err = d.dial(ctx, h, demoPIN)
	}
	if err != nil {
		return err
	}
	if len(screen.Receipts) == 0 {
		d.say("  Nothing was sent. Did an earlier experiment change something?")
		return nil
	}
	for _, r := range screen.Receipts {
		d.say("  text to +%s: %s", r.To, printable(r.Text))
	}
	d.say("")
	for _, who := range []struct{ name, msisdn string }{{"Anna", demoSender}, {"Ben", demoReceiver}} {
		account, err := d.account(ctx, who.msisdn)
		if err != nil {
			return err
		}
		d.say("  %-5s has %s min", who.name, minutes(account.BalanceSeconds))
	}
	return d.trace(ctx)
}

// people gives Anna and Ben their names, and Anna a PIN of her own choice, unless they have them.
func (d *demo) people(ctx context.Context) error {
	for msisdn, name := range map[string]string{demoSender: "Anna Vogel", demoReceiver: "Ben Okafor"} {
		path := "/care/v1/subscribers/" + msisdn
		var profile api.Profile
		if err := d.care.get(ctx, path+"/profile", nil, &profile); err != nil {
			return err
		}
		if profile.Name == "" {
			profile.Name = name
			if err := d.care.send(ctx, http.MethodPut, path+"/profile", profile, &profile); err != nil {
				return err
			}
		}
	}
	path := "/care/v1/subscribers/" + demoSender + "/pin"
	var state api.PINState
	if err := d.care.get(ctx, path, nil, &state); err != nil || state.Set {
		return err
	}
	return d.care.send(ctx, http.MethodPut, path, api.NewPIN{PIN: demoPIN, Chosen: true}, &state)
}

// dial sends what is typed and shows the screen. What is typed after the first screen is not told: it may be the PIN.
func (d *demo) dial(ctx context.Context, h *handset, typed string) (api.Screen, error) {
	if typed != "" {
		h.text += "*" + typed
	}
	screen, err := h.send(ctx)
	if err == nil {
		err = drawScreen(d.out, screen.Text)
	}
	return screen, err
}

// trace draws where Ben's minutes came from.
func (d *demo) trace(ctx context.Context) error {
	account, err := d.account(ctx, demoReceiver)
	if err != nil {
		return err
	}
	var newest *api.Bucket
	for i, b := range account.Buckets {
		if newest == nil || b.CreatedAt.After(newest.CreatedAt) {
			newest = &account.Buckets[i]
		}
	}
	if newest == nil {
		return nil
	}
	var trace api.Trace
	if err := d.care.get(ctx, "/care/v1/buckets/"+newest.ID+"/trace", nil, &trace); err != nil {
		return err
	}
	d.say("\nWhere the %d minutes came from, and when they die:\n", demoMinutes)
	return drawTrace(newTable(d.out), trace.Buckets)
}
