package metrics

import (
	"cmp"
	"time"

	"outcrop"
)

// Dimension names of AWS/Bedrock.
const (
	DimModelID      = "ModelId"
	DimServiceTier  = "ServiceTier"
	DimResolvedTier = "ResolvedServiceTier"
	DimImageSize    = "ImageSize"
	DimImageSteps   = "BucketedStepSize"
	DimWindow       = "ContextWindow"
	standardTier    = "default"
)

// Rules are what a record does not say by itself.
type Rules struct {
	// Legacy says whether a model is in the Legacy state. nil is never.
	Legacy func(outcrop.Region, outcrop.ModelID) bool
	// QuotaTokens is what a call took from its quota of tokens per minute. nil
	// counts input, cache writes and output once each.
	QuotaTokens func(*outcrop.UsageRecord) outcrop.Tokens
	// Window is the context window that a call belongs to, such as "200K", of a
	// model that has more than one. nil, and "", is none.
	Window func(*outcrop.UsageRecord) string
}

// A grain is the finest Lane a record counts in, and its minute. All wider
// Lanes and longer periods are sums of grains.
type grain struct {
	account outcrop.AccountID
	region  outcrop.Region
	model   string // as the dimension ModelId has it
	asked   string // service tier asked for
	served  string // service tier it became
	size    string // of pictures
	steps   int    // of pictures, bucketed
	window  string // of the model, where it has several
	minute  int64
}

// grainOf is the grain of a record at a time.
func (r *Rules) grainOf(u *outcrop.UsageRecord, at time.Time) grain {
	g := grain{
		account: u.Account, region: u.Region, model: u.MetricID, asked: cmp.Or(u.TierAsked, standardTier), served: cmp.Or(u.ServiceTier, standardTier),
		size: u.ImageSize, steps: u.ImageSteps, minute: floor(at.Unix(), Minute.Seconds()),
	}
	if r.Window != nil {
		g.window = r.Window(u)
	}
	return g
}

// known is when a record's samples became known, which is when a call ended: an
// alarm that looked at the minute in which it began would miss it. Records
// themselves count when they began, as they do on bills.
func known(u *outcrop.UsageRecord) time.Time {
	if u.Ended.Before(u.Started) {
		return u.Started
	}
	return u.Ended
}

// observe adds a record's samples to b.
func (r *Rules) observe(b *Block, u *outcrop.UsageRecord) {
	status := u.Outcome.Status
	if countOutcome(b, status, false) {
		b.At(Invocations).Add(1)
		if r.Legacy != nil && r.Legacy(u.Region, u.Model) {
			b.At(LegacyModelInvocations).Add(1)
		}
	}
	tokens(b, &u.Usage)
	if status != 200 {
		return
	}
	b.At(InvocationLatency).Add(milliseconds(u.Ended.Sub(u.Started)))
	if u.Operation.Streaming() && !u.FirstByte.IsZero() {
		b.At(TimeToFirstToken).Add(milliseconds(u.FirstByte.Sub(u.Started)))
	}
	if u.Usage.Known() {
		b.At(EstimatedTPMQuotaUsage).Add(float64(r.quotaTokens(u)))
	}
}

func (r *Rules) quotaTokens(u *outcrop.UsageRecord) outcrop.Tokens {
	if u.QuotaTokens > 0 {
		return u.QuotaTokens
	}
	if r.QuotaTokens != nil {
		return r.QuotaTokens(u)
	}
	return u.Usage.Of(outcrop.InputTokens) + cacheWrites(&u.Usage) + u.Usage.Output()
}

// statusHungUp is what the gateway records for a client that went away.
const statusHungUp = 499

// countOutcome counts how a call ended and says whether it counts as an
// invocation: one accepted for processing, which may have failed later, and was
// neither throttled nor refused as invalid. refused is a call that never
// reached the ledger.
func countOutcome(b *Block, status int, refused bool) (invoked bool) {
	switch {
	case status == 429:
		b.At(InvocationThrottles).Add(1)
		return false
	case status >= 500:
		b.At(InvocationServerErrors).Add(1)
	case status >= 400 && status != statusHungUp:
		b.At(InvocationClientErrors).Add(1)
		return !refused && (status == 408 || status == 424)
	}
	return !refused
}

// tokens counts every kind that is known: zero is a sample, absent is none.
func tokens(b *Block, u *outcrop.Usage) {
	count := func(metric string, n outcrop.Tokens, known bool) {
		if known {
			b.At(metric).Add(float64(n))
		}
	}
	input, known := u.Get(outcrop.InputTokens)
	count(InputTokenCount, input, known)
	_, answered := u.Get(outcrop.OutputTokens)
	_, thought := u.Get(outcrop.ReasoningTokens)
	count(OutputTokenCount, u.Output(), answered || thought)
	read, known := u.Get(outcrop.CacheReadTokens)
	count(CacheReadTokenCount, read, known)
	_, short := u.Get(outcrop.CacheWrite5mTokens)
	_, long := u.Get(outcrop.CacheWrite1hTokens)
	count(CacheWriteTokenCount, cacheWrites(u), short || long)
	made, known := u.Get(outcrop.OutputImages)
	count(OutputImageCount, made, known && made > 0)
}

func cacheWrites(u *outcrop.Usage) outcrop.Tokens {
	return u.Of(outcrop.CacheWrite5mTokens) + u.Of(outcrop.CacheWrite1hTokens)
}

func milliseconds(d time.Duration) float64 { return float64(max(d.Milliseconds(), 0)) }
