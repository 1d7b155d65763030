package usage_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"outcrop"
	"outcrop/ledger/ledgertest"
	"outcrop/usage"
)

// memory is a store that looks at few records at a time.
type memory struct {
	records []outcrop.UsageRecord
	step    int
}

func (m *memory) Watermark(context.Context) (outcrop.Seq, error) {
	return outcrop.Seq(len(m.records)), nil
}

func (m *memory) Scan(_ context.Context, after outcrop.Seq, from, to time.Time, limit int) (found []outcrop.UsageRecord, next outcrop.Seq, err error) {
	end := min(int(after)+min(m.step, limit), len(m.records))
	for _, r := range m.records[after:end] {
		if (from.IsZero() || !r.Started.Before(from)) && (to.IsZero() || r.Started.Before(to)) {
			found = append(found, r)
		}
	}
	return found, outcrop.Seq(end), nil
}

func some(t *rapid.T) []outcrop.UsageRecord {
	n := rapid.IntRange(0, 60).Draw(t, "records")
	list := ledgertest.Numbered(1, n)
	for i := range list {
		r := &list[i]
		r.Outcome.Status = rapid.SampledFrom([]int{200, 200, 200, 400, 429, 499, 500}).Draw(t, "status")
		r.Tags = outcrop.Tags{"team": rapid.SampledFrom([]string{"blue", "red"}).Draw(t, "team")}
		r.Upstream = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "upstream")
		if rapid.Bool().Draw(t, "no usage") {
			r.Usage = outcrop.Usage{}
		}
		if rapid.Bool().Draw(t, "no price") {
			r.Quote = outcrop.Quote{}
		}
	}
	return list
}

// Property: the pages of an answer together are the records that match, each
// once and in order, whatever the size of a page.
func TestPagesAreTheWholeAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := some(t)
		f := usage.Filter{Status: rapid.SampledFrom([]string{"", "ok", "error", "200", "4xx"}).Draw(t, "status"), Upstream: rapid.SampledFrom([]string{"", "a"}).Draw(t, "upstream")}
		if rapid.Bool().Draw(t, "by tag") {
			f.Tags = map[string]string{"team": "blue"}
		}
		d := &usage.Reader{Sync: func(context.Context) error { return nil }, Records: &memory{list, rapid.IntRange(1, 20).Draw(t, "step")}}
		var want, got []outcrop.Seq
		for i := range list {
			if f.Match(&list[i]) {
				want = append(want, list[i].Seq)
			}
		}
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		for next := outcrop.Seq(0); ; {
			p, err := d.Page(context.Background(), next, &f, limit)
			if err != nil || len(p.Records) > limit {
				t.Fatalf("%d records, %v", len(p.Records), err)
			}
			for _, r := range p.Records {
				got = append(got, r.Seq)
			}
			if p.Next >= p.Last {
				break
			}
			if p.Next <= next {
				t.Fatalf("page after %d goes on at %d", next, p.Next)
			}
			next = p.Next
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		n := rapid.IntRange(0, 10).Draw(t, "tail")
		p, err := d.Tail(context.Background(), &f, n)
		tail := want[max(len(want)-n, 0):]
		if err != nil || len(p.Records) != len(tail) || len(tail) > 0 && p.Records[0].Seq != tail[0] {
			t.Fatalf("tail %d is %d records, want %v (%v)", n, len(p.Records), tail, err)
		}
	})
}

// Property: groups add up to the total, and the total is the records priced
// one by one.
func TestGroupsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := some(t)
		keys := rapid.SliceOfNDistinct(rapid.SampledFrom(append([]string{"tag:team", "tag:none"}, usage.GroupKeys...)), 0, 3, rapid.ID).Draw(t, "keys")
		totals := usage.NewTotals(keys)
		var cost outcrop.Money
		for i := range list {
			row := usage.RowOf(&list[i])
			if err := totals.Add(&row); err != nil {
				t.Fatal(err)
			}
			if m, ok := list[i].Quote.Cost(&list[i].Usage); ok {
				cost = cost.Add(m)
			}
		}
		if got := totals.All(); got.Invocations != uint64(len(list)) || got.Cost() != cost.String() {
			t.Fatalf("%d calls for %s, want %d for %s", got.Invocations, got.Cost(), len(list), cost)
		}
		var calls uint64
		sum := new(big.Rat)
		for _, g := range totals.Groups() {
			calls += g.Invocations
			one, _ := new(big.Rat).SetString(g.Cost())
			sum.Add(sum, one)
		}
		all, _ := new(big.Rat).SetString(totals.All().Cost())
		if len(keys) > 0 && (calls != uint64(len(list)) || sum.Cmp(all) != 0) {
			t.Fatalf("groups: %d calls for %s, want %d for %s", calls, sum, len(list), all)
		}
	})
}

