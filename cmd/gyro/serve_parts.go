package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/gyro-ocs/gyro/diameter"
	"github.com/gyro-ocs/gyro/dictionaries/reading"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
	"github.com/gyro-ocs/gyro/ocs/catalog"
	cataloginforce "github.com/gyro-ocs/gyro/ocs/catalog/inforce"
	"github.com/gyro-ocs/gyro/ocs/cdr"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

func (s *server) startDataDir(context.Context) error {
	release, err := lockDataDir(s.config.DataDir)
	if err != nil {
		return err
	}
	s.later(func(context.Context) error { release(); return nil })
	return nil
}

func (s *server) startRules(context.Context) (err error) {
	if s.tariffs, err = loadCatalog(s.config); err != nil {
		return usagef("%w", err)
	}
	s.rules.Store(s.config.rules(s.tariffs))
	return nil
}

// takeCatalog makes the rules by a catalogue that is in force now. Running sessions find the ones that they began with.
func (s *server) takeCatalog(now *catalog.Catalog, known map[string]*catalog.Catalog) {
	rules := s.config.rules(now)
	rules.Versions = make(map[string]map[string]rating.Plan, len(known))
	for version, c := range known {
		rules.Versions[version] = c.Plans()
	}
	s.rules.Store(rules)
}

func (s *server) recallCatalog(ctx context.Context, version string) error {
	_, err := s.catalogs.Version(ctx, version)
	return err
}

func (s *server) startTelemetry(ctx context.Context) (err error) {
	s.telemetry, err = startTelemetry(ctx, s.config.Telemetry, s.log, buildVersion())
	if err != nil {
		return err
	}
	s.later(s.telemetry.stop)
	return nil
}

func (s *server) startDatabase(ctx context.Context) error {
	dsn := s.config.Database
	if dsn == "" {
		dir := filepath.Join(s.config.DataDir, "postgres")
		private, err := cluster.Start(ctx, cluster.Options{Dir: dir, Logger: s.log})
		if err != nil {
			return err
		}
		s.cluster = private
		s.later(private.Stop)
		go s.watchCluster()
		dsn = private.DSN()
	}
	store, err := postgres.Open(ctx, dsn, postgres.Options{
		MaxConns: s.config.Postgres.Connections, StatementTimeout: s.config.Postgres.StatementTimeout, Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.store = store
	s.later(func(context.Context) error {
		if err := store.Close(); err != nil { // a connection that was lost already; nothing is left to be saved
			s.log.Debug("the database connections were closed", "error", err)
		}
		return nil
	})
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	now := time.Now()
	if err := store.MakePartitions(ctx, now); err != nil { // before any row goes to the default partition
		return err
	}
	if s.catalogs, err = cataloginforce.New(ctx, store, s.tariffs, s.takeCatalog, s.log, now); err != nil {
		return err
	}
	if inForce := s.catalogs.Catalog().Version(); inForce != s.tariffs.Version() {
		s.log.Info("the catalogue that was loaded last is in force, and not that of the configuration", "in_force", inForce, "configured", s.tariffs.Version())
	}
	birth, err := store.Birth(ctx, now)
	if err != nil {
		return err
	}
	s.stateID = uint32(birth.Unix()) //nolint:gosec // G115: Unsigned32, until 2106
	return s.telemetry.observe(store)
}

// watchCluster ends the server when its Postgres is gone for good: it could only answer that it is busy.
func (s *server) watchCluster() {
	<-s.cluster.Done()
	if !s.stopping.Load() {
		s.failed <- fmt.Errorf("the private Postgres ended and cannot be started again: %w", s.cluster.Err())
	}
}

func (s *server) startEngine(context.Context) error {
	s.engine = charging.New(charging.Config{
		Store: s.store, Rules: s.rules.Load, Clock: time.Now, Logger: s.log, Recall: s.recallCatalog,
		Lanes: s.config.Charging.Lanes, QueueSize: s.config.Charging.Queue, MaxBatch: s.config.Charging.Batch,
		Deadline: s.config.Charging.Deadline, Terms: func() map[string]lifecycle.Terms { return s.catalogs.Catalog().Terms() },
		Policy: func() *transfer.Policy { return s.policies.Policy().Transfer() },
		PINs:   s.pins, CodeKey: s.secret("pay-out codes"), Events: tmf654.TransferEvents,
	})
	// It ends after the peers have left, and not with the signal: what they have sent by then is answered.
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.engine.Run(ctx) }()
	s.later(func(patience context.Context) error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-patience.Done():
			return fmt.Errorf("stop the charging engine: %w", patience.Err())
		}
	})
	return nil
}

