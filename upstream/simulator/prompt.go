package simulator

import (
	"encoding/json"

	"github.com/cespare/xxhash/v2"

	"outcrop"
	"outcrop/converse"
)

// What a prompt costs beside its text, in tokens. These are the simulator's
// own numbers, of the size that real models show.
const (
	messageTokens  = 4
	toolSpecTokens = 12
	mediaTokens    = 256     // a video or audio clip, beside its bytes
	bytesPerToken  = 16      // of documents, videos and audio that are not text
	maxImageTokens = 1600    // of one image
	pixelsPerToken = 750     // Anthropic's published rule for images
	unknownPixels  = 1 << 19 // of an image whose size cannot be read
)

// A mark is the end of a block: how many tokens the prompt has up to here, and
// what it says, as a hash of the whole prefix.
type mark struct {
	hash   uint64
	tokens int
	ttl    string // of a cache point right behind the block; empty when there is none
}

// A prompt is a request as a model reads it: tools, system, messages, which is
// also the order of prompt caching (reference/runtime-metering-billing.md §8.5).
type prompt struct {
	tokens *counter
	most   int // tokens that the model takes; beyond them nothing is counted
	total  int
	hash   xxhash.Digest
	marks  []mark
	points int // cache points among the marks
	least  int // tokens below which nothing is cached
}

func (p *prompt) read(a outcrop.Attempt, r *converse.Request) {
	p.hash.Reset()
	p.note("to", string(a.Destination.Region), string(a.Destination.Model))
	p.least = leastCached(a.Destination.Model)
	p.tools(r.ToolConfig)
	for i := range r.System {
		p.system(&r.System[i])
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		p.note("role", m.Role)
		p.total += messageTokens
		for j := range m.Content {
			p.block(&m.Content[j])
		}
	}
}

// note takes strings into the hash that are not counted.
func (p *prompt) note(words ...string) {
	for _, w := range words {
		p.hash.WriteString(w)
		p.hash.Write([]byte{0})
	}
}

// text takes s into hash and count.
func (p *prompt) text(kind, s string) {
	p.note(kind, s)
	p.total += p.tokens.CountTo(p.most-p.total, s)
}

// bytes takes a document of JSON into hash and count.
func (p *prompt) bytes(kind string, b json.RawMessage) {
	if len(b) > 0 {
		p.text(kind, string(b))
	}
}

// end marks the end of a block.
func (p *prompt) end() {
	p.marks = append(p.marks, mark{hash: p.hash.Sum64(), tokens: p.total})
}

// point makes the last mark a cache point.
func (p *prompt) point(c *converse.CachePointBlock) {
	if len(p.marks) == 0 {
		return
	}
	p.marks[len(p.marks)-1].ttl = ttlOf(c)
	p.points++
}

func ttlOf(c *converse.CachePointBlock) string {
	if c.Ttl == "" {
		return ttlShort
	}
	return c.Ttl
}

func (p *prompt) tools(c *converse.ToolConfiguration) {
	if c == nil {
		return
	}
	for i := range c.Tools {
		t := &c.Tools[i]
		switch {
		case t.CachePoint != nil:
			p.point(t.CachePoint)
			continue
		case t.SystemTool != nil:
			p.text("system tool", t.SystemTool.Name)
		case t.ToolSpec != nil:
			p.text("tool", t.ToolSpec.Name)
			p.text("", t.ToolSpec.Description)
			p.bytes("", t.ToolSpec.InputSchema.Json)
			p.total += toolSpecTokens
		}
		p.end()
	}
}

func (p *prompt) system(b *converse.SystemContentBlock) {
	switch {
	case b.CachePoint != nil:
		p.point(b.CachePoint)
		return
	case b.Text != nil:
		p.text("system", *b.Text)
	case b.GuardContent != nil && b.GuardContent.Text != nil:
		p.text("system", b.GuardContent.Text.Text)
	}
	p.end()
}

func (p *prompt) block(b *converse.ContentBlock) {
	switch {
	case b.CachePoint != nil:
		p.point(b.CachePoint)
		return
	case b.Text != nil:
		p.text("text", *b.Text)
	case b.Image != nil:
		p.image(b.Image)
	case b.Document != nil:
		p.document(b.Document)
	case b.Video != nil:
		p.media(b.Video.Format, b.Video.Source.Bytes)
	case b.Audio != nil:
		p.media(b.Audio.Format, b.Audio.Source.Bytes)
	case b.ToolUse != nil:
		p.text("tool use", b.ToolUse.Name)
		p.bytes(b.ToolUse.ToolUseId, b.ToolUse.Input)
		p.total += toolTokens
	case b.ToolResult != nil:
		p.result(b.ToolResult)
	case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil:
		p.text("reasoning", b.ReasoningContent.ReasoningText.Text)
	case b.GuardContent != nil && b.GuardContent.Text != nil:
		p.text("text", b.GuardContent.Text.Text)
	case b.SearchResult != nil:
		p.searchResult(b.SearchResult)
	case b.CitationsContent != nil:
		for i := range b.CitationsContent.Content {
			p.text("cited", deref(b.CitationsContent.Content[i].Text))
		}
	}
	p.end()
}

func (p *prompt) result(r *converse.ToolResultBlock) {
	p.note("tool result", r.ToolUseId, r.Status)
	p.total += messageTokens
	for i := range r.Content {
		c := &r.Content[i]
		switch {
		case c.Text != nil:
			p.text("text", *c.Text)
		case len(c.Json) > 0:
			p.bytes("json", c.Json)
		case c.Image != nil:
			p.image(c.Image)
		case c.Document != nil:
			p.document(c.Document)
		case c.Video != nil:
			p.media(c.Video.Format, c.Video.Source.Bytes)
		case c.SearchResult != nil:
			p.searchResult(c.SearchResult)
		}
	}
}

func (p *prompt) searchResult(r *converse.SearchResultBlock) {
	p.text("search result", r.Source)
	p.text("", r.Title)
	for i := range r.Content {
		p.text("", r.Content[i].Text)
	}
}

func (p *prompt) image(b *converse.ImageBlock) {
	p.note("image", b.Format)
	p.hash.Write(b.Source.Bytes)
	pixels := unknownPixels
	if w, h, ok := imageSize(b.Format, b.Source.Bytes); ok {
		pixels = w * h
	}
	p.total += min(max(pixels/pixelsPerToken, 1), maxImageTokens)
}

func (p *prompt) document(b *converse.DocumentBlock) {
	p.text("document", b.Name)
	p.text(b.Format, b.Context)
	switch {
	case b.Source.Text != nil:
		p.text("", *b.Source.Text)
	case b.Source.Content != nil:
		for i := range b.Source.Content {
			p.text("", deref(b.Source.Content[i].Text))
		}
	case plainText(b.Format):
		if text, err := b.Source.Bytes.Bytes(); err == nil {
			p.text("", string(text))
		}
	default:
		p.hash.Write(b.Source.Bytes)
		p.total += byteLength(b.Source.Bytes)/bytesPerToken + 1
	}
}

func (p *prompt) media(format string, b converse.Base64) {
	p.note("media", format)
	p.hash.Write(b)
	p.total += byteLength(b)/bytesPerToken + mediaTokens
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
