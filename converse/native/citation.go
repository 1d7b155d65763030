package native

import (
	"encoding/json"
	"strings"

	"outcrop/converse"
)

// An anthropicCitation says where a part of a text is from, with the members of
// all its types.
type anthropicCitation struct {
	Type          string `json:"type"`
	CitedText     string `json:"cited_text"`
	Title         string `json:"title,omitempty"`
	DocumentTitle string `json:"document_title,omitempty"`
	Source        string `json:"source,omitempty"`
	URL           string `json:"url,omitempty"`
	Document      *int64 `json:"document_index,omitempty"`
	SearchResult  *int64 `json:"search_result_index,omitempty"`
	StartChar     *int64 `json:"start_char_index,omitempty"`
	EndChar       *int64 `json:"end_char_index,omitempty"`
	StartPage     *int64 `json:"start_page_number,omitempty"`
	EndPage       *int64 `json:"end_page_number,omitempty"`
	StartBlock    *int64 `json:"start_block_index,omitempty"`
	EndBlock      *int64 `json:"end_block_index,omitempty"`
	Index         string `json:"encrypted_index,omitempty"`
	FileID        string `json:"file_id,omitempty"`
}

// wanted says whether a member is there and not empty.
func wanted(raw json.RawMessage) bool {
	s := strings.TrimSpace(string(raw))
	return s != "" && s != "null" && s != "[]"
}

// readCited reads a text of the assistant that cites something.
func readCited(b *anthropicBlock) (converse.ContentBlock, error) {
	var cited []anthropicCitation
	if err := strictly(b.Citations, &cited); err != nil {
		return converse.ContentBlock{}, malformed("#/messages/content/citations: %s", plain(err))
	}
	c := &converse.CitationsContentBlock{Content: []converse.CitationGeneratedContent{{Text: b.Text}}}
	for i := range cited {
		from := &cited[i]
		if from.Index != "" || from.FileID != "" {
			return converse.ContentBlock{}, malformed("#/messages/content/citations: encrypted_index and file_id are not permitted here")
		}
		to := converse.Citation{Title: from.Title + from.DocumentTitle, Source: from.Source, Location: from.location()}
		if from.CitedText != "" {
			to.SourceContent = []converse.CitationSourceContent{{Text: &from.CitedText}}
		}
		c.Citations = append(c.Citations, to)
	}
	return converse.ContentBlock{CitationsContent: c}, nil
}

func (c *anthropicCitation) location() *converse.CitationLocation {
	switch c.Type {
	case "char_location":
		return &converse.CitationLocation{DocumentChar: &converse.DocumentCharLocation{DocumentIndex: c.Document, Start: c.StartChar, End: c.EndChar}}
	case "page_location":
		return &converse.CitationLocation{DocumentPage: &converse.DocumentPageLocation{DocumentIndex: c.Document, Start: c.StartPage, End: c.EndPage}}
	case "content_block_location":
		return &converse.CitationLocation{DocumentChunk: &converse.DocumentChunkLocation{DocumentIndex: c.Document, Start: c.StartBlock, End: c.EndBlock}}
	case "search_result_location":
		return &converse.CitationLocation{SearchResultLocation: &converse.SearchResultLocation{SearchResultIndex: c.SearchResult, Start: c.StartBlock, End: c.EndBlock}}
	case "web_search_result_location":
		return &converse.CitationLocation{Web: &converse.WebLocation{Url: c.URL}}
	}
	return nil
}

// writeCited is a text with what it cites.
func writeCited(c *converse.CitationsContentBlock) map[string]any {
	text, cited := "", []anthropicCitation{}
	for i := range c.Content {
		if c.Content[i].Text != nil {
			text += *c.Content[i].Text
		}
	}
	for i := range c.Citations {
		from := &c.Citations[i]
		d := &converse.CitationsDelta{Title: from.Title, Source: from.Source, Location: from.Location}
		for j := range from.SourceContent {
			if t := from.SourceContent[j].Text; t != nil {
				d.SourceContent = append(d.SourceContent, converse.CitationSourceContentDelta{Text: *t})
			}
		}
		cited = append(cited, citationOf(d))
	}
	return map[string]any{"type": "text", "text": text, "citations": cited}
}

func citationOf(d *converse.CitationsDelta) anthropicCitation {
	c := anthropicCitation{Source: d.Source}
	for i := range d.SourceContent {
		c.CitedText += d.SourceContent[i].Text
	}
	switch l := d.Location; {
	case l != nil && l.DocumentChar != nil:
		c.Type, c.DocumentTitle, c.Document, c.StartChar, c.EndChar = "char_location", d.Title, l.DocumentChar.DocumentIndex, l.DocumentChar.Start, l.DocumentChar.End
	case l != nil && l.DocumentPage != nil:
		c.Type, c.DocumentTitle, c.Document, c.StartPage, c.EndPage = "page_location", d.Title, l.DocumentPage.DocumentIndex, l.DocumentPage.Start, l.DocumentPage.End
	case l != nil && l.DocumentChunk != nil:
		c.Type, c.DocumentTitle, c.Document, c.StartBlock, c.EndBlock = "content_block_location", d.Title, l.DocumentChunk.DocumentIndex, l.DocumentChunk.Start, l.DocumentChunk.End
	case l != nil && l.SearchResultLocation != nil:
		c.Type, c.Title, c.SearchResult, c.StartBlock, c.EndBlock = "search_result_location", d.Title, l.SearchResultLocation.SearchResultIndex, l.SearchResultLocation.Start, l.SearchResultLocation.End
	case l != nil && l.Web != nil:
		c.Type, c.Title, c.URL = "web_search_result_location", d.Title, l.Web.Url
	default:
		c.Type, c.Title = "char_location", d.Title
	}
	return c
}
