package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// announce leaves the addresses where the other commands look for them, and says that all is ready.
func (s *server) announce(ctx context.Context) error {
	s.endpoint.URL = "http://" + reachable(s.web.Addr())
	s.endpoint.PID = os.Getpid()
	for _, l := range s.plain {
		s.endpoint.Diameter = append(s.endpoint.Diameter, reachable(l.Addr()))
	}
	s.endpoint.OriginHost, s.endpoint.OriginRealm = s.config.OriginHost, s.config.OriginRealm
	s.endpoint.Version, s.endpoint.StartedAt = buildVersion(), time.Now().UTC()
	if err := writeEndpoint(s.config.DataDir, s.endpoint); err != nil {
		return err
	}
	s.later(func(context.Context) error { return removeEndpoint(s.config.DataDir, s.endpoint.PID) })
	return s.sayReady(ctx)
}

// sayReady prints the line that scripts wait for. What listens on a free port is told by its real one.
func (s *server) sayReady(ctx context.Context) error {
	plain, secure := addresses(s.plain), addresses(s.secure)
	s.log.InfoContext(ctx, "ready", "version", buildVersion(), "origin_host", s.config.OriginHost, "origin_realm", s.config.OriginRealm,
		"diameter", plain, "diameter_tls", secure, "http", s.endpoint.URL, "catalog", s.rules.Load().Catalog, "private_postgres", s.cluster != nil)
	if s.env.json {
		return s.env.printJSON(struct {
			Ready       bool     `json:"ready"`
			Diameter    []string `json:"diameter"`
			DiameterTLS []string `json:"diameter_tls"`
			HTTP        string   `json:"http"`
			DataDir     string   `json:"data_dir"`
			PID         int      `json:"pid"`
		}{true, plain, secure, s.endpoint.URL, s.config.DataDir, s.endpoint.PID})
	}
	line := "gyro is ready:"
	if len(plain) > 0 {
		line += " diameter " + strings.Join(plain, ",")
	}
	if len(secure) > 0 {
		line += " diameter-tls " + strings.Join(secure, ",")
	}
	_, err := fmt.Fprintf(s.env.stdout, "%s http %s data %s\n", line, s.endpoint.URL, s.config.DataDir)
	return err
}
