package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/catalog"
)

func catalogCommand(env *environment) *cobra.Command {
	return group("catalog", "Check, load, show, compare and roll back plans and tariffs",
		catalogCheckCommand(env), catalogLoadCommand(env), catalogShowCommand(env), catalogListCommand(env), catalogDiffCommand(env),
		catalogRollbackCommand(env))
}

func catalogCheckCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "check PATH", Short: "Tell everything that is wrong with a catalogue; needs no server",
		Long: `Check reads a catalogue, a YAML file or a directory of them with the CSV file of its zones, and tells every fault with its
file, line and key, and what would be right.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			read, err := loadCatalogFile(args[0])
			if err != nil {
				return err
			}
			zones := 0
			if read.Zones() != nil {
				zones = read.Zones().Len()
			}
			_, err = fmt.Fprintf(env.stdout, "the catalogue is good; version %s, %d plans, %d prefixes of zones\n", read.Version(), len(read.Plans()), zones)
			return err
		},
	}
}

func loadCatalogFile(path string) (*catalog.Catalog, error) {
	read, err := catalog.Load(path)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return read, nil
}

func catalogLoadCommand(env *environment) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "load PATH", Short: "Check a catalogue and put it in force on all servers, without a restart",
		Long: `Load checks a catalogue, tells what it changes, and puts it in force: all of it or nothing. New sessions begin with it within
a second; those that run finish by the one that they began with. Every version is kept, so that every charge can be explained.
A catalogue that leaves out a plan which subscribers have is refused. Loading the same again changes nothing.

What was loaded counts from then on, also after a restart, before the catalogue that the configuration names.`,
		Example: "  gyro catalog load /etc/gyro/catalog --dry-run\n  gyro catalog load /etc/gyro/catalog",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := loadCatalogFile(args[0]) // tells faults with the names of the files
			if err != nil {
				return err
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			var change api.CatalogChange
			body := api.NewCatalog{Source: string(read.Source()), Check: dry, Person: env.person()}
			if err := c.send(cmd.Context(), http.MethodPut, "/care/v1/catalog", body, &change); err != nil {
				return err
			}
			return env.tellCatalogChange(change)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "tell what would change, and change nothing")
	return cmd
}

func (env *environment) tellCatalogChange(change api.CatalogChange) error {
	if env.json {
		return env.printJSON(change)
	}
	return env.tellLoaded(change.Changes, change.Loaded, change.Version, change.Before)
}

func catalogShowCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "show [VERSION]", Short: "Show the catalogue that is in force, or one that was", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			var shown api.CatalogInForce
			if len(args) == 0 {
				err = c.get(cmd.Context(), "/care/v1/catalog", nil, &shown)
			} else {
				err = about(args[0], c.get(cmd.Context(), "/care/v1/catalogs/"+args[0], nil, &shown.Catalog))
			}
			switch {
			case err != nil:
				return err
			case env.json && len(args) == 1:
				return env.printJSON(shown.Catalog)
			case env.json:
				return env.printJSON(shown)
			}
			env.note("version %s", printable(shown.Version))
			_, err = fmt.Fprint(env.stdout, shown.Source)
			return err
		},
	}
}

func catalogListCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the catalogues that were loaded, newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := answerTo[api.CatalogList](cmd, env, question{path: "/care/v1/catalogs"})
			if err != nil {
				return err
			}
			return tellVersions(env, list.Catalogs, func(one api.Catalog) (string, *time.Time, string) { return one.Version, one.SavedAt, one.SavedBy })
		},
	}
}

func catalogDiffCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "diff PATH [PATH]", Short: "Tell in words what a catalogue changes: against the one in force, or against another",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			after, err := loadCatalogFile(args[len(args)-1])
			if err != nil {
				return err
			}
			before, err := env.catalogBefore(cmd, args)
			if err != nil {
				return err
			}
			return env.tellDiff(catalog.Diff(before, after), "no tariff differs")
		},
	}
}

// catalogBefore is the first of two, else the catalogue in force.
func (env *environment) catalogBefore(cmd *cobra.Command, args []string) (*catalog.Catalog, error) {
	if len(args) == 2 {
		return loadCatalogFile(args[0])
	}
	c, err := env.client()
	if err != nil {
		return nil, err
	}
	var shown api.CatalogInForce
	if err := c.get(cmd.Context(), "/care/v1/catalog", nil, &shown); err != nil {
		return nil, err
	}
	return catalog.Parse("the catalogue in force", []byte(shown.Source))
}

func catalogRollbackCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "rollback [VERSION]", Short: "Put the catalogue that was in force before in force again, or an older one",
		Long: `Rollback takes back the last load: the version before is in force again on all servers. With VERSION, as gyro catalog list tells
it, any that was loaded once. Sessions finish by the version that they began with.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			body := api.Rollback{Person: env.person()}
			if len(args) == 1 {
				body.Version = args[0]
			}
			var change api.CatalogChange
			if err := c.send(cmd.Context(), http.MethodPost, "/care/v1/catalog/rollback", body, &change); err != nil {
				return err
			}
			return env.tellCatalogChange(change)
		},
	}
}
