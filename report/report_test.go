package report

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A bill is a Server with a fortnight of three projects, one of them quiet at
// times, and usage that has no price. Its answers come in pages of one day.
type bill struct{ questions int }

func (b *bill) CostExplorer(_ context.Context, operation string, in, out any) error {
	b.questions++
	if operation != "GetCostAndUsage" {
		return fmt.Errorf("%s: no history to learn from", operation)
	}
	var q struct {
		TimePeriod    struct{ Start, End string }
		GroupBy       []struct{ Type, Key string }
		Filter        any
		NextPageToken string
	}
	text, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(text, &q)
	}
	if err != nil {
		return err
	}
	start, err := time.Parse(time.DateOnly, q.TimePeriod.Start)
	if err != nil {
		return err
	}
	end, err := time.Parse(time.DateOnly, q.TimePeriod.End)
	if err != nil {
		return err
	}
	if q.NextPageToken != "" {
		if start, err = time.Parse(time.DateOnly, q.NextPageToken); err != nil {
			return err
		}
	}
	next := ""
	if day := start.AddDate(0, 0, 1); day.Before(end) {
		next = day.Format(time.DateOnly)
	}
	var groups []map[string]any
	add := func(key, usd, quantity string) {
		groups = append(groups, map[string]any{"Keys": []string{key}, "Metrics": map[string]any{
			"UnblendedCost": map[string]string{"Amount": usd, "Unit": "USD"}, "UsageQuantity": map[string]string{"Amount": quantity, "Unit": "1K tokens"}}})
	}
	d := start.Day()
	switch {
	case q.Filter != nil:
		add("USE1-House7B-input-tokens-no-price", "0", "1.5")
	case q.GroupBy[0].Type == "TAG":
		add(q.GroupBy[0].Key+"$app01", fmt.Sprintf("%d.000000000001", d), "10")
		add(q.GroupBy[0].Key+"$<b>&co", fmt.Sprintf("0.%02d", d), "1")
		if d%3 == 0 {
			add(q.GroupBy[0].Key+"$", "2.5", "4")
		}
	default:
		add("USE1-NovaLite-input-tokens", fmt.Sprintf("%d.25", d), "10")
	}
	text, err = json.Marshal(map[string]any{"ResultsByTime": []any{map[string]any{"TimePeriod": map[string]string{"Start": start.Format(time.DateOnly)}, "Groups": groups, "Estimated": true}}, "NextPageToken": next})
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

var (
	monday = time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC)
	made   = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
)

// golden holds what is written to the file of its name; -update writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it with: go test ./report -update && git diff\n%s", name, got)
	}
}

func fortnight(t *testing.T) *Report {
	t.Helper()
	r, err := Ask(t.Context(), new(bill), Question{By: "tag:project", Start: monday, End: monday.AddDate(0, 0, 14), Step: "DAILY"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFormsOfAReport(t *testing.T) {
	r := fortnight(t)
	for name, write := range map[string]func(*bytes.Buffer) error{
		"table.txt":  func(b *bytes.Buffer) error { return r.Table(b) },
		"table.csv":  func(b *bytes.Buffer) error { return r.CSV(b) },
		"table.json": func(b *bytes.Buffer) error { return r.JSON(b) },
		"chart.svg":  func(b *bytes.Buffer) error { _, err := b.Write(r.SVG()); return err },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(name, err)
		}
		golden(t, name, b.Bytes())
	}
}

func TestTotalsAreExactOverPages(t *testing.T) {
	r := fortnight(t)
	if len(r.Times) != 14 || Exact(r.Total) != "231.670000000014" {
		t.Errorf("%d days, total %s", len(r.Times), Exact(r.Total))
	}
	if len(r.Groups) != 3 || r.Groups[0].Name != "app01" || r.Groups[1].Name != "(none)" || !r.Open {
		t.Errorf("groups %+v", r.Groups)
	}
}

func TestSpansAndGroupingsThatAreNone(t *testing.T) {
	for _, span := range []string{"", "d", "0d", "-3d", "30", "30y", "999h", "2001d", "1.5d"} {
		if q, err := ParseSpan(span, made); err == nil {
			t.Errorf("--last %q is %+v", span, q)
		}
	}
	for _, by := range []string{"", "tag", "tag:", "colour", "category:"} {
		if _, err := Ask(t.Context(), new(bill), Question{By: by, Start: monday, End: made, Step: "DAILY"}); err == nil || !strings.Contains(err.Error(), "tag:KEY") {
			t.Errorf("--by %q: %v", by, err)
		}
	}
}
