package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/diameter"
	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
)

// config is everything that "gyro serve" can be told. deploy/gyro.yaml explains each key.
type config struct {
	DataDir  string
	Database string // DSN; empty: a private Postgres below DataDir
	Catalog  string // file or directory; empty: the catalogue that is shipped
	Demo     bool

	OriginHost         string
	OriginRealm        string
	ServedRealms       []string // beside OriginRealm
	AcceptUnknownPeers bool
	Peers              []diameter.Peer

	Diameter struct {
		Listen         []string
		TLS            tlsConfig
		MaxMessage     int
		MaxOutstanding int
		Watchdog       time.Duration
	}
	HTTP struct{ Listen string }

	Services  map[string]ocs.Service
	Emergency []string
	CDR       cdrConfig

	Charging struct {
		Lanes    int
		Queue    int
		Batch    int
		Deadline time.Duration
		Failover bool
	}
	Postgres struct {
		Connections      int
		StatementTimeout time.Duration
	}
	Telemetry telemetryConfig
	Transfer  transferConfig

	places map[string]place // where each key was set; a key that is missing has its default
}

type tlsConfig struct {
	Listen      []string
	Certificate string
	Key         string
	ClientCA    string
}

func defaultConfig() *config {
	c := &config{
		OriginHost: "gyro.localdomain", OriginRealm: "localdomain",
		Services: defaultServices(), Emergency: []string{"112", "911"}, CDR: cdrConfig{Zone: "UTC", Unanswered: true},
		Transfer:  defaultTransferConfig(),
		Telemetry: telemetryConfig{LogLevel: "info", LogFormat: "text", Metrics: true, TraceEvery: 1000},
		places:    make(map[string]place),
	}
	// Only this machine is let in until the operator says otherwise: Diameter without TLS proves nobody's name.
	c.Diameter.Listen = []string{"127.0.0.1:3868"}
	c.Diameter.MaxMessage = 65536
	c.Diameter.MaxOutstanding = 4096
	c.Diameter.Watchdog = 30 * time.Second
	c.HTTP.Listen = "127.0.0.1:8068"
	c.Charging.Lanes = charging.DefaultLanes()
	c.Charging.Queue = 4096
	c.Charging.Batch = 128
	c.Charging.Deadline = 5 * time.Second
	c.Postgres.Connections = 16
	c.Postgres.StatementTimeout = 5 * time.Second
	return c
}

