package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"outcrop"
	"outcrop/internal/record"
)

// recordVersion is the first byte of an encoded record. Fields may be added
// under the same version, since readers skip tags that they do not know.
const recordVersion = 1

// Tags of the fields. They are written to disk: append, never reorder.
const (
	_ = iota
	tagInvocation
	tagOperation
	tagAccount
	tagPrincipal
	tagAccessKey
	tagSDKAttempt
	tagStarted // nanoseconds since 1970
	tagFirstByte
	tagEnded
	tagRegion
	tagServedIn
	tagUpstream
	tagAttempts
	tagModelRef
	tagMetricID
	tagProfile
	tagModel
	tagGeography
	tagTokens // one for each known kind
	tagEstimated
	tagPrice
	tagRate // one for each known kind
	tagTag  // one for each
	tagMetadata
	tagTier
	tagStatus
	tagError
	tagStopReason
	tagHungUp
	tagRecovered
	tagTierAsked
	tagLatency
	tagLatencyAsked
	tagSessionTag // one for each
	tagUpstreamRequest
	tagQuotaTokens
	tagBinding
	tagGuardrail
	tagImageSize
	tagImageSteps
)

var errRecord = errors.New("not a usage record")

// appendRecord adds r to dst. Seq stays out: the frame around it says it.
func appendRecord(dst []byte, r *outcrop.UsageRecord) []byte {
	dst = append(dst, recordVersion)
	dst = appendShape(dst, r)
	dst = record.AppendString(dst, tagInvocation, r.Invocation)
	return appendOwn(dst, r)
}

// appendShape adds what a record shares with many others: who called what, and
// at which price.
func appendShape(dst []byte, r *outcrop.UsageRecord) []byte {
	dst = record.AppendString(dst, tagOperation, r.Operation)
	dst = record.AppendString(dst, tagAccount, r.Account)
	dst = record.AppendString(dst, tagPrincipal, r.Principal)
	dst = record.AppendString(dst, tagAccessKey, r.AccessKey)
	dst = record.AppendString(dst, tagRegion, r.Region)
	dst = record.AppendString(dst, tagServedIn, r.ServedIn)
	dst = record.AppendString(dst, tagUpstream, r.Upstream)
	dst = record.AppendString(dst, tagModelRef, r.ModelRef)
	dst = record.AppendString(dst, tagMetricID, r.MetricID)
	dst = record.AppendString(dst, tagProfile, r.Profile)
	dst = record.AppendString(dst, tagModel, r.Model)
	dst = record.AppendString(dst, tagGeography, r.Geography)
	dst = record.AppendString(dst, tagPrice, r.Quote.Price)
	for k, n := range r.Quote.Rates.All() {
		dst = record.AppendNumbered(dst, tagRate, uint64(k), uint64(n))
	}
	dst = appendMap(dst, tagTag, r.Tags)
	dst = record.AppendString(dst, tagTier, r.ServiceTier)
	dst = record.AppendString(dst, tagTierAsked, r.TierAsked)
	dst = record.AppendString(dst, tagLatency, r.Latency)
	dst = record.AppendString(dst, tagLatencyAsked, r.LatencyAsked)
	dst = appendMap(dst, tagSessionTag, r.SessionTags)
	dst = record.AppendString(dst, tagBinding, r.Binding)
	dst = record.AppendString(dst, tagGuardrail, r.Guardrail)
	dst = record.AppendString(dst, tagImageSize, r.ImageSize)
	return record.AppendInt(dst, tagImageSteps, int64(r.ImageSteps))
}

// appendOwn adds what is a record's own.
func appendOwn(dst []byte, r *outcrop.UsageRecord) []byte {
	dst = record.AppendString(dst, tagSDKAttempt, r.SDKAttempt)
	dst = appendTime(dst, tagStarted, r.Started)
	dst = appendTime(dst, tagFirstByte, r.FirstByte)
	dst = appendTime(dst, tagEnded, r.Ended)
	dst = record.AppendInt(dst, tagAttempts, int64(r.Attempts))
	for k, n := range r.Usage.All() {
		dst = record.AppendNumbered(dst, tagTokens, uint64(k), uint64(n))
	}
	dst = record.AppendBool(dst, tagEstimated, r.Usage.Estimated)
	dst = appendMap(dst, tagMetadata, r.RequestMetadata)
	dst = record.AppendString(dst, tagUpstreamRequest, r.UpstreamRequest)
	dst = record.AppendUint(dst, tagQuotaTokens, uint64(r.QuotaTokens))
	return appendOutcome(dst, &r.Outcome)
}

func appendOutcome(dst []byte, o *outcrop.Outcome) []byte {
	dst = record.AppendInt(dst, tagStatus, int64(o.Status))
	dst = record.AppendString(dst, tagError, o.Error)
	dst = record.AppendString(dst, tagStopReason, o.StopReason)
	dst = record.AppendBool(dst, tagHungUp, o.HungUp)
	return record.AppendBool(dst, tagRecovered, o.Recovered)
}

func appendTime(dst []byte, tag uint64, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return record.PutInt(dst, tag, t.UnixNano())
}

// appendMap goes by sorted key, so that equal records have equal bytes.
func appendMap(dst []byte, tag uint64, m map[string]string) []byte {
	if len(m) == 0 {
		return dst
	}
	keys := make([]string, 0, 16) // of a size that stays on the stack
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		dst = record.AppendPair(dst, tag, k, m[k])
	}
	return dst
}

// decodeRecord reads what appendRecord wrote, by this version or a later one.
func decodeRecord(b []byte) (r outcrop.UsageRecord, err error) {
	if len(b) == 0 || b[0] != recordVersion {
		return r, fmt.Errorf("%w: unknown version", errRecord)
	}
	if err = decodeFields(&r, b[1:]); err != nil {
		return outcrop.UsageRecord{}, err
	}
	if r.Invocation == "" {
		return outcrop.UsageRecord{}, fmt.Errorf("%w: no invocation", errRecord)
	}
	return r, nil
}

