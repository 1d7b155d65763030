package converse

import (
	"unicode/utf8"

	"outcrop"
	"outcrop/internal/jsonlex"
)

// What a token is worth before any tokenizer has looked. The figures are
// calibrated against the o200k vocabulary (estimate_test.go): English and code
// run at four bytes a token and a bit, and letters outside ASCII cost more the
// longer their UTF-8 form is.
const (
	asciiBytesPerToken  = 4
	tokensPer3Runes2    = 1 // three letters of two bytes (é, я) in a token
	tokensPer4Runes3    = 3 // four letters of three bytes (漢, 한) in three tokens
	tokensPerMessage    = 4 // role and separators
	tokensPerTool       = 12
	tokensPerImage      = 1600 // what a provider scales a large picture down to
	pdfBytesPerToken    = 25   // a page of 50 kB reads as 2,000 tokens
	officeBytesPerToken = 12   // zipped text and its layout
	mediaBytesPerToken  = 400  // 128 kbit/s of sound at 40 tokens a second
)

// EstimateInputTokens guesses how many tokens a model will read, without a
// tokenizer and in one pass: good enough to reserve quota by, and to bill by
// (marked as estimated) when a backend counts nothing. A text is guessed within
// about a third; pictures and documents only roughly.
func EstimateInputTokens(r *Request) outcrop.Tokens {
	return SizeOf(r).Guess()
}

// A Size is what was counted of a request, for more than one question.
type Size struct{ estimate }

// SizeOf counts. A nil request has no size.
func SizeOf(r *Request) Size {
	if r == nil {
		return Size{}
	}
	return Size{measure(r)}
}

// Guess is EstimateInputTokens.
func (s Size) Guess() outcrop.Tokens { return outcrop.Tokens(s.total()) }

// measure counts everything that a model will read.
func measure(r *Request) (e estimate) {
	for i := range r.System {
		s := &r.System[i]
		e.text(deref(s.Text))
		e.guard(s.GuardContent)
	}
	for i := range r.Messages {
		e.tokens += tokensPerMessage
		for j := range r.Messages[i].Content {
			e.block(&r.Messages[i].Content[j])
		}
	}
	if r.ToolConfig != nil {
		for i := range r.ToolConfig.Tools {
			e.tool(&r.ToolConfig.Tools[i])
		}
	}
	if r.OutputConfig != nil && r.OutputConfig.TextFormat != nil && r.OutputConfig.TextFormat.Structure.JsonSchema != nil {
		e.text(r.OutputConfig.TextFormat.Structure.JsonSchema.Schema)
	}
	for _, v := range r.PromptVariables {
		e.text(deref(v.Text))
	}
	return e
}

// Room that Size.Most leaves for what is not text: guesses may be half
// of the truth, and servers add words of their own around tools and roles.
const (
	mostOverGuess     = 2
	mostFramingTokens = 512
)

// Most is a number of tokens that the input does not exceed: no vocabulary has
// a token of less than one byte. What is no text is bounded by twice its guess,
// as pictures and documents have no such law.
func (s Size) Most() outcrop.Tokens {
	return outcrop.Tokens(s.ascii + 2*s.runes2 + 4*s.runes3 + mostOverGuess*s.tokens + mostFramingTokens)
}

// Caches says whether the request asks for a part of it to be kept in a prompt
// cache, which costs more than reading it once.
func Caches(r *Request) bool {
	for i := range r.System {
		if r.System[i].CachePoint != nil {
			return true
		}
	}
	for i := range r.Messages {
		for j := range r.Messages[i].Content {
			if r.Messages[i].Content[j].CachePoint != nil {
				return true
			}
		}
	}
	if r.ToolConfig != nil {
		for i := range r.ToolConfig.Tools {
			if r.ToolConfig.Tools[i].CachePoint != nil {
				return true
			}
		}
	}
	return false
}

// An estimate counts letters by the length of their UTF-8 form and adds them
// up once, so that many short texts are not each rounded.
type estimate struct {
	tokens                int
	ascii, runes2, runes3 int
}

func (e estimate) total() int {
	return e.tokens + (e.ascii+asciiBytesPerToken-1)/asciiBytesPerToken + (e.runes2*tokensPer3Runes2+2)/3 + (e.runes3*tokensPer4Runes3+3)/4
}

func (e *estimate) text(s string) {
	if jsonlex.ASCII(s) {
		e.ascii += len(s)
		return
	}
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			e.ascii++
		case r < 0x800:
			e.runes2++
		default:
			e.runes3++
		}
	}
}

func (e *estimate) block(b *ContentBlock) {
	e.text(deref(b.Text))
	e.guard(b.GuardContent)
	switch {
	case b.Image != nil:
		e.tokens += tokensPerImage
	case b.Document != nil:
		e.document(b.Document)
	case b.Video != nil:
		e.tokens += b.Video.Source.Bytes.Len() / mediaBytesPerToken
	case b.Audio != nil:
		e.tokens += b.Audio.Source.Bytes.Len() / mediaBytesPerToken
	case b.ToolUse != nil:
		e.tokens += tokensPerMessage
		e.text(b.ToolUse.Name)
		e.ascii += len(b.ToolUse.Input)
	case b.ToolResult != nil:
		e.result(b.ToolResult)
	case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil:
		e.text(b.ReasoningContent.ReasoningText.Text)
	case b.CitationsContent != nil:
		for i := range b.CitationsContent.Content {
			e.text(deref(b.CitationsContent.Content[i].Text))
		}
	case b.SearchResult != nil:
		e.search(b.SearchResult)
	}
}

func (e *estimate) guard(g *GuardrailConverseContentBlock) {
	switch {
	case g == nil:
	case g.Text != nil:
		e.text(g.Text.Text)
	case g.Image != nil:
		e.tokens += tokensPerImage
	}
}

func (e *estimate) result(r *ToolResultBlock) {
	e.tokens += tokensPerMessage
	for i := range r.Content {
		c := &r.Content[i]
		e.text(deref(c.Text))
		e.ascii += len(c.Json)
		switch {
		case c.Image != nil:
			e.tokens += tokensPerImage
		case c.Document != nil:
			e.document(c.Document)
		case c.Video != nil:
			e.tokens += c.Video.Source.Bytes.Len() / mediaBytesPerToken
		case c.SearchResult != nil:
			e.search(c.SearchResult)
		}
	}
}

func (e *estimate) search(s *SearchResultBlock) {
	e.text(s.Source)
	e.text(s.Title)
	for i := range s.Content {
		e.text(s.Content[i].Text)
	}
}

func (e *estimate) document(d *DocumentBlock) {
	e.text(d.Name)
	e.text(d.Context)
	e.text(deref(d.Source.Text))
	for i := range d.Source.Content {
		e.text(deref(d.Source.Content[i].Text))
	}
	switch n := d.Source.Bytes.Len(); d.Format {
	case "pdf":
		e.tokens += n / pdfBytesPerToken
	case "docx", "xlsx", "doc", "xls":
		e.tokens += n / officeBytesPerToken
	default:
		e.ascii += n
	}
}

func (e *estimate) tool(t *Tool) {
	if t.ToolSpec == nil {
		return
	}
	e.tokens += tokensPerTool
	e.text(t.ToolSpec.Name)
	e.text(t.ToolSpec.Description)
	e.ascii += len(t.ToolSpec.InputSchema.Json)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
