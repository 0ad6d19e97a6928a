package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/catalog"
	"github.com/gyro-ocs/gyro/ocs/cdr"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/policy"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// Config is what the API works with. Store, Rules, Logger and Now are needed.
type Config struct {
	Book    *cdr.Book // of Store: what billing gets
	Store   *postgres.Store
	Rules   func() *ocs.Rules           // in force now
	Token   string                      // makes its bearer the operator; empty: nobody is let in
	Metrics http.Handler                // nil: no /metrics
	Ready   func(context.Context) error // why the server cannot charge now, told at /readyz; nil: it can
	Peers   func() []Peer               // connected now; nil: not told
	Watch   func(Watch) (stop func())   // has somebody look on at calls; nil: nobody can

	// Disconnect takes leave of a peer and returns how many connections end: 0 when it is not connected here.
	Disconnect func(host string, cause string) int

	Version string
	Logger  *slog.Logger
	Now     func() time.Time
	Limits  Limits        // of what roles move; nil: DefaultLimits
	Rest    time.Duration // of a name that was given up, before another may have it; 0: IdentityRest

	EndSession func(postgres.SessionRef) // closes it, and returns when that is decided; nil: sessions cannot be ended here

	Catalog       func() *catalog.Catalog                                             // in force now; nil: the shipped one
	CatalogOf     func(ctx context.Context, version string) (*catalog.Catalog, error) // that was in force once; nil: only the one in force is known
	ReloadCatalog func(context.Context) error                                         // takes up what was put in force; nil: somebody else does

	Plans *charging.Plans // nil: no plan has terms

	Transfer     func(context.Context, charging.Transfer) (transfer.Outcome, error) // decides, durably; nil: there are no transfers
	Policy       func() *policy.Policy                                              // of transfers, in force now; nil: the shipped one
	ReloadPolicy func(context.Context) error                                        // takes up what was put in force; nil: somebody else does
	PINs         *pin.Checker                                                       // nil: no PINs are kept
	PayoutSecret []byte                                                             // that pay-out codes are made with; the same on all servers
	USSD         USSD
}

// The bounds of a request.
const (
	requestTimeout = 15 * time.Second
	importTimeout  = 10 * time.Minute
	maxBody        = 64 << 10
	maxImport      = 64 << 20       // about a million rows
	bodyTimeout    = requestTimeout // net/http ends the request, too, when a read deadline passes
)

// server holds what the handlers share.
type server struct {
	Config
	started   time.Time
	importing chan struct{} // one import at a time: each holds its rows in memory
	catalogs  catalogShelf
	watching  chan struct{} // holds one for each that looks on at calls
	dialling  chan struct{} // holds one for each request of a USSD gateway that is worked on
}

// New returns the handler of every path.
func New(cfg Config) http.Handler {
	if cfg.Limits == nil {
		cfg.Limits = DefaultLimits()
	}
	if cfg.Plans == nil {
		cfg.Plans = &charging.Plans{Store: cfg.Store, Terms: func() map[string]lifecycle.Terms { return nil }, Clock: cfg.Now}
	}
	s := &server{Config: cfg, started: cfg.Now(), importing: make(chan struct{}, 1)}
	mux := &routes{ServeMux: http.NewServeMux()}
	s.handleHealth(mux)
	care := humago.New(mux, careConfig(cfg.Version))
	care.UseMiddleware(s.authenticate(care), withTimeout)
	s.handleSubscribers(care)
	s.handlePlans(care)
	s.handleImport(care)
	s.handleBuckets(care)
	s.handleSessions(care)
	s.handleSummonses(care)
	s.handleRecords(care)
	s.handleEvents(care)
	s.handleExport(care)
	s.handleStatus(care)
	s.handleWatch(care)
	s.handlePeers(care)
	s.handleKeys(care)
	s.handleApprovals(care)
	s.handleStatements(care)
	s.handleWhois(care)
	s.handleCatalog(care)
	s.handleExplain(care)
	s.handleCorrections(care)
	s.handleIdentityChanges(care)
	s.handleFreezes(care)
	s.handleSessionEnd(care)
	s.handleUsage(care)
	s.handleTexts(care)
	s.handleDocs(mux, care)
	s.handleTransferDesk(mux, care)
	s.handleTMF654(mux)
	s.describeOthers(care)
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(problemHandler(http.StatusForbidden, "requests from pages of another origin are not accepted"))
	return &service{s.recovered(headers(crossOrigin.Handler(knownPaths(mux.ServeMux)))), mux.patterns}
}

// A service is all that New serves, with the patterns of it.
type service struct {
	http.Handler
	patterns []string
}

// routes is a mux that remembers its patterns, so that a test can hold them against the rights.
type routes struct {
	*http.ServeMux
	patterns []string
}

func (r *routes) Handle(pattern string, handler http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.Handle(pattern, handler)
}

func (r *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	r.Handle(pattern, http.HandlerFunc(handler))
}

func careConfig(version string) huma.Config {
	c := huma.DefaultConfig("Gyro customer care", version)
	c.OpenAPIPath = openAPIPath
	c.DocsPath = "" // its page loads scripts from elsewhere
	c.SchemasPath = ""
	c.CreateHooks = nil // no $schema in every answer
	c.Transformers = []huma.Transformer{withoutInput}
	c.RejectUnknownQueryParameters = true
	c.Info.Description = "Subscribers, buckets, sessions and CDRs of an online charging system."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	c.Security = []map[string][]string{{"token": {}}}
	return c
}

// operation completes op with the bounds that all operations have.
func operation(op huma.Operation) huma.Operation {
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
		op.BodyReadTimeout = bodyTimeout
	}
	if !slices.Contains(op.Errors, http.StatusForbidden) {
		op.Errors = append(op.Errors, http.StatusForbidden)
	}
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusServiceUnavailable)
	return op
}

// withTimeout ends the work for a client that could no longer use its result.
func withTimeout(c huma.Context, next func(huma.Context)) {
	limit := requestTimeout
	switch c.Operation().OperationID {
	case importOperation:
		limit = importTimeout
	case closeMonthOperation, writeFileOperation:
		limit = exportTimeout
	case watchOperation:
		limit = longestWatch + requestTimeout
	}
	ctx, cancel := context.WithTimeout(c.Context(), limit)
	defer cancel()
	next(huma.WithContext(c, ctx))
}

// headers sets what every answer carries. Answers hold personal data and belong in no cache.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// recovered answers 500 when a handler panics, and serves on.
func (s *server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch fault := recover(); fault {
			case nil:
			case http.ErrAbortHandler:
				panic(fault)
			default:
				s.Logger.ErrorContext(r.Context(), "panic while answering an API request", "method", r.Method, "route", r.Pattern, "fault", fault)
				writeProblem(w, http.StatusInternalServerError, "this is a fault of the server, and it has been logged")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// knownPaths answers an unknown path or method with a problem, as all other faults.
func knownPaths(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &statusProbe{header: w.Header(), status: http.StatusOK} // takes over Allow and Location
		handler.ServeHTTP(probe, r)
		switch probe.status {
		case http.StatusMethodNotAllowed:
			writeProblem(w, probe.status, "this path has no method "+r.Method)
		case http.StatusNotFound:
			writeProblem(w, probe.status, "there is no such path; /openapi.json lists all")
		default:
			w.WriteHeader(probe.status) // a redirect to the clean path
		}
	})
}

// statusProbe learns what a handler would answer.
type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header         { return p.header }
func (p *statusProbe) WriteHeader(status int)      { p.status = status }
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }
