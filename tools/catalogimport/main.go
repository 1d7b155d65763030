// Command catalogimport re-shapes collected facts about models and
// system-defined profiles into the tables that packages catalog and pricing
// embed. Run it when new facts were collected:
//
//	go run ./tools/catalogimport -facts DIR
//
// DIR holds models.json and system-profiles.json. The tables are committed and
// edited by hand where the facts are wrong; the commit that does so says why.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	facts := flag.String("facts", "", "folder with models.json and system-profiles.json")
	out := flag.String("out", ".", "root of the repository")
	flag.Parse()
	if err := run(*facts, *out); err != nil {
		fmt.Fprintln(os.Stderr, "catalogimport:", err)
		os.Exit(1)
	}
}

func run(facts, out string) error {
	var models modelFile
	if err := read(filepath.Join(facts, "models.json"), &models); err != nil {
		return err
	}
	var profiles profileFile
	if err := read(filepath.Join(facts, "system-profiles.json"), &profiles); err != nil {
		return err
	}
	tables := []*table{
		regionTable(profiles), modelTable(models), factTable(models),
		profileTable(profiles), sourceTable(profiles), priceTable(models),
	}
	for _, t := range tables {
		if err := os.WriteFile(filepath.Join(out, t.path), []byte(t.String()), 0o644); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
		fmt.Printf("%s: %d rows\n", t.path, len(t.rows))
	}
	return nil
}

func read(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read facts: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read facts %s: %w", path, err)
	}
	return nil
}

// A table is one file of tab-separated values: comment lines, one line of
// column names, rows. An empty cell is written "-".
type table struct {
	path    string
	comment string
	columns []string
	rows    [][]string
}

func (t *table) add(cells ...string) {
	if len(cells) != len(t.columns) {
		panic(fmt.Sprintf("%s: %d cells for %d columns", t.path, len(cells), len(t.columns)))
	}
	for i, c := range cells {
		if c == "" {
			cells[i] = "-"
		}
		if strings.ContainsAny(c, "\t\n") {
			panic(fmt.Sprintf("%s: cell %q holds a separator", t.path, c))
		}
	}
	t.rows = append(t.rows, cells)
}

func (t *table) String() string {
	var b strings.Builder
	for line := range strings.Lines(t.comment) {
		b.WriteString("# " + strings.TrimSuffix(line, "\n") + "\n")
	}
	b.WriteString(strings.Join(t.columns, "\t") + "\n")
	for _, r := range t.rows {
		b.WriteString(strings.Join(r, "\t") + "\n")
	}
	return b.String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
