package native

import (
	"encoding/json"

	"outcrop/internal/jsonlex"
)

// Bodies that are plainly right are read in one pass, without copies: with
// images in them they are large, and encoding/json would walk over them again
// for every level. What is in any way unusual is left to encoding/json, whose
// words clients know; where both read a body they agree (FuzzQuick).

// quickParse is parse, for an object that jsonlex takes. The members share the
// body's memory, which nobody changes.
func quickParse(body []byte) (fields, bool) {
	var l jsonlex.Lexer
	if l.Reset(body); l.Peek() != jsonlex.ObjectValue {
		return nil, false
	}
	f := fields{}
	for l.Object(); l.Member(); {
		f[l.Name()] = l.Raw()
	}
	return f, l.Done() == nil
}

// A quick reads messages and notes when something is unusual.
type quick struct {
	jsonlex.Lexer
	odd bool
}

// quickBody is quickParse of an Anthropic body with its messages read on the
// way, so that a picture in them is walked over once.
func quickBody(body []byte) (f fields, messages []anthropicMessage, ok bool) {
	var q quick
	q.Reset(body)
	if !q.is(jsonlex.ObjectValue) {
		return nil, nil, false
	}
	f = fields{}
	for q.Object(); q.goes(q.Member()); {
		switch name := q.Name(); {
		case name != "messages":
			f[name] = q.Raw()
		case messages != nil:
			q.odd = true
		default:
			messages = q.messages()
		}
	}
	return f, messages, !q.odd && q.Done() == nil
}

func (q *quick) messages() []anthropicMessage {
	if !q.is(jsonlex.ListValue) {
		return nil
	}
	list := []anthropicMessage{}
	for q.Array(); q.goes(q.Element()); {
		var m anthropicMessage
		q.message(&m)
		list = append(list, m)
	}
	return list
}

// goes stops a loop at the first oddity.
func (q *quick) goes(more bool) bool { return more && !q.odd }

// is says whether a value of this kind comes next; any other is odd.
func (q *quick) is(v jsonlex.Value) bool {
	if q.Peek() != v {
		q.odd = true
	}
	return !q.odd
}

func (q *quick) string(into *string) {
	if q.is(jsonlex.StringValue) {
		*into = q.String()
	}
}

func (q *quick) text(into **string) {
	var s string
	q.string(&s)
	*into = &s
}

func (q *quick) message(m *anthropicMessage) {
	if !q.is(jsonlex.ObjectValue) {
		return
	}
	for q.Object(); q.goes(q.Member()); {
		switch q.Name() {
		case "role":
			q.string(&m.Role)
		case "content":
			q.content(&m.Content)
		default:
			q.odd = true
		}
	}
}

// content that is given twice is odd: encoding/json merges.
func (q *quick) content(c *anthropicContent) {
	if *c != nil {
		q.odd = true
	}
	if q.Peek() == jsonlex.StringValue {
		*c = anthropicContent{{Type: "text"}}
		q.text(&(*c)[0].Text)
		return
	}
	if !q.is(jsonlex.ListValue) {
		return
	}
	*c = anthropicContent{}
	for q.Array(); q.goes(q.Element()); {
		var b anthropicBlock
		q.block(&b)
		*c = append(*c, b)
	}
}

func (q *quick) block(b *anthropicBlock) {
	if !q.is(jsonlex.ObjectValue) {
		return
	}
	for q.Object(); q.goes(q.Member()); {
		q.blockMember(q.Name(), b)
	}
}

func (q *quick) blockMember(name string, b *anthropicBlock) {
	switch name {
	case "type":
		q.string(&b.Type)
	case "text":
		q.text(&b.Text)
	case "source":
		q.source(b)
	case "id":
		q.string(&b.ID)
	case "name":
		q.string(&b.Name)
	case "input":
		b.Input = json.RawMessage(q.Raw())
	case "tool_use_id":
		q.string(&b.ToolUseID)
	case "content":
		q.content(&b.Content)
	case "thinking":
		q.text(&b.Thinking)
	case "signature":
		q.string(&b.Signature)
	case "cache_control":
		q.cache(b)
	default: // is_error, citations and documents' titles are seldom
		q.odd = true
	}
}

func (q *quick) source(b *anthropicBlock) {
	if !q.is(jsonlex.ObjectValue) || b.Source != nil {
		q.odd = true
		return
	}
	b.Source = new(anthropicSource)
	for q.Object(); q.goes(q.Member()); {
		switch q.Name() {
		case "type":
			q.string(&b.Source.Type)
		case "media_type":
			q.string(&b.Source.MediaType)
		case "data":
			q.string(&b.Source.Data)
		default:
			q.odd = true
		}
	}
}

func (q *quick) cache(b *anthropicBlock) {
	if !q.is(jsonlex.ObjectValue) || b.CacheControl != nil {
		q.odd = true
		return
	}
	b.CacheControl = new(anthropicCache)
	for q.Object(); q.goes(q.Member()); {
		switch q.Name() {
		case "type":
			q.string(&b.CacheControl.Type)
		case "ttl":
			q.string(&b.CacheControl.TTL)
		default:
			q.odd = true
		}
	}
}
