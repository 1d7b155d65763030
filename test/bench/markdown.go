package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// page is docs/performance.md but for the figures.
//
//go:embed performance.tmpl.md
var page string

// write writes the page and its plot into the folder of the docs.
func (r *report) write(dir string) error {
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "performance.md"), []byte(r.markdown()), 0o644),
		os.WriteFile(filepath.Join(dir, "img", "performance.svg"), []byte(r.plot()), 0o644),
	)
}

// markdown is docs/performance.md.
func (r *report) markdown() string {
	var costs strings.Builder
	for i, c := range r.largest() {
		fmt.Fprintf(&costs, "%d. %.0f %%: %s\n", i+1, 100*c.Share, c.Name)
	}
	return strings.NewReplacer(
		"{{goals}}", table(goalColumns, goalCells(r.goals())), "{{table}}", table(columns, r.cells()),
		"{{counts}}", r.counts(), "{{where}}", r.where(), "{{costs}}", costs.String(),
	).Replace(page)
}

func table(head []string, lines [][]string) string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(head)
	b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, cells := range lines {
		line(cells)
	}
	return b.String()
}
