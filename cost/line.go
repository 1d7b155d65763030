package cost

import (
	"encoding/json"
	"fmt"
	"time"

	"outcrop"
)

// A Line is everything that two records must share for their tokens to be
// added: one kind of token, at one rate, for one source, name and tag set.
// It is comparable.
type Line struct {
	Account   outcrop.AccountID
	Region    outcrop.Region // source Region: its price holds (reference §7.2)
	Model     outcrop.ModelID
	Geography outcrop.Geography
	Operation outcrop.Operation
	Profile   outcrop.ARN
	Tags      TagSet
	Tier      string // tier served; empty is standard
	Kind      outcrop.TokenKind
	Price     string // the price that held, by name
	Rate      outcrop.Rate
	Priced    bool // false: no price is known and Rate says nothing
	Estimated bool // the tokens were derived, not reported
}

// NoTokens is the kind of a record without tokens, such as a refused call. Its
// line counts the record and costs nothing.
const NoTokens outcrop.TokenKind = 255

// maxTokensPerKind bounds what one record can add. Only a damaged record has
// more, and it must not overflow a sum.
const maxTokensPerKind outcrop.Tokens = 1 << 40

// A TagSet is a resource's tags as canonical JSON; empty when there are none.
type TagSet string

// NewTagSet writes tags in order of key.
func NewTagSet(tags outcrop.Tags) TagSet {
	if len(tags) == 0 {
		return ""
	}
	text, err := json.Marshal(tags) // a map of strings: cannot fail
	if err != nil {
		return ""
	}
	return TagSet(text)
}

// Tags reads the set back.
func (s TagSet) Tags() outcrop.Tags {
	if s == "" {
		return nil
	}
	var tags outcrop.Tags
	if json.Unmarshal([]byte(s), &tags) != nil {
		return nil
	}
	return tags
}

// HourOf is the number of t's hour since 1970-01-01T00:00Z.
func HourOf(t time.Time) int64 { return floorDiv(t.Unix(), 3600) }

// HourTime is the beginning of an hour, in UTC.
func HourTime(hour int64) time.Time { return time.Unix(hour*3600, 0).UTC() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// fold adds up records. They must follow mark in order: a ledger that repeats
// itself would otherwise be billed twice.
func fold(mark outcrop.Seq, records []outcrop.UsageRecord) (Batch, error) {
	b := Batch{From: mark, To: mark, Rollups: map[RollupKey]Amount{}, TagsUsed: map[TagUse]time.Time{}}
	for i := range records {
		r := &records[i]
		if r.Seq <= b.To {
			return Batch{}, fmt.Errorf("ledger answered record %d after %d", r.Seq, b.To)
		}
		b.To = r.Seq
		b.add(r)
	}
	return b, nil
}

// add folds one record: a line for each kind that has tokens. The record
// itself is counted on the first of them, so that invocations add up.
func (b *Batch) add(r *outcrop.UsageRecord) {
	key := RollupKey{Hour: HourOf(r.Started), Line: Line{
		Account: r.Account, Region: r.Region, Model: r.Model, Geography: r.Geography,
		Operation: r.Operation, Profile: r.Profile, Tags: NewTagSet(r.Tags),
		Tier: standardTier(r.ServiceTier), Estimated: r.Usage.Estimated,
	}}
	count := uint64(1)
	for kind, n := range r.Usage.All() {
		if n == 0 {
			continue
		}
		if n > maxTokensPerKind {
			n = maxTokensPerKind
			b.damaged++
		}
		key.Line.Kind, key.Line.Price = billedAs(kind, &r.Quote), r.Quote.Price
		key.Line.Rate, key.Line.Priced = r.Quote.Rate(kind)
		b.count(key, Amount{n, count})
		count = 0
	}
	if count == 1 {
		key.Line.Kind, key.Line.Price, key.Line.Rate, key.Line.Priced = NoTokens, "", 0, true
		b.count(key, Amount{0, count})
	}
	b.use(r)
}

// billedAs is the kind on whose line tokens of kind stand: AWS bills reasoning
// as output, unless a price list says otherwise.
func billedAs(kind outcrop.TokenKind, q *outcrop.Quote) outcrop.TokenKind {
	if _, own := q.Rates.Get(kind); kind == outcrop.ReasoningTokens && !own {
		return outcrop.OutputTokens
	}
	return kind
}

func (b *Batch) count(key RollupKey, a Amount) {
	sum := b.Rollups[key]
	sum.Tokens += a.Tokens
	sum.Invocations += a.Invocations
	b.Rollups[key] = sum
}

func (b *Batch) use(r *outcrop.UsageRecord) {
	hour := HourTime(HourOf(r.Started))
	for tag := range r.Tags {
		use := TagUse{r.Account, tag}
		if at, ok := b.TagsUsed[use]; !ok || hour.After(at) {
			b.TagsUsed[use] = hour
		}
	}
}

// standardTier maps the names of the standard tier to the empty one.
func standardTier(tier string) string {
	if tier == "default" || tier == "standard" {
		return ""
	}
	return tier
}
