package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/yamltext/yamltest"
)

const schemaFile = "policy.schema.json"

// The schema knows the keys that the reader knows, no more and no fewer.
func TestSchemaHasTheKeysOfTheReader(t *testing.T) {
	t.Parallel()
	yamltest.ReadSchema(t, schemaFile).CompareKeys(t, map[string][]string{
		"transfer": transferKeys, "stop": stopKeys, "kind": kindKeys, "reversal": reversalKeys, "channel": channelKeys, "class": classKeys,
		"limit": limitKeys, "fee": feeKeys, "feeBand": feeBandKeys, "commission": commissionKeys, "commissionBand": commissionBandKeys,
		"expiry": expiryKeys, "daysBand": daysBandKeys, "eligibility": eligibilityKeys, "family": familyKeys, "cooling": coolingKeys,
		"requests": requestKeys, "pin": pinKeys, "rule": ruleKeys, "approval": approvalKeys,
	})
}

// What the reader accepts, the schema accepts.
func TestSchemaAcceptsPolicies(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no good files: %v", err)
	}
	for _, file := range append(files, "policy.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(file, data); err != nil {
			t.Errorf("by the reader: %v", err)
		}
		if faults := yamltest.ReadSchema(t, schemaFile).Check(t, data); len(faults) > 0 {
			t.Errorf("%s by the schema: %s", file, strings.Join(faults, "\n"))
		}
	}
}

// What is wrong in form is refused by the schema too. It knows less: that 10min is more than 5min is none of its business.
func TestSchemaRefusesFaults(t *testing.T) {
	t.Parallel()
	schema := yamltest.ReadSchema(t, schemaFile)
	for _, text := range []string{
		"", "transfer:", "transfer: []", "policy: {}", "transfer: {fees: [{name: free}]}",
		sample("limits: []"), sample("limits: [{scope: sender}]"), sample("limits: [{scope: all, window: day/calendar, count: 1}]"),
		sample("limits: [{scope: pair, window: day, count: 1}]"), sample("limits: [{scope: pair, window: day/calendar, count: 0}]"),
		sample("limits: [{scope: pair, window: day/calendar, seconds: 1.5}]"), sample("limits: [{scope: pair, window: day/calendar, seconds: -5}]"),
		sample("limits: [{scope: pair, window: day/calendar, count: 1, kinds: []}]"), sample("limits: [{scope: pair, window: day/calendar, count: 1, kind: loan}]"),
		sample("before_expiry: 3 days"), sample("payout_tries: 0"), sample("enabled: maybe"), sample("pin: {digits: 3}"), sample("pin: {default_usable: true}"),
		sample("pin: {weak_list: false}"), sample("pin: {lock_growth: x}"), sample("pin: {reset_quota: 30d}"), sample("cooling_off: {after: []}"),
		sample("cooling_off: {after: [birthday], hours: 1}"), sample("expiry: never"), sample("expiry: {mode: fixed, days: 0}"),
		sample("eligibility: {families: [{from: a}]}"), sample("commissions: [{agent_percent: 60}]"), sample("rules: []"), sample("time_zone: ''"),
		sample("commissions: [{name: a, agent_percent: 12%}]"), sample("policy_version: a b"), sample("stop: {since: today}"),
	} {
		if faults := schema.Check(t, []byte(text+"\n")); len(faults) == 0 {
			t.Errorf("accepted: %s", text)
		}
		if _, err := Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("accepted by the reader: %s", text)
		}
	}
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of faults: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if faults := schema.Check(t, data); len(faults) == 0 {
			t.Errorf("%s is accepted", file)
		}
	}
}
