package native

import (
	"strings"

	"outcrop/converse"
)

// The families whose body is a prompt with the model's own template tokens
// (reference/runtime-metering-billing.md §2.3, §2.5). The template is read
// back into turns, so that any backend can answer, and written from them.

// promptRequest takes the prompt out of f under key, and the common settings
// under their names; what is left is carried on.
func promptRequest(body []byte, key string, read reading, settings func(fields, *converse.InferenceConfiguration) error) (*converse.Request, error) {
	f, err := parse(body)
	if err != nil {
		return nil, err
	}
	var prompt string
	if found, err := f.take(key, &prompt); err != nil {
		return nil, err
	} else if !found {
		return nil, missingKey("#", key)
	}
	r := &converse.Request{InferenceConfig: new(converse.InferenceConfiguration)}
	if err := settings(f, r.InferenceConfig); err != nil {
		return nil, err
	}
	turns, err := read(prompt)
	if err != nil {
		return nil, malformed("#/%s: %s", key, err)
	}
	for _, t := range turns {
		if t.role == "system" {
			r.System = append(r.System, converse.SystemContentBlock{Text: &t.text})
			continue
		}
		r.Messages = append(r.Messages, converse.Message{Role: t.role, Content: []converse.ContentBlock{{Text: &t.text}}})
	}
	f.drop("model", "stream")
	r.AdditionalModelRequestFields = f.rest()
	return r, nil
}

// textOf is all text of an answer.
func textOf(r *converse.Response) string {
	var b strings.Builder
	if m := r.Output.Message; m != nil {
		for _, block := range m.Content {
			if block.Text != nil {
				b.WriteString(*block.Text)
			}
			if c := block.CitationsContent; c != nil {
				for i := range c.Content {
					if c.Content[i].Text != nil {
						b.WriteString(*c.Content[i].Text)
					}
				}
			}
		}
	}
	return b.String()
}

// What DeepSeek R1 writes around what it thinks.
const (
	beforeThought = "<think>\n"
	afterThought  = "\n</think>\n\n"
)

// thoughtOf is what the model thought before its answer.
func thoughtOf(r *converse.Response) string {
	var b strings.Builder
	if m := r.Output.Message; m != nil {
		for _, block := range m.Content {
			if t := block.ReasoningContent; t != nil && t.ReasoningText != nil {
				b.WriteString(t.ReasoningText.Text)
			}
		}
	}
	return b.String()
}

// textChunks streams a format whose chunks are text with a stop reason at the
// end. write makes one chunk; stop is empty but for the last, usage nil too.
type textChunks struct {
	answer  *Answer
	stop    string
	tags    bool // the format has tags around what the model thinks
	thought bool // one is open
	write   func(text, stop string, u *converse.TokenUsage) map[string]any
}

func (c *textChunks) Chunk(e converse.Event) ([][]byte, error) {
	switch {
	case e.ContentBlockDelta != nil && e.ContentBlockDelta.Delta.Text != nil:
		return marshal(c.write(*e.ContentBlockDelta.Delta.Text, "", nil))
	case c.tags && e.ContentBlockDelta != nil && e.ContentBlockDelta.Delta.ReasoningContent != nil && e.ContentBlockDelta.Delta.ReasoningContent.Text != nil:
		thought := *e.ContentBlockDelta.Delta.ReasoningContent.Text
		if !c.thought {
			c.thought, thought = true, beforeThought+thought
		}
		return marshal(c.write(thought, "", nil))
	case e.ContentBlockStop != nil && c.thought:
		c.thought = false
		return marshal(c.write(afterThought, "", nil))
	case e.MessageStop != nil:
		c.stop = e.MessageStop.StopReason
	case e.Metadata != nil:
		return marshal(withMetrics(c.write("", c.stop, e.Metadata.Usage), c.answer))
	}
	return nil, nil
}

// lengthOr is how these formats say why they stopped.
func lengthOr(stop, otherwise string) any {
	switch stop {
	case "":
		return nil
	case "max_tokens":
		return "length"
	}
	return otherwise
}
