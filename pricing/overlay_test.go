package pricing

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop/internal/overlay/overlaytest"
)

const contract = `
list: acme-2027
source: contract 4711
prices:
  - model: amazon.nova-lite-v1:0
    scope: us
    from: 2027-01-01
    until: 2028-01-01
    input: 0.050000   # a comment
    output: "0.2"
    cacheRead: 0.0125
    cacheWrite5m: free
  - model: acme.chat-7b-v1:0
    scope: '@dc-berlin-1'
    input: .1
    output: 1
    long: {over: 32000, input: 0.2, output: 1.5}
    source: own hardware
`

func TestAListSpeaksWhileItHolds(t *testing.T) {
	b, err := Load(overlaytest.Folder(t, "acme.prices.yaml", contract, "catalog.yaml", "regions: {}"))
	if err != nil {
		t.Fatal(err)
	}
	const before, during = "bedrock-2026-10#amazon.nova-lite-v1:0/us 0.06 0.24 0.015 0 -", "acme-2027#amazon.nova-lite-v1:0/us/2027-01-01 0.05 0.2 0.0125 0 -"
	for at, want := range map[string]string{
		"2020-01-01T00:00:00Z": before, "2026-12-31T23:59:59.999999999Z": before,
		"2027-01-01T00:00:00Z": during, "2027-12-31T23:59:59.999999999Z": during,
		"2028-01-01T00:00:00Z": before,
	} {
		instant, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(b.Quote(Query{Model: "amazon.nova-lite-v1:0", Geography: "us", Region: "us-east-1", At: instant})); got != want {
			t.Errorf("at %s:\n got %s\nwant %s", at, got, want)
		}
	}
	eu := b.Quote(Query{Model: "amazon.nova-lite-v1:0", Geography: "eu", Region: "eu-west-1", At: noon.AddDate(1, 0, 0)})
	if eu.Price != "bedrock-2026-10#amazon.nova-lite-v1:0/eu" {
		t.Errorf("another scope changed: %s", eu.Price)
	}
	own := Query{Model: "acme.chat-7b-v1:0", Region: "dc-berlin-1", At: noon}
	if got := shown(b.Quote(own)); got != "acme-2027#acme.chat-7b-v1:0/@dc-berlin-1 0.1 1 - - -" {
		t.Errorf("own model: %s", got)
	}
	own.Input, own.Tier = 32_001, "priority"
	if got := shown(b.Quote(own)); got != "acme-2027#acme.chat-7b-v1:0/@dc-berlin-1+long+priority 0.35 2.625 - - -" {
		t.Errorf("own model, long: %s", got)
	}
	own.Region = "us-east-1"
	if got := b.Quote(own); got.Price != "" {
		t.Errorf("own model elsewhere: %s", got.Price)
	}
}