// settings are all keys, in the order in which they are explained.
func (c *config) settings() []setting {
	return append([]setting{
		{"data_dir", "directory of the server: private Postgres, address and token for the other commands", text(&c.DataDir)},
		{"database", "DSN of a Postgres to use, instead of a private one in the data directory", text(&c.Database)},
		{"catalog", "plans and tariffs: a YAML file or a directory of them (default the catalogue that is shipped, with the plan demo)", text(&c.Catalog)},
		{"demo", "make demo subscribers, show a call, and let every peer connect", truth(&c.Demo)},

		{"origin_host", "Diameter identity of this server", text(&c.OriginHost)},
		{"origin_realm", "Diameter realm of this server", text(&c.OriginRealm)},
		{"served_realms", "further realms that requests may be addressed to", list(&c.ServedRealms)},
		{"accept_unknown_peers", "let peers connect that are not in peers", truth(&c.AcceptUnknownPeers)},
		{"peers", "who may connect", peersValue{&c.Peers}},

		{"diameter.listen", "addresses for plain Diameter, HOST:PORT", list(&c.Diameter.Listen)},
		{"diameter.tls.listen", "addresses for Diameter over TLS, HOST:PORT; 5868 is the usual port", list(&c.Diameter.TLS.Listen)},
		{"diameter.tls.certificate", "PEM file with the certificate of this server and those that lead to its CA", text(&c.Diameter.TLS.Certificate)},
		{"diameter.tls.key", "PEM file with the private key", text(&c.Diameter.TLS.Key)},
		{"diameter.tls.client_ca", "PEM file with the CAs of the peers' certificates", text(&c.Diameter.TLS.ClientCA)},
		{"diameter.max_message", "longest message that is read, in octets", whole(&c.Diameter.MaxMessage, 1024, 1<<24-4)},
		{"diameter.max_outstanding", "requests of one connection that may wait for their answers", whole(&c.Diameter.MaxOutstanding, 1, 1<<20)},
		{"diameter.watchdog", "silence after which a peer is asked whether it lives (Twinit, RFC 3539)", span(&c.Diameter.Watchdog, 6*time.Second, time.Hour)},

		{"http.listen", "address of the HTTP API, metrics and health, HOST:PORT", text(&c.HTTP.Listen)},

		{"services", "how each service context is charged, over the defaults", servicesValue{&c.Services}},
		{"emergency", "numbers that are always free and never refused, as dialled", list(&c.Emergency)},

		{"cdr.time_zone", "zone whose months CDRs and exports keep apart, a name of the IANA data base", text(&c.CDR.Zone)},
		{"cdr.refused", "write a CDR also of what was refused before it began", truth(&c.CDR.Refused)},
		{"cdr.unanswered", "write a CDR also of what ended with nothing used", truth(&c.CDR.Unanswered)},

		{"charging.lanes", "batches that are decided at the same time", whole(&c.Charging.Lanes, 1, 256)},
		{"charging.queue", "requests that may wait in a lane; beyond them peers are told that the server is busy", whole(&c.Charging.Queue, 1, 1<<20)},
		{"charging.batch", "requests that are decided in one transaction at most", whole(&c.Charging.Batch, 1, 1000)},
		{"charging.deadline", "time after which a request that is still queued is given up, without effect", span(&c.Charging.Deadline, 100*time.Millisecond, time.Minute)},
		{"charging.failover", "several servers share the database: tell clients that another one can go on with a session", truth(&c.Charging.Failover)},

		{"postgres.connections", "connections to the database", whole(&c.Postgres.Connections, 4, 1000)},
		{"postgres.statement_timeout", "time after which a statement is given up", span(&c.Postgres.StatementTimeout, 100*time.Millisecond, time.Minute)},

		{"telemetry.log_level", "least level that is logged", choice(&c.Telemetry.LogLevel, "debug", "info", "warn", "error")},
		{"telemetry.log_format", "form of the log on stderr", choice(&c.Telemetry.LogFormat, "text", "json")},
		{"telemetry.metrics", "serve /metrics for Prometheus", truth(&c.Telemetry.Metrics)},
		{"telemetry.traces", "URL of an OTLP/HTTP collector; empty: no traces", text(&c.Telemetry.Traces)},
		{"telemetry.trace_every", "one request in so many is traced", whole(&c.Telemetry.TraceEvery, 1, 1<<30)},
	}, c.Transfer.settings()...)
}

// origin is where the three sources of a configuration are. Flags win over the environment, which wins over the file.
type origin struct {
	file   string // empty: none
	getenv func(string) string
	flags  map[string]string // by key; only those that were given

	dataDir func() (string, error) // where none of them names a directory
}

