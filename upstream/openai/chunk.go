package openai

import (
	"outcrop/converse"
)

// A chunk is what one chat.completion.chunk says, or a whole chat.completion:
// the two differ in the name of one member.
type chunk struct {
	lexer
	choice    bool // there is one
	text      string
	reasoning string
	calls     []call
	finish    string // finish_reason, empty while there is none
	matched   string // the stop sequence that was met, where the server tells
	usage     *converse.TokenUsage
	failure   *failure
}

// A call is a piece of a tool call, or all of it.
type call struct {
	index               int64
	id, name, arguments string
}

// A failure is an error that came in a body.
type failure struct {
	message, kind string
	code          string // a word, or a number written out
}

// decode reads b and says whether it is one JSON object.
func (c *chunk) decode(b []byte) bool {
	c.reset(b)
	c.choice, c.text, c.reasoning, c.finish, c.matched = false, "", "", "", ""
	c.calls, c.usage, c.failure = c.calls[:0], nil, nil
	if c.peek() != '{' {
		return false
	}
	var loose failure // members of an error that stands by itself
	answers := false
	c.open('{')
	for first := true; c.member(&first); {
		switch string(c.key) {
		case "choices":
			answers = true
			c.choices()
		case "usage":
			c.readUsage()
		case "error":
			c.readFailure()
		case "message", "detail":
			loose.message = c.word()
		case "type":
			loose.kind = c.word()
		case "code":
			loose.code = c.word()
		default:
			c.skip()
		}
	}
	// vLLM once wrote {"object":"error","message":…}, and llama.cpp writes the
	// inside of an error in a stream.
	if c.failure == nil && !answers && loose.message != "" {
		c.failure = &failure{loose.message, loose.kind, loose.code} // a copy, so that loose stays off the heap
	}
	return c.end()
}

// choices reads the first choice; more were not asked for.
func (c *chunk) choices() {
	if !c.open('[') {
		return
	}
	for first := true; c.next(&first); {
		if c.choice {
			c.skip()
			continue
		}
		c.readChoice()
	}
}

func (c *chunk) readChoice() {
	if !c.open('{') {
		return
	}
	c.choice = true
	for first := true; c.member(&first); {
		switch string(c.key) {
		case "delta", "message":
			c.readMessage()
		case "finish_reason":
			c.finish = c.string()
		case "stop_reason": // vLLM: the string met, or a token's number
			c.matched = c.string()
		default:
			c.skip()
		}
	}
}

func (c *chunk) readMessage() {
	if !c.open('{') {
		return
	}
	for first := true; c.member(&first); {
		switch string(c.key) {
		case "content", "refusal":
			if s := c.content(); s != "" {
				c.text += s
			}
		case "reasoning_content", "reasoning": // vLLM and DeepSeek; newer vLLM and OpenRouter. Some send both.
			if s := c.string(); s != "" {
				c.reasoning = s
			}
		case "tool_calls":
			c.toolCalls()
		case "function_call":
			c.calls = append(c.calls, call{})
			c.function(&c.calls[len(c.calls)-1])
		default:
			c.skip()
		}
	}
}

// content is a string, or a list of parts that have one.
func (c *chunk) content() string {
	if c.peek() != '[' {
		return c.string()
	}
	text := ""
	c.open('[')
	for first := true; c.next(&first); {
		if !c.open('{') {
			continue
		}
		for first := true; c.member(&first); {
			if string(c.key) == "text" {
				text += c.string()
			} else {
				c.skip()
			}
		}
	}
	return text
}

func (c *chunk) toolCalls() {
	if !c.open('[') {
		return
	}
	for first := true; c.next(&first); {
		c.calls = append(c.calls, call{index: int64(len(c.calls))})
		c.toolCall(&c.calls[len(c.calls)-1])
	}
}

func (c *chunk) toolCall(t *call) {
	if !c.open('{') {
		return
	}
	for first := true; c.member(&first); {
		switch string(c.key) {
		case "index":
			if n, ok := c.integer(); ok {
				t.index = n
			}
		case "id":
			t.id = c.string()
		case "function":
			c.function(t)
		default:
			c.skip()
		}
	}
}

func (c *chunk) function(t *call) {
	if !c.open('{') {
		return
	}
	for first := true; c.member(&first); {
		switch {
		case string(c.key) == "name":
			t.name = c.string()
		case string(c.key) == "arguments" && c.peek() == '{':
			t.arguments = string(c.raw()) // not a text of JSON, as it should be
		case string(c.key) == "arguments":
			t.arguments = c.string()
		default:
			c.skip()
		}
	}
}

// readUsage makes the kinds disjoint: prompt_tokens includes what was read
// from a cache, inputTokens does not. Half a usage is none.
func (c *chunk) readUsage() {
	if !c.open('{') {
		return
	}
	var prompt, completion, cached int64
	var hasPrompt, hasCompletion, hasCached bool
	for first := true; c.member(&first); {
		switch string(c.key) {
		case "prompt_tokens":
			prompt, hasPrompt = c.integer()
		case "completion_tokens":
			completion, hasCompletion = c.integer()
		case "prompt_tokens_details":
			if n, ok := c.cachedTokens(); ok {
				cached, hasCached = n, true
			}
		case "prompt_cache_hit_tokens": // DeepSeek
			if n, ok := c.integer(); ok && !hasCached {
				cached, hasCached = n, true
			}
		default:
			c.skip()
		}
	}
	const most = 1 << 40 // tokens; larger claims are not believed
	if !hasPrompt || !hasCompletion || prompt > most || completion > most {
		return
	}
	cached = min(cached, prompt)
	c.usage = &converse.TokenUsage{InputTokens: prompt - cached, OutputTokens: completion, TotalTokens: prompt + completion}
	if hasCached {
		c.usage.CacheReadInputTokens = &cached
	}
}

func (c *chunk) cachedTokens() (n int64, ok bool) {
	if !c.open('{') {
		return 0, false
	}
	for first := true; c.member(&first); {
		if string(c.key) == "cached_tokens" {
			n, ok = c.integer()
		} else {
			c.skip()
		}
	}
	return n, ok
}

// readFailure reads an error, which is an object or a string.
func (c *chunk) readFailure() {
	if c.null() {
		return
	}
	c.failure = new(failure)
	if c.peek() == '"' {
		c.failure.message = c.string()
		return
	}
	if !c.open('{') {
		return
	}
	for first := true; c.member(&first); {
		switch string(c.key) {
		case "message":
			c.failure.message = c.word()
		case "type":
			c.failure.kind = c.word()
		case "code", "status":
			if w := c.word(); w != "" {
				c.failure.code = w
			}
		default:
			c.skip()
		}
	}
}

// word reads a string or a number as text.
func (c *chunk) word() string {
	switch b := c.peek(); {
	case b == '"':
		return c.string()
	case '0' <= b && b <= '9':
		return string(c.raw())
	}
	c.skip()
	return ""
}