func TestBadListsSayWhere(t *testing.T) {
	item := func(s string) string { return "source: s\nprices:\n  - " + s + "\n" }
	for _, c := range []struct {
		name, file string
		says       []string
	}{
		{"unknown key", item("modle: a.b"), []string{"prices.yaml:3:5", `did you mean "model"`}},
		{"wrong type", "prices: 3\n", []string{"prices.yaml:1:9"}},
		{"no source", "prices:\n  - {model: a.b, input: 1}\n", []string{"prices[0]", "a.b has no source"}},
		{"no model", item("input: 1"), []string{"prices[0]", "without a model"}},
		{"no price", item("model: a.b"), []string{"without any price"}},
		{"nothing is not a price", item("{model: a.b, input: 0}"), []string{"input", "write free"}},
		{"nothing in decimals", item("{model: a.b, input: 0.00}"), []string{"write free"}},
		{"negative", item("{model: a.b, input: -1}"), []string{"input", "-1"}},
		{"an exponent", item("{model: a.b, input: 1e-3}"), []string{"input", "1e-3"}},
		{"seven decimals", item("{model: a.b, input: 0.0000001}"), []string{"at most 6 decimals"}},
		{"a list", item("{model: a.b, input: [1]}"), []string{"input"}},
		{"words", item("{model: a.b, input: cheap}"), []string{"cheap"}},
		{"date", item("{model: a.b, input: 1, from: soon}"), []string{"from"}},
		{"backwards", item("{model: a.b, input: 1, from: 2027-01-01, until: 2027-01-01}"), []string{"is not before until"}},
		{"overlap", "source: s\nprices:\n  - {model: a.b, input: 1, until: 2027-02-01}\n  - {model: a.b, input: 2, from: 2027-01-01}\n", []string{"hold at the same time"}},
		{"long without threshold", item("{model: a.b, input: 1, long: {input: 2}}"), []string{"threshold"}},
		{"long without rates", item("{model: a.b, input: 1, long: {over: 5}}"), []string{"threshold"}},
		{"long over words", item("{model: a.b, input: 1, long: {over: much, input: 2}}"), []string{"much"}},
		{"AWS's own name", "list: bedrock-2026-10\n", []string{"bedrock-"}},
		{"a name that breaks price names", "list: a#b\n", []string{"a#b"}},
		{"too dear for its tiers", item("{model: a.b, input: 9000000000000}"), []string{"too large"}},
		{"too dear for a rate", item("{model: a.b, input: 99999999999999999999}"), []string{"input"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(overlaytest.Folder(t, "prices.yaml", c.file))
			overlaytest.Refused(t, err, c.says...)
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("an absent folder is accepted")
	}
}

// Property: laying lists over one another leaves one row, and the latest that
// holds, for every instant.
func TestTheLatestListThatHoldsSpeaks(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	rapid.Check(t, func(t *rapid.T) {
		d := &draft{rows: map[key][]*row{}}
		var all []*row
		for i := range rapid.IntRange(1, 6).Draw(t, "lists") {
			r := &row{key: key{model: "a.b"}, price: string(rune('A' + i))}
			if n := rapid.IntRange(-1, 20).Draw(t, "from"); n >= 0 {
				r.from = day(n)
			}
			if n := rapid.IntRange(0, 30).Draw(t, "until"); n > 0 && r.from.Before(day(n)) {
				r.until = day(n)
			}
			copied := *r
			all = append(all, &copied)
			if err := d.lay([]*row{r}); err != nil {
				t.Fatal(err)
			}
		}
		b := &Book{rows: d.rows}
		for n := -1; n < 32; n++ {
			want := ""
			for _, r := range all {
				if r.holds(day(n)) {
					want = r.price
				}
			}
			got := ""
			for _, r := range b.rows[key{model: "a.b"}] {
				if r.holds(day(n)) {
					if got != "" {
						t.Fatalf("day %d: both %s and %s hold", n, got, r.price)
					}
					got = r.price
				}
			}
			if got != want {
				t.Fatalf("day %d: %q holds, want %q", n, got, want)
			}
		}
	})
}

func TestTheDocumentedExampleLoads(t *testing.T) {
	if _, err := Load(overlaytest.Folder(t, "prices.yaml", overlaytest.Example(t, "../docs/formats/price-list.md"))); err != nil {
		t.Error(err)
	}
}

func TestABadEditKeepsTheBook(t *testing.T) {
	dir := overlaytest.Folder(t, "acme.prices.yaml", contract)
	l, err := NewLive(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	q := Query{Model: "acme.chat-7b-v1:0", Region: "dc-berlin-1", At: noon}
	overlaytest.Write(t, dir, "acme.prices.yaml", "list: [")
	if err := l.Reload(); err == nil || l.Quote(q).Price == "" {
		t.Errorf("a bad edit: err = %v, price %q", err, l.Quote(q).Price)
	}
	overlaytest.Write(t, dir, "acme.prices.yaml", "")
	if err := l.Reload(); err != nil || l.Quote(q).Price != "" {
		t.Errorf("an empty list: err = %v, price %q", err, l.Quote(q).Price)
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte(contract))
	f.Add([]byte("prices: [{model: a, input: 1, long: null}]"))
	f.Add([]byte("source: s\nprices: [{model: a.b, input: 0x10}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		rows, err := parseList("x.prices.yaml", content)
		if err != nil {
			return
		}
		d := &draft{rows: map[key][]*row{}, tiers: []tier{{"priority", "*", 7, 4}}}
		if d.lay(rows) != nil {
			return
		}
		b, err := d.book()
		if err != nil {
			return
		}
		for k, rows := range b.rows { // whatever was accepted quotes, and says who said it
			for _, r := range rows {
				q := b.Quote(Query{Model: k.model, Region: "us-east-1", At: r.from})
				if q.Price == "" && q.Rates.Known() || r.source == "" {
					t.Errorf("%s: quote %+v", r.price, q)
				}
			}
		}
	})
}
