package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// environment is what the commands share: the world outside and the flags that all of them have.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string

	dataDirFlag string // --data-dir, empty when not given: use dataDir
	serverFlag  string // --server, empty when not given
	tokenFlag   string // --token, empty when not given
	json        bool   // --json

	lines *bufio.Reader // of stdin, once it was asked for
}

// run is the whole program. Results go to stdout and everything else to stderr, so that a pipe sees results only.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	env := &environment{stdin: os.Stdin, stdout: stdout, stderr: stderr, getenv: os.Getenv}
	root := rootCommand(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		env.note("%s %s", env.alarm("gyro:"), explain(ctx, err))
	}
	return exitCode(err)
}

func rootCommand(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "gyro",
		Short: "Gyro, an online charging system",
		Long: `Gyro charges calls against prepaid minute buckets in real time. It speaks Diameter Gy/Ro with the network.

"gyro serve" is the server. The other commands talk to it and find the one on this machine by themselves.

Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 refused, 5 unavailable.`,
		Args:          knownCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(env.stdin)
	root.SetOut(env.stdout)
	root.SetErr(env.stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&env.dataDirFlag, "data-dir", "", "data directory of the server (default $GYRO_DATA_DIR, else ~/.local/share/gyro)")
	flags.StringVar(&env.serverFlag, "server", "", "URL of the server, instead of the one that runs on --data-dir (default $GYRO_SERVER)")
	flags.StringVar(&env.tokenFlag, "token", "", "token for --server (default $GYRO_TOKEN, which other users of this machine cannot see)")
	flags.BoolVar(&env.json, "json", false, "print JSON for machines instead of tables for people")
	root.AddCommand(
		serveCommand(env),
		subscriberCommand(env),
		planCommand(env),
		bucketCommand(env),
		sessionCommand(env),
		cdrCommand(env),
		transferCommand(env),
		merchantCommand(env),
		agentCommand(env),
		pinCommand(env),
		catalogCommand(env),
		rateCommand(env),
		policyCommand(env),
		ussdCommand(env),
		explainCommand(env),
		whoisCommand(env),
		usageCommand(env),
		topCommand(env),
		keyCommand(env),
		approvalCommand(env),
		statusCommand(env),
		peerCommand(env),
		callCommand(env),
		decodeCommand(env),
		traceCommand(env),
		doctorCommand(env),
		versionCommand(env),
	)
	usageErrors(root)
	return root
}

// usageErrors makes every mistake in the arguments of cmd and of all below it exit with exitUsage and say where to look.
func usageErrors(cmd *cobra.Command) {
	hint := func(cmd *cobra.Command, err error) error {
		return usagef("%w\nsee: %s --help", err, cmd.CommandPath())
	}
	cmd.SetFlagErrorFunc(hint)
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return hint(cmd, err)
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		usageErrors(child)
	}
}

// group returns a command that does nothing itself.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(children...)
	return cmd
}

// knownCommand refuses the name of a command that is not there, and tells those that were perhaps meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	meant := ""
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		meant = "; perhaps " + strings.Join(names, " or ") + " was meant"
	}
	return fmt.Errorf("%s has no command %q%s", cmd.CommandPath(), args[0], meant)
}

// dataDir returns the data directory that the flag, else the environment, else the home directory names.
func (env *environment) dataDir() (string, error) {
	if env.dataDirFlag != "" {
		return env.dataDirFlag, nil
	}
	if dir := env.getenv("GYRO_DATA_DIR"); dir != "" {
		return dir, nil
	}
	home := env.getenv("HOME")
	if home == "" {
		return "", usagef("no data directory: there is no home directory for the usual place; give --data-dir DIR or set GYRO_DATA_DIR")
	}
	return filepath.Join(home, ".local", "share", "gyro"), nil
}

// isTerminal reports whether a person watches w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colour reports whether w may be coloured (https://no-color.org).
func (env *environment) colour(w io.Writer) bool {
	return isTerminal(w) && env.getenv("NO_COLOR") == "" && env.getenv("TERM") != "dumb"
}

// alarm returns text as an error begins: red where a person sees it.
func (env *environment) alarm(text string) string {
	if !env.colour(env.stderr) {
		return text
	}
	return "\x1b[31m" + text + "\x1b[0m"
}
