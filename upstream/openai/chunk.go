package openai

import (
	"outcrop"
	"outcrop/converse"
	"outcrop/internal/jsonlex"
	"outcrop/upstream"
)

// A chunk is what one chat.completion.chunk says, or a whole chat.completion:
// the two differ in the name of one member.
type chunk struct {
	lenient
	choice    bool // there is one
	text      string
	reasoning string
	calls     []call
	finish    string // finish_reason, empty while there is none
	matched   string // the stop sequence that was met, where the server tells
	usage     *converse.TokenUsage
	parts     outcrop.PerKind[outcrop.Tokens] // of usage: reasoning and speech
	failure   *upstream.Failure
}

// A call is a piece of a tool call, or all of it.
type call struct {
	index               int64
	id, name, arguments string
}

// decode reads b and says whether it is one JSON object.
func (c *chunk) decode(b []byte) bool {
	c.reset(b)
	c.choice, c.text, c.reasoning, c.finish, c.matched = false, "", "", "", ""
	c.calls, c.usage, c.failure = c.calls[:0], nil, nil
	c.parts = outcrop.PerKind[outcrop.Tokens]{}
	if c.Peek() != jsonlex.ObjectValue {
		return false
	}
	var loose upstream.Failure // members of an error that stands by itself
	answers := false
	for c.Object(); c.Member(); {
		switch c.Name() {
		case "choices":
			answers = true
			c.choices()
		case "usage":
			c.readUsage()
		case "error":
			c.readFailure()
		case "message", "detail":
			loose.Message = c.word()
		case "type":
			loose.Kind = c.word()
		case "code":
			loose.Code = c.word()
		default:
			c.Skip()
		}
	}
	// vLLM once wrote {"object":"error","message":…}, and llama.cpp writes the
	// inside of an error in a stream.
	if c.failure == nil && !answers && loose.Message != "" {
		c.failure = &upstream.Failure{Message: loose.Message, Kind: loose.Kind, Code: loose.Code} // a copy, so that loose stays off the heap
	}
	return c.Done() == nil
}

// choices reads the first choice; more were not asked for.
func (c *chunk) choices() {
	if !c.array() {
		return
	}
	for c.Element() {
		if c.choice {
			c.Skip()
			continue
		}
		c.readChoice()
	}
}

func (c *chunk) readChoice() {
	if !c.object() {
		return
	}
	c.choice = true
	for c.Member() {
		switch c.Name() {
		case "delta", "message":
			c.readMessage()
		case "finish_reason":
			c.finish = c.str()
		case "stop_reason": // vLLM: the string met, or a token's number
			c.matched = c.str()
		default:
			c.Skip()
		}
	}
}

func (c *chunk) readMessage() {
	if !c.object() {
		return
	}
	for c.Member() {
		switch c.Name() {
		case "content", "refusal":
			if s := c.content(); s != "" {
				c.text += s
			}
		case "reasoning_content", "reasoning": // vLLM and DeepSeek; newer vLLM and OpenRouter. Some send both.
			if s := c.str(); s != "" {
				c.reasoning = s
			}
		case "tool_calls":
			c.toolCalls()
		case "function_call":
			c.calls = append(c.calls, call{})
			c.function(&c.calls[len(c.calls)-1])
		default:
			c.Skip()
		}
	}
}

// content is a string, or a list of parts that have one.
func (c *chunk) content() string {
	if c.Peek() != jsonlex.ListValue {
		return c.str()
	}
	text := ""
	for c.Array(); c.Element(); {
		if !c.object() {
			continue
		}
		for c.Member() {
			if c.Name() == "text" {
				text += c.str()
			} else {
				c.Skip()
			}
		}
	}
	return text
}

func (c *chunk) toolCalls() {
	if !c.array() {
		return
	}
	for c.Element() {
		c.calls = append(c.calls, call{index: int64(len(c.calls))})
		c.toolCall(&c.calls[len(c.calls)-1])
	}
}

