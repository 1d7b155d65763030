package messages

import "outcrop/converse"

// wholly refuses what Messages have no words for, by its name, where Encode
// would leave it out. Documents that are text and a tool's JSON are told as
// text.
func wholly(r *converse.Request) error {
	if len(r.System) > 0 && r.System[0].CachePoint != nil && (r.ToolConfig == nil || len(r.ToolConfig.Tools) == 0) {
		return unsupported("cachePoint at the beginning of system")
	}
	for i := range r.System {
		if r.System[i].GuardContent != nil {
			return unsupported("guardContent")
		}
	}
	for i := range r.Messages {
		for j := range r.Messages[i].Content {
			if err := wholeBlock(&r.Messages[i].Content[j]); err != nil {
				return err
			}
		}
	}
	if o := r.OutputConfig; o != nil && o.TextFormat != nil {
		if s := o.TextFormat.Structure.JsonSchema; s != nil && (s.Name != "" || s.Description != "") {
			return unsupported("outputConfig.textFormat.structure.jsonSchema.name and description")
		}
	}
	return nil
}

func wholeBlock(b *converse.ContentBlock) error {
	switch {
	case b.GuardContent != nil:
		return unsupported("guardContent")
	case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil && b.ReasoningContent.ReasoningText.Signature == "":
		return unsupported("reasoningContent without a signature")
	case b.ToolUse != nil && toolID(b.ToolUse.ToolUseId) != b.ToolUse.ToolUseId:
		return unsupported("toolUseId with dots or colons")
	}
	return nil
}
