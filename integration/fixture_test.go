package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// The fixture is a server with a plan that has a tariff of every kind, and with service contexts of every profile: what
// docs/spec/gy.md 4 asks beyond the plan demo. It is made once, and shared by the tests that need it.
var fixture struct {
	once   sync.Once
	server *server
	err    error
}

// fixtureCatalog is the plan "test". The tariffs named timed change ten minutes before the tests began, or in twenty minutes: %[1]s and
// %[2]s are these periods of six hours.
const fixtureCatalog = `
networks:
  home: {codes: ["26201"], nodes: ["+49"]}
  abroad: {codes: ["208"], nodes: ["+33"]}
calendars:
  test: {timezone: UTC}
plans:
  test:
    numbering: {country_code: "49", international: "00", national: "0", shortest: 6}
    home: [home]
    calendar: test
    voice:
      tariffs:
        - {name: national, prefixes: ["*"], price: 1/1}
        - {name: france, prefixes: ["+33"], pays: EUR, increments: 60/60, price: 20/60}
        - {name: mixed, prefixes: ["+43"], price: 1/1, then: [{pays: EUR, price: 60/60}]}
        - {name: free, prefixes: ["0800"], price: 0}
        - {name: premium, prefixes: ["0900"], barred: true}
        - name: timed
          prefixes: ["+48"]
          price: 1/1
          times: [{name: timed-later, hours: %[1]s, price: 3/1}]
        - name: timed-soon
          prefixes: ["+47"]
          price: 1/1
          times: [{name: timed-soon-later, hours: %[2]s, price: 3/1}]
      terminating: {name: received, price: 0}
      roaming:
        - name: abroad
          networks: [abroad]
          tariffs: [{name: abroad, prefixes: ["*"], price: 5/1}]
          terminating: {name: abroad-received, price: 2/1}
    message:
      tariffs:
        - {name: message, prefixes: ["*"], pays: EUR, price: 10/1}
        - {name: message-france, prefixes: ["+33"], pays: EUR, price: 30/1}
        - {name: message-free, codes: ["116"], pays: EUR, price: 0}
      terminating: {name: message-received, pays: EUR, price: 0}
    data:
      groups:
        10:
          name: data
          pays: EUR
          increments: 1000000/1000000
          price: 2/1000000
          times: [{name: data-later, hours: %[2]s, pays: EUR, increments: 1000000/1000000, price: 1/1000000}]
        20: {name: data-20, pays: EUR, increments: 1000000/1000000, price: 1/1000000}
        30: {name: data-30, pays: EUR, increments: 1000000/1000000, price: 1/1000000}
      roaming:
        - name: abroad
          networks: [abroad]
          groups:
            10: {name: data-abroad, pays: EUR, increments: 1000000/1000000, price: 7/1000000}
`

const fixtureConfig = `
peers:
  - {name: "*.epc.test", security: none, instances: 2}
  - {name: "*.strict.test", security: none, strict: true}
  - {name: "*.trusted.test", security: none, free_refund: true}
  - {name: "*.slow.test", security: none, rate: 10}
services:
  32260@3gpp.org: {low_balance: 120, validity: 6m, failure_handling: terminate}
  32251@3gpp.org: {failure_handling: retry_and_terminate}
  tell@gyro.test: {kind: data, tariff_change: tell}
  redirect@gyro.test: {kind: voice, final_action: redirect, redirect_to: "sip:topup@ims.test"}
  portal@gyro.test: {kind: data, final_action: redirect, redirect_to: "http://topup.example.net/"}
  restrict@gyro.test: {kind: data, final_action: restrict, restrict_filters: [topup], restrict_rules: ["permit out ip from 192.0.2.1 to assigned"], rfc8506: true}
  money@gyro.test: {kind: voice, tell_cost: true, tell_balance: true, low_balance: 120}
  idle@gyro.test: {kind: data, holding_time: 30s, triggers: ["5", "30"]}
  disarm@gyro.test: {kind: data, holding_time: 0s, triggers: [none]}
  announce@gyro.test: {kind: voice, announce_start: 101, announce_final: 102, announce_final_before: 10s, announce_refused: 103, announce_language: de}
  free@gyro.test: {kind: voice, free_call: 4011}
`

