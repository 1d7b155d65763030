package gateway

import (
	"errors"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/speech"
)

// bytesPerOutputToken is the yardstick for output that no upstream counted:
// English and code run at about four bytes a token.
const bytesPerOutputToken = 4

// A meter watches an answer pass and knows what it came to.
type meter struct {
	aside      outcrop.Told // what the upstream says beside its answer
	firstByte  time.Time
	output     int // bytes of text, reasoning and tool input that have passed
	reported   *converse.TokenUsage
	counted    *outcrop.Usage // of a task that was carried out
	stopReason string
	closing    converse.Event                     // the metadata event, held back
	tier       *converse.ServiceTier              // as the upstream told, or nil
	latency    *converse.PerformanceConfiguration // likewise
	told       time.Time                          // when the ledger last heard of progress
	asked      time.Duration                      // by the pieces' own clock, when progress was asked for last
	leg        *leg                               // told of the first byte; may be nil
	talk       *speech.Meter                      // of a conversation that is spoken; else nil
	size       converse.Size                      // of the request, once sized
	sized      bool
	passed     bool           // the answer is forwarded, so the closing event is another
	window     outcrop.Tokens // that the model reads at most; 0 when that is not known
}

// spoke says whether any part of the answer has passed.
func (m *meter) spoke() bool { return !m.firstByte.IsZero() }

// event notes e and says whether it is the metadata that closes the answer.
func (m *meter) event(e converse.Event, now func() time.Time) bool {
	if !m.spoke() {
		m.firstByte = now()
		m.leg.heard(m.firstByte)
	}
	switch {
	case e.ContentBlockDelta != nil:
		m.output += deltaBytes(&e.ContentBlockDelta.Delta)
	case e.MessageStop != nil:
		m.stopReason = e.MessageStop.StopReason
	case e.Metadata != nil:
		m.closing = e
		m.reported = e.Metadata.Usage
		return true
	}
	return false
}

// progressEvery is how often a long answer tells the ledger how far it is.
const progressEvery = time.Second

// quiet says that it is not time to tell of progress yet, as far as pieces say
// when they came. A part of that time is left to the clock that progress asks.
func (m *meter) quiet(p *Piece) bool {
	since := p.At - m.asked
	if p.At != 0 && m.asked != 0 && since >= 0 && since < progressEvery/8 {
		return true
	}
	m.asked = p.At
	return false
}

// progress estimates what has been used so far, when it is time to tell.
func (m *meter) progress(r *converse.Request, now func() time.Time) (seen outcrop.Usage, due bool) {
	at := now()
	if m.told.IsZero() {
		m.told = m.firstByte
	}
	if at.Sub(m.told) < progressEvery {
		return outcrop.Usage{}, false
	}
	m.told = at
	return m.estimate(r), true
}

// response notes an answer that came whole.
func (m *meter) response(r *converse.Response) {
	m.stopReason = r.StopReason
	m.reported = r.Usage
	m.tier, m.latency = r.ServiceTier, r.PerformanceConfig
	if r.Output.Message == nil {
		return
	}
	for i := range r.Output.Message.Content {
		m.output += blockBytes(&r.Output.Message.Content[i])
	}
}

// usage is what the upstream reported or, where it did not, an estimate of
// what it must have produced. A call that was refused before it said anything
// used nothing that we know of: its usage is absent, which is not zero.
func (m *meter) usage(r *converse.Request, cause error) outcrop.Usage {
	if u, told := m.counts(); told {
		return u
	}
	if m.reported == nil && cause != nil && !m.spoke() && !errors.Is(cause, errHungUp) {
		return outcrop.Usage{}
	}
	return m.estimate(r)
}

// counts are the upstream's, if it has told any that can be true.
func (m *meter) counts() (u outcrop.Usage, told bool) {
	switch {
	case m.counted != nil:
		u = *m.counted
	case m.reported != nil:
		u = m.reported.Usage()
		u.Part(&m.aside.Parts)
	default:
		return u, false
	}
	return u, u.Believable()
}

// estimate is what must have been used so far: what the upstream counted
// before the end, and for the rest what the bytes come to.
func (m *meter) estimate(r *converse.Request) outcrop.Usage {
	if m.talk != nil {
		return m.talk.Usage(false)
	}
	u := outcrop.Usage{PerKind: m.aside.Seen, Estimated: true}
	if !u.Believable() {
		u.PerKind = outcrop.PerKind[outcrop.Tokens]{}
	}
	if _, counted := u.Get(outcrop.InputTokens); !counted {
		u.Set(outcrop.InputTokens, m.readable(m.sizeOf(r).Guess()))
	}
	passed := outcrop.Tokens((m.output + bytesPerOutputToken - 1) / bytesPerOutputToken)
	u.Set(outcrop.OutputTokens, max(passed, u.Of(outcrop.OutputTokens)))
	return u
}

// Models that read 200,000 tokens read a million for those who ask.
const (
	usualWindow = 200_000
	longWindow  = 1_000_000
)

// readable is as much of a guess as the model could have read: a request that
// is too long for it costs no more than the longest.
func (m *meter) readable(guess outcrop.Tokens) outcrop.Tokens {
	switch {
	case m.window == 0:
		return guess
	case m.window >= usualWindow:
		return min(guess, max(m.window, longWindow))
	}
	return min(guess, m.window)
}

// sizeOf counts the request once.
func (m *meter) sizeOf(r *converse.Request) converse.Size {
	if !m.sized {
		m.size, m.sized = converse.SizeOf(r), true
	}
	return m.size
}

// disclose puts the usage into an answer whose upstream left it out: clients
// count on it being there.
func (m *meter) disclose(u outcrop.Usage) {
	if m.closing.Metadata != nil && m.closing.Metadata.Usage == nil {
		told := converse.UsageOf(u)
		m.closing.Metadata.Usage = &told
	}
}

func deltaBytes(d *converse.ContentBlockDelta) int {
	switch {
	case d.Text != nil:
		return len(*d.Text)
	case d.ToolUse != nil:
		return len(d.ToolUse.Input)
	case d.ReasoningContent != nil && d.ReasoningContent.Text != nil:
		return len(*d.ReasoningContent.Text)
	}
	return 0
}

func blockBytes(b *converse.ContentBlock) int {
	switch {
	case b.Text != nil:
		return len(*b.Text)
	case b.ToolUse != nil:
		return len(b.ToolUse.Input)
	case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil:
		return len(b.ReasoningContent.ReasoningText.Text)
	}
	return 0
}
