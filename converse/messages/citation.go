package messages

import "outcrop/converse"

// A Citation says where a part of a text is from, with the members of
// all its types.
type Citation struct {
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

// delta is Converse's form of it.
func (c *Citation) delta() *converse.CitationsDelta {
	d := &converse.CitationsDelta{Title: c.Title, Source: c.Source, Location: c.Location()}
	if d.Title == "" {
		d.Title = c.DocumentTitle
	}
	if c.CitedText != "" {
		d.SourceContent = []converse.CitationSourceContentDelta{{Text: c.CitedText}}
	}
	return d
}

// Location is Converse's form of the place; nil for one that it has no form for.
func (c *Citation) Location() *converse.CitationLocation {
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

// CitationOf writes where a part of a text is from.
func CitationOf(d *converse.CitationsDelta) Citation {
	c := Citation{Source: d.Source}
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

// DeltaOf is a citation as a stream tells it.
func DeltaOf(c *converse.Citation) *converse.CitationsDelta {
	d := &converse.CitationsDelta{Title: c.Title, Source: c.Source, Location: c.Location}
	for i := range c.SourceContent {
		if t := c.SourceContent[i].Text; t != nil {
			d.SourceContent = append(d.SourceContent, converse.CitationSourceContentDelta{Text: *t})
		}
	}
	return d
}
