package chat

import (
	"strings"
	"unicode/utf8"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/jsonlex"
)

// A Chunk is what one chat.completion.chunk says, or a whole chat.completion:
// the two differ in the name of one member.
type Chunk struct {
	lenient
	Choice    bool // there is one
	Text      string
	Reasoning string
	Calls     []Call
	Finish    string // finish_reason, empty while there is none
	Matched   string // the stop sequence that was met, where the server tells
	Usage     *converse.TokenUsage
	Parts     outcrop.PerKind[outcrop.Tokens] // of Usage: reasoning and speech
	Failure   *Failure

	mold    jsonlex.Mold // of the last one, if it said one piece of text or thought and nothing else
	thought bool         // which of the two it was
	words   int          // strings of text and thought in this one
	inside  jsonlex.Span // of the last
	kept    strings.Builder
}

// A Failure is an error as a server's body tells it.
type Failure struct {
	Message, Kind string
	Code          string // a word, or a number written out
}

// A Call is a piece of a tool call, or all of it.
type Call struct {
	index               int64
	id, name, arguments string
}

// Decode reads b and says whether it is one JSON object.
func (c *Chunk) Decode(b []byte) bool {
	c.Choice, c.Text, c.Reasoning, c.Finish, c.Matched = false, "", "", "", ""
	c.Calls, c.Usage, c.Failure = c.Calls[:0], nil, nil
	c.Parts = outcrop.PerKind[outcrop.Tokens]{}
	return c.again(b) || c.read(b)
}

// again reads what differs from the last one only in its words.
func (c *Chunk) again(b []byte) bool {
	holes, fits := c.mold.Fit(b)
	switch {
	case !fits:
		return false
	case c.thought:
		c.Reasoning = c.keep(holes[0])
	default:
		c.Text = c.keep(holes[0])
	}
	c.Choice = true
	return true
}

// keptBytes is how much text shares an allocation.
const keptBytes = 256

// keep makes a string of b, which may outlive the text.
func (c *Chunk) keep(b []byte) string {
	if c.kept.Len()+len(b) > c.kept.Cap() {
		c.kept.Reset() // its memory stays with the strings made of it
		c.kept.Grow(max(len(b), keptBytes))
	}
	c.kept.Write(b)
	all := c.kept.String()
	return all[len(all)-len(b):]
}

// remember has again know b, if it says one piece of text or thought and
// nothing else. A string with escapes is longer than what it means.
func (c *Chunk) remember(b []byte) {
	said := c.Text + c.Reasoning
	if c.Choice && c.words == 1 && said != "" && c.inside.To-c.inside.From == len(said) &&
		len(c.Calls) == 0 && c.Usage == nil && c.Failure == nil && c.Finish == "" && c.Matched == "" && utf8.Valid(b) {
		c.thought = c.Text == ""
		c.mold.Make(b, c.inside)
	}
}

func (c *Chunk) read(b []byte) bool {
	c.words = 0
	if c.reset(b); c.Peek() != jsonlex.ObjectValue {
		return false
	}
	var loose Failure // members of an error that stands by itself
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
	if c.Failure == nil && !answers && loose.Message != "" {
		c.Failure = &Failure{Message: loose.Message, Kind: loose.Kind, Code: loose.Code} // a copy, so that loose stays off the heap
	}
	if c.Done() != nil {
		return false
	}
	c.remember(b)
	return true
}

// choices reads the first choice; more were not asked for.
func (c *Chunk) choices() {
	if !c.array() {
		return
	}
	for c.Element() {
		if c.Choice {
			c.Skip()
			continue
		}
		c.readChoice()
	}
}

func (c *Chunk) readChoice() {
	if !c.object() {
		return
	}
	c.Choice = true
	for c.Member() {
		switch c.Name() {
		case "delta", "message":
			c.readMessage()
		case "finish_reason":
			c.Finish = c.str()
		case "stop_reason": // vLLM: the string met, or a token's number
			c.Matched = c.str()
		default:
			c.Skip()
		}
	}
}

func (c *Chunk) readMessage() {
	if !c.object() {
		return
	}
	for c.Member() {
		switch c.Name() {
		case "content", "refusal":
			if s := c.spoken(c.content); s != "" {
				c.Text += s
			}
		case "reasoning_content", "reasoning": // vLLM and DeepSeek; newer vLLM and OpenRouter. Some send both.
			if s := c.spoken(c.str); s != "" {
				c.Reasoning = s
			}
		case "tool_calls":
			c.toolCalls()
		case "function_call":
			c.Calls = append(c.Calls, Call{})
			c.function(&c.Calls[len(c.Calls)-1])
		default:
			c.Skip()
		}
	}
}

// spoken reads a piece of text or thought, and notes where it stands.
func (c *Chunk) spoken(read func() string) string {
	from := c.Offset() + 1
	s := read()
	if s != "" {
		c.words++
		c.inside = jsonlex.Span{From: from, To: c.End() - 1}
	}
	return s
}

// content is a string, or a list of parts that have one.
func (c *Chunk) content() string {
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

func (c *Chunk) toolCalls() {
	if !c.array() {
		return
	}
	for c.Element() {
		c.Calls = append(c.Calls, Call{index: int64(len(c.Calls))})
		c.toolCall(&c.Calls[len(c.Calls)-1])
	}
}

func (c *Chunk) toolCall(t *Call) {
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

func (c *Chunk) function(t *Call) {
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
func (c *Chunk) readUsage() {
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
		c.Parts = outcrop.PerKind[outcrop.Tokens]{}
		return
	}
	cached.n = min(cached.n, prompt.n)
	c.Usage = &converse.TokenUsage{InputTokens: prompt.n - cached.n, OutputTokens: completion.n, TotalTokens: prompt.n + completion.n}
	if cached.known {
		c.Usage.CacheReadInputTokens = &cached.n
	}
}

// A count of tokens, where it is known.
type count struct {
	n     int64
	known bool
}

func (n *count) read(c *Chunk) {
	const most = 1 << 40 // tokens; larger claims are not believed
	n.n, n.known = c.integer()
	n.known = n.known && n.n <= most
}

// readParts reads what prompt_tokens or completion_tokens consist of. Text is
// what remains; audio says of which kind the speech in it is.
func (c *Chunk) readParts(cached *count, audio outcrop.TokenKind) {
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

func (c *Chunk) part(k outcrop.TokenKind) {
	var n count
	if n.read(c); n.known {
		c.Parts.Set(k, outcrop.Tokens(n.n))
	}
}

// Tell notes what the usage consists of, and the usage itself: some servers
// send it along with every chunk, and an answer that is cut is billed by it.
func (c *Chunk) Tell(a outcrop.Attempt) {
	if a.Told == nil || c.Usage == nil {
		return
	}
	a.Told.Parts, a.Told.Seen = c.Parts, c.Usage.Usage().PerKind
}

// readFailure reads an error, which is an object or a string.
func (c *Chunk) readFailure() {
	if c.Null() {
		return
	}
	c.Failure = new(Failure)
	if c.Peek() == jsonlex.StringValue {
		c.Failure.Message = c.str()
		return
	}
	if !c.object() {
		return
	}
	for c.Member() {
		switch c.Name() {
		case "message":
			c.Failure.Message = c.word()
		case "type":
			c.Failure.Kind = c.word()
		case "code", "status":
			if w := c.word(); w != "" {
				c.Failure.Code = w
			}
		default:
			c.Skip()
		}
	}
}

// ReadFailure reads the body of an error; nil when it is none.
func ReadFailure(body []byte) *Failure {
	var c Chunk
	if !c.Decode(body) {
		return nil
	}
	return c.Failure
}
