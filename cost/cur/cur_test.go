package cur

import (
	"bytes"
	"context"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"outcrop"
	"outcrop/cost"
)

func month() cost.Period { return monthOf(now) }

// total of a column of decimals.
func total(t *testing.T, rows []map[string]string, column string) *big.Rat {
	t.Helper()
	sum := new(big.Rat)
	for _, r := range rows {
		if r[column] == "" {
			continue
		}
		n, ok := new(big.Rat).SetString(r[column])
		if !ok {
			t.Fatalf("%s is %q, no number", column, r[column])
		}
		sum.Add(sum, n)
	}
	return sum
}

// explorer is the total of Cost Explorer for the month.
func explorer(t *testing.T, c *cost.Costs) *big.Rat {
	t.Helper()
	answer, err := c.Ask(t.Context(), account, cost.Query{Period: cost.Period{Start: month().Start, End: now.Truncate(24*time.Hour).AddDate(0, 0, 1)}, Granularity: cost.Daily, Metrics: []cost.Metric{cost.UnblendedCost}})
	if err != nil {
		t.Fatal(err)
	}
	sum := new(big.Rat)
	for _, r := range answer.Results {
		amount, _ := r.Total.Metric(cost.UnblendedCost)
		n, _ := new(big.Rat).SetString(amount)
		sum.Add(sum, n)
	}
	return sum
}

// Property: the costs of the rows of each table, in text, add up to Cost
// Explorer's total exactly; in Parquet, to the last nano-dollar.
func TestFilesAddUpToCostExplorer(t *testing.T) {
	var r records
	for i := range 500 {
		r.settle(call(now.Add(-time.Duration(i)*time.Hour), func(u *outcrop.UsageRecord) {
			u.Usage.Set(outcrop.InputTokens, outcrop.Tokens(i*7919%100_003))
			u.Tags = outcrop.Tags{"project": []string{"app01", "app02", ""}[i%3]}
		}))
	}
	r.settle(call(now, unpriced))
	var b bucket
	x := exports(t, &r, &b)
	want := explorer(t, x.bills.(*cost.Costs))
	for name, make := range map[string]func() Export{
		"CUR": func() Export { return daily(CSV) },
		"FOCUS": func() Export {
			e := daily(CSV)
			e.Properties = nil
			e.Statement = "SELECT " + strings.Join(columnNames(focusTable), ", ") + " FROM FOCUS_1_2_AWS"
			return e
		},
		"Parquet": func() Export { return daily(Parquet) },
		"report": func() Export {
			e := daily(CSV)
			e.Properties = nil
			e.Report = &Report{Compression: "GZIP"}
			e.Statement = e.Report.statement(false, nil)
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			b.objects = nil
			e := make()
			e.Name = name
			if _, err := x.Create(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			if err := x.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := new(big.Rat)
			for key, data := range b.objects {
				switch {
				case !strings.Contains(key, "/"+name+"/") || strings.Contains(key, "202610"):
				case strings.Contains(key, "BILLING_PERIOD=2026-10"):
				case strings.HasSuffix(key, ".csv.gz"):
					column := map[string]string{"CUR": "line_item_unblended_cost", "FOCUS": "BilledCost", "report": "lineItem/UnblendedCost"}[name]
					got.Add(got, total(t, table(t, data), column))
				case strings.HasSuffix(key, ".parquet"):
					got.Add(got, parquetTotal(t, data, "line_item_unblended_cost"))
				}
			}
			if got.FloatString(9) != want.FloatString(9) || name != "Parquet" && got.Cmp(want) != 0 {
				t.Errorf("the files come to %s, Cost Explorer to %s", got.FloatString(15), want.FloatString(15))
			}
		})
	}
}

