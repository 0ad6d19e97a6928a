package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	_ "github.com/lib/pq" // the driver
)

// A comparison sets what the database holds against what the switches reported and had acknowledged.
type comparison struct {
	AfterCrash bool `json:"after_crash"`

	Subscribers int    `json:"subscribers"`
	Reported    uint64 `json:"reported_seconds"` // and acknowledged
	Rated       int64  `json:"rated_seconds"`
	Debited     int64  `json:"debited_seconds"` // missing from the buckets
	Reserved    int64  `json:"reserved_seconds"`
	Overrun     int64  `json:"overrun_seconds"`
	Open        int64  `json:"open_sessions"`
	Ended       uint64 `json:"ended_calls"`
	Records     int64  `json:"cdrs"`
	Wrong       int    `json:"subscribers_that_differ"` // by what was rated or by what is left

	Settings map[string]string `json:"settings"` // of Postgres, that durability hangs on
}

// durable are the settings of Postgres without which an answer may be lost.
var durable = map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

// compare reads the books of the database. The statements are those of an auditor: no statement of the server is used.
func (s *server) compare(ctx context.Context, b books, subscribers int) (c comparison, err error) {
	db, err := s.openDatabase()
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c.Ended, c.Settings = b.ended, map[string]string{}
	if err := c.readSubscribers(ctx, db, b, subscribers); err != nil {
		return c, err
	}
	const totals = `
		SELECT (SELECT count(*) FROM session WHERE state = 'open'),
			(SELECT count(*) FROM cdr),
			(SELECT coalesce(sum(overrun), 0) FROM rated_event)`
	if err := db.QueryRowContext(ctx, totals).Scan(&c.Open, &c.Records, &c.Overrun); err != nil {
		return c, fmt.Errorf("read totals: %w", err)
	}
	for name := range durable {
		var value string
		if err := db.QueryRowContext(ctx, `SELECT current_setting($1)`, name).Scan(&value); err != nil {
			return c, fmt.Errorf("read setting %s: %w", name, err)
		}
		c.Settings[name] = value
	}
	return c, nil
}

// readSubscribers compares subscriber by subscriber, so that two errors cannot hide each other.
func (c *comparison) readSubscribers(ctx context.Context, db *sql.DB, b books, subscribers int) error {
	const each = `
		SELECT subscriber.msisdn, coalesce(held.balance, 0), coalesce(held.reserved, 0), coalesce(rated.used, 0)
		FROM subscriber
		LEFT JOIN (SELECT part, subscriber_id, sum(balance) AS balance, sum(reserved) AS reserved
			FROM bucket GROUP BY part, subscriber_id) held
			ON held.part = subscriber.part AND held.subscriber_id = subscriber.id
		LEFT JOIN (SELECT part, subscriber_id, sum(used) AS used
			FROM rated_event GROUP BY part, subscriber_id) rated
			ON rated.part = subscriber.part AND rated.subscriber_id = subscriber.id`
	rows, err := db.QueryContext(ctx, each)
	if err != nil {
		return fmt.Errorf("read subscribers: %w", err)
	}
	defer rows.Close() //nolint:errcheck // only read
	for rows.Next() {
		var number int
		var balance, reserved, used int64
		if err := rows.Scan(&number, &balance, &reserved, &used); err != nil {
			return fmt.Errorf("read subscribers: %w", err)
		}
		subscriber := number - firstMSISDN
		if subscriber < 0 || subscriber >= subscribers {
			return fmt.Errorf("a subscriber %d that was never imported", number)
		}
		reported := b.used[subscriber]
		c.Subscribers++
		c.Reported += reported
		c.Rated += used
		c.Debited += openingSeconds - balance
		c.Reserved += reserved
		if uint64(used) != reported || uint64(openingSeconds-balance) != reported { //nolint:gosec // G115: a negative one differs
			c.Wrong++
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read subscribers: %w", err)
	}
	if c.Subscribers != subscribers {
		return fmt.Errorf("%d subscribers in the database, %d were imported", c.Subscribers, subscribers)
	}
	return nil
}

// differences returns everything in which the books differ.
func (c comparison) differences() []error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(c.Reported != uint64(c.Rated), "%d s were reported, %d s are rated", c.Reported, c.Rated)       //nolint:gosec // G115: a negative one differs
	fault(c.Reported != uint64(c.Debited), "%d s were reported, %d s are debited", c.Reported, c.Debited) //nolint:gosec // G115
	fault(c.Wrong != 0, "%d subscribers have another sum than they reported", c.Wrong)
	fault(c.Overrun != 0, "%d s of overrun, though everybody had enough", c.Overrun)
	fault(c.Open != 0, "%d sessions are open, though every call ended", c.Open)
	fault(c.Reserved != 0, "%d s are reserved, though every call ended", c.Reserved)
	fault(c.Ended != uint64(c.Records), "%d calls ended, %d CDRs were written", c.Ended, c.Records) //nolint:gosec // G115
	for name, want := range durable {
		fault(c.Settings[name] != want, "Postgres ran with %s = %s, want %s", name, c.Settings[name], want)
	}
	return faults
}

// String tells of the comparison in words.
func (c comparison) String() string {
	when := "before a crash"
	if c.AfterCrash {
		when = "after kill -9 and a new start"
	}
	text := fmt.Sprintf("books %s: %d s reported, %d s rated, %d s debited from %d subscribers; %d calls ended, %d CDRs; %d s reserved; fsync %s\n",
		when, c.Reported, c.Rated, c.Debited, c.Subscribers, c.Ended, c.Records, c.Reserved, c.Settings["fsync"])
	var all strings.Builder
	for _, fault := range c.differences() {
		fmt.Fprintf(&all, "books differ: %v\n", fault)
	}
	return text + all.String()
}

// openDatabase connects to the private Postgres of the server, which runs in its data directory and tells there where its
// socket is.
func (s *server) openDatabase() (*sql.DB, error) {
	below, err := processTree(s.pid())
	if err != nil {
		return nil, err
	}
	for _, p := range below {
		if !isPostgres(p.name) {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cwd/postmaster.pid", p.pid))
		if err != nil {
			return nil, fmt.Errorf("find the socket of Postgres: %w", err)
		}
		lines := strings.Split(string(text), "\n") // pid, directory, start, port, directory of the socket
		if len(lines) < 5 {
			return nil, fmt.Errorf("find the socket of Postgres: postmaster.pid has %d lines", len(lines))
		}
		return sql.Open("postgres", fmt.Sprintf("host='%s' port=%s user=gyro dbname=gyro sslmode=disable", lines[4], lines[3]))
	}
	return nil, errors.New("gyro serve has no Postgres of its own: --database is not measured here")
}
