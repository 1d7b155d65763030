package main

import (
	_ "embed"
	"strings"
)

// page is docs/performance.md but for the figures.
//
//go:embed performance.tmpl.md
var page string

// markdown is docs/performance.md.
func (r *report) markdown() string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(columns)
	b.WriteString(strings.Repeat("|---", len(columns)) + "|\n")
	for _, cells := range r.cells() {
		line(cells)
	}
	return strings.NewReplacer("{{table}}", b.String(), "{{counts}}", r.counts(), "{{where}}", r.where()).Replace(page)
}
