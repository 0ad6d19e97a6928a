package main

import (
	"fmt"
	"time"
)

// What is told alike of everything that is loaded in versions and in force on all servers: catalogues and policies.

// tellLines tells one thing in each line.
func (env *environment) tellLines(lines []string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(env.stdout, printable(line)); err != nil {
			return err
		}
	}
	return nil
}

// tellDiff tells what differs; none is said to people when nothing does.
func (env *environment) tellDiff(changes []string, none string) error {
	if env.json {
		return env.printJSON(changes)
	}
	if len(changes) == 0 {
		env.note("%s", none)
	}
	return env.tellLines(changes)
}

// tellLoaded tells people what a load changed, or would change.
func (env *environment) tellLoaded(changes []string, loaded bool, version, before string) error {
	if err := env.tellLines(changes); err != nil {
		return err
	}
	verb := "in force now: version"
	if !loaded {
		verb = "nothing was changed; this would be version"
	}
	_, err := fmt.Fprintf(env.stdout, "%s %s, after %s\n", verb, printable(version), printable(before))
	return err
}

// tellVersions lists what was loaded.
func tellVersions[V any](env *environment, list []V, tell func(V) (version string, savedAt *time.Time, savedBy string)) error {
	if env.json {
		return env.printJSON(list)
	}
	t := newTable(env.stdout)
	t.row("VERSION", "LOADED", "BY")
	for _, one := range list {
		version, at, by := tell(one)
		t.row(version, optionalInstant(at, ""), by)
	}
	return t.flush()
}