// fixtureServer returns the server of the fixture.
func fixtureServer(t *testing.T) *server {
	t.Helper()
	fixture.once.Do(func() { fixture.server, fixture.err = makeFixture() })
	if fixture.err != nil {
		t.Fatal(fixture.err)
	}
	return fixture.server
}

func makeFixture() (*server, error) {
	dir := filepath.Join(buildDir, "fixture")
	period := func(from time.Time) string {
		return from.UTC().Format("15:04") + "-" + from.UTC().Add(6*time.Hour).Format("15:04")
	}
	began, soon := switchedAt(), switchesAt()
	catalog := fmt.Sprintf(fixtureCatalog, period(began), period(soon))
	if err := errors.Join(
		os.MkdirAll(dir, 0o755), os.Chmod(buildDir, 0o755),
		os.WriteFile(filepath.Join(dir, "catalog.yaml"), []byte(catalog), 0o644),
		os.WriteFile(filepath.Join(dir, "gyro.yaml"), []byte(fixtureConfig), 0o644),
	); err != nil {
		return nil, err
	}
	return launch(filepath.Join(dir, "data"), []string{
		"--config", filepath.Join(dir, "gyro.yaml"), "--catalog", filepath.Join(dir, "catalog.yaml"),
		"--diameter-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--origin-host", serverHost, "--origin-realm", serverRealm,
	})
}

// stopFixture stops it when the tests are done.
func stopFixture() error {
	if fixture.server == nil || fixture.err != nil {
		return nil
	}
	return fixture.server.stop()
}

var fixtureBegan = time.Now().UTC().Truncate(time.Minute)

// switchedAt is when the tariff "timed" became dearer, switchesAt when "timed-soon" and the data of Rating-Group 10 change.
func switchedAt() time.Time { return fixtureBegan.Add(-10 * time.Minute) }
func switchesAt() time.Time { return fixtureBegan.Add(20 * time.Minute) }

// newTestSubscriber makes a subscriber of the plan "test" with seconds and cents.
func (s *server) newTestSubscriber(t *testing.T, seconds, cents int64) string {
	t.Helper()
	msisdn := newMSISDN()
	s.gyro(t, "subscriber", "create", msisdn, "--plan", "test", "--seconds", fmt.Sprint(seconds))
	if cents > 0 {
		s.gyro(t, "bucket", "grant", msisdn, "--units", fmt.Sprint(cents), "--unit", "EUR", "--reason", "test")
	}
	return msisdn
}

// wantMoney fails unless the subscriber has exactly so many cents, and so many of them reserved.
func (s *server) wantMoney(t *testing.T, msisdn string, balance, reserved int64) {
	t.Helper()
	var shown struct {
		Buckets []struct {
			Unit              string
			Balance, Reserved int64
		}
	}
	s.gyroJSON(t, &shown, "subscriber", "show", msisdn)
	var gotBalance, gotReserved int64
	for _, b := range shown.Buckets {
		if b.Unit == "EUR" {
			gotBalance, gotReserved = gotBalance+b.Balance, gotReserved+b.Reserved
		}
	}
	if gotBalance != balance || gotReserved != reserved {
		t.Errorf("money of %s: got %d, reserved %d, want %d, reserved %d", msisdn, gotBalance, gotReserved, balance, reserved)
	}
}

// fixtureCall is a call of a new subscriber over a client of its own, in a service context.
func fixtureCall(t *testing.T, context string, seconds, cents int64) (*server, *call) {
	t.Helper()
	s := fixtureServer(t)
	c := s.client(t).newCall(s.newTestSubscriber(t, seconds, cents))
	c.context = context
	return s, c
}

// megabytes asks for volume, usedMegabytes reports it.
func megabytes(n uint64) avp { return group(requested, u64(ccTotalOctets, n*1_000_000)) }

func usedMegabytes(n uint64, more ...avp) avp {
	return group(used, append(more, u64(ccTotalOctets, n*1_000_000))...)
}
