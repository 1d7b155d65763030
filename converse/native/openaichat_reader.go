package native

import (
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/chat"
)

func (openAIChat) DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error) {
	var c chat.Chunk
	if err := readChatChunk(&c, body); err != nil {
		return nil, err
	}
	if !c.Choice {
		return nil, noAnswer("choices")
	}
	c.Tell(a)
	if c.Reasoning == "" {
		splitThought(&c)
	}
	return c.Response(a.Invocation), nil
}

// splitThought takes the reasoning out of a text that begins with it.
func splitThought(c *chat.Chunk) {
	text := c.Text
	c.Text = ""
	t := thoughts{reasoning: func(s string) { c.Reasoning += s }, text: func(s string) { c.Text += s }}
	t.feed(text)
	t.flush()
}

// readChatChunk reads a body or a chunk. Mistral's models say finish_reason
// under another name (reference/runtime-metering-billing.md §2.5).
func readChatChunk(c *chat.Chunk, text []byte) error {
	switch {
	case !c.Decode(text):
		return broken(nil)
	case c.Failure != nil:
		return outcrop.Errorf(outcrop.ModelFailed, "The model returned the following errors: %s", c.Failure.Message)
	}
	if c.Finish == "" {
		switch c.Matched {
		case "stop", "length", "tool_calls", "content_filter":
			c.Finish, c.Matched = c.Matched, ""
		case "model_length":
			c.Finish, c.Matched = "length", ""
		}
	}
	return nil
}

func (openAIChat) Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader {
	r := &chatReader{attempt: a}
	r.say.Yield, r.say.Invocation = yield, a.Invocation
	r.tags.reasoning, r.tags.text = r.say.Reasoning, r.say.Text
	return r
}

// A chatReader reads chat.completion.chunk objects.
type chatReader struct {
	say             chat.Speaker
	chunk           chat.Chunk
	glance          Glance
	tags            thoughts
	attempt         outcrop.Attempt
	finish, matched string
	usage           *converse.TokenUsage
}

func (r *chatReader) Begun() bool   { return r.say.Begun }
func (r *chatReader) Deaf() bool    { return r.say.Deaf }
func (r *chatReader) Stopped() bool { return r.finish != "" }

// Read implements Reader.
func (r *chatReader) Read(chunk []byte) (last bool, err error) {
	c := &r.chunk
	if err := readChatChunk(c, chunk); err != nil {
		return false, err
	}
	if err := r.glance.Read(chunk); err != nil {
		return false, broken(err)
	}
	if r.glance.Fault {
		return false, noAnswer("choices")
	}
	if c.Usage != nil {
		c.Tell(r.attempt)
		r.usage = c.Usage
	}
	r.say.Reasoning(c.Reasoning)
	if c.Text != "" {
		r.tags.feed(c.Text)
	}
	if len(c.Calls) > 0 {
		r.tags.flush()
	}
	for i := range c.Calls {
		if err := r.say.Call(&c.Calls[i]); err != nil {
			return false, err
		}
	}
	if c.Finish != "" {
		r.finish, r.matched = c.Finish, c.Matched
	}
	return r.glance.Metrics, nil
}

// Finish implements Reader.
func (r *chatReader) Finish(latency time.Duration) {
	r.tags.flush()
	r.say.Finish(r.finish, r.matched)
	if r.usage == nil {
		r.usage = r.glance.Usage() // of the invocation metrics
	}
	r.say.Event(converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{Usage: r.usage, Metrics: converse.ConverseStreamMetrics{LatencyMs: latency.Milliseconds()}}})
}
