package speech

import (
	"strings"

	"outcrop"
)

// Yardsticks for what no model counted: English runs at about four bytes a
// token, and a token of speech is forty milliseconds of it.
const (
	bytesPerTextToken    = 4
	speechTokensInSecond = 25
)

// How sound is taken to be written where nothing says it.
const (
	defaultInputHertz  = 16000
	defaultOutputHertz = 24000
	defaultSampleBytes = 2
)

// MaxSessionSeconds is as long as AWS keeps a session open; MostInputTokens is
// the speech that fits into it.
const (
	MaxSessionSeconds = 8 * 60
	MostInputTokens   = MaxSessionSeconds * speechTokensInSecond
)

// A Meter watches a session and knows what it came to: what the model counted
// last, and since then what has passed by. The zero value is ready.
type Meter struct {
	counted *Total
	since   passed // what no count covers yet
	all     passed

	in, out int  // bytes of audio in one second
	preview bool // the text that is told will be told again when it has been spoken
}

// passed counts bytes that have gone by.
type passed struct{ inText, inAudio, outText, outAudio int }

// Heard notes an event of the client.
func (m *Meter) Heard(e *Event) {
	switch e.Kind {
	case PromptStart:
		m.out = bytesPerSecond(e.AudioOut, defaultOutputHertz)
	case ContentStart:
		if e.AudioIn != nil {
			m.in = bytesPerSecond(e.AudioIn, defaultInputHertz)
		}
	case TextInput, ToolResult:
		m.pass(passed{inText: len(e.Content)})
	case AudioInput:
		m.pass(passed{inAudio: decodedLength(e.Content)})
	}
}

// Said notes an event of the model.
func (m *Meter) Said(e *Event) {
	switch e.Kind {
	case ContentStart:
		m.preview = strings.Contains(e.Stage, "SPECULATIVE")
	case TextOutput, ToolUse:
		if e.Role != "USER" && !m.preview { // a transcript of what was heard is no answer
			m.pass(passed{outText: len(e.Content)})
		}
	case AudioOutput:
		m.pass(passed{outAudio: decodedLength(e.Content)})
	case UsageEvent:
		if e.Total != nil {
			m.counted, m.since = e.Total, passed{}
		}
	}
}

func (m *Meter) pass(p passed) {
	m.since.add(p)
	m.all.add(p)
}

func (p *passed) add(q passed) {
	p.inText += q.inText
	p.inAudio += q.inAudio
	p.outText += q.outText
	p.outAudio += q.outAudio
}

// OutputBytes have been said so far.
func (m *Meter) OutputBytes() int { return m.all.outText + m.all.outAudio }

// Usage is what the session has used by now. It is exact when ended says that
// the model told its last count, and else what has passed since is estimated.
func (m *Meter) Usage(ended bool) outcrop.Usage {
	var u outcrop.Usage
	var total Total
	if m.counted != nil {
		total = *m.counted
	}
	since := m.since
	if u.Estimated = m.counted == nil || !ended; !u.Estimated {
		since = passed{}
	}
	u.Set(outcrop.InputTokens, tokens(total.Input.TextTokens, since.inText, bytesPerTextToken))
	u.Set(outcrop.InputAudioTokens, speechTokens(total.Input.SpeechTokens, since.inAudio, m.in, defaultInputHertz))
	u.Set(outcrop.OutputTokens, tokens(total.Output.TextTokens, since.outText, bytesPerTextToken))
	u.Set(outcrop.OutputAudioTokens, speechTokens(total.Output.SpeechTokens, since.outAudio, m.out, defaultOutputHertz))
	return u
}

func tokens(counted int64, passed, unit int) outcrop.Tokens {
	return outcrop.Tokens(max(counted, 0)) + outcrop.Tokens((passed+unit-1)/unit)
}

func speechTokens(counted int64, passed, bytesInSecond, fallbackHertz int) outcrop.Tokens {
	if bytesInSecond <= 0 {
		bytesInSecond = fallbackHertz * defaultSampleBytes
	}
	return tokens(counted, passed, max(bytesInSecond/speechTokensInSecond, 1))
}

// SpeechTokens is what some audio comes to.
func (a *Audio) SpeechTokens(bytes, fallbackHertz int) int64 {
	return int64(speechTokens(0, bytes, bytesPerSecond(a, fallbackHertz), fallbackHertz))
}

// bytesPerSecond of audio. A rate that no sound has is not believed.
func bytesPerSecond(a *Audio, fallbackHertz int) int {
	const lowest, highest, mostBits, mostChannels = 4000, 192000, 32, 8
	hertz, size, channels := fallbackHertz, defaultSampleBytes, 1
	if a != nil {
		if a.SampleRateHertz >= lowest && a.SampleRateHertz <= highest {
			hertz = a.SampleRateHertz
		}
		if a.SampleSizeBits >= 8 && a.SampleSizeBits <= mostBits {
			size = a.SampleSizeBits / 8
		}
		if a.ChannelCount >= 1 && a.ChannelCount <= mostChannels {
			channels = a.ChannelCount
		}
	}
	return hertz * size * channels
}

// decodedLength is how many bytes base64 stands for.
func decodedLength(base64 string) int {
	n := len(base64)
	for i := 0; i < 2 && n > 0 && base64[n-1] == '='; i++ {
		n--
	}
	return n * 3 / 4
}

// Most is the dearest usage that a session can come to whose model says at
// most so many tokens: eight minutes of speech each way, which is dearer than
// text.
func Most(output outcrop.Tokens) outcrop.Usage {
	u := outcrop.Usage{Estimated: true}
	u.Set(outcrop.InputTokens, 0)
	u.Set(outcrop.InputAudioTokens, MostInputTokens)
	u.Set(outcrop.OutputTokens, 0)
	u.Set(outcrop.OutputAudioTokens, output)
	return u
}
