package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// A price is one row of the collected facts, in USD per million tokens.
type price struct {
	Scope, Region, Source string
	Input, Output         json.Number
	CacheRead             json.Number
	CacheWrite5m          json.Number
	CacheWrite1h          json.Number
	CacheWrite30m         json.Number
	Above200kInputTokens  *longPrice
	LongContext           *struct{ ThresholdInputTokens uint64 }
}

type longPrice struct {
	Input, Output, CacheRead, CacheWrite5m, CacheWrite1h json.Number
}

// The kinds of token a row has a price for, in the order of its columns.
const (
	input = iota
	output
	cacheRead
	write5m
	write1h
	kinds
)

// A row is a price list row in the making. A nil rate is unknown.
type row struct {
	scope, source string
	rates, long   [kinds]*big.Rat
	longOver      uint64
	free          bool // cache writes cost nothing
	notes         []string
}

func priceTable(f modelFile) *table {
	t := &table{path: "pricing/data/bedrock-2026-10.tsv",
		comment: "Price list bedrock-2026-10: USD per million tokens, on-demand, standard tier. The file name is the list's name.\n" +
			"scope: in-region, @REGION (one source Region), a geography's prefix, geo (any geography), global. Without from and until a row holds always.\n" +
			"source names a row of sources.tsv; note says what was derived, corrected or is doubtful. No token price: no row.",
		columns: []string{"model", "scope", "from", "until", "input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h",
			"longOver", "longInput", "longOutput", "longCacheRead", "longCacheWrite5m", "longCacheWrite1h", "source", "note"}}
	models := slices.Clone(f.Models)
	slices.SortFunc(models, func(a, b model) int { return cmp.Compare(a.ModelID, b.ModelID) })
	for _, m := range models {
		if contextVariant(m.ModelID) {
			continue // sold as provisioned throughput, by the hour
		}
		for _, r := range priceRows(m) {
			t.add(slices.Concat([]string{m.ModelID, r.scope, "", ""}, r.cells(), []string{r.source, strings.Join(r.notes, "; ")})...)
		}
	}
	return t
}

// contextVariant tells "amazon.nova-lite-v1:0:24k" from "amazon.nova-lite-v1:0".
func contextVariant(id string) bool { return strings.Count(id, ":") > 1 }

// priceRows picks the best source for each scope, then applies the rules of
// reference/control-plane.md §2.4 and runtime-metering-billing.md §7.2.
func priceRows(m model) []*row {
	best := map[string]*row{}
	for _, p := range m.Prices {
		r := newRow(p)
		if r == nil || doubtful(m.ModelID, r) {
			continue
		}
		if old := best[r.scope]; old == nil {
			best[r.scope] = r
		} else if old.rank() <= r.rank() {
			old.complete(r)
		} else {
			r.complete(old)
			best[r.scope] = r
		}
	}
	if surcharged(m.ModelID) {
		surcharge(best)
	}
	for _, r := range best {
		r.finish(m)
	}
	rows := make([]*row, 0, len(best))
	for _, scope := range sortedKeys(best) {
		rows = append(rows, best[scope])
	}
	return rows
}

func newRow(p price) *row {
	r := &row{scope: scope(p), source: sourceCode(p.Source)}
	write := p.CacheWrite5m
	if p.CacheWrite30m != "" {
		write = p.CacheWrite30m
		r.notes = append(r.notes, "the cache lives 30 minutes; its writes are counted as cacheWrite5m")
	}
	r.rates = rates(p.Input, p.Output, p.CacheRead, write, p.CacheWrite1h)
	if r.rates[input] == nil && r.rates[output] == nil {
		return nil // priced by image, second or query
	}
	if l := p.Above200kInputTokens; l != nil {
		r.longOver, r.long = 200_000, rates(l.Input, l.Output, l.CacheRead, l.CacheWrite5m, l.CacheWrite1h)
	}
	if p.LongContext != nil {
		r.longOver = p.LongContext.ThresholdInputTokens
		r.longRule()
	}
	return r
}

// longRule is what the model cards say of long requests: input and cache cost
// twice as much, output one and a half times.
func (r *row) longRule() {
	for k, rate := range r.rates {
		if rate == nil {
			continue
		}
		factor := big.NewRat(2, 1)
		if k == output {
			factor = big.NewRat(3, 2)
		}
		r.long[k] = new(big.Rat).Mul(rate, factor)
	}
	if r.scope == "us-gov" {
		r.notes = append(r.notes, "long-context price derived from the commercial rule, UNVERIFIED")
	}
}

func scope(p price) string {
	switch {
	case p.Region != "":
		return "@" + p.Region
	case p.Scope == "in-region us-gov":
		return "us-gov"
	case strings.HasPrefix(p.Scope, "in-region"):
		return "in-region"
	}
	return strings.TrimSuffix(p.Scope, ".")
}

func sourceCode(s string) string {
	switch {
	case strings.HasPrefix(s, "LiteLLM"):
		return "litellm-2026-08-01"
	case strings.HasPrefix(s, "models.dev"):
		return "models-dev-2026-07-02"
	}
	return "model-card-2026-10"
}

func (r *row) rank() int {
	return slices.Index([]string{"model-card-2026-10", "litellm-2026-08-01", "models-dev-2026-07-02"}, r.source)
}

