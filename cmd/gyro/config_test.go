package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/diameter"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// configFrom loads a configuration from a file with text, variables and flags.
func configFrom(t *testing.T, text string, variables, flags map[string]string) (*config, error) {
	t.Helper()
	from := origin{
		getenv: func(name string) string { return variables[name] }, flags: flags,
		dataDir: func() (string, error) { return "/default/dir", nil },
	}
	if text != "" {
		from.file = filepath.Join(t.TempDir(), "gyro.yaml")
		if err := os.WriteFile(from.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := loadConfig(from)
	if err != nil && from.file != "" { // the directory differs from run to run
		err = textError(strings.ReplaceAll(err.Error(), from.file, "gyro.yaml"))
	}
	return c, err
}

type textError string

func (e textError) Error() string { return string(e) }

// Every source can set every key, and a flag wins over a variable, which wins over the file.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := "origin_realm: file.test\nhttp:\n  listen: 127.0.0.1:1\ncharging: {queue: 11}\n"
	variables := map[string]string{"GYRO_HTTP_LISTEN": "127.0.0.1:2", "GYRO_CHARGING_QUEUE": "12", "GYRO_ORIGIN_HOST": "variable.test"}
	flags := map[string]string{"charging.queue": "13"}
	c, err := configFrom(t, file, variables, flags)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ what, got, want string }{
		{"default", c.Catalog, ""},
		{"default of the data directory", c.DataDir, "/default/dir"},
		{"file over default", c.OriginRealm, "file.test"},
		{"variable over default", c.OriginHost, "variable.test"},
		{"variable over file", c.HTTP.Listen, "127.0.0.1:2"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if c.Charging.Queue != 13 {
		t.Errorf("flag over variable and file: got %d, want 13", c.Charging.Queue)
	}
}

// Every fault of every source is told at once, with its place and key.
func TestFaultsAtOnce(t *testing.T) {
	t.Parallel()
	file := `# a comment
origin_host: not a host
diameter:
  lisen: ["127.0.0.1:3868"]
  listen: ["127.0.0.1"]
  watchdog: 2s
  tls: {listen: [":5868"], key: /k.pem, client_ca: /ca.pem}
peers:
  - name: "*"
  - {name: tas1.test, instances: many}
  - name: tas1.test
    colour: blue
services:
  32260@3gpp.org:
    default_quota: 7200
    threshold_percent: 100
    denial_level: nowhere
  voice@example.net:
    default_quota: 60
charging:
  queue: 10
  queue: 20
  lanes: [1]
`
	_, err := configFrom(t, file,
		map[string]string{"GYRO_TELEMETRY_LOG_LEVEL": "loud"},
		map[string]string{"http.listen": "127.0.0.1:http-alt", "services": "{32251@3gpp.org: {free_call: 4012}}", "peers": "["})
	want := []string{
		`gyro.yaml:2: origin_host: "not a host" is not a host name`,
		`gyro.yaml:4: diameter.lisen: is not a key; is diameter.listen meant?`,
		`gyro.yaml:6: diameter.watchdog: 2s is not from 6s to 1h0m0s`,
		`gyro.yaml:9: peers[0]: name "*" is neither an Origin-Host nor *.domain`,
		`gyro.yaml:10: peers[1].instances: "many" is not a whole number`,
		`gyro.yaml:11: peers[2]: tas1.test is there twice`,
		`gyro.yaml:12: peers[2].colour: is not a key`,
		`gyro.yaml:14: services.32260@3gpp.org: maximum quota 3600 is less than the default quota 7200`,
		`gyro.yaml:16: services.32260@3gpp.org.threshold_percent: 100 is not from 0 to 99`,
		`gyro.yaml:17: services.32260@3gpp.org.denial_level: "nowhere" is none of command, mscc`,
		`gyro.yaml:18: services.voice@example.net: is not a service context that is known; kind must say what it is: voice, data or message`,
		`gyro.yaml:22: charging.queue: is there twice, first in line 21`,
		`gyro.yaml:23: charging.lanes: must be one value, a number`,
		`diameter.tls.certificate: is needed by diameter.tls.listen`,
		`GYRO_TELEMETRY_LOG_LEVEL: telemetry.log_level: "loud" is none of debug, info, warn, error`,
		`--http-listen: http.listen: "127.0.0.1:http-alt": port "http-alt" is not a number from 0 to 65535`,
		`--services: services.32251@3gpp.org.free_call: "4012" is none of 4011, grant`,
		`--peers: is not YAML in one line, such as {key: value}`,
	}
	if err == nil {
		t.Fatal("the configuration was accepted")
	}
	got := strings.Split(err.Error(), "\n")
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("not told: %s", line)
		}
	}
	if len(got) != len(want) || t.Failed() {
		t.Errorf("got %d faults, want %d; got:\n%v", len(got), len(want), err)
	}
}

