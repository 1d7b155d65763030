package simulator

import (
	"slices"
	"strings"
	"unicode"

	"outcrop"
	"outcrop/converse"
	"outcrop/upstream"
)

// The roles of a message. Newer SDKs also send system messages among the
// others (reference/runtime-metering-billing.md §1.6).
const (
	roleUser      = "user"
	roleAssistant = "assistant"
	roleSystem    = "system"
)

// validate refuses what AWS refuses before a model is asked. The words are
// those of Converse; reference/runtime-metering-billing.md §1.6 and §1.9.
func (s *Simulator) validate(a outcrop.Attempt, r *converse.Request) error {
	for _, check := range []func(outcrop.Attempt, *converse.Request) error{
		validateGuardrail, validateRanges, validateTurns, validateContent, validateTools, validateCachePoints, validateFields, s.validateModel,
	} {
		if err := check(a, r); err != nil {
			return err
		}
	}
	return nil
}

func validateGuardrail(_ outcrop.Attempt, r *converse.Request) error { return upstream.Unguarded(r) }

func invalid(format string, args ...any) error {
	return outcrop.Errorf(outcrop.Invalid, format, args...)
}

// refused is how AWS passes on what the model itself does not take.
func refused(format string, args ...any) error {
	return invalid("The model returned the following errors: "+format, args...)
}

func validateRanges(_ outcrop.Attempt, r *converse.Request) error {
	c := r.InferenceConfig
	if c == nil {
		return nil
	}
	if c.MaxTokens != nil && *c.MaxTokens < 1 {
		return outOfRange(*c.MaxTokens, "maxTokens", "greater than or equal to 1")
	}
	for _, x := range []struct {
		name  string
		value *float64
	}{{"temperature", c.Temperature}, {"topP", c.TopP}} {
		if x.value != nil && *x.value < 0 {
			return outOfRange(*x.value, x.name, "greater than or equal to 0")
		}
		if x.value != nil && !(*x.value <= 1) {
			return outOfRange(*x.value, x.name, "less than or equal to 1")
		}
	}
	if slices.Contains(c.StopSequences, "") {
		return invalid("1 validation error detected: Value at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must satisfy constraint: [Member must have length greater than or equal to 1]")
	}
	return nil
}

func outOfRange(value any, member, rule string) error {
	return invalid("1 validation error detected: Value '%v' at 'inferenceConfig.%s' failed to satisfy constraint: Member must have value %s", value, member, rule)
}

// validateTurns wants a user first, and turns that alternate.
func validateTurns(_ outcrop.Attempt, r *converse.Request) error {
	last := ""
	for i := range r.Messages {
		role := r.Messages[i].Role
		switch {
		case role == roleSystem:
			continue
		case role != roleUser && role != roleAssistant:
			return invalid("1 validation error detected: Value '%s' at 'messages.%d.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]", role, i+1)
		case last == "" && role != roleUser:
			return invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
		case role == last:
			return invalid("A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.")
		}
		last = role
	}
	if last == "" {
		return invalid("The messages field is required and cannot be empty. Add at least one user message and try again.")
	}
	if last == roleAssistant {
		return validatePrefill(r)
	}
	return nil
}

// validatePrefill looks at an assistant turn at the end, which the answer is to
// go on from.
func validatePrefill(r *converse.Request) error {
	content := r.Messages[len(r.Messages)-1].Content
	if len(content) == 0 {
		return nil // told by validateContent
	}
	text := content[len(content)-1].Text
	if text != nil && strings.TrimRightFunc(*text, unicode.IsSpace) != *text {
		return refused("messages: final assistant content cannot end with trailing whitespace")
	}
	return nil
}

