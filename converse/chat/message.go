package chat

import (
	"errors"

	"outcrop/converse"
)

var errNotJSON = errors.New("not JSON")

// messages writes the conversation: the system text first, then each turn.
func (e *encoder) messages() error {
	e.raw("[")
	e.system()
	thinking := e.lastQuestion()
	for i := range e.request.Messages {
		m := &e.request.Messages[i]
		var err error
		if m.Role == "assistant" {
			err = e.assistant(m, i > thinking || e.config.Whole)
		} else {
			err = e.user(m)
		}
		if err != nil {
			return err
		}
	}
	e.raw("]")
	return nil
}

// lastQuestion is the index of the last user turn that is not only tool
// results. Reasoning before it is over, and models are not shown it again.
func (e *encoder) lastQuestion() int {
	for i := len(e.request.Messages) - 1; i >= 0; i-- {
		m := &e.request.Messages[i]
		if m.Role == "assistant" {
			continue
		}
		for j := range m.Content {
			if m.Content[j].ToolResult == nil && m.Content[j].CachePoint == nil {
				return i
			}
		}
	}
	return -1
}

// system joins the system texts by newline into one message, which every chat
// template understands.
func (e *encoder) system() {
	open := false
	for i := range e.request.System {
		b := &e.request.System[i]
		text := b.Text
		if b.GuardContent != nil && b.GuardContent.Text != nil {
			text = &b.GuardContent.Text.Text
		}
		if text == nil {
			continue
		}
		if open {
			e.raw(`\n`)
		} else {
			e.comma()
			e.raw(`{"role":"system","content":"`)
			open = true
		}
		if e.escaped(*text); e.config.Whole {
			e.raw(`"}`)
			open = false
		}
	}
	if open {
		e.raw(`"}`)
	}
}

// user writes the tool results of a turn, each a message of its own, and then
// the rest: servers want results right behind the call.
func (e *encoder) user(m *converse.Message) error {
	var pictures []*converse.ImageBlock // that tool results hold; tool messages are text
	rest := false
	for i := range m.Content {
		b := &m.Content[i]
		if b.ToolResult == nil {
			rest = rest || b.CachePoint == nil
			continue
		}
		found, err := e.result(b.ToolResult)
		if err != nil {
			return err
		}
		pictures = append(pictures, found...)
	}
	if !rest && len(pictures) == 0 {
		return nil
	}
	e.comma()
	e.raw("{")
	e.text("role", m.Role)
	e.member("content")
	if err := e.content(m, pictures); err != nil {
		return err
	}
	e.raw("}")
	return nil
}

// content is a string while there is only text, because not every chat
// template takes parts.
func (e *encoder) content(m *converse.Message, pictures []*converse.ImageBlock) error {
	if len(pictures) == 0 && onlyText(m.Content) && !(e.config.Whole && severalTexts(m.Content)) {
		e.texts(m.Content)
		return nil
	}
	e.raw("[")
	for _, p := range pictures {
		if err := e.image(p); err != nil {
			return err
		}
	}
	for i := range m.Content {
		if err := e.part(&m.Content[i]); err != nil {
			return err
		}
	}
	e.raw("]")
	return nil
}

// TextOf is the text of a block that has no other content.
func TextOf(b *converse.ContentBlock) *string {
	switch {
	case b.Text != nil:
		return b.Text
	case b.GuardContent != nil && b.GuardContent.Text != nil:
		return &b.GuardContent.Text.Text
	}
	return nil
}

func onlyText(content []converse.ContentBlock) bool {
	for i := range content {
		if TextOf(&content[i]) == nil && content[i].ToolResult == nil && content[i].CachePoint == nil {
			return false
		}
	}
	return true
}

// severalTexts says whether joining the texts of a turn would lose where one
// ends.
func severalTexts(content []converse.ContentBlock) bool {
	n := 0
	for i := range content {
		if content[i].Text != nil || content[i].CitationsContent != nil {
			n++
		}
	}
	return n > 1
}

// texts writes all text of a turn as one string, joined by newline.
func (e *encoder) texts(content []converse.ContentBlock) {
	e.raw(`"`)
	first := true
	for i := range content {
		text := TextOf(&content[i])
		if text == nil {
			continue
		}
		if !first {
			e.raw(`\n`)
		}
		first = false
		e.escaped(*text)
	}
	e.raw(`"`)
}

// assistant writes text and tool calls of a turn as one message.
func (e *encoder) assistant(m *converse.Message, thinking bool) error {
	e.comma()
	e.raw(`{"role":"assistant","content":`)
	if e.saysText(m) {
		e.spoken(m)
	} else {
		e.raw("null")
	}
	if thinking && e.config.ReasoningField != "" {
		e.reasoning(m)
	}
	calls := false
	for i := range m.Content {
		use := m.Content[i].ToolUse
		if use == nil {
			continue
		}
		if !calls {
			e.raw(`,"tool_calls":[`)
			calls = true
		}
		if err := e.call(use); err != nil {
			return err
		}
	}
	if calls {
		e.raw("]")
	}
	e.raw("}")
	return nil
}

func (e *encoder) saysText(m *converse.Message) bool {
	for i := range m.Content {
		if m.Content[i].Text != nil || m.Content[i].CitationsContent != nil {
			return true
		}
	}
	return false
}

// spoken writes what the assistant said, cited texts among it, as one string.
func (e *encoder) spoken(m *converse.Message) {
	if e.config.Whole && severalTexts(m.Content) {
		e.raw("[")
		for i := range m.Content {
			if b := &m.Content[i]; b.Text != nil || b.CitationsContent != nil {
				e.textPart(said(b))
			}
		}
		e.raw("]")
		return
	}
	e.raw(`"`)
	for i := range m.Content {
		e.escaped(said(&m.Content[i]))
	}
	e.raw(`"`)
}

// said is the text of a block of the assistant's.
func said(b *converse.ContentBlock) string {
	if b.Text != nil {
		return *b.Text
	}
	text := ""
	if b.CitationsContent != nil {
		for i := range b.CitationsContent.Content {
			if t := b.CitationsContent.Content[i].Text; t != nil {
				text += *t
			}
		}
	}
	return text
}

func (e *encoder) reasoning(m *converse.Message) {
	open := false
	for i := range m.Content {
		r := m.Content[i].ReasoningContent
		if r == nil || r.ReasoningText == nil {
			continue
		}
		if !open {
			e.member(e.config.ReasoningField)
			e.raw(`"`)
			open = true
		}
		e.escaped(r.ReasoningText.Text)
	}
	if open {
		e.raw(`"`)
	}
}

func (e *encoder) call(use *converse.ToolUseBlock) error {
	e.comma()
	e.raw("{")
	e.text("id", use.ToolUseId)
	e.raw(`,"type":"function","function":{`)
	e.text("name", use.Name)
	input := "{}"
	if len(use.Input) > 0 {
		input = string(use.Input)
	}
	e.text("arguments", input)
	e.raw("}}")
	return nil
}
