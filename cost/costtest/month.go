package costtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
)

// A Month is a month of an organisation's traffic, made from a seed and never
// kept: the same number always makes the same record. It is cost.Records.
// Months have teams with profiles of their own, several models, service tiers,
// prompt caches, three price changes, failures, usage that nobody has a price
// for and calls without a profile.
type Month struct {
	Seed     uint64
	Records  int // how many there are in all
	Profiles int // 200 when 0
	Teams    int // values of the tag project; 20 when 0
	Start    time.Time
	Account  outcrop.AccountID

	Hidden atomic.Int64 // records at the end that are not settled yet

	once    sync.Once
	callers []monthCaller
}

// A monthCaller is what all records of one profile have in common. Their tags
// are shared.
type monthCaller struct {
	principal, profile outcrop.ARN
	tags, session      outcrop.Tags
}

// NewMonth is November 2026 of account 111122223333.
func NewMonth(seed uint64, records int) *Month {
	return &Month{Seed: seed, Records: records, Profiles: 200, Teams: 20, Start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Account: account}
}

// End is the first moment after the month.
func (m *Month) End() time.Time { return m.Start.AddDate(0, 1, 0) }

// Sync is cost.Records'.
func (m *Month) Sync(context.Context) error { return nil }

// After is cost.Records'.
func (m *Month) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	last := m.Records - int(m.Hidden.Load())
	n := min(limit, last-int(after))
	if n <= 0 {
		return nil, nil
	}
	out := make([]outcrop.UsageRecord, n)
	for i := range out {
		out[i] = m.Record(int(after) + i + 1)
	}
	return out, nil
}

// monthModels are what is invoked, with prices in pico-dollars for a token of
// input and output at the month's start. The last has no price.
var monthModels = []struct {
	id            outcrop.ModelID
	geography     outcrop.Geography
	input, output outcrop.Rate
}{
	{"anthropic.claude-sonnet-4-6", "us", 3_300_000, 16_500_000}, {"anthropic.claude-haiku-4-5-20251001-v1:0", "global", 1_000_000, 5_000_000},
	{"amazon.nova-lite-v1:0", "us", 60_000, 240_000}, {"amazon.nova-2-lite-v1:0", "global", 300_000, 2_500_000},
	{"openai.gpt-oss-120b-1:0", "", 150_000, 600_000}, {"meta.llama3-3-70b-instruct-v1:0", "us", 720_000, 720_000},
	{"acme.house-7b-v1:0", "", 0, 0},
}

var (
	monthTiers   = []string{"flex", "priority", "batch"}
	monthRegions = []outcrop.Region{"us-east-1", "us-west-2"}
)

// Record is the record of a number, from 1.
func (m *Month) Record(seq int) outcrop.UsageRecord {
	rng := rand.New(rand.NewPCG(m.Seed, uint64(seq)))
	span := m.End().Sub(m.Start)
	r := outcrop.UsageRecord{
		Seq: outcrop.Seq(seq), Invocation: outcrop.InvocationID("month-" + strconv.FormatUint(m.Seed, 10) + "-" + strconv.Itoa(seq)), Account: m.Account,
		Started: m.Start.Add(time.Duration(float64(span) * (float64(seq-1) / float64(m.Records)))), Operation: outcrop.OpConverse,
	}
	r.Outcome.Status = 200
	m.caller(&r, rng)
	if rng.IntN(50) == 0 { // a failure makes no usage
		r.Outcome.Status, r.Outcome.Error = 429, "ThrottlingException"
		return r
	}
	use(&r, rng)
	m.price(&r)
	return r
}

// caller decides who called and by which name: a profile is one team's, has its
// model, its tier and its way of calling.
func (m *Month) caller(r *outcrop.UsageRecord, rng *rand.Rand) {
	p := rng.IntN(m.Profiles)
	model := monthModels[p%len(monthModels)]
	r.Model, r.Geography, r.Region = model.id, model.geography, monthRegions[p%len(monthRegions)]
	m.once.Do(m.meet)
	who := &m.callers[p]
	r.Principal, r.SessionTags, r.Profile, r.Tags = who.principal, who.session, who.profile, who.tags
	if p%2 == 0 {
		r.Operation = outcrop.OpConverseStream
	}
	if p%5 == 0 && rng.IntN(4) > 0 {
		r.ServiceTier = monthTiers[p/5%len(monthTiers)]
	}
}

// meet makes who calls.
func (m *Month) meet() {
	m.callers = make([]monthCaller, m.Profiles)
	for p := range m.callers {
		who := &m.callers[p]
		who.principal = outcrop.ARN(fmt.Sprintf("arn:aws:iam::%s:role/team-%02d", m.Account, p%m.Teams))
		who.session = outcrop.Tags{"cost-center": fmt.Sprintf("cc-%d", p%7)}
		if p%20 == 19 { // some name the model
			continue
		}
		who.profile = outcrop.ApplicationProfileARN(monthRegions[p%len(monthRegions)], m.Account, fmt.Sprintf("team%08d", p))
		if p%20 != 18 { // some forget the tags
			who.tags = outcrop.Tags{"project": fmt.Sprintf("app-%02d", p%m.Teams), "stage": []string{"dev", "test", "prod"}[p%3]}
		}
	}
}

// use draws token counts.
func use(r *outcrop.UsageRecord, rng *rand.Rand) {
	r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(20+rng.IntN(4000)))
	r.Usage.Set(outcrop.OutputTokens, outcrop.Tokens(1+rng.IntN(900)))
	if rng.IntN(5) < 2 {
		r.Usage.Set(outcrop.CacheReadTokens, outcrop.Tokens(1024+rng.IntN(30_000)))
	}
	switch rng.IntN(30) {
	case 0, 1, 2:
		r.Usage.Set(outcrop.CacheWrite5mTokens, outcrop.Tokens(1024+rng.IntN(30_000)))
	case 3:
		r.Usage.Set(outcrop.CacheWrite1hTokens, outcrop.Tokens(1024+rng.IntN(30_000)))
	case 4:
		r.Usage.Set(outcrop.ReasoningTokens, outcrop.Tokens(rng.IntN(2000)))
	}
	r.Usage.Estimated = rng.IntN(500) == 0
}

// price quotes the record: prices change on the 8th at noon, the 15th and the
// 22nd.
func (m *Month) price(r *outcrop.UsageRecord) {
	list := 0
	for _, change := range []time.Duration{7*24 + 12, 14 * 24, 21 * 24} {
		if r.Started.Sub(m.Start) >= change*time.Hour {
			list++
		}
	}
	for _, model := range monthModels {
		if model.id != r.Model || model.input == 0 {
			continue
		}
		// Odd factors keep the rates from being round.
		in, out := model.input*outcrop.Rate(100-3*list)/100, model.output*outcrop.Rate(100-3*list)/100
		switch r.ServiceTier {
		case "priority":
			in, out = in*7/4, out*7/4
		case "flex", "batch":
			in, out = in/2, out/2
		}
		r.Quote.Price = "month-" + strconv.Itoa(list+1) + "#" + string(model.id)
		if r.ServiceTier != "" {
			r.Quote.Price += "+" + r.ServiceTier
		}
		r.Quote.Rates.Set(outcrop.InputTokens, in)
		r.Quote.Rates.Set(outcrop.OutputTokens, out)
		r.Quote.Rates.Set(outcrop.CacheReadTokens, in/10)
		r.Quote.Rates.Set(outcrop.CacheWrite5mTokens, in*5/4)
		r.Quote.Rates.Set(outcrop.CacheWrite1hTokens, in*2)
	}
}