func (c *chunk) toolCall(t *call) {
	if !c.object() {
		return
	}
	for c.Member() {
		switch c.Name() {
		case "index":
			if n, ok := c.integer(); ok {
				t.index = n
			}
		case "id":
			t.id = c.str()
		case "function":
			c.function(t)
		default:
			c.Skip()
		}
	}
}

func (c *chunk) function(t *call) {
	if !c.object() {
		return
	}
	for c.Member() {
		switch {
		case c.Name() == "name":
			t.name = c.str()
		case c.Name() == "arguments" && c.Peek() == jsonlex.ObjectValue:
			t.arguments = string(c.Raw()) // not a text of JSON, as it should be
		case c.Name() == "arguments":
			t.arguments = c.str()
		default:
			c.Skip()
		}
	}
}

// readUsage makes the kinds disjoint: prompt_tokens includes what was read
// from a cache, inputTokens does not. Half a usage is none.
func (c *chunk) readUsage() {
	if !c.object() {
		return
	}
	var prompt, completion, cached, hit count
	for c.Member() {
		switch c.Name() {
		case "prompt_tokens":
			prompt.read(c)
		case "completion_tokens":
			completion.read(c)
		case "prompt_tokens_details":
			c.readParts(&cached, outcrop.InputAudioTokens)
		case "completion_tokens_details":
			c.readParts(&count{}, outcrop.OutputAudioTokens)
		case "prompt_cache_hit_tokens": // DeepSeek
			hit.read(c)
		default:
			c.Skip()
		}
	}
	if !cached.known {
		cached = hit
	}
	if !prompt.known || !completion.known {
		c.parts = outcrop.PerKind[outcrop.Tokens]{}
		return
	}
	cached.n = min(cached.n, prompt.n)
	c.usage = &converse.TokenUsage{InputTokens: prompt.n - cached.n, OutputTokens: completion.n, TotalTokens: prompt.n + completion.n}
	if cached.known {
		c.usage.CacheReadInputTokens = &cached.n
	}
}

// A count of tokens, where it is known.
type count struct {
	n     int64
	known bool
}

func (n *count) read(c *chunk) {
	const most = 1 << 40 // tokens; larger claims are not believed
	n.n, n.known = c.integer()
	n.known = n.known && n.n <= most
}

// readParts reads what prompt_tokens or completion_tokens consist of. Text is
// what remains; audio says of which kind the speech in it is.
func (c *chunk) readParts(cached *count, audio outcrop.TokenKind) {
	if !c.object() {
		return
	}
	for c.Member() {
		switch c.Name() {
		case "cached_tokens":
			cached.read(c)
		case "reasoning_tokens":
			c.part(outcrop.ReasoningTokens)
		case "audio_tokens":
			c.part(audio)
		default:
			c.Skip()
		}
	}
}

func (c *chunk) part(k outcrop.TokenKind) {
	var n count
	if n.read(c); n.known {
		c.parts.Set(k, outcrop.Tokens(n.n))
	}
}

// tell notes what the usage consists of, and the usage itself: some servers
// send it along with every chunk, and an answer that is cut is billed by it.
func (c *chunk) tell(a outcrop.Attempt) {
	if a.Told == nil || c.usage == nil {
		return
	}
	a.Told.Parts, a.Told.Seen = c.parts, c.usage.Usage().PerKind
}

// readFailure reads an error, which is an object or a string.
func (c *chunk) readFailure() {
	if c.Null() {
		return
	}
	c.failure = new(upstream.Failure)
	if c.Peek() == jsonlex.StringValue {
		c.failure.Message = c.str()
		return
	}
	if !c.object() {
		return
	}
	for c.Member() {
		switch c.Name() {
		case "message":
			c.failure.Message = c.word()
		case "type":
			c.failure.Kind = c.word()
		case "code", "status":
			if w := c.word(); w != "" {
				c.failure.Code = w
			}
		default:
			c.Skip()
		}
	}
}

// readFailure reads the body of an error.
func readFailure(body []byte) *upstream.Failure {
	var c chunk
	if !c.decode(body) {
		return nil
	}
	return c.failure
}
