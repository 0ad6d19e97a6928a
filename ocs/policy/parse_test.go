package policy

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

const day = 24 * time.Hour

func load(t *testing.T, name string) *Policy {
	t.Helper()
	p, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// Every key comes out where it belongs.
func TestEveryKey(t *testing.T) {
	t.Parallel()
	got := *load(t, "testdata/good/everything.yaml").Transfer()
	nairobi, seoul := location(t, "Africa/Nairobi"), location(t, "Asia/Seoul")
	want := transfer.Policy{
		Version: got.Version,
		Zone:    nairobi,
		Stop:    &transfer.Stop{Reason: "fraud, 12 cases", Since: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		Kinds: map[transfer.Kind]transfer.KindRules{
			transfer.P2P: {
				Off: true, Least: 300, Most: 5400, Step: 300, MinRemaining: 30, ReceiverCap: 60000, Bearer: transfer.Receiver, ReceiverConsents: true,
				Reversal: transfer.ReversalRules{
					Way: transfer.Claim, Window: 12 * time.Hour, Decide: 60 * time.Hour, FeeRefunded: true, Persons: 3, PersonsAfter: 4, Claims: 2,
				},
			},
			transfer.Gift: {Least: 60, Most: 600, Step: 60, Bearer: transfer.Originator, Reversal: transfer.Default().Kinds[transfer.P2P].Reversal},
			transfer.Merchant: {
				Least: 1, Most: 600, Step: 1, Bearer: transfer.Originator, Reversal: transfer.ReversalRules{Way: transfer.Refund, FeeRefunded: true},
			},
		},
		Channels: map[transfer.Channel]transfer.ChannelRules{
			transfer.USSD:      {Step: transfer.YesNo, StepAbove: 600},
			transfer.API:       {Step: transfer.PINAndID, Interactive: true},
			transfer.AgentDesk: {Step: transfer.PIN, Interactive: true},
		},
		Classes: map[string]transfer.ClassRules{
			"plan":  {Movable: true, Kinds: []transfer.Kind{transfer.P2P}, MaxHops: 1, Becomes: map[transfer.Kind]string{transfer.P2P: "received"}},
			"gift":  {Movable: true, Kinds: []transfer.Kind{transfer.P2P, transfer.Gift}, MaxHops: 1},
			"bonus": {},
		},
		Limits: []transfer.Limit{
			{
				Name: "weekly", Scope: transfer.PerReceiver, Kinds: []transfer.Kind{transfer.P2P, transfer.Gift}, Channels: []transfer.Channel{transfer.USSD, transfer.SMS},
				Window: transfer.Window{Period: transfer.Week, Zone: seoul}, Count: 7, Seconds: 7500, Refused: true,
			},
			{
				Name: "90m/rolling app p2p", Scope: transfer.PerAsker, Kinds: []transfer.Kind{transfer.P2P}, Channels: []transfer.Channel{transfer.App},
				Window: transfer.Window{Period: transfer.Rolling, Length: 90 * time.Minute}, Seconds: 300,
			},
		},
		Fees: []transfer.FeeRule{
			{
				Name: "by sms", Channels: []transfer.Channel{transfer.SMS}, Bands: []transfer.FeeBand{{Flat: 30, BasisPoints: 250}}, Least: 60, Most: 600,
				Free: 3, FreeEvery: transfer.Window{Period: transfer.Month, Zone: nairobi},
			},
			{
				Name: "large", Kinds: []transfer.Kind{transfer.P2P},
				Bands: []transfer.FeeBand{{UpTo: 600}, {UpTo: 3600, Flat: 60}, {BasisPoints: 5}},
			},
		},
		Commissions: []transfer.CommissionRule{
			{
				Name: "agents", Kinds: []transfer.Kind{transfer.Agent, transfer.CashOut},
				Bands: []transfer.CommissionBand{{UpTo: 6000, Agent: 7000}, {Agent: 3333, Parent: 1000}},
			},
			{Name: "rest", Bands: []transfer.CommissionBand{{Agent: 100}}},
		},
		Expiry:       transfer.ExpiryRule{Mode: transfer.Extend, Days: 30, Life: 90},
		BeforeExpiry: 90 * time.Minute,
		Eligibility: transfer.Eligibility{
			SenderAge: 90 * day, ReceiverAge: 30 * day, RechargeWithin: 31 * day, Roaming: true, PostpaidSends: true, RepayFirst: true,
			Families: []transfer.FamilyPair{{From: "basic", To: "basic"}, {From: "basic", To: "plus"}},
		},
		Cooling:   transfer.Cooling{SIM: 2 * day, PIN: 2 * day, Device: 90 * time.Second},
		Solicit:   transfer.SolicitRules{Life: 2 * time.Hour, OnlyLess: 600, Quiet: transfer.Quiet{From: 22*60 + 30, To: 7 * 60, Zone: seoul}},
		PIN:       transfer.PINRules{Digits: 4, Tries: 5, Lock: time.Hour, LockGrowth: 3, Resets: 2, ResetEvery: 7 * day},
		QuoteLife: time.Minute, HoldLife: 2 * time.Hour, ConsentLife: 3 * time.Hour, PayoutLife: 4 * time.Hour, PayoutTries: 5,
		ReviewLife: 5 * time.Hour,
		Rules: []transfer.Rule{
			{Name: "fast_through", When: condition(t, "out_24h >= 0.9*in_24h and in_24h >= 6000 and median_hold < 30m"), Action: transfer.Hold},
			{
				Name: "odd", Kinds: []transfer.Kind{transfer.P2P}, Action: transfer.Deny, Shadow: true,
				When: condition(t, "not (account_age >= 7d or receiver_account_age = 0) and count_24h(amount between 10min and max) > 3"),
			},
		},
		Approvals: []transfer.Approval{
			{Operation: transfer.OpSend, Kinds: []transfer.Kind{transfer.Float}, Above: 6000, Checkers: 1},
			{Operation: transfer.OpReverse, Above: 6000, Checkers: 1, AfterWindow: 2},
		},
	}
	gotFields, wantFields := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range wantFields.NumField() {
		if a, b := gotFields.Field(i).Interface(), wantFields.Field(i).Interface(); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", wantFields.Type().Field(i).Name, a, b)
		}
	}
}

// No knob of the core can be reached by no key: the policy with every key has no field as the default has it, but for those
// that only their own values can have.
func TestEveryKnobHasAKey(t *testing.T) {
	t.Parallel()
	got, usual := reflect.ValueOf(*load(t, "testdata/good/everything.yaml").Transfer()), reflect.ValueOf(*transfer.Default())
	var compare func(path string, a, b reflect.Value)
	compare = func(path string, a, b reflect.Value) {
		if a.Kind() == reflect.Struct && a.Type() != reflect.TypeFor[time.Time]() {
			for i := range a.NumField() {
				compare(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
			}
			return
		}
		if reflect.DeepEqual(a.Interface(), b.Interface()) {
			t.Errorf("%s is %v, as in the default: no key of everything.yaml reaches it", path, a.Interface())
		}
	}
	for i := range got.NumField() {
		name := got.Type().Field(i).Name
		if name == "Expiry" { // Days of one mode, Band of another
			continue
		}
		compare(name, got.Field(i), usual.Field(i))
	}
}

// The example of the specification is read, and means what it says there.
func TestExampleOfTheSpecification(t *testing.T) {
	t.Parallel()
	p := load(t, "testdata/good/specification.yaml").Transfer()
	if p.Stop != nil || !strings.HasPrefix(p.Version, "2024-05+") || len(p.Limits) != 5 {
		t.Fatalf("%+v", p)
	}
	if got := p.Cooling; got != (transfer.Cooling{SIM: 3 * day, Port: 3 * day, PIN: 3 * day, Device: 3 * day}) {
		t.Errorf("cooling off %+v", got)
	}
	if got := p.Classes["purchased"].MaxHops; got != 1 {
		t.Errorf("%d hops", got)
	}
	if got := p.PIN; got != transfer.Default().PIN {
		t.Errorf("PIN %+v", got)
	}
	last := p.Limits[4]
	if last.Seconds != 1800 || len(last.Channels) != 1 || last.Channels[0] != transfer.SMS || last.Name == p.Limits[0].Name {
		t.Errorf("the last limit is %+v", last)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "30s": 30 * time.Second, "90m": 90 * time.Minute, "1d12h": 36 * time.Hour, "1d2h3m4s": 93784 * time.Second, "36600d": 36600 * day,
	} {
		got, ok := parseTime(text)
		if !ok || got != want {
			t.Errorf("%q is %v, %v", text, got, ok)
		}
		if again, ok := parseTime(sayTime(got)); !ok || again != got {
			t.Errorf("%v is said as %q", got, sayTime(got))
		}
	}
	for _, text := range []string{"", "3", "d", "3 d", "-3d", "1h1d", "1.5h", "3D", "+3d", "36601d", "999999999d", "999999999999s1", "3w", "٣d", "100d999999999h"} {
		if got, ok := parseTime(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestVersionFollowsContent(t *testing.T) {
	t.Parallel()
	version := func(text string) string {
		p, err := Parse("x.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("kept", p.Source())
		if err != nil || again.Version() != p.Version() || len(Diff(p, again)) > 0 {
			t.Errorf("not read again from its source: %v", err)
		}
		return p.Version()
	}
	a := version(sample("policy_version: mine"))
	if b := version("\ufeff" + sample("policy_version: mine")); a != b || !strings.HasPrefix(a, "mine+") {
		t.Errorf("the same text is %s and %s", a, b)
	}
	if b := version(sample("policy_version: mine") + " # a comment\n"); a == b {
		t.Errorf("another text is still version %s", b)
	}
	if b := version(sample("repeat_after: 0")); strings.Contains(b, "+") || len(b) != digestLength {
		t.Errorf("without a name: %s", b)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.Contains(err.Error(), "load policy: ") {
		t.Errorf("what is not there: %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
	}
}

// No text panics, and what is accepted is valid, can be compared and is read again from its source.
func FuzzParse(f *testing.F) {
	f.Add(shipped)
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/faults/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	usual := Default()
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("x.yaml", data)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without text")
			}
			return
		}
		if err := p.Transfer().Validate(); err != nil {
			t.Error(err)
		}
		Diff(usual, p)
		again, err := Parse("x.yaml", p.Source())
		if err != nil || again.Version() != p.Version() || len(Diff(p, again)) > 0 {
			t.Fatalf("not read again: %v", err)
		}
	})
}

func condition(t *testing.T, text string) transfer.Condition {
	t.Helper()
	c, err := transfer.ParseCondition(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
