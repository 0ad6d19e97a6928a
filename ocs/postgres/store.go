package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// Errors that say what is wrong with what was asked for. Their class is Refused.
var (
	ErrNotFound        = errors.New("not found")
	ErrIdentityTaken   = errors.New("identity belongs to another subscriber")
	ErrMovementDiffers = errors.New("a movement with this id and other content was made before")
	ErrBadCursor       = errors.New("cursor is none that was given")
)

var refusals = []error{ErrExportMoved, ErrNotFound, ErrIdentityTaken, ErrMovementDiffers, ErrBadCursor, ErrCodeTaken, ErrNotCovered, ErrIdentityRests, ErrHeld}

// errClosed is returned by every method after Close.
var errClosed = errors.New("store is closed")

// Options of a Store. The zero value is good.
type Options struct {
	MaxConns         int           // for charging, 0: 8; as many are kept open
	Logger           *slog.Logger  // nil: nothing is logged
	StatementTimeout time.Duration // 0: 5 s. COMMIT waits a second longer, and is then unknown
}

// A Store is the database of one or many servers. It may be used by many goroutines.
type Store struct {
	db        *sqlx.DB // charging and care: prepared statements, deadlines
	bulk      *sqlx.DB // migrations, imports, proofs: what may take its time
	statement time.Duration
	maxConns  int
	spread    bool // over the nodes of Citus, by slot
	log       *slog.Logger
	closed    atomic.Bool

	preparing sync.Mutex
	prepared  atomic.Pointer[map[string]*sqlx.Stmt]

	totals   totalsCache
	summoned chan struct{} // holds one token after summonses were added
}

// bulkTimeout bounds one statement of the bulk pool.
const bulkTimeout = 10 * time.Minute

// Open connects to the database that dsn names, in either form of a libpq connection string, also with several hosts:
// "host=a,b port=5432 target_session_attrs=read-write". It changes nothing there: see [Store.Migrate].
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	s := &Store{
		statement: cmp.Or(o.StatementTimeout, 5*time.Second),
		maxConns:  cmp.Or(max(0, o.MaxConns), 8),
		log:       cmp.Or(o.Logger, slog.New(slog.DiscardHandler)),
		summoned:  make(chan struct{}, 1),
	}
	settings := map[string]string{
		"timezone": "UTC",
		// A transaction that waits for a row longer than this is told so by the server, before its own deadline.
		"lock_timeout": milliseconds(s.statement * 3 / 5),
		// A server that froze in the middle of a transaction must not keep its rows from the others for ever.
		"idle_in_transaction_session_timeout": milliseconds(2 * s.statement),
	}
	bulk, err := newConnector(dsn, bulkTimeout, settings)
	if err != nil {
		return nil, err
	}
	// Statements are planned once for a connection, without looking at their values, and never to read a whole table:
	// every one of them names its keys, and a plan must not depend on what ANALYZE saw last (spec/store S14).
	settings["plan_cache_mode"] = "force_generic_plan"
	settings["enable_seqscan"] = "off"
	settings["jit"] = "off"
	hot, err := newConnector(dsn, s.statement+time.Second, settings)
	if err != nil {
		return nil, err
	}
	s.db = sqlx.NewDb(sql.OpenDB(hot), "postgres")
	s.db.SetMaxOpenConns(s.maxConns)
	s.db.SetMaxIdleConns(s.maxConns)
	s.db.SetConnMaxLifetime(time.Minute) // so that the pool drains to a new primary (H5)
	s.bulk = sqlx.NewDb(sql.OpenDB(bulk), "postgres")
	s.bulk.SetMaxOpenConns(4)
	s.bulk.SetMaxIdleConns(1)
	s.bulk.SetConnMaxLifetime(time.Minute)
	err = s.Ping(ctx)
	if err == nil {
		s.spread, err = s.is(ctx, `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')`)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the database: %w", err), s.Close())
	}
	return s, nil
}

// Ping proves that the database answers and takes writes.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.statement)
	defer cancel()
	const writable = `SELECT NOT pg_is_in_recovery()`
	primary, err := s.is(ctx, writable)
	if err == nil && !primary {
		err = errReadOnly
	}
	return err
}

func (s *Store) is(ctx context.Context, query string) (yes bool, err error) {
	err = retryDead(s.maxConns, func() error { return s.db.GetContext(ctx, &yes, query) })
	return yes, s.orClosed(err)
}

// errReadOnly is a standby, which the name of the database should have left out by target_session_attrs=read-write.
var errReadOnly = errors.New("the database is a standby and takes no writes")

// Close waits for what is running and closes all connections. It may be called again.
func (s *Store) Close() error {
	s.closed.Store(true)
	err := errors.Join(s.db.Close(), s.bulk.Close())
	if err != nil && lost(err) {
		return nil // they were closed from the other side
	}
	return err
}

