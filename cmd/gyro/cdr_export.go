package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/cdr"
)

func cdrExportCommand(env *environment) *cobra.Command {
	var source cdrSource
	var access accessFlags
	var month, format, out, template string
	var zipped bool
	perFile := cdr.DefaultPerFile
	cmd := &cobra.Command{
		Use:   "export --month 2026-10 --out DIR",
		Short: "Close a month and export its records for billing",
		Long: `Export closes a month, when that was not done before, and writes all its records into files: calls and events, and
what was posted: grants, transfers with their fees, refunds, corrections, expiries. Closing numbers the records for good, in
one sequence without a gap over all months; a month can be closed an hour after its end, and months are closed in order.

The same month in the same format gives the same files, to the octet, however often. Records that come later are told in
the next month as corrections. An export that was killed goes on where it was when the same command is run again. At the
end there is a manifest with counts, sums by unit and the SHA-256 of every file.

  --out DIR                          a directory
  --out s3://BUCKET/PREFIX           S3; $AWS_ACCESS_KEY_ID, $AWS_SECRET_ACCESS_KEY, $AWS_REGION, and $AWS_ENDPOINT_URL
                                     for another server than Amazon's
  --out sftp://USER@HOST:PORT/PATH   SFTP; the key of the host must be in ~/.ssh/known_hosts or --known-hosts

CSV has all columns that gyro cdr columns lists, unless --template names a YAML file that chooses them.`,
		Example: "  gyro cdr export --month 2026-10 --out /var/spool/billing\n" +
			"  gyro cdr export --month 2026-10 --format parquet --out s3://billing/gyro\n" +
			"  gyro cdr export --month 2026-10 --template billing.yaml --gzip --out sftp://gyro@billing.example.net/in",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if month == "" || out == "" {
				return usagef("--month and --out are needed\nsee: %s --help", cmd.CommandPath())
			}
			layout, err := readTemplate(template)
			if err != nil {
				return err
			}
			form := cdr.Form{Format: cdr.Format(format), Gzip: zipped, Template: layout}
			if err := form.Check(); err != nil {
				return usagef("%w", err)
			}
			ctx := cmd.Context()
			src, done, err := source.open(ctx, env)
			if err != nil {
				return err
			}
			defer done()
			dst, err := cdr.OpenDestination(ctx, out, access.access(env))
			if err != nil {
				return failf(exitUnavailable, "%w", err)
			}
			defer dst.Close() //nolint:errcheck // every file was committed
			progress := env.monthProgress(ctx, month)
			start := time.Now()
			exported, err := cdr.Export(ctx, src, dst, month, perFile, form, progress)
			progress.end()
			if err != nil {
				return monthFailure(err)
			}
			return env.printExport(exported, out, time.Since(start))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&month, "month", "", "month to export, in the time zone of the server: 2026-10")
	flags.StringVar(&format, "format", string(cdr.CSV), "csv, parquet, jsonl or asn1 (BER, TS 32.298)")
	flags.StringVar(&out, "out", "", "where the files go: a directory, s3://… or sftp://…")
	flags.StringVar(&template, "template", "", "YAML file with the columns of a CSV")
	flags.BoolVar(&zipped, "gzip", false, "compress the files (parquet always is)")
	flags.IntVar(&perFile, "records-per-file", cdr.DefaultPerFile, "records of a file, about; it counts when the month is closed, and stays")
	source.flags(cmd)
	access.flags(cmd)
	return cmd
}

// accessFlags say how to reach a destination beyond this machine.
type accessFlags struct{ knownHosts, identity string }

func (a *accessFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.knownHosts, "known-hosts", "", "file with the keys of SFTP hosts (default ~/.ssh/known_hosts)")
	cmd.Flags().StringVar(&a.identity, "identity", "", "file with the private key for SFTP (default those in ~/.ssh; $GYRO_SFTP_PASSWORD gives a password)")
}

func (a *accessFlags) access(env *environment) cdr.Access {
	return cdr.Access{Getenv: env.getenv, KnownHosts: a.knownHosts, Identity: a.identity}
}

