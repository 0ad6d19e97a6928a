package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/diameter"
	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/catalog"
	cataloginforce "github.com/gyro-ocs/gyro/ocs/catalog/inforce"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/policy/inforce"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
)

func serveCommand(env *environment) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Serve runs the server: Diameter for the network, HTTP for the other commands, and a private Postgres below the data
directory unless --database names another one. When all of it works it prints one line that begins with "gyro is ready".

Every setting is a key of the --config file, a flag, and a variable of the environment; a flag wins over the
environment, and that over the file. deploy/gyro.yaml explains all keys. Without any, the server listens on this machine
only, and only peers that are configured may connect.

SIGINT and SIGTERM stop it in good order: what is in work is answered, peers are told, Postgres is stopped. A second
signal stops it at once; nothing that was answered is lost by that.`,
		Example: `  gyro serve --demo
  gyro serve --config /etc/gyro/gyro.yaml --check
  gyro serve --diameter-listen :3868 --origin-host ocs1.example.net --origin-realm example.net --accept-unknown-peers`,
		Args: cobra.NoArgs,
	}
	flags := addConfigFlags(cmd)
	cmd.Flags().BoolVar(&check, "check", false, "check the configuration and the catalogue, and do not start")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := flags.load(env)
		if err != nil {
			return err
		}
		if check {
			return checkConfig(env, c)
		}
		s := &server{env: env, config: c, log: newLogger(c.Telemetry, env.stderr)}
		return s.run(cmd.Context())
	}
	return cmd
}

// checkConfig tells what would keep a server from starting, as far as that is written in files.
func checkConfig(env *environment, c *config) error {
	tariffs, catalogFault := loadCatalog(c)
	_, tlsFault := c.Diameter.TLS.load()
	_, diameterFault := diameter.NewServer(c.diameter(0), nil)
	_, policyFault := c.policy()
	if err := errors.Join(catalogFault, tlsFault, diameterFault, policyFault); err != nil {
		return usagef("%w", err)
	}
	_, err := fmt.Fprintf(env.stdout, "the configuration is good; catalogue %s, plans: %s\n",
		tariffs.Version(), words(slices.Sorted(maps.Keys(tariffs.Plans()))))
	return err
}

func loadCatalog(c *config) (*catalog.Catalog, error) {
	if c.Catalog == "" {
		return catalog.Demo(), nil
	}
	return catalog.Load(c.Catalog)
}

// A server is everything that runs. Its parts are started in the order in which they need each other and stopped in the
// opposite one.
type server struct {
	env    *environment
	config *config
	log    *slog.Logger

	tariffs   *catalog.Catalog // of the configuration
	catalogs  *cataloginforce.Keeper
	rules     atomic.Pointer[ocs.Rules] // by the catalogue in force
	telemetry *telemetry
	cluster   *cluster.Cluster // nil: the database is somebody else's
	store     *postgres.Store
	policies  *inforce.Keeper // of transfers
	pepper    []byte
	pins      *pin.Checker
	engine    *charging.Engine
	diameter  *diameter.Server
	plain     []net.Listener
	secure    []net.Listener
	web       net.Listener
	endpoint  endpoint
	stateID   uint32 // Origin-State-Id

	stops    []func(context.Context) error // of the parts that were started, first to last
	failed   chan error                    // a part that ended by itself
	stopping atomic.Bool
}

// stopPatience is how long the whole of a stop may take before what is left is cut off.
const stopPatience = 30 * time.Second

// garbagePercent is how much garbage may gather beside what lives, unless GOGC says so. A server that holds no state has
// little that lives, some ten megabytes, and would otherwise collect a hundred times a second.
const garbagePercent = 800

func (s *server) run(ctx context.Context) (err error) {
	if s.env.getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	s.failed = make(chan error, 8)
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.start(ctx); err != nil {
		return err
	}
	if s.config.Demo {
		if err := runDemo(ctx, s); err != nil && ctx.Err() == nil {
			_, _ = fmt.Fprintf(s.env.stderr, "\nthe demonstration ends here, the server stays up: %v\n", err)
		}
	}
	select {
	case <-ctx.Done():
		s.log.Info("stopping: a signal asked for it")
		return nil
	case err := <-s.failed:
		return err
	}
}

// later keeps how to stop a part that was started.
func (s *server) later(stop func(context.Context) error) { s.stops = append(s.stops, stop) }

func (s *server) stop() error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	var faults []error
	for _, stop := range slices.Backward(s.stops) {
		faults = append(faults, stop(ctx))
	}
	if s.endpoint.PID != 0 { // else it was never ready, and the error says why
		s.log.Info("stopped")
	}
	return errors.Join(faults...)
}

func (s *server) start(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		s.startDataDir, s.startRules, s.startTelemetry, s.startListeners, s.startDatabase, s.startTransfers, s.startEngine,
		s.startOutbox, s.startDiameter, s.startWeb, s.announce,
	} {
		if err := part(ctx); err != nil {
			if ctx.Err() != nil { // what failed, failed because of that
				s.log.Debug("a part did not start", "error", err)
				return errors.New("interrupted while starting")
			}
			return err
		}
	}
	return nil
}

// rules makes what the core decides by.
func (c *config) rules(tariffs *catalog.Catalog) *ocs.Rules {
	return &ocs.Rules{
		Catalog: tariffs.Version(), Plans: tariffs.Plans(),
		Services: c.Services, Emergency: c.Emergency, Failover: c.Charging.Failover, Records: c.CDR.rules(),
	}
}

// diameter makes the configuration of the Diameter server, without what only a running server has.
func (c *config) diameter(stateID uint32) diameter.Config {
	return diameter.Config{
		OriginHost: c.OriginHost, OriginRealm: c.OriginRealm, Realms: c.ServedRealms, OriginStateID: stateID,
		Peers: c.Peers, AcceptUnknown: c.AcceptUnknownPeers,
		Watchdog: c.Diameter.Watchdog, MaxFrame: c.Diameter.MaxMessage, MaxOutstanding: c.Diameter.MaxOutstanding,
	}
}