func (s *Store) orClosed(err error) error {
	if err != nil && s.closed.Load() {
		return errors.Join(errClosed, err)
	}
	return err
}

// mostRepeats bounds how often a transaction is begun again by InTx after a deadlock.
const mostRepeats = 4

// InTx calls fn in a transaction and commits it when fn returns nil. fn may be called more than once, because a
// deadlock or a serialization failure is tried again; it must not keep anything from a call that failed.
//
// ctx ends the wait for a connection and the statements of fn, but never the COMMIT (spec/store H2): cancelling that would
// leave its outcome unknown. A COMMIT that takes too long all the same returns an error of class Unknown.
func (s *Store) InTx(ctx context.Context, fn func(*Tx) error) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.inTx(ctx, s.db, fn)
}

func (s *Store) inTx(ctx context.Context, db *sqlx.DB, fn func(*Tx) error) error {
	for repeats := 0; ; repeats++ {
		err := s.once(ctx, db, fn)
		if err == nil || repeats == mostRepeats || !worthRepeating(err) {
			return s.orClosed(err)
		}
		s.log.Debug("transaction is tried again", "error", err)
		if pause(ctx, 20*time.Millisecond+rand.N(80*time.Millisecond)) != nil {
			return err
		}
	}
}

// once runs one transaction. Its connection is taken first, because BeginTx must not know ctx: database/sql would roll
// back, and lib/pq would cancel, whatever runs when ctx ends.
func (s *Store) once(ctx context.Context, db *sqlx.DB, fn func(*Tx) error) (err error) {
	tx := &Tx{store: s, hot: db == s.db}
	var conn *sqlx.Conn
	err = retryDead(s.maxConns, func() error {
		if conn, err = db.Connx(ctx); err != nil {
			return fmt.Errorf("connection: %w", err)
		}
		if tx.tx, err = conn.BeginTxx(context.Background(), nil); err != nil {
			_ = conn.Close()
			return fmt.Errorf("begin: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var state *connection
	if err := conn.Raw(func(driverConn any) error {
		state = driverConn.(*connection) //nolint:forcetypeassert // made by our connector
		state.unreplicated.Store(false)
		return nil
	}); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	finished := false
	defer func() {
		if !finished { // fn failed or panicked
			_ = tx.tx.Rollback() // an error means that the connection is lost, and the transaction with it
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	finished = true
	if err := tx.tx.Commit(); err != nil {
		return &commitError{err}
	}
	if state.unreplicated.Load() {
		return &commitError{errUnreplicated}
	}
	if tx.summoned {
		s.tellSummoned()
	}
	return nil
}

func worthRepeating(err error) bool { return Classify(err) == Retryable && !isLockTimeout(err) }

// retryDead calls again while a connection out of the pool turns out to be dead, which only shows when it is used. There
// are at most as many dead ones as the pool holds.
func retryDead(most int, call func() error) error {
	for range most {
		if err := call(); err == nil || !isDead(err) {
			return err
		}
	}
	return call()
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// hot are the statements of charging. Each is prepared at the start and once for every connection.
var hot = []string{
	lockSubscribers, lockSubscribersOfSlot, lockFreeSubscribers, lockFreeSubscribersOfSlot, loadBuckets, loadBucketsOfSlot, loadSessions, loadSessionsOfSlot,
	insertSessions, updateSessions, updateSessionsOfSlot, updateBuckets, updateBucketsOfSlot, insertBuckets, insertRatedEvents, insertRecords, insertPostings,
	resolve, locate, anySubscription,

	shareInForce, selectRoles, selectRolesOf, loadProfiles, insertOutbox, insertAudit, openSessions,
	loadTransfers, loadAnswers, loadQuotes, loadCounters, loadRepeats, loadPast, loadReturns, loadReceived, sumReceived,
	insertTransfers, updateTransfers, insertAnswers, saveQuotes, addCounters,

	dueContracts, dueLooks, dueExpiries, loadContracts, loadLots, saveContracts, updateLots, insertLots,
}

// prepare prepares the hot statements, once; they need the tables that Migrate makes.
func (s *Store) prepare(ctx context.Context) error {
	if s.prepared.Load() != nil {
		return nil
	}
	s.preparing.Lock()
	defer s.preparing.Unlock()
	if s.prepared.Load() != nil {
		return nil
	}
	statements := make(map[string]*sqlx.Stmt, len(hot))
	for _, text := range hot {
		var statement *sqlx.Stmt
		err := retryDead(s.maxConns, func() (err error) {
			statement, err = s.db.PreparexContext(ctx, text) //nolint:sqlclosecheck // kept until the pool is closed
			return err
		})
		if err != nil {
			for _, made := range statements {
				_ = made.Close()
			}
			return s.orClosed(fmt.Errorf("prepare a statement: %w", err))
		}
		statements[text] = statement
	}
	s.prepared.Store(&statements)
	return nil
}