func (s *server) startDiameter(context.Context) error {
	c := s.config.diameter(s.stateID)
	c.Logger, c.Metrics, c.Traces = s.log, s.telemetry.meters, s.telemetry.traces
	secure, err := s.config.Diameter.TLS.load()
	if err != nil {
		return usagef("%w", err)
	}
	c.TLS = secure
	if c.Transfers, err = s.transferOverDiameter(); err != nil {
		return usagef("%w", err)
	}
	c.ClientState = func(host, _ string, stateID uint32) { s.engine.ClientState(host, stateID) }
	if s.diameter, err = diameter.NewServer(c, s.engine); err != nil {
		return err
	}
	if !c.AcceptUnknown && len(c.Peers) == 0 {
		s.log.Warn("no peer can connect: none is configured; name some under peers, or start with --accept-unknown-peers")
	}
	if c.AcceptUnknown && slices.ContainsFunc(s.plain, func(l net.Listener) bool { return !isLoopback(l.Addr()) }) {
		s.log.Warn("whoever reaches the plain Diameter listener can charge: name the peers instead of accept_unknown_peers, unless the network is closed")
	}
	s.later(s.diameter.Shutdown)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		charging.NewCourier(s.engine, s.diameter).Run(ctx)
	}()
	s.later(func(context.Context) error { cancel(); <-ended; return nil })
	for _, l := range s.plain {
		go s.watch(func() error { return s.diameter.Serve(l) })
	}
	for _, l := range s.secure {
		go s.watch(func() error { return s.diameter.ServeTLS(l) })
	}
	return nil
}

// watch runs a part that is to run until the server stops.
func (s *server) watch(serve func() error) {
	if err := serve(); err != nil && !s.stopping.Load() {
		s.failed <- err
	}
}

func (s *server) startWeb(context.Context) error {
	token, err := newToken()
	if err != nil {
		return err
	}
	s.endpoint.Token = token
	web := &http.Server{
		Handler: api.New(api.Config{
			Book:  &cdr.Book{Store: s.store, Now: time.Now, Zone: s.config.CDR.zone()},
			Store: s.store, Rules: s.rules.Load, Token: token, Metrics: s.telemetry.handler,
			Catalog: s.catalogs.Catalog, CatalogOf: s.catalogs.Version, ReloadCatalog: s.catalogs.Refresh,
			Peers: s.peers, Watch: s.watchCalls, Disconnect: s.disconnect, Ready: s.ready, Version: buildVersion(), Logger: s.log, Now: time.Now,
			Plans: s.engine.Plans(), Transfer: s.engine.Transfer, EndSession: s.engine.EndSession, Policy: s.policies.Policy, ReloadPolicy: s.policies.Refresh,
			PINs: s.pins, PayoutSecret: s.secret("pay-out code of a request"), USSD: s.config.Transfer.USSD,
		}),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.later(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := web.Shutdown(ctx); err != nil {
			return web.Close() // an import, perhaps; it is all or nothing
		}
		return nil
	})
	go s.watch(func() error {
		if err := web.Serve(s.web); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve HTTP: %w", err)
		}
		return nil
	})
	return nil
}

// peers tells who is connected, in the words of RFC 3539.
func (s *server) peers() []api.Peer {
	connected := s.diameter.Connected()
	peers := make([]api.Peer, len(connected))
	for i, p := range connected {
		state := "okay"
		if p.Suspect {
			state = "suspect"
		}
		peers[i] = api.Peer{
			OriginHost: p.Host, OriginRealm: p.Realm, Address: p.Address, State: state, Since: p.Since.UTC(),
			Secure: p.Secure, Outstanding: p.Outstanding, Requests: p.Counters.Requests, Results: map[string]uint64{},
			Duplicates: p.Counters.Duplicates, OutOfOrder: p.Counters.OutOfOrder, LateUsage: p.Counters.LateUsage,
			UnknownAVPs: p.Counters.UnknownAVPs, OverRate: p.Counters.OverRate,
		}
		for code, n := range p.Counters.Results {
			peers[i].Results[strconv.FormatUint(uint64(code), 10)] = n
		}
	}
	return peers
}

// watchCalls has somebody look on at what passes over this server.
func (s *server) watchCalls(w api.Watch) (stop func()) {
	teller := reading.Teller{Reveal: w.Reveal}
	return s.diameter.Watch(&diameter.Watch{
		Session: w.Session, Identities: w.Identities,
		Seen: func(m diameter.Sighting) {
			w.Seen(m.At, m.Peer, func() string {
				said, err := teller.Message(m.Message)
				if err != nil {
					return err.Error()
				}
				return said
			})
		},
	})
}

// disconnect takes leave of a peer by order of the operator.
func (s *server) disconnect(host, cause string) int {
	causes := map[string]diameter.DisconnectCause{
		api.CauseRebooting: diameter.Rebooting, api.CauseBusy: diameter.Busy, api.CauseNotWelcome: diameter.NotWelcome,
	}
	return s.diameter.Disconnect(host, causes[cause])
}

func (s *server) ready(context.Context) error {
	if s.stopping.Load() {
		return errors.New("the server is stopping")
	}
	return nil
}

// newToken returns the secret that makes its bearer the operator, for as long as the server runs.
func newToken() (string, error) {
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return hex.EncodeToString(secret[:]), nil
}
