package main

import (
	"time"

	"github.com/spf13/cobra"
)

// leastWatch keeps a watcher from being a load.
const leastWatch = time.Second

// watched adds --watch to cmd, which then runs again and again, on a cleared screen, until it is interrupted.
func watched(env *environment, cmd *cobra.Command) *cobra.Command {
	var every time.Duration
	run := cmd.RunE
	cmd.Flags().DurationVar(&every, "watch", 0, "print anew each time this has passed, such as 2s, until interrupted")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("watch") {
			return run(cmd, args)
		}
		if every < leastWatch {
			return usagef("--watch %s is less than %s", every, leastWatch)
		}
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			if isTerminal(env.stdout) {
				if _, err := env.stdout.Write([]byte("\x1b[H\x1b[2J")); err != nil {
					return err
				}
			}
			if err := run(cmd, args); err != nil {
				return err
			}
			select {
			case <-cmd.Context().Done():
				return nil
			case <-ticker.C:
			}
		}
	}
	return cmd
}
