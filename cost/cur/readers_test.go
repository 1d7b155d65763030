package cur

import (
	"cmp"
	"encoding/json"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"outcrop"
)

// arrow are the types of columns as Arrow names them.
var arrow = map[Type]string{Text: "string", Number: "double", Time: "timestamp[ms, tz=UTC]", Map: "map<string, string"}

// readers is a Python with pyarrow and DuckDB; OUTCROP_READERS names one.
func readers(t *testing.T) string {
	t.Helper()
	python := cmp.Or(os.Getenv("OUTCROP_READERS"), "python3")
	if err := exec.Command(python, "-c", "import pyarrow, duckdb").Run(); err != nil {
		const need = "this test needs a Python with pyarrow and duckdb (OUTCROP_READERS names one)"
		if os.Getenv("OUTCROP_NO_SKIP") == "1" {
			t.Fatal(need + ", and skipping is forbidden")
		}
		t.Skip(need)
	}
	return python
}

// Property: readers that are not ours open the files, see the types of the
// dictionary, and add up the same costs.
func TestOtherReadersOpenTheFiles(t *testing.T) {
	python := readers(t)
	var r records
	for i := range 60 {
		r.settle(call(now.AddDate(0, 0, -i%20), func(u *outcrop.UsageRecord) {
			u.Usage.Set(outcrop.OutputTokens, outcrop.Tokens(1+i*i))
			u.Tags = outcrop.Tags{"project": []string{"app01", "größe & co"}[i%2]}
		}))
	}
	r.settle(call(now, unpriced, func(u *outcrop.UsageRecord) { u.Tags = nil }))
	var b bucket
	x := exports(t, &r, &b, func(o *Options) { o.PartRows = 50 })
	csv := daily(CSV)
	csv.Name = "text"
	for _, e := range []Export{daily(Parquet), csv} {
		if _, err := x.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	want := new(big.Rat)
	for key, data := range b.objects {
		file := filepath.Join(folder, key)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(key, ".csv.gz") {
			want.Add(want, total(t, table(t, data), "line_item_unblended_cost"))
		}
	}
	out, err := exec.Command(python, "testdata/read.py", folder).Output()
	if err != nil {
		t.Fatalf("read: %v\n%s", err, err.(*exec.ExitError).Stderr)
	}
	var seen struct {
		Columns   map[string]string         `json:"columns"`
		Rows      int                       `json:"rows"`
		Codec     string                    `json:"codec"`
		ByProject map[string][2]json.Number `json:"by_project"`
		Hours     int                       `json:"hours"`
		CSVCost   string                    `json:"csv_cost"`
	}
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	for _, c := range usageTable.Columns {
		if got := seen.Columns[c.Name]; !strings.HasPrefix(got, arrow[c.Type]) {
			t.Errorf("column %s is a %q to Arrow, want %q", c.Name, got, arrow[c.Type])
		}
	}
	if got, ok := new(big.Rat).SetString(seen.CSVCost); !ok || got.Cmp(want) != 0 {
		t.Errorf("DuckDB adds the CSV up to %s, want %s", seen.CSVCost, want.FloatString(12))
	}
	sum, rows := new(big.Rat), 0
	for project, x := range seen.ByProject {
		if n, ok := new(big.Rat).SetString(string(x[0])); ok {
			sum.Add(sum, n)
		} else if project != "" {
			t.Errorf("project %q costs %q", project, x[0])
		}
		n, _ := x[1].Int64()
		rows += int(n)
	}
	if sum.FloatString(8) != want.FloatString(8) || rows != seen.Rows || len(seen.ByProject) != 3 || seen.Hours != 20 || seen.Codec != "SNAPPY" {
		t.Errorf("DuckDB sees %s; want %s in 3 projects, 20 days, Snappy", out, want.FloatString(12))
	}
}