// What is no file of ours is a clear fault.
func TestUnreadableFiles(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"no YAML":        {"a: [\n", "gyro.yaml: yaml: line 1: did not find expected node content"},
		"a list":         {"- demo\n", "gyro.yaml:1: must be keys with values"},
		"two documents":  {"demo: true\n---\ndemo: false\n", "gyro.yaml: has more than one YAML document"},
		"an alias loop":  {"peers: &p\n  - *p\n", "gyro.yaml:1: peers[0]: must be keys with values"},
		"a key too deep": {"demo: {very: true}\n", "gyro.yaml:1: demo: must be one value, a bool"},
		"too large":      {strings.Repeat("#", maxConfigFile) + "\ndemo: true\n", "is longer than"},
		"a merge":        {"a: &a {listen: x}\nhttp: {<<: *a}\n", "gyro.yaml:2: http.<<: is not a key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := configFrom(t, tt.text, nil, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	_, err := loadConfig(origin{file: filepath.Join(t.TempDir(), "none.yaml"), getenv: func(string) string { return "" }, dataDir: func() (string, error) { return "d", nil }})
	if err == nil || !strings.Contains(err.Error(), "none.yaml: no such file") {
		t.Errorf("a missing file: got %v", err)
	}
}

// The shipped example says what is so: loading it changes nothing.
func TestShippedConfigIsTheDefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/gyro.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := configFrom(t, string(text), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := configFrom(t, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got.places, want.places = nil, nil
	got.ServedRealms, got.Peers, got.Diameter.TLS.Listen = nil, nil, nil // [] and nothing mean the same
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, s := range want.settings() {
		last := s.key[strings.LastIndexByte(s.key, '.')+1:]
		if !strings.Contains(string(text), last+":") {
			t.Errorf("deploy/gyro.yaml does not explain %s", s.key)
		}
	}
}

func TestStructuredSettings(t *testing.T) {
	t.Parallel()
	c, err := configFrom(t, "peers:\n  - name: tas1.test\n", map[string]string{
		"GYRO_SERVICES": "{32260@3gpp.org: {default_quota: 30, failure_handling: continue}, voice@huawei.com: {kind: voice, low_balance: 0}}",
	}, map[string]string{
		"peers":             `[{name: "*.epc.test", security: none, instances: 2, certificates: [pool.test]}]`,
		"diameter.listen":   "127.0.0.1:0, [::1]:3868,ocs.test",
		"emergency":         "112,999",
		"charging.failover": "true",
	})
	if err != nil {
		t.Fatal(err)
	}
	wantPeers := []diameter.Peer{{Name: "*.epc.test", Plain: true, Instances: 2, Certificates: []string{"pool.test"}}}
	if !reflect.DeepEqual(c.Peers, wantPeers) {
		t.Errorf("peers: got %+v, want %+v", c.Peers, wantPeers)
	}
	if want := []string{"127.0.0.1:0", "[::1]:3868", "ocs.test:3868"}; !reflect.DeepEqual(c.Diameter.Listen, want) {
		t.Errorf("diameter.listen: got %q, want %q", c.Diameter.Listen, want)
	}
	if want := []string{"112", "999"}; !reflect.DeepEqual(c.Emergency, want) {
		t.Errorf("emergency: got %q, want %q", c.Emergency, want)
	}
	ims, own, mmtel := c.Services["32260@3gpp.org"], c.Services["voice@huawei.com"], c.Services["32275@3gpp.org"]
	if ims.DefaultQuota != 30 || ims.MaxQuota != 3600 || ims.FailureHandling == nil || *ims.FailureHandling != failContinue {
		t.Errorf("32260: got %+v, want quota 30, the usual maximum, CONTINUE", ims)
	}
	if own.Name != "voice@huawei.com" || own.Kind != rating.Voice || own.DefaultQuota != 60 || own.Ringing != 5*time.Minute || own.LowBalance != 0 {
		t.Errorf("voice@huawei.com: got %+v, want the values of voice and no low balance", own)
	}
	if mmtel.FailureHandling == nil || *mmtel.FailureHandling != retryAndTerminate {
		t.Errorf("32275 with failover: got %v, want RETRY_AND_TERMINATE", mmtel.FailureHandling)
	}
}

// No flag is forgotten, and those that scripts rely on have their names.
func TestFlagNames(t *testing.T) {
	t.Parallel()
	cmd := serveCommand(&environment{getenv: func(string) string { return "" }})
	for _, name := range []string{
		"diameter-listen", "http-listen", "origin-host", "origin-realm", "accept-unknown-peers", "database", "config", "demo", "check",
	} {
		if cmd.Flags().Lookup(name) == nil {
			t.Errorf("serve has no flag --%s", name)
		}
	}
	seen := make(map[string]string)
	for _, s := range defaultConfig().settings() {
		if s.usage == "" {
			t.Errorf("%s has no usage", s.key)
		}
		if other, taken := seen[s.flag()]; taken {
			t.Errorf("%s and %s have the same flag", s.key, other)
		}
		seen[s.flag()] = s.key
	}
}

// No text panics the reader of configurations or keeps it for long.
func FuzzConfigFile(f *testing.F) {
	f.Add([]byte("http: {listen: ':1'}\npeers:\n- {name: '*.a', instances: 2}\nservices:\n  32260@3gpp.org: &v {max_quota: 9}\n  b@c: *v\n"))
	f.Add([]byte("services: {x: {kind: [voice]}}\npeers: [[]]\nhttp: 3\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		c := defaultConfig()
		var found faults
		c.readYAML("gyro.yaml", text, c.settings(), &found)
		c.settle()
		c.validate(&found)
	})
}

func TestTransferConfig(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "gyro.yaml")
	read := func(text string) (*config, error) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return loadConfig(origin{file: file, getenv: func(string) string { return "" }, dataDir: func() (string, error) { return "/data", nil }})
	}
	good := `
peers:
  - {name: ussd1.test, transfers: [quote, send], vouches: true}
transfer:
  diameter: {operations: [all], profiles: [ietf, vendor], vendor_id: 32473}
  ussd:
    country: 31
    gateways:
      - {name: at1, dialect: form, token: 0123456789abcdef}
      - {name: x1, dialect: xml, token: 0123456789abcdef, reply: "<m>{{.Text}}</m>"}
`
	c, err := read(good)
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Peers[0]; !slices.Equal(p.Transfers, []transfer.Operation{transfer.OpQuote, transfer.OpSend}) || !p.Vouches {
		t.Errorf("peer %+v", p)
	}
	if over, err := c.Transfer.diameter(); err != nil || len(over.Operations) != 13 || len(over.Profiles) != 2 {
		t.Errorf("over Diameter %+v, %v", over, err)
	}
	if u := c.Transfer.USSD; len(u.Gateways) != 2 || u.Country != "31" || u.Service != "*999" {
		t.Errorf("USSD %+v", u)
	}
	for text, want := range map[string]string{
		"transfer: {ussd: {gateways: [{name: a, token: short}]}}":                                             "token is shorter",
		"transfer: {ussd: {gateways: [{name: A b, token: 0123456789abcdef}]}}":                                "a name is made of",
		"transfer: {ussd: {gateways: [{name: a, dialect: morse, token: 0123456789abcdef}]}}":                  "morse",
		"transfer: {ussd: {gateways: [{name: a, dialect: xml, reply: '{{.PIN}}', token: 0123456789abcdef}]}}": "template",
		"transfer: {ussd: {gateways: [{name: handset, token: 0123456789abcdef}]}}":                            "another has this name",
		"transfer: {ussd: {country: '049'}}":                                                                  "no country code",
		"transfer: {ussd: {service: '999'}}":                                                                  "no code that is dialled",
		"transfer: {texts: 'http://127.0.0.1/?x=1'}":                                                          "{to} and {text}",
		"transfer: {diameter: {operations: [steal]}}":                                                         "no operation of a transfer",
		"transfer: {diameter: {profiles: [vendor]}}":                                                          "needs a vendor id",
		"transfer: {diameter: {profiles: [vendor], vendor_id: 32473, production: true}}":                      "not for production",
		"peers: [{name: a.test, transfers: [steal]}]":                                                         "no operation of a transfer",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
