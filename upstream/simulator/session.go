package simulator

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/speech"
	"outcrop/gateway"
)

// Speaks implements gateway.Speaker.
func (s *Simulator) Speaks(outcrop.Attempt) bool { return true }

// Speak answers each turn of the user when it has ended: a recording, a text
// that is interactive, or the result of a tool. It cannot understand speech and
// says how long it listened; it speaks in tones.
func (s *Simulator) Speak(ctx context.Context, a outcrop.Attempt, hear gateway.Hear) iter.Seq2[speech.Event, error] {
	return func(yield func(speech.Event, error) bool) {
		t := &session{simulator: s, ctx: ctx, attempt: a, yield: yield, contents: map[string]*content{}, request: new(converse.Request)}
		room, err := t.enter()
		if err == nil {
			err = t.run(hear)
		}
		room.tokens = outcrop.Tokens(t.total.Input.SpeechTokens + t.total.Input.TextTokens + t.total.Output.SpeechTokens + t.total.Output.TextTokens)
		room.leave()
		if err != nil && !t.left {
			yield(speech.Event{}, err)
		}
	}
}

// Bounds of a session.
const (
	maxSessionTextBytes = 1 << 20
	maxSessionContents  = 10_000
)

// A session is one spoken conversation.
type session struct {
	simulator *Simulator
	ctx       context.Context
	attempt   outcrop.Attempt
	yield     func(speech.Event, error) bool
	script    Script
	events    int  // said so far
	left      bool // nobody listens any more

	started  bool
	prompt   string // promptName, while one is open
	audio    *speech.Audio
	contents map[string]*content // open ones, by name
	opened   int
	text     int               // bytes kept
	request  *converse.Request // the conversation so far

	completion  string // id, once an answer to this prompt has begun
	spoken      int    // contents so far
	told, total speech.Total
}

// A content is a block that the client is sending.
type content struct {
	speech.Fields
	text  string
	bytes int // of audio
}

// enter refuses what Options.Faults want refused, and takes room in the Region.
func (t *session) enter() (r room, err error) {
	s := t.simulator
	if t.script, err = s.script(t.attempt, t.request); err == nil {
		err = t.script.refusal(t.attempt)
	}
	if err != nil {
		return r, err
	}
	return s.enter(t.attempt, &prompt{tokens: s.tokens}, t.request)
}

// run hears until the session ends.
func (t *session) run(hear gateway.Hear) error {
	for {
		e, err := hear()
		if err != nil {
			return err
		}
		if err := t.take(&e); err != nil {
			return err
		}
		if e.Kind == speech.SessionEnd {
			return t.usage()
		}
	}
}

// take follows one event of the client.
func (t *session) take(e *speech.Event) error {
	if t.started == (e.Kind == speech.SessionStart) {
		return misplaced(e, "sessionStart comes first, and once")
	}
	switch e.Kind {
	case speech.SessionStart:
		t.started = true
		if c := e.Inference; c != nil && c.MaxTokens != nil {
			t.request.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: c.MaxTokens}
		}
		return nil
	case speech.PromptStart:
		return t.begin(e)
	case speech.SessionEnd:
		return nil
	}
	if t.prompt == "" || e.PromptName != t.prompt {
		return misplaced(e, "its promptName must be that of the promptStart before it")
	}
	switch e.Kind {
	case speech.ContentStart:
		return t.open(e)
	case speech.PromptEnd:
		return t.end()
	}
	c := t.contents[e.ContentName]
	if c == nil {
		return misplaced(e, "its contentName must be that of a contentStart before it")
	}
	switch e.Kind {
	case speech.TextInput, speech.ToolResult:
		if t.text += len(e.Content); t.text > maxSessionTextBytes {
			return refused("Input is too long for requested model.")
		}
		c.text += e.Content
		t.total.Input.TextTokens += int64(t.simulator.tokens.Count(e.Content))
	case speech.AudioInput:
		return t.listen(c, e)
	case speech.ContentEnd:
		delete(t.contents, e.ContentName)
		return t.turn(c)
	default:
		return misplaced(e, "the simulator does not know it")
	}
	return nil
}

func misplaced(e *speech.Event, why string) error {
	return refused(fmt.Sprintf("Invalid input request: unexpected event %s: %s.", e.Kind, why))
}

// begin opens a prompt.
func (t *session) begin(e *speech.Event) error {
	if t.prompt != "" || e.PromptName == "" {
		return misplaced(e, "it needs a promptName, and the prompt before it must have ended")
	}
	t.prompt, t.audio, t.completion = e.PromptName, e.AudioOut, ""
	if a := e.AudioOut; a != nil && (a.MediaType != "audio/lpcm" || a.SampleSizeBits != 16 || a.ChannelCount > 1 || !slices.Contains(outputHertz, a.SampleRateHertz)) {
		return refused(fmt.Sprintf("Invalid input request: audioOutputConfiguration must be audio/lpcm of 16 bits, one channel and one of %v Hz.", outputHertz))
	}
	t.request.ToolConfig = nil
	if e.ToolSpecs != nil && len(e.ToolSpecs.Tools) > 0 {
		t.request.ToolConfig = toolsOf(e.ToolSpecs)
	}
	return nil
}

func toolsOf(specs *speech.ToolSpecs) *converse.ToolConfiguration {
	c := new(converse.ToolConfiguration)
	for i := range specs.Tools {
		spec := &specs.Tools[i].ToolSpec
		schema := json.RawMessage(spec.InputSchema.JSON)
		if !json.Valid(schema) {
			schema = json.RawMessage("{}")
		}
		c.Tools = append(c.Tools, converse.Tool{ToolSpec: &converse.ToolSpecification{
			Name: spec.Name, Description: spec.Description, InputSchema: converse.ToolInputSchema{Json: schema}}})
	}
	return c
}