func validateContent(_ outcrop.Attempt, r *converse.Request) error {
	for i := range r.System {
		if t := r.System[i].Text; t != nil && blank(*t) {
			return invalid("The text field in the SystemContentBlock object at system.%d is blank. Add text to the text field, and try again.", i)
		}
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		if len(m.Content) == 0 {
			return invalid("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
		}
		if err := validateBlocks(i, m); err != nil {
			return err
		}
	}
	return nil
}

func validateBlocks(i int, m *converse.Message) error {
	var text, document bool
	for j := range m.Content {
		b := &m.Content[j]
		if b.Text != nil && blank(*b.Text) {
			return invalid("The text field in the ContentBlock object at messages.%d.content.%d is blank. Add text to the text field, and try again.", i, j)
		}
		if m.Role == roleAssistant && (b.Image != nil || b.Document != nil || b.ToolResult != nil) {
			return invalid("The content field in the Message object at messages.%d holds a block that only a user may send. Remove it and try again.", i)
		}
		text = text || b.Text != nil
		document = document || b.Document != nil
	}
	if document && !text {
		return invalid("A text block must be included in the message at messages.%d because it includes a document block. Add a text block and try again.", i)
	}
	return nil
}

func blank(s string) bool { return strings.TrimFunc(s, unicode.IsSpace) == "" }

// validateCachePoints keeps the rules of prompt caching
// (reference/runtime-metering-billing.md §8.5, librechat.md #13838).
func validateCachePoints(a outcrop.Attempt, r *converse.Request) error {
	points := cachePoints(r)
	if r.ToolConfig != nil && strings.Contains(string(a.Destination.Model), "nova") {
		for i := range r.ToolConfig.Tools {
			if r.ToolConfig.Tools[i].CachePoint != nil {
				return invalid("Malformed input request: #/toolConfig/tools/%d: extraneous key [cachePoint] is not permitted, please reformat your input and try again.", i)
			}
		}
	}
	if len(points) > maxCachePoints {
		return refused("A maximum of %d blocks with cache_control may be provided. Found %d.", maxCachePoints, len(points))
	}
	short := false
	for _, p := range points {
		if ttlOf(p) == ttlLong && short {
			return refused("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.")
		}
		short = short || ttlOf(p) == ttlShort
	}
	return nil
}

const maxCachePoints = 4

// cachePoints in the order of caching.
func cachePoints(r *converse.Request) []*converse.CachePointBlock {
	var points []*converse.CachePointBlock
	add := func(p *converse.CachePointBlock) {
		if p != nil {
			points = append(points, p)
		}
	}
	if r.ToolConfig != nil {
		for i := range r.ToolConfig.Tools {
			add(r.ToolConfig.Tools[i].CachePoint)
		}
	}
	for i := range r.System {
		add(r.System[i].CachePoint)
	}
	for i := range r.Messages {
		for j := range r.Messages[i].Content {
			add(r.Messages[i].Content[j].CachePoint)
		}
	}
	return points
}

// validateModel keeps the limits of a known model.
func (s *Simulator) validateModel(a outcrop.Attempt, r *converse.Request) error {
	m, ok := s.model(a)
	if !ok {
		return nil
	}
	if c := r.InferenceConfig; c != nil && c.MaxTokens != nil && m.MaxOutput > 0 && *c.MaxTokens > int64(m.MaxOutput) {
		return invalid("The maximum tokens you requested exceeds the model limit of %d. Try again with a maximum tokens value that is lower than %d.", m.MaxOutput, m.MaxOutput)
	}
	if len(m.InputModalities) > 0 && !slices.Contains(m.InputModalities, "IMAGE") && has(r, func(b *converse.ContentBlock) bool { return b.Image != nil }) {
		return invalid("This model doesn't support the image field. Remove image and try again.")
	}
	return nil
}

// has says whether a block of any message is as wanted.
func has(r *converse.Request, wanted func(*converse.ContentBlock) bool) bool {
	for i := range r.Messages {
		if slices.ContainsFunc(r.Messages[i].Content, func(b converse.ContentBlock) bool { return wanted(&b) }) {
			return true
		}
	}
	return false
}
