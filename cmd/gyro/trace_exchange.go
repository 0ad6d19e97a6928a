package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func traceCommand(env *environment) *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use:   "trace SESSION | MSISDN",
		Short: "Look on at what a switch and the server say about a call, as it happens",
		Long: `Trace shows every request of a session or of a subscriber and its answer in words, as they pass over the server, until it is
interrupted or an hour is over. SESSION is a Session-Id; what is digits only is an MSISDN. It shows what passes over this one
server. While nobody traces it costs calls nothing.

What tells who somebody is (numbers, names, equipment, places) is left out unless --reveal asks for it, which only an operator may.
Who looks on at whom is written into the audit log.`,
		Example: `  gyro trace 4930123456
  gyro trace 'pgw1.epc.example;17;4' --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			query := url.Values{"reveal": {strconv.FormatBool(reveal)}}
			if strings.Trim(args[0], "0123456789") == "" {
				query.Set("msisdn", args[0])
			} else {
				query.Set("session_id", args[0])
			}
			lines, err := c.open(cmd.Context(), "GET", "/care/v1/exchange", query, "", nil)
			if err != nil {
				return about(args[0], err)
			}
			defer lines.Close() //nolint:errcheck // only read
			scanner := bufio.NewScanner(lines)
			scanner.Buffer(nil, 4<<20)
			for scanner.Scan() {
				if err := env.printSighting(scanner.Bytes()); err != nil {
					return err
				}
			}
			if err := scanner.Err(); err != nil && cmd.Context().Err() == nil {
				return failf(exitUnavailable, "the server broke off: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&reveal, "reveal", false, "show also what tells who somebody is; for operators")
	return cmd
}

// printSighting prints a line of the stream. An empty one only shows that the server lives.
func (env *environment) printSighting(line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	if env.json {
		_, err := fmt.Fprintf(env.stdout, "%s\n", line)
		return err
	}
	var s api.Sighting
	if err := json.Unmarshal(line, &s); err != nil {
		return failf(exitUnavailable, "read the answer of the server: %w", err)
	}
	if s.Missed > 0 {
		if _, err := fmt.Fprintf(env.stdout, "(%d messages came too fast to be told)\n\n", s.Missed); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(env.stdout, "%s  %s\n%s\n", s.At.Format("2006-01-02 15:04:05.000"), s.Peer, s.Message)
	return err
}