// Property: every format says of a record what the others say, and what nobody
// told stays absent.
func TestFormatsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []usage.Row
		for _, r := range some(t) {
			rows = append(rows, usage.RowOf(&r))
		}
		files := map[string]*bytes.Buffer{}
		for _, format := range usage.Formats {
			files[format] = new(bytes.Buffer)
			f, err := usage.OpenFile(format, files[format])
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if err := f.Write(&rows[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		columns, err := parquet.Read[usage.Row](bytes.NewReader(files["parquet"].Bytes()), int64(files["parquet"].Len()))
		if err != nil || len(columns) != len(rows) {
			t.Fatalf("Parquet: %d rows, %v; want %d", len(columns), err, len(rows))
		}
		cells, err := csv.NewReader(files["csv"]).ReadAll()
		if err != nil || len(cells) != len(rows)+1 {
			t.Fatalf("CSV: %d lines, %v", len(cells), err)
		}
		lines := json.NewDecoder(files["json"])
		for i, want := range rows {
			var line usage.Row
			if err := lines.Decode(&line); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(line, want) {
				t.Fatalf("JSON %+v\nwant %+v", line, want)
			}
			c := columns[i]
			if c.Invocation != want.Invocation || c.Status != want.Status || !reflect.DeepEqual(c.Input, want.Input) || !reflect.DeepEqual(c.Cost, want.Cost) || c.Tags["team"] != want.Tags["team"] || !c.Started.Equal(want.Started.Truncate(time.Microsecond)) {
				t.Fatalf("Parquet %+v\nwant %+v", c, want)
			}
			cell := func(column string) string {
				for n, name := range cells[0] {
					if name == column {
						return cells[i+1][n]
					}
				}
				t.Fatalf("no column %s in %v", column, cells[0])
				return ""
			}
			input := ""
			if want.Input != nil {
				input = fmt.Sprint(*want.Input)
			}
			if cell("invocation") != want.Invocation || cell("input_tokens") != input || cell("tags") != fmt.Sprintf(`{"team":%q}`, want.Tags["team"]) {
				t.Fatalf("CSV %q\nwant %+v", cells[i+1], want)
			}
		}
	})
}

// What a record knows shows in a row, but for what follows from the rest of it.
func TestARowHidesNothing(t *testing.T) {
	follows := map[string]bool{"MetricID": true}
	full := ledgertest.Numbered(1, 1)[0]
	record := reflect.ValueOf(&full).Elem()
	for i := range record.NumField() {
		name := record.Type().Field(i).Name
		with, without := full, full
		field := reflect.ValueOf(&with).Elem().Field(i)
		reflect.ValueOf(&without).Elem().Field(i).SetZero()
		switch field.Kind() {
		case reflect.String:
			field.SetString("1024x1024")
		case reflect.Int:
			field.SetInt(7)
		case reflect.Uint64:
			field.SetUint(7)
		case reflect.Map:
			field.Set(reflect.ValueOf(map[string]string{"a": "b"}).Convert(field.Type()))
		}
		if shown := !reflect.DeepEqual(usage.RowOf(&with), usage.RowOf(&without)); !shown && !follows[name] {
			t.Errorf("%s is in no column", name)
		}
	}
}

func TestASpreadsheetRunsNothing(t *testing.T) {
	var b bytes.Buffer
	f, _ := usage.OpenFile("csv", &b)
	if err := f.Write(&usage.Row{ModelRef: `=HYPERLINK("x")`}); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if !strings.Contains(b.String(), `"'=HYPERLINK(""x"")"`) {
		t.Error(b.String())
	}
}

func TestFilters(t *testing.T) {
	r := ledgertest.Record(1)
	r.SessionTags, r.Binding = outcrop.Tags{"cost": "9"}, "my-nova"
	for name, c := range map[string]struct {
		f    usage.Filter
		want bool
	}{
		"nothing":             {usage.Filter{}, true},
		"profile by id":       {usage.Filter{Profile: "abcdef123456"}, true},
		"profile by ARN":      {usage.Filter{Profile: string(r.Profile)}, true},
		"profile by binding":  {usage.Filter{Profile: "my-nova"}, true},
		"half a profile's id": {usage.Filter{Profile: "123456"}, false},
		"principal by name":   {usage.Filter{Principal: "user/admin"}, true},
		"another principal":   {usage.Filter{Principal: "user/min"}, false},
		"model":               {usage.Filter{Model: "amazon.nova-lite-v1:0"}, true},
		"tag":                 {usage.Filter{Tags: map[string]string{"team": "blue"}}, true},
		"session tag":         {usage.Filter{Tags: map[string]string{"cost": "9"}}, true},
		"tag of another":      {usage.Filter{Tags: map[string]string{"team": "red"}}, false},
		"tries of one call":   {usage.Filter{SDKAttempt: r.SDKAttempt}, true},
		"served in":           {usage.Filter{Region: "us-west-2"}, true},
		"another account":     {usage.Filter{Account: "1"}, false},
		"estimated":           {usage.Filter{Estimated: true}, false},
		"errors":              {usage.Filter{Status: "error"}, false},
	} {
		if got := c.f.Match(&r); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	for _, bad := range []usage.Filter{{Status: "6xx"}, {Status: "good"}, {From: time.Unix(2, 0), To: time.Unix(1, 0)}} {
		if outcrop.KindOf(bad.Check()) != outcrop.Invalid {
			t.Errorf("%+v is taken", bad)
		}
	}
}
