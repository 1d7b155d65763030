// Package speech is the middle form of spoken conversations: the events of a
// session that listens and speaks at once, in the words of Amazon Nova Sonic,
// and what they come to.
package speech

import (
	"encoding/json"

	"outcrop"
)

// An Event is one of a session's, in either direction. Body is its JSON as it
// came, {"event":{kind:{...}}}; it is passed on unchanged.
type Event struct {
	Kind string
	Body []byte
	Fields
}

// Kinds of events that a client sends.
const (
	SessionStart = "sessionStart"
	PromptStart  = "promptStart"
	ContentStart = "contentStart" // the model sends it, too
	TextInput    = "textInput"
	AudioInput   = "audioInput"
	ToolResult   = "toolResult"
	ContentEnd   = "contentEnd" // likewise
	PromptEnd    = "promptEnd"
	SessionEnd   = "sessionEnd"
)

// Kinds of events that a model sends.
const (
	CompletionStart = "completionStart"
	TextOutput      = "textOutput"
	AudioOutput     = "audioOutput"
	ToolUse         = "toolUse"
	CompletionEnd   = "completionEnd"
	UsageEvent      = "usageEvent"
)

// Fields are what the events hold, as far as somebody here reads it.
type Fields struct {
	Inference *Inference `json:"inferenceConfiguration,omitempty"` // of sessionStart

	PromptName string     `json:"promptName,omitempty"`
	ToolSpecs  *ToolSpecs `json:"toolConfiguration,omitempty"` // of promptStart
	AudioOut   *Audio     `json:"audioOutputConfiguration,omitempty"`

	ContentName string     `json:"contentName,omitempty"`
	Type        string     `json:"type,omitempty"` // TEXT, AUDIO or TOOL
	Role        string     `json:"role,omitempty"` // SYSTEM, USER, ASSISTANT or TOOL
	Interactive bool       `json:"interactive,omitempty"`
	AudioIn     *Audio     `json:"audioInputConfiguration,omitempty"`
	Result      *ResultFor `json:"toolResultInputConfiguration,omitempty"`

	Stage   string `json:"additionalModelFields,omitempty"` // of a model's contentStart: JSON that tells a text to come from one spoken
	Content string `json:"content,omitempty"`               // a text, or audio in base64

	Total   *Total   `json:"-"`
	Details *details `json:"details,omitempty"` // of usageEvent
}

// Inference bounds what is said.
type Inference struct {
	MaxTokens *int64 `json:"maxTokens,omitempty"`
}

// Audio is how sound is written.
type Audio struct {
	MediaType       string `json:"mediaType,omitempty"`
	SampleRateHertz int    `json:"sampleRateHertz,omitempty"`
	SampleSizeBits  int    `json:"sampleSizeBits,omitempty"`
	ChannelCount    int    `json:"channelCount,omitempty"`
	VoiceID         string `json:"voiceId,omitempty"`
	Encoding        string `json:"encoding,omitempty"`
}

// ToolSpecs are the tools that the model may use.
type ToolSpecs struct {
	Tools []struct {
		ToolSpec struct {
			Name        string `json:"name"`
			Description string `json:"description"`
			InputSchema struct {
				JSON string `json:"json"`
			} `json:"inputSchema"`
		} `json:"toolSpec"`
	} `json:"tools"`
}

// ResultFor says which use of a tool a result answers.
type ResultFor struct {
	ToolUseID string `json:"toolUseId"`
}

// A Total is what a session has used, as the model counted.
type Total struct {
	Input  Count `json:"input"`
	Output Count `json:"output"`
}

// A Count tells speech from text.
type Count struct {
	SpeechTokens int64 `json:"speechTokens"`
	TextTokens   int64 `json:"textTokens"`
}

type details struct {
	Total *Total `json:"total"`
}

// Parse reads an event. What it has no field for stays in Body.
func Parse(body []byte) (Event, error) {
	var outer struct {
		Event map[string]json.RawMessage `json:"event"`
	}
	if err := json.Unmarshal(body, &outer); err != nil {
		return Event{}, outcrop.Errorf(outcrop.Invalid, "Invalid input request: an event must be JSON such as {\"event\":{\"sessionStart\":{}}}.")
	}
	if len(outer.Event) != 1 {
		return Event{}, outcrop.Errorf(outcrop.Invalid, "Invalid input request: an event must have exactly one member in \"event\", and this one has %d.", len(outer.Event))
	}
	e := Event{Body: body}
	for kind, fields := range outer.Event {
		e.Kind = kind
		if err := json.Unmarshal(fields, &e.Fields); err != nil {
			return Event{}, outcrop.Errorf(outcrop.Invalid, "Invalid input request: the event %s cannot be read: %s.", kind, jsonFault(err))
		}
	}
	if e.Details != nil {
		e.Total = e.Details.Total
	}
	return e, nil
}

// jsonFault says what does not fit, without what the client wrote.
func jsonFault(err error) string {
	if t, ok := err.(*json.UnmarshalTypeError); ok {
		return "its member " + t.Field + " must not be a " + t.Value
	}
	return "it is no JSON object"
}

// New writes an event of a kind.
func New(kind string, fields any) (Event, error) {
	body, err := json.Marshal(map[string]any{"event": map[string]any{kind: fields}})
	if err != nil {
		return Event{}, err
	}
	return Parse(body)
}
