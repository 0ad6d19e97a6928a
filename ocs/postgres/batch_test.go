package postgres_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// BenchmarkBatch measures updates of running calls, of which every batch has so many: the time and, for each update, the
// processor time of Postgres. An update reports usage, is granted more and writes a rated event.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{1, 4, 16, 60} {
		b.Run(fmt.Sprint("size=", size), func(b *testing.B) {
			s := postgrestest.Open(b, postgrestest.DSN(b), postgres.Options{MaxConns: 1})
			subscribers := create(b, s, 3000)
			var begin postgres.Changes
			for i, n := range subscribers {
				session, bucket := newSession(n, fmt.Sprintf("tas1.ims.example.net;1772366400;%d", i), 60)
				session.Conditions = ocs.Conditions{
					Calling: "sip:+49301234567@ims.example.net", Called: "tel:+49307654321", ICID: "icid-0123456789abcdef", Network: "26201", CallStart: now,
				}
				session.Origin = ocs.Origin{Host: "tas1.ims.example.net", Realm: "ims.example.net", Peer: "dra1.example.net"}
				bucket.Balance = 1 << 40
				begin.Sessions, begin.Buckets = append(begin.Sessions, session), append(begin.Buckets, bucket)
			}
			save(b, s, begin)
			var backend int
			at := now
			next := 0
			update := func(tx *postgres.Tx) error {
				if backend == 0 {
					backend = postgres.BackendOf(b, tx)
				}
				at = at.Add(time.Second)
				var ids []ocs.SubscriberID
				var refs []postgres.SessionRef
				for range size {
					session := begin.Sessions[next%len(begin.Sessions)]
					next += 7
					ids = append(ids, session.Subscriber)
					refs = append(refs, postgres.SessionRef{Subscriber: session.Subscriber, Key: session.Key})
				}
				if _, err := tx.LockSubscribers(b.Context(), ids); err != nil {
					return err
				}
				buckets, err := tx.LoadBuckets(b.Context(), ids, now)
				if err != nil {
					return err
				}
				sessions, err := tx.LoadSessions(b.Context(), refs)
				if err != nil {
					return err
				}
				c := postgres.Changes{Buckets: buckets, Sessions: sessions}
				for i := range sessions {
					session := &sessions[i]
					number := uint32(session.Quotas[0].Used / 60)
					session.Quotas[0].Used += 60
					session.Memory.Seen = []ocs.Span{{Type: ocs.Update, First: 1, Last: number}}
					session.Memory.Answers = append(session.Memory.Answers[:len(session.Memory.Answers)%4], ocs.Remembered{
						Type: ocs.Update, Number: number, At: at,
						Answer: ocs.Answer{Verdict: ocs.Granted, Services: []ocs.ServiceAnswer{{Verdict: ocs.Granted, Measure: "seconds", Granted: 60, Validity: 360e9}}},
					})
					c.Events = append(c.Events, ocs.RatedEvent{
						Subscriber: session.Subscriber, Session: session.Key, Type: ocs.Update, Number: number, At: at, Service: "32260@3gpp.org",
						Tariff: "home", Plan: "demo", Catalog: "1", Measure: "seconds", Used: 60, Unit: "seconds", Charged: 60,
						Taken: []ocs.Hold{{Bucket: session.Quotas[0].Held[0].Bucket, Units: 60}},
					})
				}
				return saveIn(b.Context(), tx, c)
			}
			if err := s.InTx(b.Context(), update); err != nil {
				b.Fatal(err)
			}
			before := processorTime(b, backend)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.InTx(b.Context(), update); err != nil {
					b.Fatal(err)
				}
			}
			updates := float64(b.N * size)
			b.ReportMetric(float64((processorTime(b, backend)-before).Microseconds())/updates, "pg-us/update")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/updates, "us/update")
		})
	}
}

// processorTime is what a process used so far, where the kernel tells.
func processorTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip(err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	user, err := strconv.Atoi(string(fields[11]))
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.Atoi(string(fields[12]))
	if err != nil {
		b.Fatal(err)
	}
	const ticks = 100 // a second, on every Linux
	return time.Duration(user+system) * time.Second / ticks
}
