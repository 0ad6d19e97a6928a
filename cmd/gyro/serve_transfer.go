package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/diameter"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/policy"
	"github.com/gyro-ocs/gyro/ocs/policy/inforce"
	"github.com/gyro-ocs/gyro/transfer"
)

// transferConfig is everything about transfers that "gyro serve" can be told.
type transferConfig struct {
	Policy string // file; empty: the policy that is shipped
	Pepper string // file; empty: one in the data directory, made at the first start
	Texts  string // URL of the gateway for texts; empty: they go to the log

	Callbacks []string // networks of the operator's own that events may be sent to

	Diameter struct {
		Contexts         []string
		Profiles         []string
		Operations       []string // of peers that say nothing about it
		VendorID         int
		Production       bool
		Experimental     bool
		PlainCredentials bool
	}
	USSD api.USSD
}

// settings are its keys.
func (c *transferConfig) settings() []setting {
	return []setting{
		{"transfer.policy", "policy of transfers, until another is loaded: a YAML file (default the one that is shipped)", text(&c.Policy)},
		{"transfer.pepper", "file with the pepper of PINs, the same for all servers of a database (default pin.pepper in the data directory, made at the first start)", text(&c.Pepper)},
		{"transfer.texts", "URL of the gateway for text messages, with {to} and {text}; empty: they go to the log", text(&c.Texts)},
		{"transfer.callbacks", "networks that events may be sent to although they are private, such as 10.1.0.0/16", list(&c.Callbacks)},
		{"transfer.diameter.contexts", "values of Service-Context-Id that mean a transfer", list(&c.Diameter.Contexts)},
		{"transfer.diameter.profiles", "how transfers may be carried: ietf, vendor, 3gpp", list(&c.Diameter.Profiles)},
		{"transfer.diameter.operations", "what a peer may ask for about transfers that says nothing about it in peers; all: everything", list(&c.Diameter.Operations)},
		{"transfer.diameter.vendor_id", "enterprise number for the profile vendor and for refusals; 0: none", whole(&c.Diameter.VendorID, 0, 1<<32-1)},
		{"transfer.diameter.experimental_result", "tell refusals in Experimental-Result too", truth(&c.Diameter.Experimental)},
		{"transfer.diameter.production", "refuse a vendor id that is for documentation only", truth(&c.Diameter.Production)},
		{"transfer.diameter.plain_credentials", "take PINs from peers without TLS", truth(&c.Diameter.PlainCredentials)},
		{"transfer.ussd.service", "the code that is dialled", text(&c.USSD.Service)},
		{"transfer.ussd.country", "country code of numbers that are dialled without one; empty: they have one", text(&c.USSD.Country)},
		{"transfer.ussd.pin_in_dial", "accept the PIN in what is dialled, where handsets keep it", truth(&c.USSD.PINInDial)},
		{"transfer.ussd.gateways", "USSD gateways, each with name, dialect, token and reply", gatewaysValue{&c.USSD.Gateways}},
	}
}

func defaultTransferConfig() (c transferConfig) {
	c.Diameter.Contexts = []string{diameter.DefaultTransferContext}
	c.Diameter.Profiles = []string{string(diameter.ProfileIETF)}
	c.USSD.Service = "*999"
	return c
}

// validate returns everything that can be seen to be wrong without a file.
func (c *transferConfig) validate() error {
	_, err := c.diameter()
	_, callbacks := c.networks()
	faults := []error{err, callbacks, c.USSD.Validate()}
	if c.Texts != "" {
		_, err := outbox.NewGateway(c.Texts)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// networks reads the networks that events may be sent to.
func (c *transferConfig) networks() (all []netip.Prefix, err error) {
	for _, text := range c.Callbacks {
		n, fault := netip.ParsePrefix(text)
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("transfer.callbacks: %q is no network such as 10.1.0.0/16", text))
			continue
		}
		all = append(all, n)
	}
	return all, err
}

// diameter makes the configuration of transfers over Diameter, without what decides them.
func (c *transferConfig) diameter() (diameter.Transfers, error) {
	operations, err := diameter.TransferOperations(c.Diameter.Operations)
	t := diameter.Transfers{
		Contexts: c.Diameter.Contexts, Operations: operations, VendorID: uint32(c.Diameter.VendorID), //nolint:gosec // G115: 32 bits, by its setting
		Experimental: c.Diameter.Experimental, Production: c.Diameter.Production, PlainCredentials: c.Diameter.PlainCredentials,
	}
	for _, p := range c.Diameter.Profiles {
		t.Profiles = append(t.Profiles, diameter.TransferProfile(p))
	}
	return t, errors.Join(err, t.Validate())
}

