package ledger

import (
	"time"

	"outcrop"
)

// A kept is a record as memory holds it for readers: what is its own, and where
// the rest is, which it shares with others. It takes a third of the room, and
// makes the record again without decoding.
type kept struct {
	shape      *outcrop.UsageRecord // nobody changes it
	seq        outcrop.Seq
	invocation outcrop.InvocationID
	sdkAttempt string

	started, firstByte, ended instant

	attempts        int
	usage           outcrop.Usage
	metadata        map[string]string
	upstreamRequest string
	quotaTokens     outcrop.Tokens
	outcome         outcrop.Outcome
}

// keep is r, whose shape is known.
func keep(r, shape *outcrop.UsageRecord) kept {
	return kept{
		shape: shape, seq: r.Seq, invocation: r.Invocation, sdkAttempt: r.SDKAttempt,
		started: instantOf(r.Started), firstByte: instantOf(r.FirstByte), ended: instantOf(r.Ended),
		attempts: r.Attempts, usage: r.Usage, metadata: r.RequestMetadata, upstreamRequest: r.UpstreamRequest,
		quotaTokens: r.QuotaTokens, outcome: r.Outcome,
	}
}

// record makes r what was kept.
func (k *kept) record(r *outcrop.UsageRecord) {
	*r = *k.shape
	r.Seq, r.Invocation, r.SDKAttempt = k.seq, k.invocation, k.sdkAttempt
	r.Started, r.FirstByte, r.Ended = k.started.time(), k.firstByte.time(), k.ended.time()
	r.Attempts, r.Usage, r.RequestMetadata, r.UpstreamRequest = k.attempts, k.usage, k.metadata, k.upstreamRequest
	r.QuotaTokens, r.Outcome = k.quotaTokens, k.outcome
}

// An instant is a time as the log has it: nanoseconds since 1970, or none.
type instant struct {
	nanos int64
	known bool
}

func instantOf(t time.Time) instant {
	if t.IsZero() {
		return instant{}
	}
	return instant{t.UnixNano(), true}
}

func (i instant) time() time.Time {
	if !i.known {
		return time.Time{}
	}
	return time.Unix(0, i.nanos).UTC()
}