// doubtful says whether the cell is known to be wrong beyond repair, and
// repairs or marks the others.
func doubtful(id string, r *row) bool {
	litellm := r.source == "litellm-2026-08-01"
	switch {
	case litellm && strings.HasPrefix(id, "anthropic.claude-3-5-haiku") && r.scope == "eu":
		return true // the price of Claude 3 Haiku, and no such profile exists
	case litellm && strings.HasPrefix(id, "twelvelabs.marengo-embed-2-7"):
		r.rates[input] = big.NewRat(7, 100)
		r.notes = append(r.notes, "source has 70, a slip of unit; corrected")
	case litellm && id == "meta.llama3-8b-instruct-v1:0" && strings.HasPrefix(r.scope, "@us-gov"):
		r.notes = append(r.notes, "doubtful: output looks like the 70B model's input price")
	case litellm && id == "amazon.titan-embed-text-v2:0" && strings.HasPrefix(r.scope, "@us-gov"):
		r.notes = append(r.notes, "doubtful: ten times the commercial price")
	}
	return false
}

// complete takes unknown cells from a lesser source that agrees on the price,
// and notes it when they do not agree.
func (r *row) complete(lesser *row) {
	if !same(r.rates[input], lesser.rates[input]) || !same(r.rates[output], lesser.rates[output]) {
		r.notes = append(r.notes, fmt.Sprintf("doubtful: %s has %s/%s", lesser.source, decimal(lesser.rates[input]), decimal(lesser.rates[output])))
		return
	}
	for k, rate := range lesser.rates {
		if r.rates[k] == nil && rate != nil {
			r.rates[k] = rate
			r.notes = append(r.notes, columnNames[k]+" from "+lesser.source)
		}
	}
}

var columnNames = [kinds]string{"input", "output", "cacheRead", "cacheWrite5m", "cacheWrite1h"}

// surcharged models cost a tenth more in a Region or a geography than
// globally: Claude 4.5 and later, Nova 2 Lite and the newest of others.
func surcharged(id string) bool {
	for _, part := range []string{"claude-haiku-4-5", "claude-sonnet-4-5", "claude-sonnet-4-6", "claude-sonnet-5", "claude-opus-4-5", "claude-opus-4-6",
		"claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-fable-5", "nova-2-lite", "gpt-5.6-", "gpt-6-", "grok-4.6", "kimi-k3"} {
		if strings.Contains(id, part) {
			return true
		}
	}
	return false
}

// surcharge derives the Region's and every geography's price from the global
// one and replaces third-party rows, which lack cells or contradict the rule.
func surcharge(best map[string]*row) {
	global := best["global"]
	if global == nil {
		return
	}
	for _, scope := range append(sortedKeys(best), "in-region", "geo") {
		old := best[scope]
		if scope == "global" || scope == "us-gov" || strings.HasPrefix(scope, "@") || old != nil && old.source == "model-card-2026-10" {
			continue
		}
		r := global.times(11, 10)
		r.scope, r.notes = scope, append(slices.Clone(global.cacheNotes()), "global price and a tenth")
		if old != nil && scope != "in-region" && !(same(r.rates[input], old.rates[input]) && same(r.rates[output], old.rates[output])) {
			r.notes = append(r.notes, fmt.Sprintf("corrected: %s has %s/%s", old.source, decimal(old.rates[input]), decimal(old.rates[output])))
		}
		best[scope] = r
	}
}

func (r *row) cacheNotes() (notes []string) {
	for _, n := range r.notes {
		if strings.HasPrefix(n, "the cache lives") {
			notes = append(notes, n)
		}
	}
	return notes
}

func (r *row) times(num, den int64) *row {
	factor, out := big.NewRat(num, den), &row{source: r.source, longOver: r.longOver}
	for k := range kinds {
		if r.rates[k] != nil {
			out.rates[k] = new(big.Rat).Mul(r.rates[k], factor)
		}
		if r.long[k] != nil {
			out.long[k] = new(big.Rat).Mul(r.long[k], factor)
		}
	}
	return out
}

// finish applies what holds for every row of a model.
func (r *row) finish(m model) {
	if strings.Contains(m.ModelID, "claude-3-5-sonnet") {
		r.longOver, r.long = 0, [kinds]*big.Rat{} // takes 200,000 tokens: no request is longer
	}
	if !strings.HasPrefix(m.ModelID, "amazon.nova-") || r.rates[output] == nil {
		return
	}
	r.free = true
	if r.rates[cacheRead] == nil {
		r.rates[cacheRead] = new(big.Rat).Mul(r.rates[input], big.NewRat(1, 4))
		r.notes = append(r.notes, "cacheRead is a quarter of input, UNVERIFIED")
	}
	r.notes = append(r.notes, "free cache writes UNVERIFIED")
}

func (r *row) cells() []string {
	cells := make([]string, 0, 2*kinds+1)
	for _, rate := range r.rates {
		cells = append(cells, decimal(rate))
	}
	if r.free {
		cells[write5m] = "free"
	}
	over := ""
	if r.longOver > 0 {
		over = fmt.Sprint(r.longOver)
	}
	cells = append(cells, over)
	for _, rate := range r.long {
		cells = append(cells, decimal(rate))
	}
	return cells
}

func rates(cells ...json.Number) (out [kinds]*big.Rat) {
	for k, c := range cells {
		rate, ok := new(big.Rat).SetString(string(c))
		if !ok || rate.Sign() == 0 {
			continue // a table's 0.0 means "does not apply", never "free"
		}
		out[k], _ = new(big.Rat).SetString(rate.FloatString(6)) // undo binary fractions such as 0.0499999
	}
	return out
}

func same(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }

func decimal(r *big.Rat) string {
	if r == nil {
		return ""
	}
	text := r.FloatString(6)
	if back, _ := new(big.Rat).SetString(text); back.Cmp(r) != 0 {
		panic("price " + r.String() + " has more than six decimals")
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
