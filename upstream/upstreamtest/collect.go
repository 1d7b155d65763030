package upstreamtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"outcrop/converse"
)

// Collect puts the events of a stream together as a whole answer, and refuses
// events out of the order of reference/runtime-metering-billing.md §1.8. It is
// stricter than clients are.
func Collect(events []converse.Event) (*converse.Response, error) {
	c := collector{open: -1}
	for i, e := range events {
		if err := c.event(e); err != nil {
			return nil, fmt.Errorf("event %d of %d: %w", i, len(events), err)
		}
	}
	if !c.closed {
		return nil, fmt.Errorf("the stream has no metadata")
	}
	return &converse.Response{Output: converse.ConverseOutput{Message: &c.message}, StopReason: c.stop, Usage: c.usage, AdditionalModelResponseFields: c.fields}, nil
}

type collector struct {
	message converse.Message
	open    int64 // index of the open block, -1 for none
	next    int64
	block   converse.ContentBlock
	text    strings.Builder
	stop    string
	fields  json.RawMessage
	usage   *converse.TokenUsage
	closed  bool
}

func (c *collector) event(e converse.Event) error {
	switch {
	case c.closed:
		return fmt.Errorf("something follows the metadata")
	case e.MessageStart != nil:
		if c.message.Role != "" {
			return fmt.Errorf("a second messageStart")
		}
		c.message.Role = e.MessageStart.Role
		return nil
	case c.message.Role == "":
		return fmt.Errorf("the first event is not messageStart")
	case e.Metadata != nil:
		if c.stop == "" {
			return fmt.Errorf("metadata before messageStop")
		}
		c.usage, c.closed = e.Metadata.Usage, true
		return nil
	case c.stop != "":
		return fmt.Errorf("something else than metadata follows messageStop")
	case e.MessageStop != nil:
		if c.open >= 0 {
			return fmt.Errorf("messageStop inside of block %d", c.open)
		}
		c.stop, c.fields = e.MessageStop.StopReason, e.MessageStop.AdditionalModelResponseFields
		return nil
	}
	return c.inBlock(e)
}

func (c *collector) inBlock(e converse.Event) error {
	switch {
	case e.ContentBlockStart != nil:
		s := e.ContentBlockStart
		if err := c.enter(s.ContentBlockIndex, true); err != nil {
			return err
		}
		if use := s.Start.ToolUse; use != nil {
			c.block.ToolUse = &converse.ToolUseBlock{ToolUseId: use.ToolUseId, Name: use.Name}
		}
		return nil
	case e.ContentBlockDelta != nil:
		if err := c.enter(e.ContentBlockDelta.ContentBlockIndex, false); err != nil {
			return err
		}
		return c.delta(&e.ContentBlockDelta.Delta)
	case e.ContentBlockStop != nil:
		if e.ContentBlockStop.ContentBlockIndex != c.open {
			return fmt.Errorf("block %d stops while block %d is open", e.ContentBlockStop.ContentBlockIndex, c.open)
		}
		return c.leave()
	}
	return fmt.Errorf("an empty event")
}

// enter opens block index if it is the next, or stays in it.
func (c *collector) enter(index int64, starting bool) error {
	switch {
	case c.open == index && !starting:
		return nil
	case c.open >= 0:
		return fmt.Errorf("block %d begins while block %d is open", index, c.open)
	case index != c.next:
		return fmt.Errorf("block %d begins where %d should", index, c.next)
	}
	c.open, c.block = index, converse.ContentBlock{}
	c.text.Reset()
	return nil
}

func (c *collector) delta(d *converse.ContentBlockDelta) error {
	switch {
	case d.Text != nil:
		if c.block.Text == nil {
			c.block.Text = new(string)
		}
		c.text.WriteString(*d.Text)
	case d.ToolUse != nil:
		if c.block.ToolUse == nil {
			return fmt.Errorf("tool input in a block that is no tool call")
		}
		c.text.WriteString(d.ToolUse.Input)
	case d.ReasoningContent != nil:
		if c.block.ReasoningContent == nil {
			c.block.ReasoningContent = &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{}}
		}
		if d.ReasoningContent.Text != nil {
			c.text.WriteString(*d.ReasoningContent.Text)
		}
		if d.ReasoningContent.Signature != nil {
			c.block.ReasoningContent.ReasoningText.Signature = *d.ReasoningContent.Signature
		}
	default:
		return fmt.Errorf("an empty delta")
	}
	return nil
}

func (c *collector) leave() error {
	switch text := c.text.String(); {
	case c.block.ToolUse != nil:
		if c.block.ToolUse.Input = json.RawMessage(text); !json.Valid(c.block.ToolUse.Input) {
			c.block.ToolUse.Input, _ = json.Marshal(text) // strings always marshal
		}
	case c.block.ReasoningContent != nil:
		c.block.ReasoningContent.ReasoningText.Text = text
	case c.block.Text != nil:
		c.block.Text = &text
	default:
		return fmt.Errorf("block %d is empty", c.open)
	}
	c.message.Content = append(c.message.Content, c.block)
	c.next, c.open = c.open+1, -1
	return nil
}
