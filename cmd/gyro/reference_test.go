package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var rewrite = flag.Bool("rewrite", false, "write the pages of docs/reference anew")

// The reference is written by the code that it describes, so that it cannot say anything else.
func TestReferenceOfTheCommands(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(`# Commands

Written from the commands themselves by ` + "`make docs`" + `. Every command takes ` + "`--json`" + `, and finds the server of this machine by itself.

`)
	root := rootCommand(&environment{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }})
	root.InitDefaultCompletionCmd()
	tellFlags(&page, "Flags of all commands", root.PersistentFlags())
	tellCommands(&page, root)
	wantPage(t, "cli.md", page.String())
}

func tellCommands(page *strings.Builder, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		if sub.Runnable() && !sub.HasAvailableSubCommands() {
			tellCommand(page, sub)
		}
		tellCommands(page, sub)
	}
}

func tellCommand(page *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(page, "## %s\n\n%s.\n\n    %s\n\n", c.CommandPath(), strings.TrimSuffix(c.Short, "."), c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(page, "%s\n\n", strings.TrimSpace(c.Long))
	}
	if c.Example != "" {
		fmt.Fprintf(page, "Example:\n\n%s\n\n", indented(c.Example))
	}
	if c.Name() == "serve" {
		page.WriteString("Its flags are the keys of the [configuration](configuration.md).\n\n")
		return
	}
	tellFlags(page, "", c.LocalNonPersistentFlags())
}

func tellFlags(page *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	if title != "" {
		fmt.Fprintf(page, "## %s\n\n", title)
	}
	page.WriteString("| flag | means |\n|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		fmt.Fprintf(page, "| `%s` | %s%s |\n", strings.TrimSpace("--"+f.Name+" "+name), cell(usage), preset(f))
	})
	page.WriteString("\n")
}

func preset(f *pflag.Flag) string {
	if f.Name == "charging-lanes" {
		return "" // it depends on the machine
	}
	switch f.DefValue {
	case "", "false", "0", "0s", "[]":
		return ""
	}
	return fmt.Sprintf(" (default `%s`)", f.DefValue)
}

func TestReferenceOfTheConfiguration(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(`# Configuration

Written from the settings themselves by ` + "`make docs`" + `. A key stands in the YAML file that ` + "`gyro serve --config`" + ` names, dots being levels of it;
it is also a flag and a variable of the environment. Flags win over the environment, which wins over the file. ` + "[gyro.yaml](../../deploy/gyro.yaml)" + `
explains every key with an example; ` + "`gyro serve --check`" + ` tells all faults at once, with line and key.

| key | flag | variable | means | default |
|---|---|---|---|---|
`)
	c := defaultConfig()
	c.Charging.Lanes = 0 // it depends on the machine
	for _, s := range c.settings() {
		shown := ""
		if text := fmt.Sprint(s.value); text != "" && text != "0" && text != "[]" {
			shown = "`" + text + "`"
		}
		fmt.Fprintf(&page, "| `%s` | `--%s` | `%s` | %s | %s |\n", s.key, s.flag(), s.variable(), cell(s.usage), shown)
	}
	wantPage(t, "configuration.md", page.String())
}

func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", "\\|"), "\n", " ")
}

func indented(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = "    " + strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

// wantPage holds a page of docs/reference against what it should be.
func wantPage(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "reference", name)
	want = strings.TrimRight(want, "\n") + "\n"
	if *rewrite {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/reference/%s is not what the code says: make docs", name)
	}
}
