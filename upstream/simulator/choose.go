package simulator

import (
	"slices"
	"strings"
	"unicode"

	"outcrop/converse"
)

// chooseTool finds the tool to call, nil for none. A forced choice is kept in
// every turn, as models keep it; left to itself the simulator calls a tool
// once, when the user's text speaks of it, and answers when the result is in.
func (q *question) chooseTool() *converse.ToolSpecification {
	c := q.request.ToolConfig
	if c == nil {
		return nil
	}
	specs := toolSpecs(c)
	if len(specs) == 0 {
		return nil
	}
	choice := c.ToolChoice
	switch {
	case choice != nil && choice.Tool != nil:
		i := slices.IndexFunc(specs, func(s *converse.ToolSpecification) bool { return s.Name == choice.Tool.Name })
		return specs[max(i, 0)] // validated: it is there
	case choice != nil && choice.Any != nil:
		if s := q.mentioned(specs); s != nil {
			return s
		}
		return specs[0]
	case q.answersTool():
		return nil
	}
	return q.mentioned(specs)
}

func toolSpecs(c *converse.ToolConfiguration) []*converse.ToolSpecification {
	var specs []*converse.ToolSpecification
	for i := range c.Tools {
		if c.Tools[i].ToolSpec != nil {
			specs = append(specs, c.Tools[i].ToolSpec)
		}
	}
	return specs
}

func (q *question) answersTool() bool {
	return slices.ContainsFunc(q.last.Content, func(b converse.ContentBlock) bool { return b.ToolResult != nil })
}

// mentioned finds the tool whose name the text holds; then the one whose
// telling words it holds ("weather" for get_weather); then, when the text asks
// for a tool and no particular one, the first.
func (q *question) mentioned(specs []*converse.ToolSpecification) *converse.ToolSpecification {
	text := strings.ToLower(q.text)
	for _, s := range specs {
		if strings.Contains(text, strings.ToLower(s.Name)) {
			return s
		}
	}
	for _, s := range specs {
		if words := tellingWords(s.Name); len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			return s
		}
	}
	for _, phrase := range []string{"use a tool", "use the tool", "use your tool", "call a tool", "call the tool", "gebruik de tool", "도구를 사용", "使用工具"} {
		if strings.Contains(text, phrase) {
			return specs[0]
		}
	}
	return nil
}

// plainWords stand in tool names without telling what the tool is about.
var plainWords = []string{"get", "set", "list", "find", "fetch", "read", "the", "for", "tool", "call", "current", "data", "info", "lookup", "query", "make", "with", "from"}

// tellingWords splits get_weather or getWeather and drops what tells nothing.
func tellingWords(name string) []string {
	var spaced strings.Builder
	for _, r := range name {
		switch {
		case unicode.IsUpper(r):
			spaced.WriteByte(' ')
			spaced.WriteRune(unicode.ToLower(r))
		case unicode.IsLetter(r):
			spaced.WriteRune(r)
		default:
			spaced.WriteByte(' ')
		}
	}
	return slices.DeleteFunc(strings.Fields(spaced.String()), func(w string) bool {
		return len(w) < 4 || slices.Contains(plainWords, w)
	})
}