func parquetTotal(t *testing.T, data []byte, column string) *big.Rat {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	leaf, ok := f.Schema().Lookup(column)
	if !ok {
		t.Fatalf("no column %s", column)
	}
	sum := new(big.Rat)
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		defer rows.Close()
		buffer := make([]parquet.Row, 16)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				for _, v := range row {
					if v.Column() == leaf.ColumnIndex && !v.IsNull() {
						sum.Add(sum, new(big.Rat).SetFloat64(v.Double()))
					}
				}
			}
			if err != nil || n == 0 {
				break
			}
		}
	}
	return sum
}

func TestARowTellsWhatABillTells(t *testing.T) {
	var r records
	r.settle(call(now), call(now.Add(time.Minute)), call(now, unpriced))
	var b bucket
	x := exports(t, &r, &b)
	if _, err := x.Create(t.Context(), daily(CSV)); err != nil {
		t.Fatal(err)
	}
	if err := x.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := table(t, b.objects["bills/cur/bill/data/BILLING_PERIOD=2026-11/bill-00001.csv.gz"])
	if len(rows) != 4 {
		t.Fatalf("%d rows, want input and output of two models: %v", len(rows), b.keys())
	}
	for _, row := range rows {
		if row["line_item_usage_type"] != "USE1-NovaLite-input-tokens" {
			if strings.HasSuffix(row["line_item_usage_type"], "-no-price") && row["line_item_unblended_cost"] != "" {
				t.Errorf("a row without a price costs %q, want null", row["line_item_unblended_cost"])
			}
			continue
		}
		for column, want := range map[string]string{
			"line_item_usage_amount": "2.468", "line_item_unblended_rate": "0.00006", "line_item_unblended_cost": "0.00014808", "pricing_unit": "1K tokens",
			"line_item_resource_id": "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc123def456",
			"resource_tags":         `{"user_cost_centre":"4711","user_project":"app01"}`, "tags": "", "line_item_operation": "InvokeModelInference",
			"line_item_usage_start_date": "2026-11-21T00:00:00.000Z", "line_item_usage_end_date": "2026-11-22T00:00:00.000Z",
			"identity_time_interval": "2026-11-21T00:00:00Z/2026-11-22T00:00:00Z", "line_item_iam_principal": "arn:aws:iam::111122223333:user/ann", "bill_billing_period_end_date": "2026-12-01T00:00:00.000Z",
			"line_item_product_code": "AmazonBedrock", "reservation_start_time": "", "discount": "{}", "line_item_line_item_type": "Usage",
		} {
			if got := row[column]; want != "" && got != want || want == "" && column != "tags" && got != "" {
				t.Errorf("%s = %q, want %q", column, got, want)
			}
		}
		if !strings.Contains(row["tags"], `"resourceTags/project":"app01"`) {
			t.Errorf("tags = %s", row["tags"])
		}
	}
}

func TestWhatDidNotChangeIsNotDeliveredAgain(t *testing.T) {
	var r records
	r.settle(call(now))
	var b bucket
	x := exports(t, &r, &b)
	e, err := x.Create(t.Context(), daily(CSV))
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(want int, why string) {
		t.Helper()
		before := b.puts
		if err := x.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := b.puts - before; got != want {
			t.Errorf("%s: %d objects written, want %d", why, got, want)
		}
	}
	deliver(2, "the first time, data and manifest")
	deliver(0, "nothing happened")
	r.settle(call(now))
	deliver(2, "one more call")
	runs, err := x.Executions(t.Context(), account, e.ARN)
	if err != nil || len(runs) != 2 || runs[0].Status != DeliverySucceed {
		t.Errorf("executions %v, %v; want two that succeeded", runs, err)
	}
}

// Promise: a month that is over is delivered whole at the next occasion, not a
// day later.
func TestAMonthThatIsOverIsDeliveredWhole(t *testing.T) {
	var r records
	var b bucket
	x := exports(t, &r, &b)
	at := monthOf(now).End.Add(-10 * time.Minute)
	x.o.Now = func() time.Time { return at }
	r.settle(call(at.Add(-time.Minute)))
	if _, err := x.Create(t.Context(), daily(CSV)); err != nil {
		t.Fatal(err)
	}
	if err := x.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.settle(call(at.Add(5 * time.Minute)))
	at = at.Add(time.Hour)
	before := b.puts
	if err := x.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.puts != before+2 {
		t.Errorf("the last minutes of the month were not delivered: %d objects written, want 2", b.puts-before)
	}
}

