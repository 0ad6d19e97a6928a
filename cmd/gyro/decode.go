package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/dictionaries/reading"
)

func decodeCommand(env *environment) *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use:   "decode HEX | FILE | -",
		Short: "Tell in words what Diameter messages say",
		Long: `Decode reads Diameter messages and tells each AVP by the dictionary of Gyro: TS 32.299, RFC 8506, RFC 6733. It takes octets in
hexadecimal, a file of them (what stands behind a # does not count), a pcap file, whose TCP streams it puts together, or - for
the standard input. It needs no server.

What tells who a subscriber is (numbers, names, addresses, equipment, places) is left out unless --reveal asks for it.`,
		Example: `  gyro decode 0100001480000118000000000000000100000001
  gyro decode --reveal exchange.pcap`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			octets, name, err := readOctets(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			spoken, err := spokenIn(octets, name)
			if err != nil {
				return err
			}
			return env.printSpoken(reading.Teller{Reveal: reveal}, spoken)
		},
	}
	cmd.Flags().BoolVar(&reveal, "reveal", false, "tell also what belongs to a subscriber")
	return cmd
}

// mostOctets bounds what decode reads.
const mostOctets = 1 << 30

// readOctets returns what an argument stands for: a file, the standard input, or itself.
func readOctets(stdin io.Reader, arg string) (octets []byte, name string, err error) {
	if arg == "-" {
		octets, err = io.ReadAll(io.LimitReader(stdin, mostOctets))
		return octets, "standard input", err
	}
	info, err := os.Stat(arg)
	switch {
	case err != nil && strings.Trim(arg, "0123456789abcdefABCDEF \t\n") == "":
		return []byte(arg), "the argument", nil
	case err != nil:
		return nil, "", failf(exitNotFound, "%q is neither a file nor octets in hexadecimal", arg)
	case info.Size() > mostOctets:
		return nil, "", fmt.Errorf("%s has %d octets, %d at most are read", arg, info.Size(), mostOctets)
	}
	octets, err = os.ReadFile(arg)
	return octets, arg, err
}

// spokenIn returns the messages in octets: of a capture, else one after the other in hexadecimal, else as they are.
func spokenIn(octets []byte, name string) ([]reading.Spoken, error) {
	if reading.IsCapture(octets) {
		spoken, err := reading.Capture(octets)
		if err == nil && len(spoken) == 0 {
			err = reading.ErrNoMessage
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return spoken, nil
	}
	if len(octets) > 0 && octets[0] != 1 { // a message begins with its version
		var err error
		if octets, err = reading.Hex(string(octets)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	var all []reading.Spoken
	for rest := octets; len(rest) > 0; {
		length, err := reading.Length(rest)
		if err == nil && (length == 0 || length > len(rest)) {
			err = fmt.Errorf("%w: its length says %d octets, there are %d", reading.ErrNoMessage, length, len(rest))
		}
		if err != nil {
			return nil, fmt.Errorf("%s, octet %d: %w", name, len(octets)-len(rest), err)
		}
		all = append(all, reading.Spoken{Message: rest[:length]})
		rest = rest[length:]
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: %w", name, reading.ErrNoMessage)
	}
	return all, nil
}

// toldMessage is a message as --json prints it, one a line.
type toldMessage struct {
	At      *time.Time `json:"at,omitempty"`
	From    string     `json:"from,omitempty"`
	To      string     `json:"to,omitempty"`
	Message string     `json:"message"`
}

func (env *environment) printSpoken(teller reading.Teller, spoken []reading.Spoken) error {
	var told []toldMessage
	for _, s := range spoken {
		said, err := teller.Message(s.Message)
		if err != nil {
			return err
		}
		m := toldMessage{Message: said}
		if s.From.IsValid() {
			m.At, m.From, m.To = new(s.At.UTC()), s.From.String(), s.To.String()
		}
		told = append(told, m)
	}
	if env.json {
		return env.printJSON(told)
	}
	for i, m := range told {
		if i > 0 {
			if _, err := fmt.Fprintln(env.stdout); err != nil {
				return err
			}
		}
		if m.At != nil {
			if _, err := fmt.Fprintf(env.stdout, "%s  %s > %s\n", m.At.Format("2006-01-02 15:04:05.000"), m.From, m.To); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprint(env.stdout, m.Message); err != nil {
			return err
		}
	}
	return nil
}
