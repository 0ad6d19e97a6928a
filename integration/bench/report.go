package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// A report sets what was measured of gyro beside the echo.
type report struct {
	Echo result `json:"echo"`
	Gyro result `json:"gyro"`
}

// The aims of the first version, by the issue that asked for it.
const (
	aimRatio    = 0.15 // of the requests a second of the echo
	aimTogether = 90.0 // us of processor time a request, of server and Postgres
)

// ratio is 0 when one of them was not measured.
func (r report) ratio() float64 {
	if r.Echo.Requests == 0 {
		return 0
	}
	return r.Gyro.Requests / r.Echo.Requests
}

func (r report) writeText(w io.Writer) error {
	var text strings.Builder
	text.WriteString("\techo\tgyro\tgyro/echo\t\n")
	line := func(name string, decimals int, echo, gyro float64) {
		fmt.Fprintf(&text, "%s\t%.*f\t%.*f\t%s\t\n", name, decimals, echo, decimals, gyro, quotient(gyro, echo))
	}
	line("requests a second", 0, r.Echo.Requests, r.Gyro.Requests)
	line("server, us of processor a request", 1, r.Echo.Server, r.Gyro.Server)
	line("Postgres, us of processor a request", 1, r.Echo.Postgres, r.Gyro.Postgres)
	line("both, us of processor a request", 1, r.Echo.together(), r.Gyro.together())
	line("generator, us of processor a request", 1, r.Echo.Generator, r.Gyro.Generator)
	for i, name := range typeNames {
		echo, gyro := r.Echo.of(i), r.Gyro.of(i)
		line(name+" p50, ms", 2, milliseconds(echo.Median), milliseconds(gyro.Median))
		line(name+" p99, ms", 2, milliseconds(echo.P99), milliseconds(gyro.P99))
		line(name+" p99.9, ms", 2, milliseconds(echo.P999), milliseconds(gyro.P999))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, err := io.WriteString(table, text.String())
	if err = errors.Join(err, table.Flush()); err != nil || r.Gyro.Books == nil {
		return err
	}
	_, err = io.WriteString(w, r.verdict())
	return err
}

// verdict tells in words whether the aims were met and the books are right.
func (r report) verdict() string {
	var text strings.Builder
	text.WriteByte('\n')
	if r.Echo.Requests > 0 {
		fmt.Fprintf(&text, "aim: %.2f of the echo: %.2f, %s\n", aimRatio, r.ratio(), met(r.ratio() >= aimRatio))
	}
	fmt.Fprintf(&text, "aim: %.0f us of server and Postgres a request: %.1f, %s\n", aimTogether, r.Gyro.together(), met(r.Gyro.together() <= aimTogether))
	fmt.Fprintf(&text, "calls: %d, answers by Result-Code: %v\n", r.Gyro.Calls, r.Gyro.Results)
	text.WriteString(r.Gyro.Books.String())
	return text.String()
}

func (r report) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		report
		Ratio    float64 `json:"ratio"`
		Together float64 `json:"server_and_postgres_us_per_request"`
	}{r, r.ratio(), r.Gyro.together()})
}

func quotient(a, b float64) string {
	if a == 0 || b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func met(is bool) string {
	if is {
		return "met"
	}
	return "missed"
}
