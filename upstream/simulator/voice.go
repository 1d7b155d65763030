package simulator

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"outcrop/converse"
	"outcrop/converse/speech"
)

// How it hears and speaks.
const (
	inputHertz     = 16000 // where the client does not say
	tokensInSecond = 25
	wordMillis     = 60 // each word is a tone
	maxWords       = 25 // are spoken, and the rest is text
	chunkMillis    = 120
)

var outputHertz = []int{8000, 16000, 24000}

// answer says what the simulator thinks of the conversation: as a text to come,
// as sound, and as the text that was spoken; or it calls a tool.
func (t *session) answer() error {
	s := t.simulator
	w := s.compose(t.attempt, t.request, t.script)
	t.total.Output.TextTokens += int64(w.spend())
	if w.tool != nil {
		t.say(roleAssistant, converse.ContentBlock{ToolUse: w.tool})
		use := said{speech.ToolUse, map[string]any{"content": w.toolBits.text, "toolName": w.tool.Name, "toolUseId": w.tool.ToolUseId, "role": "TOOL"}}
		if err := t.block("TOOL", "TOOL", "", "TOOL_USE", []said{use}); err != nil {
			return err
		}
		return t.usage()
	}
	if w.text == nil {
		return t.usage()
	}
	text := w.text.text
	t.say(roleAssistant, converse.ContentBlock{Text: &text})
	last := "END_TURN"
	if t.audio != nil {
		if err := t.block("TEXT", "ASSISTANT", "SPECULATIVE", "PARTIAL_TURN", t.textOf(text, "ASSISTANT")); err != nil {
			return err
		}
		if err := t.block("AUDIO", "ASSISTANT", "", "PARTIAL_TURN", t.sound(text)); err != nil {
			return err
		}
	}
	if err := t.block("TEXT", "ASSISTANT", "FINAL", last, t.textOf(text, "ASSISTANT")); err != nil {
		return err
	}
	return t.usage()
}

// said is one event within a content.
type said struct {
	kind   string
	fields map[string]any
}

// block says one content, from its start to its end.
func (t *session) block(kind, role, stage, stop string, events []said) error {
	t.spoken++
	id := t.name("content")
	start := map[string]any{"contentId": id, "type": kind, "role": role}
	switch {
	case kind == "AUDIO":
		start["audioOutputConfiguration"] = t.audio
	case kind == "TEXT":
		start["textOutputConfiguration"] = map[string]any{"mediaType": "text/plain"}
	case kind == "TOOL":
		start["toolUseOutputConfiguration"] = map[string]any{"mediaType": "application/json"}
	}
	if stage != "" {
		start["additionalModelFields"] = fmt.Sprintf(`{"generationStage":%q}`, stage)
	}
	if err := t.send(speech.ContentStart, start); err != nil {
		return err
	}
	for _, e := range events {
		if err := t.wait(); err != nil {
			return err
		}
		e.fields["contentId"] = id
		if err := t.send(e.kind, e.fields); err != nil {
			return err
		}
	}
	return t.send(speech.ContentEnd, map[string]any{"contentId": id, "type": kind, "stopReason": stop})
}

func (t *session) textOf(text, role string) []said {
	return []said{{speech.TextOutput, map[string]any{"content": text, "role": role}}}
}

// sound speaks a text: one tone for each of its first words. The same text
// sounds the same everywhere.
func (t *session) sound(text string) []said {
	words := strings.Fields(text)
	pcm := tones(words[:min(len(words), maxWords)], t.audio.SampleRateHertz)
	t.total.Output.SpeechTokens += t.audio.SpeechTokens(len(pcm), t.audio.SampleRateHertz)
	chunk := t.audio.SampleRateHertz * 2 * chunkMillis / 1000
	var events []said
	for len(pcm) > 0 {
		n := min(chunk, len(pcm))
		events = append(events, said{speech.AudioOutput, map[string]any{"content": base64.StdEncoding.EncodeToString(pcm[:n]), "role": "ASSISTANT"}})
		pcm = pcm[n:]
	}
	return events
}

// tones are triangle waves, which need no floating point.
func tones(words []string, hertz int) []byte {
	const lowest, highest, loudness = 220, 440, 6000
	samples := hertz * wordMillis / 1000
	pcm := make([]byte, 0, 2*samples*len(words))
	for _, w := range words {
		half := hertz / (2 * (lowest + int(hash(w)%(highest-lowest))))
		for i := range samples {
			at := i % (2 * half)
			if at > half {
				at = 2*half - at
			}
			level := (2*at - half) * loudness / half
			edge := min(i, samples-1-i, samples/8) // comes and goes softly
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(level*edge*8/samples)))
		}
	}
	return pcm
}

// name is an id that is the same for the same place in the same conversation.
func (t *session) name(of string) string {
	h := hash(fmt.Sprint(t.attempt.Invocation, of, t.prompt, t.spoken, len(t.request.Messages)))
	return fmt.Sprintf("%016x-%04x", mix(h), t.spoken)
}
