package cost

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
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
	Tags      TagSet      // of the profile, as they were
	Principal outcrop.ARN // who called
	Session   TagSet      // tags of the caller's session, as they were
	Input     InputClass  // how long the request was, as far as prices differ by it
	Tier      string      // tier served; empty is standard
	Kind      outcrop.TokenKind
	Price     string // the price that held, by name
	Rate      outcrop.Rate
	Priced    bool // false: no price is known and Rate says nothing
	Estimated bool // the tokens were derived, not reported
}

// An InputClass sorts requests by their input: it counts how many of
// InputThresholds they are over. Long requests may have a price of their own,
// and a rollup that is priced again must know which were long.
type InputClass uint8

// InputThresholds are the lengths of input, in tokens, that price lists know.
var InputThresholds = []outcrop.Tokens{128_000, 200_000, 256_000, 272_000, 512_000, 1_000_000}

// InputClassOf sorts a request with so much input.
func InputClassOf(input outcrop.Tokens) (c InputClass) {
	for _, over := range InputThresholds {
		if input > over {
			c++
		}
	}
	return c
}

// Input is the smallest input of the class.
func (c InputClass) Input() outcrop.Tokens {
	if c == 0 {
		return 0
	}
	return InputThresholds[min(int(c), len(InputThresholds))-1] + 1
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

// DayOf is the day in UTC that an hour belongs to, since 1970-01-01.
func DayOf(hour int64) int64 { return floorDiv(hour, 24) }

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

// newBatch is a Batch of what follows mark, empty yet.
func newBatch(mark outcrop.Seq) Batch {
	return Batch{From: mark, To: mark, Rollups: map[RollupKey]Amount{}, TagsUsed: map[TagUse]time.Time{}, sets: map[outcrop.ARN]writtenTags{}}
}

// fold adds up records. They must follow the batch in order: a ledger that
// repeats itself would otherwise be billed twice.
func (b *Batch) fold(records []outcrop.UsageRecord) error {
	for i := range records {
		r := &records[i]
		if r.Seq <= b.To {
			return fmt.Errorf("ledger answered record %d after %d", r.Seq, b.To)
		}
		b.To = r.Seq
		if c := b.crowd(r); c != nil {
			b.damaged += c.add(r)
		} else {
			b.add(r)
		}
	}
	b.settle()
	return nil
}

// add folds one record.
func (b *Batch) add(r *outcrop.UsageRecord) {
	for line, a := range lines(r, b.set(r.Profile, r.Tags), b.set(r.Principal, r.SessionTags)) {
		if a.Tokens > maxTokensPerKind {
			a.Tokens = maxTokensPerKind
			b.damaged++
		}
		b.count(RollupKey{HourOf(r.Started), line}, a)
	}
	b.use(r)
}

// Lines walks the lines of one record: one for each kind that has tokens. The
// record itself is counted on the first of them, so that invocations add up.
func Lines(r *outcrop.UsageRecord) iter.Seq2[Line, Amount] {
	return lines(r, NewTagSet(r.Tags), NewTagSet(r.SessionTags))
}

// LineOf is the line on which tokens of kind of a record stand, but for the
// tags.
func LineOf(r *outcrop.UsageRecord, kind outcrop.TokenKind) Line {
	return lineOf(r, "", "").of(kind, &r.Quote)
}

func lines(r *outcrop.UsageRecord, tags, session TagSet) iter.Seq2[Line, Amount] {
	return func(yield func(Line, Amount) bool) {
		line, count := lineOf(r, tags, session), uint64(1)
		for kind, n := range r.Usage.All() {
			if n == 0 {
				continue
			}
			if !yield(line.of(kind, &r.Quote), Amount{n, count}) {
				return
			}
			count = 0
		}
		if count == 1 {
			yield(line.ofNone(), Amount{0, 1})
		}
	}
}

// lineOf is the line of a record, without what depends on the kind of token.
func lineOf(r *outcrop.UsageRecord, tags, session TagSet) Line {
	return Line{
		Account: r.Account, Region: r.Region, Model: r.Model, Geography: r.Geography,
		Operation: r.Operation, Profile: r.Profile, Tags: tags, Principal: r.Principal, Session: session,
		Input: InputClassOf(r.Usage.Input()), Tier: BilledTier(r), Estimated: r.Usage.Estimated,
	}
}

// of is the line that tokens of kind stand on.
func (l Line) of(kind outcrop.TokenKind, q *outcrop.Quote) Line {
	l.Kind, l.Price = billedAs(kind, q), q.Price
	if l.Rate, l.Priced = q.Rate(kind); !l.Priced {
		l.Rate = 0
	}
	return l
}

// ofNone is the line of records without tokens.
func (l Line) ofNone() Line {
	l.Kind, l.Price, l.Rate, l.Priced = NoTokens, "", 0, true
	return l
}

// billedAs is the kind on whose line tokens of kind stand: AWS bills reasoning
// as output, unless a price list says otherwise.
func billedAs(kind outcrop.TokenKind, q *outcrop.Quote) outcrop.TokenKind {
	if _, own := q.Rates.Get(kind); kind == outcrop.ReasoningTokens && !own {
		return outcrop.OutputTokens
	}
	return kind
}

// writtenTags are tags and their set.
type writtenTags struct {
	tags outcrop.Tags
	set  TagSet
}

// set is NewTagSet of who mostly has the same tags.
func (b *Batch) set(of outcrop.ARN, tags outcrop.Tags) TagSet {
	if last, ok := b.sets[of]; ok && maps.Equal(last.tags, tags) {
		return last.set
	}
	set := NewTagSet(tags)
	b.sets[of] = writtenTags{tags, set}
	return set
}

func (b *Batch) count(key RollupKey, a Amount) {
	b.Rollups[key] = b.Rollups[key].plus(a)
}

func (b *Batch) use(r *outcrop.UsageRecord) {
	hour := HourTime(HourOf(r.Started))
	for tag := range r.Tags {
		b.useKey(TagUse{r.Account, tag}, hour)
	}
	for tag := range r.SessionTags {
		b.useKey(TagUse{r.Account, PrincipalTagPrefix + tag}, hour)
	}
}

func (b *Batch) useKey(use TagUse, hour time.Time) {
	if at, ok := b.TagsUsed[use]; !ok || hour.After(at) {
		b.TagsUsed[use] = hour
	}
}

// BilledTier is what is paid for beyond the standard service: a tier, or the
// faster performance configuration.
func BilledTier(r *outcrop.UsageRecord) string {
	switch {
	case r.ServiceTier != "" && r.ServiceTier != "default" && r.ServiceTier != "standard":
		return r.ServiceTier
	case r.Latency == "optimized":
		return LatencyOptimized
	}
	return ""
}

// LatencyOptimized is the tier of calls that were served with the performance
// configuration "optimized".
const LatencyOptimized = "latency-optimized"
