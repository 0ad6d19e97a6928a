package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// Several hosts in one name: the ones that are gone are passed over (H1).
func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	before, rest, _ := strings.Cut(dsn, "host='")
	socket, rest, _ := strings.Cut(rest, "'")
	several := before + "host='/nonexistent," + socket + "' target_session_attrs=read-write " + rest
	s := postgrestest.Open(t, several, postgres.Options{})
	create(t, s, 1)
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"host=", "nonsense", "postgres://[", "host=localhost port=nonsense"} {
		if s, err := postgres.Open(t.Context(), dsn, postgres.Options{}); err == nil {
			_ = s.Close()
			t.Errorf("%q was opened", dsn)
		}
	}
	_, err := postgres.Open(t.Context(), "host=/nonexistent sslmode=disable", postgres.Options{})
	if err == nil || postgres.Classify(err) != postgres.Unavailable {
		t.Errorf("got %v, want it to be unavailable", err)
	}
}

// A host that takes connections and says nothing is given up.
func TestSilentHost(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err = postgres.Open(t.Context(), "host=127.0.0.1 connect_timeout=1 user=gyro dbname=gyro port="+port, postgres.Options{StatementTimeout: time.Second})
	if err == nil || postgres.Classify(err) != postgres.Unavailable {
		t.Errorf("got %v, want it to be unavailable", err)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("waited %v", took)
	}
}

// A server that has no TLS is spoken to without, unless the name asks for it. It is libpq's rule, not the one of lib/pq.
func TestWithoutTLS(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]bool{"": true, "sslmode=prefer": true, "sslmode=require": false, "sslmode=verify-full": false} {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var spoken atomic.Bool
		go func() { // a server without TLS, as far as its first message
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				request := make([]byte, 8)
				_, err = io.ReadFull(conn, request)
				if err == nil && binary.BigEndian.Uint32(request[4:]) == 80877103 { // SSLRequest
					_, err = conn.Write([]byte("N"))
				} else if err == nil {
					spoken.Store(true) // a startup message on a connection of its own
					_ = conn.Close()
				}
				if err != nil {
					_ = conn.Close()
				}
			}
		}()
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = postgres.Open(t.Context(), "host=127.0.0.1 user=gyro dbname=gyro port="+port+" "+mode, postgres.Options{StatementTimeout: time.Second})
		_ = listener.Close()
		if got := spoken.Load(); got != want {
			t.Errorf("%q: spoke without TLS: %v, want %v (%v)", mode, got, want, err)
		}
	}
}

// Whoever is held by somebody else is left out, without waiting.
func TestLockFreeSubscribers(t *testing.T) {
	t.Parallel()
	s := postgrestest.New(t)
	two := create(t, s, 2)
	err := s.InTx(t.Context(), func(holder *postgres.Tx) error {
		if _, err := holder.LockSubscribers(t.Context(), []ocs.SubscriberID{two[0].Subscriber.ID}); err != nil {
			return err
		}
		return s.InTx(t.Context(), func(tx *postgres.Tx) error {
			free, err := tx.LockFreeSubscribers(t.Context(), []ocs.SubscriberID{two[0].Subscriber.ID, two[1].Subscriber.ID})
			same(t, "free", free, []ocs.Subscriber{two[1].Subscriber})
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
