package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func ussdCommand(env *environment) *cobra.Command {
	var language string
	cmd := &cobra.Command{
		Use: "ussd MSISDN [CODE]", Short: "A handset in the terminal, which dials the code of the menu",
		Long: `Ussd is the handset of a subscriber: it dials CODE, by default *999#, shows the screen, and sends what is typed until
the session ends. Inputs come from the terminal, else from the lines of stdin, so that a session can be a script. Where the
screen asks for a PIN, the terminal does not show what is typed. Receipts that go out as text messages are shown too.

  *999#                  the menu
  *999*5#                an item of it: the last five transfers
  *999*15*4930123456#    15 minutes to a number, or to a shop by its code

` + whoHelp,
		Example: "  gyro ussd 491700000001 '*999*15*491700000002#'\n  printf '4\\n' | gyro ussd 491700000001",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			dialled := ""
			if len(args) == 2 {
				var err error
				if dialled, err = dialledParts(args[1]); err != nil {
					return err
				}
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			h := &handset{env: env, care: c, msisdn: args[0], session: rand.Text(), language: language}
			return about(args[0], h.run(cmd.Context(), dialled))
		},
	}
	cmd.Flags().StringVar(&language, "language", "", "en or ko, where the subscriber's is not known")
	return cmd
}

// dialledParts takes the service code off what is dialled: *999*15*49# becomes 15*49. The code has one part.
func dialledParts(code string) (string, error) {
	rest, starts := strings.CutPrefix(strings.TrimSpace(code), "*")
	rest, ends := strings.CutSuffix(rest, "#")
	service, parts, _ := strings.Cut(rest, "*")
	if !starts || !ends || service == "" || strings.Contains(parts, "#") {
		return "", usagef("%q cannot be dialled: a code is *999# or *999*15*NUMBER#", code)
	}
	return parts, nil
}

// A handset is one session. It keeps all inputs, joined, as a gateway does.
type handset struct {
	env      *environment
	care     *client
	msisdn   string
	session  string
	language string
	text     string
}

func (h *handset) run(ctx context.Context, dialled string) error {
	h.text = dialled
	for first := true; ; first = false {
		screen, err := h.send(ctx)
		if err != nil {
			return err
		}
		if err := h.show(screen); err != nil || screen.End {
			return err
		}
		typed, err := h.read(screen)
		if errors.Is(err, io.EOF) {
			h.env.note("the session was left")
			return nil
		}
		if err != nil {
			return err
		}
		if !first || dialled != "" {
			h.text += "*"
		}
		h.text += typed
	}
}

func (h *handset) send(ctx context.Context) (screen api.Screen, err error) {
	body := api.NewDial{SessionID: h.session, MSISDN: h.msisdn, Text: h.text, Language: h.language}
	err = h.care.send(ctx, http.MethodPost, "/care/v1/ussd", body, &screen)
	return screen, err
}

// show prints a screen in a frame, and the text messages that go out.
func (h *handset) show(screen api.Screen) error {
	if h.env.json {
		return h.env.printJSON(screen)
	}
	if err := drawScreen(h.env.stdout, screen.Text); err != nil {
		return err
	}
	for _, r := range screen.Receipts {
		if _, err := fmt.Fprintf(h.env.stdout, "text message to %s: %s\n", r.To, printable(r.Text)); err != nil {
			return err
		}
	}
	return nil
}

// drawScreen prints what a handset shows, between two lines.
func drawScreen(w io.Writer, text string) error {
	const line = "----------------------------------------"
	var b strings.Builder
	b.WriteString(line + "\n")
	for row := range strings.SplitSeq(text, "\n") {
		b.WriteString("  " + printable(row) + "\n")
	}
	b.WriteString(line + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// read reads an input. A PIN is not echoed. A "*" may be part of an input: the server goes by what it heard before.
func (h *handset) read(screen api.Screen) (string, error) {
	f, ok := h.env.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return h.env.line()
	}
	_, _ = fmt.Fprint(h.env.stderr, "> ")
	if strings.Contains(screen.Text, "PIN") && !strings.HasPrefix(screen.Text, "1 ") {
		typed, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(h.env.stderr)
		return strings.TrimSpace(string(typed)), err
	}
	typed, err := h.env.line()
	return strings.TrimSpace(typed), err
}
