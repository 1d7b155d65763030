// Package cur writes bills as files: Cost and Usage Reports in their second
// and their first form, and FOCUS, delivered into buckets as AWS Data Exports
// does. A file is made of the same lines as an answer of Cost Explorer, so
// that both have the same total.
package cur

import (
	"strings"
	"time"

	"outcrop"
	"outcrop/cost"
)

// A Type is a column's type, as GetTable spells it.
type Type string

// The types of columns.
const (
	Text   Type = "string"
	Number Type = "double"
	Time   Type = "timestamp"
	Map    Type = "map<string, string>"
)

// A Value is one field of a row. Its zero value is null.
type Value struct {
	text  string // of Text, and of Number as an exact decimal
	time  time.Time
	pairs map[string]string
	known bool
}

func text(s string) Value             { return Value{text: s, known: s != ""} }
func number(decimal string) Value     { return Value{text: decimal, known: true} }
func instant(t time.Time) Value       { return Value{time: t, known: !t.IsZero()} }
func pairs(m map[string]string) Value { return Value{pairs: m, known: true} }

// A Column is one column of a Table.
type Column struct {
	Name        string
	Type        Type
	Description string
	value       func(*Row) Value // nil: inference has nothing to say here, and the column is null
}

func (c *Column) of(r *Row) Value {
	if c.value == nil {
		return Value{}
	}
	return c.value(r)
}

// A Table is what an export can be selected from.
type Table struct {
	Name        string
	Description string
	Columns     []Column // in the order of AWS's dictionary
	Properties  []Property
}

// A Property is a setting of a Table.
type Property struct {
	Name, Description, Default string
	Values                     []string // that are taken; nil for any
}

// Column finds a column by its name, in any case.
func (t *Table) Column(name string) (*Column, bool) {
	for i := range t.Columns {
		if strings.EqualFold(t.Columns[i].Name, name) {
			return &t.Columns[i], true
		}
	}
	return nil, false
}

// Tables are all that there are, by name.
func Tables() []*Table { return []*Table{usageTable, focusTable} }

// TableNamed finds a table by its name, in any case. FOCUS is known by the
// names of both versions.
func TableNamed(name string) (*Table, bool) {
	if strings.EqualFold(name, "FOCUS_1_0_AWS") {
		return focusTable, true
	}
	for _, t := range Tables() {
		if strings.EqualFold(t.Name, name) {
			return t, true
		}
	}
	return nil, false
}

// Words are what a bill says of accounts, Regions and models beyond their ids.
// Nil functions leave the id.
type Words struct {
	Account  func(outcrop.AccountID) string
	Location func(outcrop.Region) string // "US East (N. Virginia)"
	Model    func(outcrop.ModelID) string
}

func (w *Words) account(a outcrop.AccountID) string {
	if w.Account == nil {
		return string(a)
	}
	return w.Account(a)
}

func (w *Words) location(r outcrop.Region) string {
	if w.Location == nil {
		return string(r)
	}
	return w.Location(r)
}

func (w *Words) model(m outcrop.ModelID) string {
	if w.Model == nil {
		return string(m)
	}
	return w.Model(m)
}

// A Row is one line of a bill on its way into a file.
type Row struct {
	cost.BillLine
	bill     cost.Period // the month whose bill it is on
	settings *cost.Settings
	words    *Words
	amount   string // usage in the unit of the bill
	unit     string
	rate     outcrop.Money // of one unit
	id       string        // names the row
}
