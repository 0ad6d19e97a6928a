package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
)

func subscriberImportCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Import subscribers from a CSV file, all or none",
		Long: `Import creates a subscriber for every line of a CSV file. Its first line is

  msisdn,imsi,plan,seconds

imsi may be empty, and 0 seconds make no bucket. Behind these four columns there may be any of sip_uri, nai and
private, other names of the subscriber; their fields may be empty. FILE may be - for standard input.

It is all or nothing: when any line is wrong, nothing is imported and the first 20 faults are told by line (exit 1).
Running the same file again imports nothing either, and says so (exit 4).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, size, err := env.openImport(args[0])
			if err != nil {
				return err
			}
			defer file.Close() //nolint:errcheck // only read
			content := bufio.NewReader(file)
			if _, err := content.Peek(1); errors.Is(err, io.EOF) { // HTTP knows no difference between an empty body and none
				return about(args[0], errors.New("the file is empty; its first line must be msisdn,imsi,plan,seconds"))
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			progress := env.importProgress(cmd.Context(), filepath.Base(args[0]), size)
			start := time.Now()
			rows, err := c.importFile(cmd.Context(), progress.reading(content), progress)
			progress.end()
			if err != nil {
				return about(args[0], importFailure(err))
			}
			return env.printImport(rows, time.Since(start))
		},
	}
}

// openImport opens the file to import. The size is 0 when it is not known.
func (env *environment) openImport(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(env.stdin), 0, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("open the file to import: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("open the file to import: %w", err), file.Close())
	}
	if info.IsDir() {
		return nil, 0, errors.Join(fmt.Errorf("%s is a directory", name), file.Close())
	}
	return file, info.Size(), nil
}

// importFile sends file and waits until it is stored. It returns how many subscribers that made.
func (c *client) importFile(ctx context.Context, file io.Reader, progress *importProgress) (rows int, err error) {
	answer, err := c.open(ctx, http.MethodPost, "/care/v1/subscribers/import", nil, "text/csv", io.NopCloser(file))
	if err != nil {
		return 0, err
	}
	defer answer.Close() //nolint:errcheck // only read
	lines := json.NewDecoder(answer)
	for {
		var line api.ImportProgress
		if err := lines.Decode(&line); err != nil {
			return 0, failf(exitUnavailable, "the server went away before it told the end of the import (%w): "+
				"run the same import again, and it says whether all are there", err)
		}
		switch line.Stage {
		case api.ImportStoring:
			progress.storing(line.Rows)
		case api.ImportDone:
			return line.Rows, nil
		case api.ImportFailed:
			if line.Problem == nil {
				return 0, errors.New("nothing was imported")
			}
			return 0, problemFailure(line.Problem)
		}
	}
}

// importFailure makes faults of the file exit with exitFailed: the command line was right.
func importFailure(err error) error {
	if exitCode(err) == exitUsage {
		return failf(exitFailed, "%w", errors.Unwrap(err))
	}
	return err
}

func (env *environment) printImport(rows int, took time.Duration) error {
	if env.json {
		return env.printJSON(struct {
			Imported     int   `json:"imported"`
			Milliseconds int64 `json:"milliseconds"`
		}{rows, took.Milliseconds()})
	}
	_, err := fmt.Fprintf(env.stdout, "imported %d subscribers in %s\n", rows, took.Round(10*time.Millisecond))
	return err
}
