package native

import (
	"encoding/json"
	"strings"

	"outcrop/converse"
	"outcrop/converse/messages"
)

// wanted says whether a member is there and not empty.
func wanted(raw json.RawMessage) bool {
	s := strings.TrimSpace(string(raw))
	return s != "" && s != "null" && s != "[]"
}

// readCited reads a text of the assistant that cites something.
func readCited(b *anthropicBlock) (converse.ContentBlock, error) {
	var cited []messages.Citation
	if err := strictly(b.Citations, &cited); err != nil {
		return converse.ContentBlock{}, malformed("#/messages/content/citations: %s", plain(err))
	}
	c := &converse.CitationsContentBlock{Content: []converse.CitationGeneratedContent{{Text: b.Text}}}
	for i := range cited {
		from := &cited[i]
		if from.Index != "" || from.FileID != "" {
			return converse.ContentBlock{}, malformed("#/messages/content/citations: encrypted_index and file_id are not permitted here")
		}
		to := converse.Citation{Title: from.Title + from.DocumentTitle, Source: from.Source, Location: from.Location()}
		if from.CitedText != "" {
			to.SourceContent = []converse.CitationSourceContent{{Text: &from.CitedText}}
		}
		c.Citations = append(c.Citations, to)
	}
	return converse.ContentBlock{CitationsContent: c}, nil
}

// writeCited is a text with what it cites.
func writeCited(c *converse.CitationsContentBlock) map[string]any {
	text, cited := "", []messages.Citation{}
	for i := range c.Content {
		if c.Content[i].Text != nil {
			text += *c.Content[i].Text
		}
	}
	for i := range c.Citations {
		cited = append(cited, messages.CitationOf(messages.DeltaOf(&c.Citations[i])))
	}
	return map[string]any{"type": "text", "text": text, "citations": cited}
}