func TestTheManifestNamesEveryFile(t *testing.T) {
	var r records
	for i := range 7 {
		r.settle(call(now.AddDate(0, 0, -i)))
	}
	var b bucket
	x := exports(t, &r, &b, func(o *Options) { o.PartRows = 4 })
	if _, err := x.Create(t.Context(), daily(CSV)); err != nil {
		t.Fatal(err)
	}
	if err := x.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	var m exportManifest
	if err := json.Unmarshal(b.objects["bills/cur/bill/metadata/BILLING_PERIOD=2026-11/bill-Manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, file := range m.DataFiles {
		rows += len(table(t, b.objects[strings.TrimPrefix(file, "s3://")]))
	}
	if len(m.DataFiles) != 4 || rows != 14 || m.Rows != 14 {
		t.Errorf("%d files with %d rows, manifest says %d; want 4 files with 14", len(m.DataFiles), rows, m.Rows)
	}
}

func TestDeliveriesAreKeptApartOrOverwritten(t *testing.T) {
	var r records
	r.settle(call(now))
	for _, overwrite := range []string{Overwrite, "CREATE_NEW_REPORT"} {
		var b bucket
		x := exports(t, &r, &b)
		e := daily(Parquet)
		e.To.Overwrite = overwrite
		if _, err := x.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := x.Deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.settle(call(now))
		}
		data := 0
		for _, key := range b.keys() {
			if strings.HasSuffix(key, ".parquet") {
				data++
			}
		}
		if want := map[string]int{Overwrite: 1}[overwrite]; want != 0 && data != want || want == 0 && data != 2 {
			t.Errorf("%s: %d files of data: %v", overwrite, data, b.keys())
		}
	}
}

func TestABucketThatRefusesMakesTheExportUnhealthyUntilItTakes(t *testing.T) {
	var r records
	r.settle(call(now))
	b := bucket{refuse: outcrop.Errorf(outcrop.NotFound, "no such bucket")}
	x := exports(t, &r, &b)
	e, err := x.Create(t.Context(), daily(CSV))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Deliver(t.Context()); err == nil {
		t.Error("no error")
	}
	sick, err := x.Get(t.Context(), account, e.ARN)
	if err != nil || sick.Failure != NoPermission {
		t.Errorf("failure %q, %v", sick.Failure, err)
	}
	b.refuse = nil
	if err := x.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	well, err := x.Get(t.Context(), account, e.ARN)
	if err != nil || well.Failure != "" || len(b.objects) != 2 {
		t.Errorf("failure %q, %v, objects %v", well.Failure, err, b.keys())
	}
}

func TestStatementsThatAreRefused(t *testing.T) {
	for statement, says := range map[string]string{
		"":                                    "SELECT should stand",
		"SELECT * FROM COST_AND_USAGE_REPORT": "name the columns",
		"SELECT line_item_usage_tpe FROM COST_AND_USAGE_REPORT":                                           "Did you mean line_item_usage_type?",
		"SELECT line_item_usage_type FROM BILLS":                                                          "The tables are COST_AND_USAGE_REPORT",
		"SELECT line_item_usage_type line_item_operation FROM COST_AND_USAGE_REPORT":                      "FROM should stand",
		"SELECT line_item_usage_type, line_item_usage_type FROM COST_AND_USAGE_REPORT":                    "two columns of the name",
		"SELECT line_item_usage_type.x FROM COST_AND_USAGE_REPORT":                                        "has no keys",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT WHERE line_item_unblended_cost > 'much'":        "a number",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT WHERE line_item_usage_start_date > 'now'":       "a time such as",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT WHERE product = 'x'":                            "is a map",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT WHERE bill_bill_type = 'x":                      "never closed",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT GROUP BY 1":                                     "the end of the query",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT WHERE " + strings.Repeat("(", 100):              "nested",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT WHERE NOT " + strings.Repeat("NOT ", 100) + "1": "nested",
		"SELECT bill_bill_type FROM COST_AND_USAGE_REPORT WHERE bill_bill_type \x00":                      "may not have there",
	} {
		if _, err := Parse(statement); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", statement, err, says)
		}
	}
}