func decodeFields(r *outcrop.UsageRecord, b []byte) (err error) {
	for len(b) > 0 {
		var f record.Field
		if f, b, err = record.Next(b); err != nil {
			return fmt.Errorf("%w: %w", errRecord, err)
		}
		if err = decodeField(r, f); err != nil {
			return fmt.Errorf("%w: field %d: %w", errRecord, f.Tag, err)
		}
	}
	return nil
}

func decodeField(r *outcrop.UsageRecord, f record.Field) (err error) {
	switch f.Tag {
	case tagInvocation:
		r.Invocation = outcrop.InvocationID(f.Value)
	case tagOperation:
		r.Operation = outcrop.Operation(f.Value)
	case tagAccount:
		r.Account = outcrop.AccountID(f.Value)
	case tagPrincipal:
		r.Principal = outcrop.ARN(f.Value)
	case tagAccessKey:
		r.AccessKey = string(f.Value)
	case tagSDKAttempt:
		r.SDKAttempt = string(f.Value)
	case tagStarted:
		r.Started, err = fieldTime(f)
	case tagFirstByte:
		r.FirstByte, err = fieldTime(f)
	case tagEnded:
		r.Ended, err = fieldTime(f)
	case tagRegion:
		r.Region = outcrop.Region(f.Value)
	case tagServedIn:
		r.ServedIn = outcrop.Region(f.Value)
	case tagUpstream:
		r.Upstream = string(f.Value)
	case tagAttempts:
		r.Attempts, err = fieldInt(f)
	case tagModelRef:
		r.ModelRef = string(f.Value)
	case tagMetricID:
		r.MetricID = string(f.Value)
	case tagProfile:
		r.Profile = outcrop.ARN(f.Value)
	case tagModel:
		r.Model = outcrop.ModelID(f.Value)
	case tagGeography:
		r.Geography = outcrop.Geography(f.Value)
	default:
		return decodeOutcome(r, f)
	}
	return err
}

// decodeOutcome reads what an invocation used, was tagged with and came to.
func decodeOutcome(r *outcrop.UsageRecord, f record.Field) (err error) {
	switch f.Tag {
	case tagTokens:
		err = setNumbered(&r.Usage.PerKind, f)
	case tagEstimated:
		r.Usage.Estimated, err = fieldBool(f)
	case tagPrice:
		r.Quote.Price = string(f.Value)
	case tagRate:
		err = setNumbered(&r.Quote.Rates, f)
	case tagTag:
		r.Tags, err = withPair(r.Tags, f)
	case tagMetadata:
		r.RequestMetadata, err = withPair(r.RequestMetadata, f)
	case tagTier:
		r.ServiceTier = string(f.Value)
	case tagStatus:
		r.Outcome.Status, err = fieldInt(f)
	case tagError:
		r.Outcome.Error = string(f.Value)
	case tagStopReason:
		r.Outcome.StopReason = stopReason(f.Value)
	case tagHungUp:
		r.Outcome.HungUp, err = fieldBool(f)
	case tagRecovered:
		r.Outcome.Recovered, err = fieldBool(f)
	default:
		return decodeLater(r, f)
	}
	return err
}

// decodeLater reads what the first version of the product did not write.
func decodeLater(r *outcrop.UsageRecord, f record.Field) (err error) {
	switch f.Tag {
	case tagTierAsked:
		r.TierAsked = string(f.Value)
	case tagLatency:
		r.Latency = string(f.Value)
	case tagLatencyAsked:
		r.LatencyAsked = string(f.Value)
	case tagSessionTag:
		r.SessionTags, err = withPair(r.SessionTags, f)
	case tagUpstreamRequest:
		r.UpstreamRequest = string(f.Value)
	case tagQuotaTokens:
		var n uint64
		n, err = f.Uint()
		r.QuotaTokens = outcrop.Tokens(n)
	case tagBinding:
		r.Binding = string(f.Value)
	case tagGuardrail:
		r.Guardrail = string(f.Value)
	case tagImageSize:
		r.ImageSize = string(f.Value)
	case tagImageSteps:
		r.ImageSteps, err = fieldInt(f)
	}
	return err // a tag of a later version is skipped
}

// stopReason is string(b), and no new one for the reasons that models mostly
// have.
func stopReason(b []byte) string {
	for _, usual := range []string{"end_turn", "tool_use", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered"} {
		if string(b) == usual {
			return usual
		}
	}
	return string(b)
}

func fieldTime(f record.Field) (time.Time, error) {
	n, err := f.Int()
	return time.Unix(0, n).UTC(), err
}

func fieldInt(f record.Field) (int, error) {
	n, err := f.Int()
	if int64(int(n)) != n {
		return 0, record.ErrField
	}
	return int(n), err
}

func fieldBool(f record.Field) (bool, error) {
	n, err := f.Uint()
	if n > 1 {
		return false, record.ErrField
	}
	return n == 1, err
}

// setNumbered skips kinds of token that only a later version knows.
func setNumbered[N ~uint64](p *outcrop.PerKind[N], f record.Field) error {
	k, n, err := f.Numbered()
	if err == nil && k < uint64(outcrop.TokenKinds) {
		p.Set(outcrop.TokenKind(k), N(n))
	}
	return err
}

func withPair[M ~map[string]string](m M, f record.Field) (M, error) {
	k, v, err := f.Pair()
	if err != nil {
		return m, err
	}
	if m == nil {
		m = M{}
	}
	m[k] = v
	return m, nil
}
