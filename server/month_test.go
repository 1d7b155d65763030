package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"outcrop"
	"outcrop/budget"
	"outcrop/cost"
	"outcrop/cost/costtest"
	"outcrop/cost/cur"
	"outcrop/sqlite"
)

var monthRecords = flag.Int("month.records", 3_000, "records in the month of traffic; make bench-cost has ten million")

const monthAccount outcrop.AccountID = "111122223333"

// sums are what records come to, in pico-dollars, by what they are asked for:
// "tag:app-01", "profile:arn:...", "principal:arn:...", "all".
type sums map[string]*big.Int

func (s sums) add(key string, pico *big.Int) {
	if s[key] == nil {
		s[key] = new(big.Int)
	}
	s[key].Add(s[key], pico)
}

// tellEvery is how many records of a long month go by between lines of progress.
const tellEvery = 1_000_000

// A watchedMonth tells how far it was read.
type watchedMonth struct {
	*costtest.Month
	t *testing.T
}

func (m watchedMonth) After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	records, err := m.Month.After(ctx, after, limit)
	if n := int(after) + len(records); n/tellEvery > int(after)/tellEvery {
		m.t.Logf("%s: read up to record %d of %d", time.Now().Format(time.TimeOnly), n, m.Records)
	}
	return records, err
}

// priceEach prices the month's records one by one, in big integers.
func priceEach(t *testing.T, m *costtest.Month) sums {
	all := sums{}
	for seq := 1; seq <= m.Records; seq++ {
		if seq%tellEvery == 0 {
			t.Logf("%s: priced up to record %d of %d", time.Now().Format(time.TimeOnly), seq, m.Records)
		}
		r := m.Record(seq)
		record := new(big.Int)
		for kind, n := range r.Usage.All() {
			rate, ok := r.Quote.Rates.Get(kind)
			if !ok && kind == outcrop.ReasoningTokens { // billed as output
				rate, ok = r.Quote.Rates.Get(outcrop.OutputTokens)
			}
			if ok {
				pico := new(big.Int).SetUint64(uint64(rate))
				record.Add(record, pico.Mul(pico, new(big.Int).SetUint64(uint64(n))))
			}
		}
		if record.Sign() == 0 {
			continue
		}
		for _, key := range []string{"all", "tag:" + r.Tags["project"], "profile:" + string(r.Profile), "principal:" + string(r.Principal)} {
			all.add(key, record)
		}
	}
	return all
}

// pico reads dollars exactly.
func pico(t *testing.T, amount string) *big.Int {
	t.Helper()
	r, ok := new(big.Rat).SetString(amount)
	if !ok {
		t.Fatalf("amount %q", amount)
	}
	if r.Mul(r, new(big.Rat).SetInt64(outcrop.PicoPerDollar)); !r.IsInt() {
		t.Fatalf("amount %q is finer than a pico-dollar", amount)
	}
	return r.Num()
}

// Promise: Cost Explorer, the Cost and Usage Report in both its forms, FOCUS
// and the budgets say the same of one month, whatever they are asked by: the
// sum of its records, priced one by one. In text to the pico-dollar, in
// Parquet, whose numbers are doubles, to the nano-dollar.
func TestEveryAnswerAboutAMonthIsTheSumOfItsRecords(t *testing.T) {
	m := costtest.NewMonth(1, *monthRecords)
	now := func() time.Time { return m.End().Add(-time.Second) }
	log := slog.New(slog.DiscardHandler)
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "month.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	watched := watchedMonth{m, t}
	e := &engines{costs: cost.New(watched, db.Costs(), now, log)}
	t.Cleanup(func() { t.Logf("%d records, at most %d MiB in memory", m.Records, peakMemory(t)>>20) })
	if err := e.costs.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if refused, err := e.costs.UpdateTags(t.Context(), monthAccount, []cost.TagUpdate{{Key: "project", Status: cost.Active}}); err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
	want := priceEach(t, m)
	if len(want) < 100 {
		t.Fatalf("only %d sums: this month shows nothing", len(want))
	}
	t.Run("Cost Explorer", func(t *testing.T) { explorerAgrees(t, e.costs, m, want) })
	t.Run("exports", func(t *testing.T) { exportsAgree(t, db, e.costs, now, want) })
	t.Run("budgets", func(t *testing.T) {
		budgets, err := budget.Open(t.Context(), watched, db.Budgets(), budget.Options{Now: now, Bill: e.billed, History: pastSpending{e.costs}, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		budgetsAgree(t, budgets, m, want)
	})
}

// peakMemory is the most that this process has held, in bytes.
func peakMemory(t *testing.T) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Error(err)
	}
	return int64(u.Maxrss) << 10
}

