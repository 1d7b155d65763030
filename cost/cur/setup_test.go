package cur

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

const account outcrop.AccountID = "111122223333"

var now = time.Date(2026, 11, 21, 15, 30, 0, 0, time.UTC)

// records are cost.Records over a slice.
type records struct {
	mu  sync.Mutex
	all []outcrop.UsageRecord
}

func (r *records) Sync(context.Context) error { return nil }

func (r *records) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rest := r.all[min(int(after), len(r.all)):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (r *records) settle(all ...outcrop.UsageRecord) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range all {
		one.Seq = outcrop.Seq(len(r.all) + 1)
		one.Invocation = outcrop.InvocationID(fmt.Sprint("inv-", one.Seq))
		r.all = append(r.all, one)
	}
}

// call is a priced record of app01.
func call(at time.Time, change ...func(*outcrop.UsageRecord)) outcrop.UsageRecord {
	r := outcrop.UsageRecord{
		Operation: outcrop.OpConverse, Account: account, Started: at, Region: "us-east-1", Model: "amazon.nova-lite-v1:0", Geography: "us",
		Principal: "arn:aws:iam::111122223333:user/ann",
		Profile:   "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123def456",
		Tags:      outcrop.Tags{"project": "app01", "cost-centre": "4711"},
	}
	r.Usage.Set(outcrop.InputTokens, 1234)
	r.Usage.Set(outcrop.OutputTokens, 56)
	r.Quote.Price = "list#nova"
	r.Quote.Rates.Set(outcrop.InputTokens, 60_000)
	r.Quote.Rates.Set(outcrop.OutputTokens, 240_000)
	for _, c := range change {
		c(&r)
	}
	return r
}

func unpriced(r *outcrop.UsageRecord) { r.Model, r.Quote = "own.model-v1:0", outcrop.Quote{} }

func costs(t *testing.T, r *records) *cost.Costs {
	t.Helper()
	c := cost.New(r, costtest.NewMemory(), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if _, err := c.UpdateTags(t.Context(), account, []cost.TagUpdate{{Key: "project", Status: cost.Active}, {Key: "cost-centre", Status: cost.Active}}); err != nil {
		t.Fatal(err)
	}
	return c
}

// bucket is Objects in memory.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte
	refuse  error
	puts    int
}

func (b *bucket) Put(_ context.Context, name, key, contentType string, body io.Reader) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	data, err := io.ReadAll(body)
	if b.objects == nil {
		b.objects = map[string][]byte{}
	}
	b.objects[name+"/"+key] = data
	b.puts++
	return err
}

func (b *bucket) Delete(_ context.Context, name, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, name+"/"+key)
	return nil
}

func (b *bucket) keys() []string { return slices.Sorted(maps.Keys(b.objects)) }

func exports(t *testing.T, r *records, b *bucket, change ...func(*Options)) *Exports {
	t.Helper()
	o := Options{Region: "us-east-1", Settings: &cost.Settings{}, Scratch: t.TempDir(), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	return New(NewMemory(), costs(t, r), b, o)
}

// daily is an export of everything by day and profile.
func daily(format string) Export {
	e := Export{
		Account: account, Name: "bill", Statement: "SELECT " + strings.Join(columnNames(usageTable), ", ") + " FROM COST_AND_USAGE_REPORT",
		Properties: map[string]map[string]string{"COST_AND_USAGE_REPORT": {TimeGranularity: "DAILY", IncludeResources: "TRUE", IncludePrincipals: "TRUE"}},
		To:         Destination{Bucket: "bills", Prefix: "cur", Region: "us-east-1", Output: "CUSTOM", Format: format, Compression: "GZIP", Overwrite: Overwrite},
	}
	if format == Parquet {
		e.To.Compression = "PARQUET"
	}
	return e
}

func columnNames(t *Table) []string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	return names
}

// table reads gzipped CSV as rows by column.
func table(t *testing.T, data []byte) []map[string]string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}
