package postgres

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
)

// unreplicatedNotice is the code of "canceling wait for synchronous replication". It comes as a warning, with which
// COMMIT succeeds (spec/store H3). Other warnings have the same code, but none of them comes with a COMMIT.
const unreplicatedNotice = "01000"

// A connector makes connections that never wait for ever and that remember a COMMIT without its standby.
type connector struct{ pq *pq.Connector }

// newConnector reads dsn. settings are parameters of the session; those that dsn names itself are left as they are.
func newConnector(dsn string, silence time.Duration, settings map[string]string) (*connector, error) {
	config, err := pq.NewConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database name: %w", err)
	}
	if config.Runtime == nil {
		config.Runtime = map[string]string{}
	}
	for name, value := range settings {
		if _, named := config.Runtime[name]; !named {
			config.Runtime[name] = value
		}
	}
	if config.ConnectTimeout <= 0 {
		config.ConnectTimeout = 2 * time.Second
	}
	if config.SSLMode == "" {
		config.SSLMode = pq.SSLModePrefer // named always: the default of the library is about to change
	}
	if config.ApplicationName == "" {
		config.ApplicationName = "gyro"
	}
	c, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, fmt.Errorf("database name: %w", err)
	}
	c.Dialer(dialer{silence: silence})
	return &connector{pq: c}, nil
}

// Driver is for database/sql.
func (c *connector) Driver() driver.Driver { return c.pq.Driver() }

// Connect is for database/sql.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	made, err := c.pq.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := made.(pqConnection)
	if !ok {
		_ = made.Close()
		return nil, fmt.Errorf("connection %T lacks methods of database/sql/driver", made)
	}
	conn := &connection{pqConnection: full}
	pq.SetNoticeHandler(made, func(notice *pq.Error) {
		if notice.Code == unreplicatedNotice {
			conn.unreplicated.Store(true)
		}
	})
	return conn, nil
}

// pqConnection is all that database/sql looks for in a connection of lib/pq.
type pqConnection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// A connection is one to Postgres, with what it was told beside its answers.
type connection struct {
	pqConnection
	unreplicated atomic.Bool // a wait for the standby was cut short since this was last reset
}

// A dialer makes sockets that give up on a server which is silent for too long. lib/pq alone waits on: it asks the server
// to cancel, and a server that hangs does not answer that either (spec/store H4).
type dialer struct{ silence time.Duration }

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

// DialContext is for lib/pq.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &impatient{Conn: conn, silence: d.silence}, nil
}

// Dial is for lib/pq, which does not use it.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout is for lib/pq, which does not use it.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// An impatient connection sets a deadline before every call.
type impatient struct {
	net.Conn
	silence time.Duration
	limit   time.Time // that lib/pq set while it connects; zero: none
}

func (c *impatient) deadline() time.Time {
	d := time.Now().Add(c.silence)
	if !c.limit.IsZero() && c.limit.Before(d) {
		return c.limit
	}
	return d
}

func (c *impatient) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(c.deadline()); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *impatient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(c.deadline()); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// SetDeadline is called by lib/pq before and after it connects, never at the same time as Read or Write.
func (c *impatient) SetDeadline(t time.Time) error {
	c.limit = t
	return nil
}

// milliseconds writes a duration as a setting of Postgres.
func milliseconds(d time.Duration) string { return strconv.FormatInt(max(1, d.Milliseconds()), 10) }