// agree holds what was answered to what the records come to, both ways, and
// within so many pico-dollars.
func (s sums) agree(t *testing.T, got sums, prefix string, within int64) {
	t.Helper()
	for key, is := range s {
		if strings.HasPrefix(key, prefix) && (got[key] == nil || new(big.Int).Sub(got[key], is).CmpAbs(big.NewInt(within)) > 0) {
			t.Errorf("%s comes to %v pico-dollars, its records to %s", key, got[key], is)
		}
	}
	for key, is := range got {
		if strings.HasPrefix(key, prefix) && s[key] == nil && is.Sign() != 0 {
			t.Errorf("%s comes to %s pico-dollars, and no record says so", key, is)
		}
	}
}

func explorerAgrees(t *testing.T, c *cost.Costs, m *costtest.Month, want sums) {
	for _, step := range []cost.Granularity{cost.Daily, cost.Monthly} {
		for prefix, by := range map[string][]cost.Grouping{
			"tag:":       {{Type: cost.ByTag, Key: "project"}},
			"profile:":   {{Type: cost.ByDimension, Key: "RESOURCE_ID"}, {Type: cost.ByDimension, Key: "USAGE_TYPE"}},
			"principal:": {{Type: cost.ByTag, Key: cost.PrincipalKey}, {Type: cost.ByTag, Key: "project"}},
			"all":        nil,
		} {
			got := sums{}
			q := cost.Query{Period: cost.Period{Start: m.Start, End: m.End()}, Granularity: step, GroupBy: by, Metrics: []cost.Metric{cost.UnblendedCost}}
			for more := true; more; more = q.Page != "" {
				a, err := c.Ask(t.Context(), monthAccount, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range a.Results {
					if by == nil {
						got.add("all", pico(t, r.Total.Cost.String()))
					}
					for _, g := range r.Groups {
						got.add(prefix+groupName(g.Keys[0]), pico(t, g.Value.Cost.String()))
					}
				}
				q.Page = a.Next
			}
			want.agree(t, got, prefix, 0)
		}
	}
}

// groupName is what a group's first key is called in sums.
func groupName(key string) string {
	if key == "NoResourceId" {
		return ""
	}
	if _, value, ok := strings.Cut(key, "$"); ok {
		return value
	}
	return key
}

// A shelf is a bucket in memory.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func (s *shelf) Put(_ context.Context, _, key, _ string, body io.Reader) error {
	data, err := io.ReadAll(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = data
	return err
}

func (s *shelf) Delete(context.Context, string, string) error { return nil }

// columns of what is compared, in each table: the cost, the profile, the tag
// and the caller; where a table has none, "".
type columns struct{ cost, profile, tag, principal string }

func exportsAgree(t *testing.T, db *sqlite.DB, c *cost.Costs, now func() time.Time, want sums) {
	bucket := &shelf{objects: map[string][]byte{}}
	x := cur.New(db.Exports(), c, bucket, cur.Options{Region: "us-east-1", Settings: &c.Settings, Scratch: t.TempDir(), Now: now, Log: slog.New(slog.DiscardHandler)})
	const usage = "SELECT line_item_unblended_cost, line_item_resource_id, resource_tags['user_project'] AS project, line_item_iam_principal FROM COST_AND_USAGE_REPORT"
	properties := map[string]map[string]string{"COST_AND_USAGE_REPORT": {cur.TimeGranularity: "DAILY", cur.IncludeResources: "TRUE", cur.IncludePrincipals: "TRUE"}}
	for _, one := range []struct {
		export cur.Export
		columns
	}{
		{cur.Export{Name: "text", Statement: usage, Properties: properties, To: cur.Destination{Format: cur.CSV}}, columns{"line_item_unblended_cost", "line_item_resource_id", "project", "line_item_iam_principal"}},
		{cur.Export{Name: "parquet", Statement: usage, Properties: properties, To: cur.Destination{Format: cur.Parquet}}, columns{"line_item_unblended_cost", "line_item_resource_id", "project", "line_item_iam_principal"}},
		{cur.Export{Name: "focus", Statement: "SELECT BilledCost, ResourceId, Tags['project'] AS project FROM FOCUS_1_2_AWS", To: cur.Destination{Format: cur.CSV}}, columns{"BilledCost", "ResourceId", "project", ""}},
		{cur.Export{Name: "classic", Report: &cur.Report{Compression: "GZIP", Elements: []string{"RESOURCES"}}, Properties: properties, Statement: cur.ReportStatement(false, true, []string{"project"}), To: cur.Destination{Format: cur.CSV}},
			columns{"lineItem/UnblendedCost", "lineItem/ResourceId", "resourceTags/user:project", ""}},
	} {
		t.Run(one.export.Name, func(t *testing.T) {
			clear(bucket.objects)
			e := one.export
			e.Account, e.To.Bucket, e.To.Prefix, e.To.Region, e.To.Output, e.To.Overwrite = monthAccount, "bills", "out", "us-east-1", "CUSTOM", cur.Overwrite
			e.To.Compression = map[string]string{cur.CSV: "GZIP", cur.Parquet: "PARQUET"}[e.To.Format]
			created, err := x.Create(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if err := x.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := x.Delete(t.Context(), monthAccount, created.ARN); err != nil {
				t.Fatal(err)
			}
			got, files, within := sums{}, 0, int64(0)
			for key, data := range bucket.objects {
				switch {
				case strings.HasSuffix(key, ".csv.gz"):
					files++
					addCSV(t, got, data, one.columns)
				case strings.HasSuffix(key, ".parquet"):
					files, within = files+1, halfNano
					addParquet(t, got, data, one.columns)
				}
			}
			if files == 0 {
				t.Fatal("no file was delivered")
			}
			for _, prefix := range []string{"all", "profile:", "tag:", "principal:"} {
				if prefix != "principal:" || one.principal != "" {
					want.agree(t, got, prefix, within)
				}
			}
		})
	}
}

// take adds one row of a file.
func (s sums) take(c columns, cost *big.Int, cell func(column string) string) {
	s.add("all", cost)
	s.add("profile:"+cell(c.profile), cost)
	s.add("tag:"+cell(c.tag), cost)
	if c.principal != "" {
		s.add("principal:"+cell(c.principal), cost)
	}
}

func addCSV(t *testing.T, s sums, data []byte, c columns) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	table := csv.NewReader(z)
	header, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range header {
		at[name] = i
	}
	for _, name := range []string{c.cost, c.profile, c.tag} {
		if _, ok := at[name]; !ok {
			t.Fatalf("no column %s in %v", name, header)
		}
	}
	for {
		line, err := table.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if amount := line[at[c.cost]]; amount != "" {
			s.take(c, pico(t, amount), func(name string) string { return line[at[name]] })
		}
	}
}

// halfNano is what a sum of the nearest doubles may be off, in pico-dollars.
const halfNano = 500

func addParquet(t *testing.T, s sums, data []byte, c columns) {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, path := range f.Schema().Columns() {
		at[path[0]] = i
	}
	exact := map[string]*big.Rat{}
	for _, group := range f.RowGroups() {
		addRows(t, group, func(row parquet.Row) {
			if row[at[c.cost]].IsNull() {
				return
			}
			amount := new(big.Rat).SetFloat64(row[at[c.cost]].Double())
			for _, key := range []string{"all", "profile:" + text(row[at[c.profile]]), "tag:" + text(row[at[c.tag]]), "principal:" + text(row[at[c.principal]])} {
				if exact[key] == nil {
					exact[key] = new(big.Rat)
				}
				exact[key].Add(exact[key], amount)
			}
		})
	}
	for key, amount := range exact {
		s.add(key, pico(t, amount.FloatString(12)))
	}
}

func text(v parquet.Value) string {
	if v.IsNull() {
		return ""
	}
	return string(v.ByteArray())
}

func addRows(t *testing.T, group parquet.RowGroup, each func(parquet.Row)) {
	t.Helper()
	rows := group.Rows()
	defer rows.Close()
	buffer := make([]parquet.Row, 64)
	for {
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			each(row)
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func budgetsAgree(t *testing.T, b *budget.Budgets, m *costtest.Month, want sums) {
	filters := map[string]*budget.Filter{
		"all": nil, "account": {Dimension: &budget.Match{Key: "LINKED_ACCOUNT", Values: []string{string(monthAccount)}}},
		// Sums do not know keys: this one reads each record.
		"every": {Not: &budget.Filter{Dimension: &budget.Match{Key: budget.DimAccessKey, Values: []string{"nobody's"}}}},
	}
	profiles := 0
	for _, key := range slices.Sorted(maps.Keys(want)) {
		prefix, value, _ := strings.Cut(key, ":")
		if prefix == "profile" {
			profiles++
		}
		switch {
		case value == "" || prefix == "profile" && profiles%10 != 0: // every tenth
		case prefix == "tag":
			filters[key] = &budget.Filter{Tag: &budget.Match{Key: "project", Values: []string{value}}}
		case prefix == "profile":
			filters[key] = &budget.Filter{Dimension: &budget.Match{Key: budget.DimProfile, Values: []string{value}}}
		case prefix == "principal":
			filters[key] = &budget.Filter{Dimension: &budget.Match{Key: budget.DimPrincipal, Values: []string{value}}}
		}
	}
	keys := map[string]budget.Key{}
	for name, filter := range filters {
		k := budget.Key{Account: monthAccount, Name: fmt.Sprintf("budget-%d", len(keys))}
		keys[name] = k
		if err := b.Create(t.Context(), budget.Budget{Key: k, Type: budget.Cost, Unit: budget.UnitDollars, Limit: outcrop.Dollars(1), Every: budget.Monthly, Start: m.Start, Filter: filter}); err != nil {
			t.Fatal(name, err)
		}
	}
	if err := b.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, k := range keys {
		st, err := b.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		is := want[name]
		if name == "account" || name == "every" {
			is = want["all"]
		}
		if got := pico(t, st.Spent.String()); got.Cmp(is) != 0 {
			t.Errorf("the budget of %s counts %s pico-dollars, its records come to %s", name, got, is)
		}
	}
}
