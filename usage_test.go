package outcrop

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Property: a PerKind is a map from kind to number, walked in order.
func TestPerKindIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p PerKind[Tokens]
		model := map[TokenKind]Tokens{}
		for range rapid.IntRange(0, 8).Draw(t, "sets") {
			k := TokenKind(rapid.IntRange(0, int(TokenKinds)-1).Draw(t, "kind"))
			n := Tokens(rapid.Uint64Range(0, 3).Draw(t, "n")) // zero is known, too
			p.Set(k, n)
			model[k] = n
		}
		if p.Known() != (len(model) > 0) || !maps.Equal(maps.Collect(p.All()), model) {
			t.Fatalf("%+v is not %v", p, model)
		}
		var order []TokenKind
		for k := range p.All() {
			order = append(order, k)
		}
		if !slices.IsSorted(order) {
			t.Fatalf("walked as %v", order)
		}
		for k := range Kinds() {
			n, known := p.Get(k)
			if want, ok := model[k]; n != want || known != ok || p.Of(k) != want {
				t.Fatalf("%s: %d, %t; want %d, %t", k, n, known, want, ok)
			}
		}
	})
}

func TestWalksStopWhenAsked(t *testing.T) {
	var u Usage
	u.Set(InputTokens, 1)
	u.Set(OutputTokens, 2)
	for range u.All() {
		break
	}
	for range Kinds() {
		break
	}
	if got := u.Total(); got != 3 {
		t.Errorf("total %d, want 3", got)
	}
}

// The numbers of kinds are written to disk, and their names on bills.
func TestKindsKeepTheirNumbersAndNames(t *testing.T) {
	want := []string{"input-tokens", "output-tokens", "cache-read-input-token-count", "cache-write-input-token-count", "cache-write-1h-input-token-count",
		"reasoning-output-tokens", "input-images", "output-images", "input-audio-tokens", "output-audio-tokens", "search-units", "compute-milliseconds"}
	var got []string
	for k := range Kinds() {
		got = append(got, k.String())
	}
	if !slices.Equal(got, want) || TokenKinds != 12 || CacheWrite1hTokens != 4 || ReasoningTokens != 5 || ComputeMillis != 11 {
		t.Errorf("kinds %v", got)
	}
	if TokenKinds.String() != "unknown" || TokenKind(255).String() != "unknown" {
		t.Error("an unknown kind has a name")
	}
}

func TestCost(t *testing.T) {
	quote := Quote{Price: "list#row"}
	quote.Rates.Set(InputTokens, 300_000)
	quote.Rates.Set(CacheWrite5mTokens, 0) // free, not unknown
	for _, c := range []struct {
		name string
		use  map[TokenKind]Tokens
		cost string
		ok   bool
	}{
		{"nothing known", nil, "0", true},
		{"priced", map[TokenKind]Tokens{InputTokens: 1000}, "0.0003", true},
		{"free", map[TokenKind]Tokens{CacheWrite5mTokens: 1000}, "0", true},
		{"none of an unpriced kind", map[TokenKind]Tokens{InputTokens: 1000, OutputTokens: 0}, "0.0003", true},
		{"some of an unpriced kind", map[TokenKind]Tokens{InputTokens: 1000, OutputTokens: 1}, "0.0003", false},
	} {
		var u Usage
		for k, n := range c.use {
			u.Set(k, n)
		}
		if m, ok := quote.Cost(&u); m.String() != c.cost || ok != c.ok {
			t.Errorf("%s: %s, %t; want %s, %t", c.name, m, ok, c.cost, c.ok)
		}
	}
	quote.Rates.Set(OutputTokens, 500_000)
	var thought Usage
	thought.Set(ReasoningTokens, 1000)
	if m, ok := quote.Cost(&thought); m.String() != "0.0005" || !ok {
		t.Errorf("reasoning without a rate of its own costs %s, %t; want what output costs", m, ok)
	}
	quote.Rates.Set(ReasoningTokens, 700_000)
	if m, _ := quote.Cost(&thought); m.String() != "0.0007" {
		t.Errorf("reasoning with a rate costs %s", m)
	}
	var none Quote
	var u Usage
	u.Set(InputTokens, 1)
	if _, ok := none.Cost(&u); ok {
		t.Error("a quote without a price has a cost")
	}
}

func TestTotals(t *testing.T) {
	var u Usage
	for k := range Kinds() {
		u.Set(k, 1<<k)
	}
	if got := u.Total(); got != 1|2|4|8|16|32|256|512 {
		t.Errorf("total = %b: pictures, searches and milliseconds are no tokens", got)
	}
	if got := u.Output(); got != 2|32|512 {
		t.Errorf("output = %b", got)
	}
	if u.Input()+u.Output() != u.Total() {
		t.Errorf("input %d and output %d are not the total %d", u.Input(), u.Output(), u.Total())
	}
}

// Property: moving parts out changes neither the total nor what is in and what
// is out, whatever an upstream claims; a part nobody told of stays unknown.
func TestPartsAreDisjoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u Usage
		for k := range ReasoningTokens {
			u.Set(k, Tokens(rapid.Uint64Range(0, 100).Draw(t, "n")))
		}
		before := u
		var parts PerKind[Tokens]
		for k := ReasoningTokens; k < TokenKinds; k++ {
			if rapid.Bool().Draw(t, "told") {
				parts.Set(k, Tokens(rapid.Uint64Range(0, 200).Draw(t, "part")))
			}
		}
		u.Part(&parts)
		if u.Total() != before.Total() || u.Output() != before.Output() || u.Input() != before.Input() {
			t.Fatalf("%+v became %+v by %+v", before, u, parts)
		}
		for k := ReasoningTokens; k < TokenKinds; k++ {
			_, told := parts.Get(k)
			if n, known := u.Get(k); known != told || n > parts.Of(k) || !k.CountsTokens() && n != parts.Of(k) {
				t.Fatalf("%s is %d, known %t, of %+v", k, n, known, parts)
			}
		}
	})
}

// Property: costs of parts add up to the cost of the whole, so any grouping of
// the same records has the same total.
func TestCostsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Quote
		for k := range Kinds() {
			q.Rates.Set(k, Rate(rapid.Uint64Range(0, 1<<40).Draw(t, "rate")))
		}
		var parts Money
		var whole Usage
		for range rapid.IntRange(1, 10).Draw(t, "records") {
			var u Usage
			for k := range Kinds() {
				n := Tokens(rapid.Uint64Range(0, 1<<50).Draw(t, "tokens"))
				u.Set(k, n)
				whole.Set(k, whole.Of(k)+n)
			}
			m, _ := q.Cost(&u)
			parts = parts.Add(m)
		}
		if sum, ok := q.Cost(&whole); !ok || sum != parts {
			t.Fatalf("parts %s, whole %s", parts, sum)
		}
	})
}
