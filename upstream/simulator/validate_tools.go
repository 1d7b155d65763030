package simulator

import (
	"slices"
	"strings"

	"outcrop"
	"outcrop/converse"
)

// validateTools wants every toolUse answered in the next turn, every
// toolResult asked for, and the choice to name a tool that is there.
func validateTools(_ outcrop.Attempt, r *converse.Request) error {
	used := has(r, func(b *converse.ContentBlock) bool { return b.ToolUse != nil || b.ToolResult != nil })
	if r.ToolConfig == nil {
		if used {
			return invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
		}
		return nil
	}
	if err := validateToolConfig(r.ToolConfig); err != nil || !used {
		return err
	}
	var asked []string // by the turn before
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Role == roleSystem {
			continue
		}
		if err := validateResults(i, m, asked); err != nil {
			return err
		}
		var err error
		if asked, err = toolUseIDs(i, m); err != nil {
			return err
		}
	}
	if len(asked) > 0 {
		return invalid("Expected toolResult blocks at messages.%d.content for the following Ids: %s", len(r.Messages), strings.Join(asked, ", "))
	}
	return nil
}

func validateToolConfig(c *converse.ToolConfiguration) error {
	var names []string
	for i := range c.Tools {
		spec := c.Tools[i].ToolSpec
		if spec == nil {
			continue
		}
		if slices.Contains(names, spec.Name) {
			return invalid("The toolConfig.tools field contains duplicate tool names: %s. Remove the duplicates and try again.", spec.Name)
		}
		names = append(names, spec.Name)
	}
	if c.ToolChoice != nil && c.ToolChoice.Tool != nil && !slices.Contains(names, c.ToolChoice.Tool.Name) {
		return refused("tool_choice: Tool '%s' not found in provided tools", c.ToolChoice.Tool.Name)
	}
	return nil
}

// validateResults compares the results of turn i with what the turn before
// asked.
func validateResults(i int, m *converse.Message, asked []string) error {
	var given []string
	for j := range m.Content {
		if result := m.Content[j].ToolResult; result != nil {
			given = append(given, result.ToolUseId)
		}
	}
	missing := slices.DeleteFunc(slices.Clone(asked), func(id string) bool { return slices.Contains(given, id) })
	switch {
	case len(missing) > 0:
		return invalid("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, strings.Join(missing, ", "))
	case len(given) > len(asked):
		return invalid("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", i)
	}
	return nil
}

func toolUseIDs(i int, m *converse.Message) ([]string, error) {
	var ids []string
	for j := range m.Content {
		use := m.Content[j].ToolUse
		switch {
		case use == nil:
		case m.Role == roleUser:
			return nil, invalid("The toolUse blocks at messages.%d.content must be in an assistant message. Move them and try again.", i)
		case slices.Contains(ids, use.ToolUseId):
			return nil, invalid("The toolUse blocks at messages.%d.content contain duplicate Ids: %s", i, use.ToolUseId)
		default:
			ids = append(ids, use.ToolUseId)
		}
	}
	return ids, nil
}