func TestConditionsChooseRows(t *testing.T) {
	var r records
	r.settle(call(now), call(now, unpriced), call(now.AddDate(0, 0, -5), func(u *outcrop.UsageRecord) { u.Tags = outcrop.Tags{"project": "app02"} }))
	c := costs(t, &r)
	for where, want := range map[string]int{
		"":                                                 6,
		"line_item_unblended_cost IS NULL":                 2,
		"line_item_unblended_cost IS NOT NULL":             4,
		"line_item_unblended_cost > 0.00002":               2,
		"NOT line_item_unblended_cost > 0.00002":           2, // null is neither
		"resource_tags['user_project'] = 'app02'":          2,
		"resource_tags.user_project IN ('app01', 'app02')": 6,
		"resource_tags.user_project NOT IN ('app01')":      2,
		"line_item_usage_type LIKE '%-input-tokens'":       2,
		"line_item_usage_type LIKE '%input%' AND NOT (resource_tags.user_project='app02')":    2,
		"line_item_usage_start_date BETWEEN '2026-11-16' AND TIMESTAMP '2026-11-17 00:00:00'": 2,
		"line_item_usage_start_date >= '2026-11-21' OR resource_tags.user_project = 'app02'":  6,
		"line_item_usage_type = 'it''s'": 0,
	} {
		statement := "SELECT line_item_usage_type FROM COST_AND_USAGE_REPORT"
		if where != "" {
			statement += " WHERE " + where
		}
		q, err := Parse(statement)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		got := 0
		for row, err := range Rows(t.Context(), c, &cost.Settings{}, &Words{}, Scope{Account: account, Month: month(), Granularity: cost.Daily, Resources: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if q.Takes(row) {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d rows, want %d", where, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("SELECT a AS b, m['k'], m.k FROM COST_AND_USAGE_REPORT WHERE x = 'y' AND NOT (z > 1 OR w IS NOT NULL)")
	f.Add(`SELECT "bill_bill_type" FROM focus_1_2_aws -- end`)
	f.Add(daily(CSV).Statement)
	f.Fuzz(func(t *testing.T, statement string) {
		q, err := Parse(statement)
		if err != nil {
			if outcrop.KindOf(err) != outcrop.Invalid {
				t.Errorf("%q: %v is not for the client", statement, err)
			}
			return
		}
		if len(q.Fields) == 0 {
			t.Errorf("%q selects nothing", statement)
		}
	})
}

func TestTheDictionaryHasNoTwoColumnsOfAName(t *testing.T) {
	for _, table := range Tables() {
		seen := map[string]bool{}
		for _, c := range table.Columns {
			if seen[c.Name] || c.Description == "" {
				t.Errorf("%s: column %s stands twice or says nothing", table.Name, c.Name)
			}
			seen[c.Name] = true
		}
	}
}

func TestRunDeliversWhatWasJustCreated(t *testing.T) {
	var r records
	r.settle(call(now))
	var b bucket
	x := exports(t, &r, &b)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); x.Run(ctx) }()
	if _, err := x.Create(t.Context(), daily(CSV)); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		b.mu.Lock()
		delivered := len(b.objects) == 2
		b.mu.Unlock()
		if delivered {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-done
	if len(b.objects) != 2 {
		t.Errorf("objects %v", b.keys())
	}
}
