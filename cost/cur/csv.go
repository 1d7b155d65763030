package cur

import (
	"archive/zip"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// csvTime is how reports write a time into text.
const csvTime = "2006-01-02T15:04:05.000Z"

// A csvFile is rows as comma-separated text, compressed.
type csvFile struct {
	fields []Field
	end    io.Closer // of the compression
	text   *csv.Writer
	record []string
}

func newCSV(w io.Writer, fields []Field, zipped bool) (*csvFile, error) {
	packed, end, err := pack(w, zipped)
	if err != nil {
		return nil, err
	}
	f := &csvFile{fields: fields, end: end, text: csv.NewWriter(packed), record: make([]string, len(fields))}
	for i := range fields {
		f.record[i] = fields[i].Name
	}
	return f, f.text.Write(f.record)
}

func (f *csvFile) Write(r *Row) error {
	for i := range f.fields {
		text, err := csvText(f.fields[i].of(r), f.fields[i].Type())
		if err != nil {
			return fmt.Errorf("write column %s: %w", f.fields[i].Name, err)
		}
		f.record[i] = text
	}
	return f.text.Write(f.record)
}

func (f *csvFile) Close() error {
	f.text.Flush()
	if err := f.text.Error(); err != nil {
		return err
	}
	return f.end.Close()
}

// pack begins a gzip stream, or the one file of a ZIP archive.
func pack(w io.Writer, zipped bool) (io.Writer, io.Closer, error) {
	if !zipped {
		z := gzip.NewWriter(w)
		return z, z, nil
	}
	archive := zip.NewWriter(w)
	file, err := archive.Create("report.csv")
	return file, archive, err
}

// csvText is v in a field: maps are JSON, null is empty.
func csvText(v Value, as Type) (string, error) {
	switch {
	case !v.known:
		return "", nil
	case as == Time:
		return v.time.UTC().Format(csvTime), nil
	case as == Map:
		if len(v.pairs) == 0 {
			return "{}", nil
		}
		b, err := json.Marshal(v.pairs)
		return string(b), err
	}
	return v.text, nil
}

// millis is a time as Parquet keeps it.
func millis(t time.Time) int64 { return t.UnixMilli() }