// open opens a content.
func (t *session) open(e *speech.Event) error {
	if t.opened++; t.opened > maxSessionContents {
		return refused("Input is too long for requested model.")
	}
	if e.ContentName == "" || t.contents[e.ContentName] != nil {
		return misplaced(e, "it needs a contentName of its own")
	}
	if !slices.Contains([]string{"TEXT", "AUDIO", "TOOL"}, e.Type) {
		return misplaced(e, "its type must be TEXT, AUDIO or TOOL")
	}
	t.contents[e.ContentName] = &content{Fields: e.Fields}
	return nil
}

func (t *session) listen(c *content, e *speech.Event) error {
	if c.Type != "AUDIO" {
		return misplaced(e, "its content is not of type AUDIO")
	}
	sound, err := base64.StdEncoding.DecodeString(e.Content)
	if err != nil {
		return misplaced(e, "its content must be base64")
	}
	before := c.AudioIn.SpeechTokens(c.bytes, inputHertz)
	c.bytes += len(sound)
	t.total.Input.SpeechTokens += c.AudioIn.SpeechTokens(c.bytes, inputHertz) - before
	return nil
}

// turn adds a content that has ended to the conversation, and answers it when
// it is the user's to be answered.
func (t *session) turn(c *content) error {
	if c.Type == "TOOL" {
		return t.result(c)
	}
	text, answered := c.text, c.Role == "USER" && (c.Interactive || c.Type == "AUDIO")
	if c.Type == "AUDIO" {
		tokens := c.AudioIn.SpeechTokens(c.bytes, inputHertz)
		text = fmt.Sprintf("(%.2f seconds of speech)", float64(tokens)/float64(tokensInSecond))
	}
	if c.Role == "SYSTEM" {
		t.request.System = append(t.request.System, converse.SystemContentBlock{Text: &text})
		return nil
	}
	t.say(map[bool]string{true: roleAssistant, false: roleUser}[c.Role == "ASSISTANT"], converse.ContentBlock{Text: &text})
	if !answered {
		return nil
	}
	if err := t.ready(); err != nil {
		return err
	}
	if c.Type == "AUDIO" {
		if err := t.block("TEXT", "USER", "FINAL", "PARTIAL_TURN", t.textOf(text, "USER")); err != nil {
			return err
		}
	}
	return t.answer()
}

func (t *session) result(c *content) error {
	if c.Result == nil || c.Result.ToolUseID == "" {
		return refused("Invalid input request: a content of type TOOL needs toolResultInputConfiguration.toolUseId.")
	}
	block := converse.ToolResultBlock{ToolUseId: c.Result.ToolUseID, Content: []converse.ToolResultContentBlock{{Text: &c.text}}}
	t.say(roleUser, converse.ContentBlock{ToolResult: &block})
	if err := t.ready(); err != nil {
		return err
	}
	return t.answer()
}

func (t *session) say(role string, b converse.ContentBlock) {
	t.request.Messages = append(t.request.Messages, converse.Message{Role: role, Content: []converse.ContentBlock{b}})
}

// ready begins the completion of a prompt, unless the script wants otherwise.
func (t *session) ready() (err error) {
	s := t.simulator
	if t.script, err = s.script(t.attempt, t.request); err == nil {
		err = t.script.refusal(t.attempt)
	}
	if err == nil {
		err = pause(t.ctx, t.script.wait(s.options.TimeToFirst))
	}
	if err != nil || t.completion != "" {
		return err
	}
	t.completion = t.name("completion")
	return t.send(speech.CompletionStart, map[string]any{})
}

// end closes a prompt.
func (t *session) end() error {
	var err error
	if t.completion != "" {
		err = t.send(speech.CompletionEnd, map[string]any{"stopReason": "END_TURN"})
	}
	t.prompt, t.completion = "", ""
	clear(t.contents)
	return err
}

var errLeft = fmt.Errorf("nobody listens: %w", io.ErrClosedPipe)

// send says one event.
func (t *session) send(kind string, fields map[string]any) error {
	if t.script.Cut > 0 && t.events >= t.script.Cut {
		return outcrop.Errorf(outcrop.StreamFailed, "The simulator broke off its stream, as the request asked.")
	}
	fields["sessionId"] = string(t.attempt.Invocation)
	if t.prompt != "" {
		fields["promptName"] = t.prompt
	}
	if t.completion != "" {
		fields["completionId"] = t.completion
	}
	e, err := speech.New(kind, fields)
	if err != nil {
		return err
	}
	t.events++
	if t.left = !t.yield(e, nil); t.left {
		return errLeft
	}
	return nil
}

// usage tells what has been used, and what of it is new.
func (t *session) usage() error {
	if t.script.NoUsage {
		return nil
	}
	n, was := t.total, t.told
	delta := speech.Total{
		Input:  speech.Count{SpeechTokens: n.Input.SpeechTokens - was.Input.SpeechTokens, TextTokens: n.Input.TextTokens - was.Input.TextTokens},
		Output: speech.Count{SpeechTokens: n.Output.SpeechTokens - was.Output.SpeechTokens, TextTokens: n.Output.TextTokens - was.Output.TextTokens},
	}
	t.told = n
	in, out := n.Input.SpeechTokens+n.Input.TextTokens, n.Output.SpeechTokens+n.Output.TextTokens
	return t.send(speech.UsageEvent, map[string]any{"totalInputTokens": in, "totalOutputTokens": out, "totalTokens": in + out,
		"details": map[string]any{"delta": delta, "total": n}})
}

// wait is the pace at which it speaks.
func (t *session) wait() error {
	return pause(t.ctx, min(t.script.pace(t.simulator.options.Pace), time.Second))
}
