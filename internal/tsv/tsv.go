// Package tsv reads tables of tab-separated values with named columns.
package tsv

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Row gives the cells of one line by column name.
type Row struct {
	columns []string
	cells   []string
	Line    int // counted from 1
}

// Get is the cell of a column, empty for "-" and for a column that the table
// does not have.
func (r Row) Get(column string) string {
	i := slices.Index(r.columns, column)
	if i < 0 || r.cells[i] == "-" {
		return ""
	}
	return r.cells[i]
}

// List is a cell split at its commas, nil when empty.
func (r Row) List(column string) []string {
	cell := r.Get(column)
	if cell == "" {
		return nil
	}
	return strings.Split(cell, ",")
}

// Time reads what a cell says of a time: a date or an instant, both in UTC. An
// empty cell is the zero time.
func Time(cell string) (time.Time, error) {
	switch len(cell) {
	case 0:
		return time.Time{}, nil
	case len(time.DateOnly):
		return time.Parse(time.DateOnly, cell)
	}
	t, err := time.Parse(time.RFC3339Nano, cell)
	return t.UTC(), err
}

// Read calls add for every row of text. Lines that begin with "#" and empty
// lines are skipped; the first line that remains names the columns. Errors
// name the file and the line.
func Read(name, text string, add func(Row) error) error {
	var columns []string
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		cells := strings.Split(line, "\t")
		if columns == nil {
			columns = cells
			continue
		}
		if len(cells) != len(columns) {
			return fmt.Errorf("%s:%d: %d cells for %d columns", name, number, len(cells), len(columns))
		}
		if err := add(Row{columns, cells, number}); err != nil {
			return fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	return nil
}
