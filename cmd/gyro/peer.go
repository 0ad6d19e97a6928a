package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func peerCommand(env *environment) *cobra.Command {
	return group("peer", "Show and disconnect Diameter peers", peerListCommand(env), peerShowCommand(env), peerDisconnectCommand(env))
}

func peerListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the peers that are connected with this server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			peers, err := env.peers(cmd)
			if err != nil {
				return err
			}
			if env.json {
				return env.printJSON(peers)
			}
			t := newTable(env.stdout)
			t.row("PEER", "REALM", "ADDRESS", "STATE", "SINCE", "REQUESTS", "WAITING")
			for _, p := range peers {
				t.row(p.OriginHost, p.OriginRealm, p.Address, p.State, instant(p.Since), strconv.FormatUint(total(p.Requests), 10), strconv.Itoa(p.Outstanding))
			}
			return t.flush()
		},
	}
}

func peerShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "show ORIGIN-HOST",
		Short: "Show what the connections of a peer have brought since they were opened",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			peers, err := env.peers(cmd)
			if err != nil {
				return err
			}
			peers = slices.DeleteFunc(peers, func(p api.Peer) bool { return !strings.EqualFold(p.OriginHost, args[0]) })
			if len(peers) == 0 {
				return failf(exitNotFound, "%s: no peer of this name is connected with this server", args[0])
			}
			if env.json {
				return env.printJSON(peers)
			}
			t := newTable(env.stdout)
			for i, p := range peers {
				if i > 0 {
					t.gap()
				}
				printPeer(t, p)
			}
			return t.flush()
		},
	}
}

func printPeer(t table, p api.Peer) {
	security := "plain"
	if p.Secure {
		security = "TLS"
	}
	t.row("Peer", p.OriginHost)
	t.row("Realm", p.OriginRealm)
	t.row("Address", p.Address+", "+security)
	t.row("State", p.State)
	t.row("Since", instant(p.Since))
	t.row("Being worked on", strconv.Itoa(p.Outstanding))
	t.row("Requests", counted(p.Requests))
	t.row("Results", counted(p.Results))
	for _, odd := range []struct {
		name  string
		count uint64
	}{
		{"Copies", p.Duplicates}, {"Out of order", p.OutOfOrder}, {"About ended sessions", p.LateUsage},
		{"Unknown AVPs", p.UnknownAVPs}, {"Over its rate", p.OverRate},
	} {
		t.row(odd.name, strconv.FormatUint(odd.count, 10))
	}
}

func counted(counts map[string]uint64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func total(counts map[string]uint64) (sum uint64) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

func peerDisconnectCommand(env *environment) *cobra.Command {
	var order api.Disconnection
	cmd := &cobra.Command{
		Use:   "disconnect ORIGIN-HOST",
		Short: "Take leave of a peer (DPR)",
		Long: `Disconnect answers what is in work for a peer, sends it a DPR (RFC 6733 section 5.4) and closes its connections with this server. Its
sessions stay as they are. A peer comes back by itself, later when it was told busy; to keep it out take it out of the
configuration.`,
		Example: "  gyro peer disconnect pgw1.epc.example.net --cause not-welcome",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			causes := []string{api.CauseRebooting, api.CauseBusy, api.CauseNotWelcome}
			if !slices.Contains(causes, order.Cause) {
				return usagef("--cause %q is none of %s", order.Cause, strings.Join(causes, ", "))
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			var done api.Disconnected
			if err := c.send(cmd.Context(), http.MethodPost, "/care/v1/peers/"+url.PathEscape(args[0])+"/disconnect", order, &done); err != nil {
				return about(args[0], err)
			}
			if env.json {
				return env.printJSON(done)
			}
			_, err = fmt.Fprintf(env.stdout, "%s: connections that end: %d\n", done.OriginHost, done.Connections)
			return err
		},
	}
	cmd.Flags().StringVar(&order.Cause, "cause", api.CauseBusy, "what the peer is told: rebooting, busy or not-welcome")
	return cmd
}

// peers asks the server who is connected.
func (env *environment) peers(cmd *cobra.Command) ([]api.Peer, error) {
	c, err := env.client()
	if err != nil {
		return nil, err
	}
	var list api.PeerList
	if err := c.get(cmd.Context(), "/care/v1/peers", nil, &list); err != nil {
		return nil, err
	}
	return list.Peers, nil
}
