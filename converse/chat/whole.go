package chat

import "outcrop/converse"

// wholly refuses what chat completions have no words for, by its name.
// Documents, search results, a tool's JSON and its failure are told as text.
func wholly(r *converse.Request) error {
	for i := range r.System {
		if err := plainly(r.System[i].CachePoint != nil, r.System[i].GuardContent != nil); err != nil {
			return err
		}
	}
	for i := range r.Messages {
		for j := range r.Messages[i].Content {
			b := &r.Messages[i].Content[j]
			if err := plainly(b.CachePoint != nil, b.GuardContent != nil); err != nil {
				return err
			}
			if t := b.ReasoningContent; t != nil && (t.ReasoningText == nil || t.ReasoningText.Signature != "") {
				return unsaid("reasoningContent.signature and redactedContent")
			}
			if c := b.CitationsContent; c != nil && len(c.Citations) > 0 {
				return unsaid("citationsContent.citations")
			}
		}
	}
	if r.ToolConfig != nil {
		for i := range r.ToolConfig.Tools {
			if err := plainly(r.ToolConfig.Tools[i].CachePoint != nil, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func plainly(cachePoint, guardContent bool) error {
	switch {
	case cachePoint:
		return unsaid("cachePoint")
	case guardContent:
		return unsaid("guardContent")
	}
	return nil
}

func unsaid(field string) error {
	return invalid("This model doesn't support the %s field. Remove %s and try again.", field, field)
}
