package postgres_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

var rewrite = flag.Bool("rewrite", false, "write the page of docs/reference anew")

// The reference of the database is read from a database that was migrated, and from the comments of the migrations.
func TestReferenceOfTheDatabase(t *testing.T) {
	t.Parallel()
	db, err := sqlx.ConnectContext(t.Context(), "postgres", postgrestest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var columns []struct {
		Table    string `db:"table"`
		Column   string `db:"column"`
		Type     string `db:"type"`
		Nullable bool   `db:"nullable"`
		Key      bool   `db:"key"`
	}
	const listed = `
		SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
			coalesce(a.attnum = ANY(k.conkey), false) AS key
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		AND c.relname NOT LIKE '%goose%'
		ORDER BY c.relname, a.attnum`
	if err := db.SelectContext(t.Context(), &columns, listed); err != nil {
		t.Fatal(err)
	}
	comments := commentsOfMigrations(t)
	var page strings.Builder
	page.WriteString(`# Database

Written from a migrated database and the comments of the [migrations](../../ocs/postgres/migrations) by ` + "`make docs`" + `. **Bold** columns are the
primary key; part is the slot of the subscriber, computed from its id. Tables of the months lie under rated_event, cdr and posting. Read as you
like; what writes is the server alone.
`)
	table := ""
	for _, c := range columns {
		if c.Table != table {
			table = c.Table
			fmt.Fprintf(&page, "\n## %s\n\n| column | type | means |\n|---|---|---|\n", table)
		}
		name, kind := c.Column, c.Type
		if c.Key {
			name = "**" + name + "**"
		}
		if c.Nullable {
			kind += ", may be null"
		}
		fmt.Fprintf(&page, "| %s | %s | %s |\n", name, kind, comments[c.Table+"."+c.Column])
	}
	path, want := filepath.Join("..", "..", "docs", "reference", "database.md"), page.String()
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
		t.Error("docs/reference/database.md is not what the database says: make docs")
	}
}

var (
	createdTable  = regexp.MustCompile(`^(?:CREATE TABLE|ALTER TABLE) (\w+)`)
	columnComment = regexp.MustCompile(`^\s+(?:ADD COLUMN )?(\w+)\s+\w.*?-- (.+)$`)
)

// commentsOfMigrations returns what stands behind the columns, by table and column.
func commentsOfMigrations(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	comments, table := map[string]string{}, ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			if m := createdTable.FindStringSubmatch(line); m != nil {
				table = m[1]
			}
			if m := columnComment.FindStringSubmatch(line); m != nil {
				comments[table+"."+m[1]] = strings.ReplaceAll(m[2], "|", `\|`)
			}
		}
	}
	return comments
}
