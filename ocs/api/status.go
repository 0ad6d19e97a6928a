package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/rating"
)

// A Status is how the server is.
type Status struct {
	Version         string       `json:"version"`
	StartedAt       time.Time    `json:"started_at"`
	UptimeSeconds   int64        `json:"uptime_seconds"`
	Ready           bool         `json:"ready"`
	NotReady        string       `json:"not_ready,omitempty" doc:"why"`
	Catalog         string       `json:"catalog" doc:"version of the catalogue in force"`
	Plans           []string     `json:"plans" nullable:"false"`
	OpenSessions    int64        `json:"open_sessions"`
	ReservedSeconds rating.Units `json:"reserved_seconds"`
	Peers           []Peer       `json:"peers" nullable:"false"`
}

// A Peer is a Diameter connection.
type Peer struct {
	OriginHost  string    `json:"origin_host"`
	OriginRealm string    `json:"origin_realm"`
	Address     string    `json:"address"`
	State       string    `json:"state"`
	Since       time.Time `json:"since"`

	Secure      bool              `json:"secure" doc:"over TLS"`
	Outstanding int               `json:"outstanding" doc:"requests that are being worked on"`
	Requests    map[string]uint64 `json:"requests" doc:"answered since the connection was opened, by type"`
	Results     map[string]uint64 `json:"results" doc:"likewise, by Result-Code"`
	Duplicates  uint64            `json:"duplicates" doc:"copies of requests that were answered before"`
	OutOfOrder  uint64            `json:"out_of_order" doc:"requests that a later one had overtaken"`
	LateUsage   uint64            `json:"late_usage" doc:"reports about sessions that were over"`
	UnknownAVPs uint64            `json:"unknown_avps" doc:"AVPs that no dictionary has"`
	OverRate    uint64            `json:"over_rate" doc:"requests refused because there were too many in a second"`
}

func (s *server) handleStatus(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-status", Method: http.MethodGet, Path: "/care/v1/status", Summary: "Show how the server is",
	}), s.status)
}

func (s *server) status(ctx context.Context, _ *struct{}) (*struct{ Body Status }, error) {
	rules, now := s.Rules(), s.Now()
	told := Status{
		Version: s.Version, StartedAt: s.started.UTC(), UptimeSeconds: int64(now.Sub(s.started) / time.Second),
		Catalog: rules.Catalog, Plans: slices.Sorted(maps.Keys(rules.Plans)), Peers: []Peer{},
	}
	if s.Peers != nil {
		told.Peers = append(told.Peers, s.Peers()...)
	}
	told.NotReady = s.notReady(ctx)
	told.Ready = told.NotReady == ""
	totals, err := s.Store.Totals(ctx)
	if err != nil {
		return nil, s.storeFault(ctx, "count the open sessions", err)
	}
	told.OpenSessions, told.ReservedSeconds = totals.OpenSessions, totals.Reserved[rating.Seconds]
	return &struct{ Body Status }{told}, nil
}