func (env *environment) printExport(e cdr.Exported, out string, took time.Duration) error {
	m := e.Manifest
	if env.json {
		return env.printJSON(struct {
			Manifest     string       `json:"manifest"`
			Written      int          `json:"written"`
			Kept         int          `json:"kept"`
			Milliseconds int64        `json:"milliseconds"`
			Month        cdr.Manifest `json:"month"`
		}{e.Name, e.Written, e.Kept, took.Milliseconds(), m})
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %d records", m.Month, m.Records)
	if m.Records > 0 {
		fmt.Fprintf(&text, ", numbers %d to %d", m.First, m.Last)
	}
	fmt.Fprintf(&text, ", in %d files (%d written, %d were there) in %s\n", len(m.Files), e.Written, e.Kept, took.Round(10*time.Millisecond))
	for _, kind := range slices.Sorted(maps.Keys(m.Sums.Kinds)) {
		fmt.Fprintf(&text, "  %-10s %12d\n", kind, m.Sums.Kinds[kind])
	}
	for _, sum := range []struct {
		what  string
		units map[string]int64
	}{{"used", m.Sums.Used}, {"charged", m.Sums.Charged}, {"overrun", m.Sums.Overrun}, {"posted", m.Sums.Posted}} {
		for _, unit := range slices.Sorted(maps.Keys(sum.units)) {
			fmt.Fprintf(&text, "  %-10s %12d %s\n", sum.what, sum.units[unit], unit)
		}
	}
	for _, c := range m.Corrections {
		fmt.Fprintf(&text, "  corrections of records that ended from %s to %s: %d, numbers %d to %d\n",
			c.From.Format(time.DateOnly), c.To.Format(time.DateOnly), c.Records, c.First, c.First+c.Records-1)
	}
	fmt.Fprintf(&text, "manifest: %s in %s\n", e.Name, out)
	_, err := env.stdout.Write([]byte(text.String()))
	return err
}

func cdrColumnsCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "columns",
		Short: "List the columns that a CSV of records can have",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if env.json {
				type column struct {
					Name  string `json:"name"`
					About string `json:"about"`
				}
				all := []column{}
				for _, c := range cdr.Columns() {
					all = append(all, column{c[0], c[1]})
				}
				return env.printJSON(all)
			}
			t := newTable(env.stdout)
			t.row("COLUMN", "MEANING")
			for _, c := range cdr.Columns() {
				t.row(c[0], c[1])
			}
			return t.flush()
		},
	}
}

func cdrVerifyCommand(env *environment) *cobra.Command {
	var source cdrSource
	var access accessFlags
	cmd := &cobra.Command{
		Use:   "verify DIR [MANIFEST…]",
		Short: "Compare exported files with their manifest and with the database",
		Long: `Verify reads every file that a manifest names and compares it with its sums and with what the database tells now. Without
the name of a manifest it takes all of the directory. It exits with 1 when anything differs.`,
		Example: "  gyro cdr verify /var/spool/billing\n  gyro cdr verify s3://billing/gyro cdr-2026-10.csv.manifest.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			names, err := manifestsOf(args)
			if err != nil {
				return err
			}
			src, done, err := source.open(ctx, env)
			if err != nil {
				return err
			}
			defer done()
			dst, err := cdr.OpenDestination(ctx, args[0], access.access(env))
			if err != nil {
				return failf(exitUnavailable, "%w", err)
			}
			defer dst.Close() //nolint:errcheck // only read
			return env.verifyAll(ctx, src, dst, names)
		},
	}
	source.flags(cmd)
	access.flags(cmd)
	return cmd
}

func (env *environment) verifyAll(ctx context.Context, src cdr.Source, dst cdr.Destination, names []string) error {
	verdicts := []cdr.Verdict{}
	wrong := 0
	for _, name := range names {
		progress := env.monthProgress(ctx, name)
		v, err := cdr.Verify(ctx, src, dst, name, progress)
		progress.end()
		if err != nil {
			return monthFailure(err)
		}
		verdicts = append(verdicts, v)
		wrong += len(v.Faults)
		if env.json {
			continue
		}
		for _, fault := range v.Faults {
			env.note("%s", fault)
		}
		if len(v.Faults) == 0 {
			if _, err := fmt.Fprintf(env.stdout, "%s: %d files with %d records are what the database tells\n", name, v.Files, v.Records); err != nil {
				return err
			}
		}
	}
	if env.json {
		if err := env.printJSON(verdicts); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return failf(exitFailed, "%d faults were found", wrong)
	}
	return nil
}
