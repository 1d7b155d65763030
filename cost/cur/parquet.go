package cur

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// rowsPerGroup bounds what a Parquet file holds in memory while it is written.
const rowsPerGroup = 50_000

// A parquetFile is rows as Parquet, compressed with Snappy.
type parquetFile struct {
	fields []Field
	writer *parquet.GenericWriter[any]
	row    parquet.Row
}

func newParquet(w io.Writer, fields []Field) *parquetFile {
	schema := parquet.NewSchema("bill", columnsOf(fields))
	return &parquetFile{fields: fields, writer: parquet.NewGenericWriter[any](w, schema, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(rowsPerGroup))}
}

// A group is a parquet.Group whose columns stay in the order of the query,
// where the library's own sorts them by name.
type group struct {
	parquet.Group
	order []string
}

// Fields implements parquet.Node.
func (g group) Fields() []parquet.Field {
	sorted := g.Group.Fields()
	fields := make([]parquet.Field, len(g.order))
	for _, f := range sorted {
		fields[slices.Index(g.order, f.Name())] = f
	}
	return fields
}

func columnsOf(fields []Field) parquet.Node {
	g := group{Group: parquet.Group{}}
	for i := range fields {
		g.order = append(g.order, fields[i].Name)
		g.Group[fields[i].Name] = nodeOf(fields[i].Type())
	}
	return g
}

func nodeOf(t Type) parquet.Node {
	switch t {
	case Number:
		return parquet.Optional(parquet.Leaf(parquet.DoubleType))
	case Time:
		return parquet.Optional(parquet.Timestamp(parquet.Millisecond))
	case Map:
		return parquet.Map(parquet.String(), parquet.String())
	}
	return parquet.Optional(parquet.String())
}

func (f *parquetFile) Write(r *Row) error {
	f.row = f.row[:0]
	column := 0
	for i := range f.fields {
		v, as := f.fields[i].of(r), f.fields[i].Type()
		if as == Map {
			f.appendMap(v, column)
			column += 2
			continue
		}
		leaf, err := leafOf(v, as)
		if err != nil {
			return fmt.Errorf("write column %s: %w", f.fields[i].Name, err)
		}
		definition := 1
		if !v.known {
			definition = 0
		}
		f.row = append(f.row, leaf.Level(0, definition, column))
		column++
	}
	_, err := f.writer.WriteRows([]parquet.Row{f.row})
	return err
}

// appendMap writes a map as its two columns: the keys, then the values.
func (f *parquetFile) appendMap(v Value, column int) {
	if len(v.pairs) == 0 {
		f.row = append(f.row, parquet.NullValue().Level(0, 0, column), parquet.NullValue().Level(0, 0, column+1))
		return
	}
	keys := slices.Sorted(maps.Keys(v.pairs))
	for part, of := range []func(string) string{func(k string) string { return k }, func(k string) string { return v.pairs[k] }} {
		for i, key := range keys {
			f.row = append(f.row, parquet.ByteArrayValue([]byte(of(key))).Level(min(i, 1), 1, column+part))
		}
	}
}

func leafOf(v Value, as Type) (parquet.Value, error) {
	switch {
	case !v.known:
		return parquet.NullValue(), nil
	case as == Number:
		n, err := strconv.ParseFloat(v.text, 64)
		return parquet.DoubleValue(n), err
	case as == Time:
		return parquet.Int64Value(millis(v.time)), nil
	}
	return parquet.ByteArrayValue([]byte(v.text)), nil
}

func (f *parquetFile) Close() error { return f.writer.Close() }
