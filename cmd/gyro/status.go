package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func statusCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how the server is",
		Long:  "Status shows the version, uptime, catalogue, open sessions and peers of the running server. A server that cannot charge now exits 5.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			var status api.Status
			if err := c.get(cmd.Context(), "/care/v1/status", nil, &status); err != nil {
				return err
			}
			if err := env.printStatus(status); err != nil {
				return err
			}
			if !status.Ready {
				return failf(exitUnavailable, "%s", status.NotReady)
			}
			return nil
		},
	}
}

func (env *environment) printStatus(status api.Status) error {
	if env.json {
		return env.printJSON(status)
	}
	t := newTable(env.stdout)
	t.row("Version", status.Version)
	t.row("Running for", (time.Duration(status.UptimeSeconds) * time.Second).String())
	t.row("Catalogue", fmt.Sprintf("%s: %s", status.Catalog, strings.Join(status.Plans, ", ")))
	t.row("Open sessions", strconv.FormatInt(status.OpenSessions, 10))
	t.row("Reserved", quantity(status.ReservedSeconds, "seconds"))
	t.row("Peers", strconv.Itoa(len(status.Peers)))
	if len(status.Peers) == 0 {
		return t.flush()
	}
	t.gap()
	t.row("PEER", "REALM", "ADDRESS", "STATE", "SINCE")
	for _, p := range status.Peers {
		t.row(p.OriginHost, p.OriginRealm, p.Address, p.State, instant(p.Since))
	}
	return t.flush()
}