// policy reads the policy that the configuration names.
func (c *config) policy() (*policy.Policy, error) {
	if c.Transfer.Policy != "" {
		return policy.Load(c.Transfer.Policy)
	}
	if c.Demo {
		return demoPolicy()
	}
	return policy.Default(), nil
}

// startTransfers makes what transfers need: the policy, and the checker of PINs.
func (s *server) startTransfers(ctx context.Context) error {
	own, err := s.config.policy()
	if err != nil {
		return usagef("%w", err)
	}
	if s.policies, err = inforce.New(ctx, s.store, own, s.log, time.Now()); err != nil {
		return err
	}
	pepper, err := pin.PepperFile(cmp.Or(s.config.Transfer.Pepper, filepath.Join(s.config.DataDir, "pin.pepper")))
	if err != nil {
		return err
	}
	s.pepper = pepper
	s.pins, err = pin.New(pin.Config{
		Store: s.store, Pepper: pepper, Rules: func() transfer.PINRules { return s.policies.Policy().Transfer().PIN },
	})
	return err
}

// secret makes a secret for one purpose out of the pepper, so that there is one file to keep.
func (s *server) secret(purpose string) []byte {
	mac := hmac.New(sha256.New, s.pepper)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// startOutbox sends texts and events, and follows the policy, until the server stops.
func (s *server) startOutbox(context.Context) error {
	var texts outbox.Transport = outbox.LogTexts{Logger: s.log}
	if s.config.Transfer.Texts != "" {
		gateway, err := outbox.NewGateway(s.config.Transfer.Texts)
		if err != nil {
			return usagef("%w", err)
		}
		texts = gateway
	}
	networks, err := s.config.Transfer.networks()
	if err != nil {
		return usagef("%w", err)
	}
	events, err := outbox.NewCallbacks(s.secret("callbacks"), time.Now, networks...)
	if err != nil {
		return err
	}
	sender, err := outbox.New(outbox.Config{Store: s.store, Texts: texts, Events: events, Logger: s.log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { sender.Run(ctx) })
	running.Go(func() { (&tmf654.Worker{Store: s.store, Now: time.Now, Logger: s.log}).Run(ctx) })
	running.Go(func() { s.policies.Follow(ctx) })
	running.Go(func() { s.catalogs.Follow(ctx) })
	s.later(func(patience context.Context) error {
		cancel()
		ended := make(chan struct{})
		go func() { running.Wait(); close(ended) }()
		select {
		case <-ended:
			return nil
		case <-patience.Done():
			return fmt.Errorf("stop sending texts: %w", patience.Err())
		}
	})
	return nil
}

// transferOverDiameter has requests of peers decided.
func (s *server) transferOverDiameter() (diameter.Transfers, error) {
	t, err := s.config.Transfer.diameter()
	t.Do = func(ctx context.Context, r diameter.TransferRequest, done func(transfer.Outcome, error)) {
		// The peer may be gone before it is decided; what it asked for is decided all the same, as for calls.
		go func() { done(s.transferForPeer(context.WithoutCancel(ctx), r)) }()
	}
	return t, err
}

func (s *server) transferForPeer(ctx context.Context, r diameter.TransferRequest) (transfer.Outcome, error) {
	outcome, err := s.engine.Transfer(ctx, charging.Transfer{
		Request: r.Request, Acting: r.Acting, PIN: r.PIN, Payout: r.Payout, IMSI: r.IMSI,
	})
	switch {
	case errors.Is(err, charging.ErrBusy):
		return outcome, diameter.ErrTransferBusy
	case errors.Is(err, charging.ErrUnable):
		return outcome, diameter.ErrTransferNotDone
	}
	return outcome, err
}

// demoPolicy is the shipped policy with two differences: nobody waits after choosing a PIN, which a newcomer has just done,
// and the same two people may try all day.
func demoPolicy() (*policy.Policy, error) {
	source := policy.Default().Source()
	for _, change := range [][2]string{
		{"policy_version: default", "policy_version: demo"}, {"pin_reset: 1d", "pin_reset: 0"},
		{"window: day/calendar, count: 5}", "window: day/calendar, count: 1000}"},
		{"window: day/calendar, count: 10,", "window: day/calendar, count: 1000,"},
		{"window: day/calendar, count: 20,", "window: day/calendar, count: 1000,"},
		{"window: 30d/rolling, count: 100,", "window: 30d/rolling, count: 10000,"},
	} {
		source = bytes.ReplaceAll(source, []byte(change[0]), []byte(change[1]))
	}
	return policy.Parse("the demo policy", source)
}