// loadConfig returns the configuration, or every fault of it, joined.
func loadConfig(from origin) (*config, error) {
	c := defaultConfig()
	settings := c.settings()
	var found faults
	if from.file != "" {
		c.readFile(from.file, settings, &found)
	}
	for _, s := range settings {
		if value := from.getenv(s.variable()); value != "" {
			c.readText(s, place{source: s.variable()}, value, &found)
		}
		if value, given := from.flags[s.key]; given {
			c.readText(s, place{source: "--" + s.flag()}, value, &found)
		}
	}
	if c.DataDir == "" {
		dir, err := from.dataDir()
		if err != nil {
			return nil, err
		}
		c.DataDir = dir
	}
	c.settle()
	c.validate(&found)
	if err := found.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// settle completes what follows from something else.
func (c *config) settle() {
	if c.Demo {
		c.AcceptUnknownPeers = true
		if _, set := c.places["telemetry.log_level"]; !set {
			c.Telemetry.LogLevel = "warn" // what is shown is not to be lost between lines of the log
		}
	}
	for i := range c.Diameter.Listen {
		c.Diameter.Listen[i] = withPort(c.Diameter.Listen[i], "3868")
	}
	for i := range c.Diameter.TLS.Listen {
		c.Diameter.TLS.Listen[i] = withPort(c.Diameter.TLS.Listen[i], "5868")
	}
	if absolute, err := filepath.Abs(c.DataDir); err == nil && c.DataDir != "" {
		c.DataDir = absolute
	}
	for name, s := range c.Services { // where there is another server a client may try that one (RFC 8506 §5.7)
		if s.FailureHandling == nil && c.Charging.Failover {
			s.FailureHandling = new(uint8(retryAndTerminate))
			c.Services[name] = s
		}
	}
}

// withPort adds the usual port to an address that has none.
func withPort(address, port string) string {
	if _, _, err := net.SplitHostPort(address); err != nil && !strings.Contains(strings.Trim(address, "[]"), ":") {
		return net.JoinHostPort(address, port)
	}
	return address
}

// validate adds what no single key shows.
func (c *config) validate(found *faults) {
	fault := func(wrong bool, key, format string, args ...any) {
		if wrong {
			found.add(c.places[key], key, format, args...)
		}
	}
	fault(len(c.Diameter.Listen)+len(c.Diameter.TLS.Listen) == 0, "diameter.listen", "no address to listen on, neither here nor in diameter.tls.listen")
	for _, key := range []struct {
		name      string
		addresses []string
	}{
		{"diameter.listen", c.Diameter.Listen}, {"diameter.tls.listen", c.Diameter.TLS.Listen}, {"http.listen", []string{c.HTTP.Listen}},
	} {
		for _, address := range key.addresses {
			if err := checkAddress(address); err != nil {
				fault(true, key.name, "%q: %w", address, err)
			}
		}
	}
	fault(c.Diameter.MaxMessage%4 != 0, "diameter.max_message", "%d is not a multiple of 4, as every length of a message is", c.Diameter.MaxMessage)
	withTLS := len(c.Diameter.TLS.Listen) > 0
	for _, file := range []struct{ key, path string }{
		{"diameter.tls.certificate", c.Diameter.TLS.Certificate},
		{"diameter.tls.key", c.Diameter.TLS.Key},
		{"diameter.tls.client_ca", c.Diameter.TLS.ClientCA},
	} {
		fault(withTLS && file.path == "", file.key, "is needed by diameter.tls.listen")
		fault(!withTLS && file.path != "", file.key, "is of no use without diameter.tls.listen")
	}
	fault(!isIdentity(c.OriginHost), "origin_host", "%q is not a host name", c.OriginHost)
	fault(!isIdentity(c.OriginRealm), "origin_realm", "%q is not a realm name", c.OriginRealm)
	for _, realm := range c.ServedRealms {
		fault(!isIdentity(realm), "served_realms", "%q is not a realm name", realm)
	}
	for _, number := range c.Emergency {
		fault(strings.Trim(number, "0123456789*#") != "" || number == "", "emergency", "%q is not a number as dialled", number)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Services)) {
		key := "services." + name
		for _, err := range parts(c.Services[name].Validate()) {
			at := cmp.Or(c.places[key], c.places["services"])
			found.add(at, key, "%w", err)
		}
	}
	_, err := time.LoadLocation(c.CDR.Zone)
	fault(err != nil || c.CDR.Zone == "" || c.CDR.Zone == "Local", "cdr.time_zone", "%q is not a time zone; write it as Europe/Berlin", c.CDR.Zone)
	for _, err := range parts(c.Transfer.validate()) {
		fault(true, "transfer", "%w", err)
	}
	if c.Telemetry.Traces != "" {
		if err := checkURL(c.Telemetry.Traces); err != nil {
			fault(true, "telemetry.traces", "%w", err)
		}
	}
}

// parts takes joined errors apart.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return errors.New("an address is HOST:PORT, for example 127.0.0.1:3868, or :3868 for all of this machine")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q is not a number from 0 to 65535", port)
	} else if n == 0 {
		return nil // any free port, which is then told
	}
	return nil
}

// isIdentity reports whether s can be a DiameterIdentity: a fully qualified domain name (RFC 6733 §4.3.1).
func isIdentity(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return true
}
