package reconcile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"outcrop"
)

// Bounds of the files that are compared with.
const (
	maxRows      = 20_000_000
	maxIDs       = 5_000_000
	maxCellBytes = 64 << 10
)

// A sheet reads CSV with named columns, whatever their case and separators.
type sheet struct {
	rows    *csv.Reader
	columns map[string]int
	line    int
}

func openSheet(r io.Reader) (*sheet, error) {
	s := &sheet{rows: csv.NewReader(r), columns: map[string]int{}, line: 1}
	s.rows.ReuseRecord, s.rows.FieldsPerRecord = true, 0
	head, err := s.rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty: its first line must name the columns")
	}
	if err != nil {
		return nil, fmt.Errorf("read the columns: %w", err)
	}
	for i, name := range head {
		s.columns[plain(strings.TrimPrefix(name, "\ufeff"))] = i
	}
	return s, nil
}

// plain makes "lineItem/UsageType", "line_item_usage_type" and "Line Item
// Usage Type" the same.
func plain(column string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, column)
}

// has finds the first of several names that a column has.
func (s *sheet) has(names ...string) (column int, ok bool) {
	for _, name := range names {
		if i, ok := s.columns[plain(name)]; ok {
			return i, true
		}
	}
	return 0, false
}

// next is the next row, nil at the end. It is good until the one after.
func (s *sheet) next() ([]string, error) {
	row, err := s.rows.Read()
	s.line++
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	case s.line > maxRows:
		return nil, fmt.Errorf("the file has more than %d lines", maxRows)
	}
	for _, cell := range row {
		if len(cell) > maxCellBytes {
			return nil, fmt.Errorf("line %d: a cell has more than %d bytes", s.line, maxCellBytes)
		}
	}
	return row, nil
}

// tokens reads a count that may be given in larger units: 1.5 with a unit of
// 1000 is 1500.
func tokens(cell string, unit int64) (outcrop.Tokens, error) {
	n, ok := new(big.Rat).SetString(strings.TrimSpace(cell))
	const longest = 40 // digits; an exponent could ask for gigabytes
	if !ok || len(cell) > longest || strings.ContainsAny(cell, "eE/") || n.Sign() < 0 {
		return 0, fmt.Errorf("%.50q is not a count", cell)
	}
	n.Mul(n, new(big.Rat).SetInt64(unit))
	whole := new(big.Int).Div(new(big.Int).Add(new(big.Int).Mul(n.Num(), big.NewInt(2)), n.Denom()), new(big.Int).Mul(n.Denom(), big.NewInt(2)))
	if !whole.IsUint64() {
		return 0, fmt.Errorf("%.50q is too large", cell)
	}
	return outcrop.Tokens(whole.Uint64()), nil
}
