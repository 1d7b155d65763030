package reconcile

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"outcrop"
)

// A Bill is the usage of a Cost and Usage Report, added up by profile and kind
// of token: a bill knows no single requests.
type Bill struct {
	sums      map[billKey]outcrop.Tokens
	resources bool // it tells profiles apart
}

type billKey struct {
	resource string // ARN of a profile, or empty
	kind     outcrop.TokenKind
}

// maxBillLines bounds how many sums a bill may come to.
const maxBillLines = 1_000_000

// ReadBill reads a Cost and Usage Report in CSV, of either form, and takes the
// lines that are about tokens of Bedrock's models. units is how many tokens a
// line in "Units" counts one of; lines in 1K or 1M tokens say it themselves.
func ReadBill(r io.Reader, units int64) (*Bill, error) {
	s, err := openSheet(r)
	if err != nil {
		return nil, err
	}
	usageType, ok1 := s.has("line_item_usage_type", "lineItem/UsageType", "UsageType")
	amount, ok2 := s.has("line_item_usage_amount", "lineItem/UsageAmount", "UsageQuantity", "UsageAmount")
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("this is no Cost and Usage Report: it has no columns line_item_usage_type and line_item_usage_amount")
	}
	resource, hasResource := s.has("line_item_resource_id", "lineItem/ResourceId", "ResourceId")
	unit, hasUnit := s.has("pricing_unit", "pricing/unit", "Unit")
	b := &Bill{sums: map[billKey]outcrop.Tokens{}, resources: hasResource}
	for {
		row, err := s.next()
		if err != nil || row == nil {
			return b, err
		}
		kind, ok := kindOf(row[usageType])
		if !ok {
			continue
		}
		factor := units
		if hasUnit {
			factor = factorOf(row[unit], units)
		}
		n, err := tokens(row[amount], factor)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", s.line, err)
		}
		key := billKey{kind: kind}
		if hasResource && isProfile(row[resource]) {
			key.resource = strings.Clone(row[resource])
		}
		if b.sums[key] += n; len(b.sums) > maxBillLines {
			return nil, fmt.Errorf("the bill has more than %d lines of tokens", maxBillLines)
		}
	}
}

func isProfile(arn string) bool { return strings.Contains(arn, ":application-inference-profile/") }

// kindOf reads the kind of token from a usage type, of which there are three
// grammars: USE1-NovaLite-input-tokens, USE1-MP:USE1_InputTokenCount-Units and
// USE1-MP:USE1_input_tokens_standard-Units.
func kindOf(usageType string) (outcrop.TokenKind, bool) {
	t := plain(usageType)
	switch has := func(part string) bool { return strings.Contains(t, part) }; {
	case !has("token"):
		return 0, false
	case has("cachewrite") && has("1h"):
		return outcrop.CacheWrite1hTokens, true
	case has("cachewrite"):
		return outcrop.CacheWrite5mTokens, true
	case has("cacheread"):
		return outcrop.CacheReadTokens, true
	case has("output"):
		return outcrop.OutputTokens, true
	case has("input"):
		return outcrop.InputTokens, true
	}
	return 0, false
}

func factorOf(unit string, units int64) int64 {
	switch plain(unit) {
	case "1ktokens", "1000tokens", "thousandtokens":
		return 1000
	case "1mtokens", "1000000tokens", "milliontokens":
		return 1_000_000
	case "tokens", "token":
		return 1
	}
	return units
}

// Compare takes the records of the bill's period one after another.
func (b *Bill) Compare() *Billing { return &Billing{bill: b, sums: map[billKey]outcrop.Tokens{}} }

// A Billing is a comparison with a bill under way.
type Billing struct {
	bill      *Bill
	sums      map[billKey]outcrop.Tokens
	estimated uint64
}

// Add counts one record.
func (b *Billing) Add(r *outcrop.UsageRecord) {
	key := billKey{}
	if b.bill.resources && isProfile(string(r.Profile)) {
		key.resource = string(r.Profile)
	}
	for kind, n := range r.Usage.All() {
		switch kind {
		case outcrop.ReasoningTokens, outcrop.OutputAudioTokens:
			kind = outcrop.OutputTokens
		case outcrop.InputAudioTokens:
			kind = outcrop.InputTokens
		}
		if n > 0 && kind.CountsTokens() {
			key.kind = kind
			b.sums[key] += n
		}
	}
	if r.Usage.Estimated {
		b.estimated++
	}
}

// Done judges sum by sum.
func (b *Billing) Done() Comparison {
	c := Comparison{Verdict: Equal, Estimated: b.estimated}
	keys := map[billKey]bool{}
	for k := range b.bill.sums {
		keys[k] = true
	}
	for k := range b.sums {
		keys[k] = true
	}
	if len(keys) == 0 {
		c.Verdict = CannotTell
	}
	for _, k := range slices.SortedFunc(maps.Keys(keys), func(x, y billKey) int {
		return cmp.Or(cmp.Compare(x.resource, y.resource), cmp.Compare(x.kind, y.kind))
	}) {
		ours, theirs := b.sums[k], b.bill.sums[k]
		name := k.kind.String()
		if b.bill.resources {
			name += " of " + cmp.Or(k.resource, "calls without a profile of their own")
		}
		switch {
		case ours == theirs:
			c.Matched++
			continue
		case theirs == 0:
			c.Ours++
		case ours == 0:
			c.Theirs++
		default:
			c.Unlike++
		}
		c.Verdict = Differs
		c.example("%s: the ledger has %d, the bill %d", name, ours, theirs)
	}
	return c
}
