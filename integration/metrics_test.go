package integration

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the pages of docs that come from the code anew")

// A metric is one as Prometheus reads it.
type metric struct{ name, kind, unit, description string }

// The reference of the metrics is read from the calls that make them. What a server serves is in it, and what the dashboard
// and the alerts ask for.
func TestReferenceOfTheMetrics(t *testing.T) {
	t.Parallel()
	known := metricsOfTheCode(t)
	var page strings.Builder
	page.WriteString(`# Metrics

Written from the calls that make them by ` + "`make docs`" + `. They are served at ` + "`/metrics`" + ` of the HTTP listener, beside those of the Go runtime. Labels come
from closed sets: no session and no number is ever one. [Dashboard](../../deploy/grafana/gyro.json) and [alerts](../../deploy/prometheus/alerts.yaml)
use only what stands here.

| metric | kind | unit | means |
|---|---|---|---|
`)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		m := known[name]
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", m.name, m.kind, m.unit, m.description)
	}
	path := filepath.Join("..", "docs", "reference", "metrics.md")
	if *rewrite {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page.String() {
		t.Error("docs/reference/metrics.md is not what the code says: make docs")
	}
	for _, file := range []string{"grafana/gyro.json", "prometheus/alerts.yaml"} {
		wantKnownMetrics(t, known, filepath.Join("..", "deploy", file))
	}
}

// What a server serves after a call has a name and a help text of the reference.
func TestServedMetricsAreInTheReference(t *testing.T) {
	t.Parallel()
	known := metricsOfTheCode(t)
	s := startServer(t)
	msisdn := s.newSubscriber(t, 600)
	s.gyro(t, "call", "--from", msisdn, "--to", "493010000001", "--seconds", "61", "--json")
	text, err := s.metrics()
	if err != nil {
		t.Fatal(err)
	}
	served := regexp.MustCompile(`(?m)^# HELP (gyro_\w+) `).FindAllStringSubmatch(text, -1)
	if len(served) < 8 {
		t.Errorf("only %d metrics of ours are served", len(served))
	}
	for _, m := range served {
		if _, ok := known[m[1]]; !ok {
			t.Errorf("%s is served and not in the reference", m[1])
		}
	}
}

// parts of a histogram have names of their own.
var askedFor = regexp.MustCompile(`\bgyro_\w+`)

func wantKnownMetrics(t *testing.T, known map[string]metric, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	asked := askedFor.FindAllString(string(text), -1)
	if len(asked) < 5 {
		t.Errorf("%s asks for %d metrics only", file, len(asked))
	}
	for _, name := range asked {
		base := name
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if whole := strings.TrimSuffix(name, suffix); known[whole].kind == "histogram" {
				base = whole
			}
		}
		if _, ok := known[base]; !ok {
			t.Errorf("%s asks for %s, which nobody serves", file, name)
		}
	}
}

// metricsOfTheCode finds every instrument that is made, by the name that Prometheus gives it.
func metricsOfTheCode(t *testing.T) map[string]metric {
	t.Helper()
	known := map[string]metric{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if m, ok := metricOf(call); ok {
					known[m.name] = m
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

var instrumentName = regexp.MustCompile(`^(?:Int64|Float64)(?:Observable)?(Counter|UpDownCounter|Histogram|Gauge)$`)

// metricOf reads a call like meter.Int64Counter("gyro.commits", metric.WithUnit("{transaction}"), metric.WithDescription("…")).
func metricOf(call *ast.CallExpr) (m metric, ok bool) {
	selector, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod || len(call.Args) < 2 {
		return m, false
	}
	kind := instrumentName.FindStringSubmatch(selector.Sel.Name)
	name, isText := literal(call.Args[0])
	if kind == nil || !isText || !strings.HasPrefix(name, "gyro.") {
		return m, false
	}
	for _, argument := range call.Args[1:] {
		option, isCall := argument.(*ast.CallExpr)
		if !isCall || len(option.Args) == 0 {
			continue
		}
		text, _ := literal(option.Args[0])
		switch selected, _ := option.Fun.(*ast.SelectorExpr); selected.Sel.Name {
		case "WithUnit":
			m.unit = strings.Trim(text, "{}")
		case "WithDescription":
			m.description = strings.TrimSuffix(text, ".")
		}
	}
	m.name = strings.ReplaceAll(name, ".", "_")
	if m.unit == "s" {
		m.name, m.unit = m.name+"_seconds", "seconds"
	}
	switch kind[1] {
	case "Counter":
		m.kind, m.name = "counter", m.name+"_total"
	case "Histogram":
		m.kind = "histogram"
	default:
		m.kind = "gauge"
	}
	return m, true
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}
