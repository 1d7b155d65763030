package usage

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// A File is a format that rows are written in.
type File interface {
	Write(*Row) error
	Close() error // writes the rest; the underlying writer stays open
}

// Formats are what OpenFile knows.
var Formats = []string{"csv", "parquet", "json"}

// OpenFile begins a file.
func OpenFile(format string, w io.Writer) (File, error) {
	switch format {
	case "csv":
		return newCSV(w)
	case "parquet":
		return newParquet(w), nil
	case "json":
		return lines{json.NewEncoder(w)}, nil
	}
	return nil, fmt.Errorf("format %q is none: use %s", format, strings.Join(Formats, ", "))
}

// lines are rows as JSON, one a line.
type lines struct{ out *json.Encoder }

func (l lines) Write(r *Row) error { return l.out.Encode(r) }
func (l lines) Close() error       { return nil }

// A csvFile has a column for each field, named as in Parquet.
type csvFile struct {
	out   *csv.Writer
	cells []string
}

func newCSV(w io.Writer) (*csvFile, error) {
	f := &csvFile{out: csv.NewWriter(w)}
	for field := range fields() {
		f.cells = append(f.cells, field)
	}
	return f, f.out.Write(f.cells)
}

// fields walks the columns of Row.
func fields() func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range reflect.TypeFor[Row]().NumField() {
			name, _, _ := strings.Cut(reflect.TypeFor[Row]().Field(i).Tag.Get("parquet"), ",")
			if !yield(name) {
				return
			}
		}
	}
}

func (f *csvFile) Write(r *Row) error {
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		cell, err := cellOf(v.Field(i))
		if err != nil {
			return err
		}
		f.cells[i] = cell
	}
	return f.out.Write(f.cells)
}

// cellOf leaves out what is absent. A text that a spreadsheet would take for a
// formula is told apart by an apostrophe.
func cellOf(v reflect.Value) (string, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "", nil
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano), nil
	case string:
		if x != "" && strings.ContainsRune("=+-@\t\r", rune(x[0])) {
			return "'" + x, nil
		}
		return x, nil
	case bool:
		return strconv.FormatBool(x), nil
	case map[string]string:
		if len(x) == 0 {
			return "", nil
		}
		text, err := json.Marshal(x)
		return string(text), err
	}
	if v.CanInt() {
		return strconv.FormatInt(v.Int(), 10), nil
	}
	return strconv.FormatUint(v.Uint(), 10), nil
}

func (f *csvFile) Close() error {
	f.out.Flush()
	return f.out.Error()
}

// A parquetFile has groups of a bounded number of rows, so that writing it
// takes bounded memory.
type parquetFile struct {
	out  *parquet.GenericWriter[Row]
	rows int
}

const rowGroup = 50_000

func newParquet(w io.Writer) *parquetFile {
	return &parquetFile{out: parquet.NewGenericWriter[Row](w, parquet.Compression(&parquet.Snappy), parquet.CreatedBy("outcrop", "usage", ""))}
}

func (f *parquetFile) Write(r *Row) error {
	if _, err := f.out.Write([]Row{*r}); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	if f.rows++; f.rows%rowGroup == 0 {
		return f.out.Flush()
	}
	return nil
}

func (f *parquetFile) Close() error { return f.out.Close() }
