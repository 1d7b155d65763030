package chat

import (
	"strings"

	"outcrop/converse"
)

// part writes a block of a user turn. Tool results have been written before.
func (e *encoder) part(b *converse.ContentBlock) error {
	if text := TextOf(b); text != nil {
		e.textPart(*text)
		return nil
	}
	switch {
	case b.Image != nil:
		return e.image(b.Image)
	case b.Document != nil:
		return e.attachment(b.Document)
	case b.Audio != nil:
		return e.audio(b.Audio)
	case b.Video != nil:
		return invalid("This model doesn't support the video field. Remove video and try again.")
	case b.SearchResult != nil:
		e.textPart(SearchText(b.SearchResult))
	}
	return nil
}

func (e *encoder) textPart(text string) {
	e.comma()
	e.raw(`{"type":"text","text":`)
	e.string(text)
	e.raw("}")
}

// image writes a data URL. The base64 text goes through as it came.
func (e *encoder) image(b *converse.ImageBlock) error {
	if b.Source.S3Location != nil {
		return fromS3("image")
	}
	if err := check64("image", b.Source.Bytes); err != nil {
		return err
	}
	e.comma()
	e.raw(`{"type":"image_url","image_url":{"url":"data:image/`)
	e.escaped(b.Format)
	e.raw(";base64,")
	e.b = append(e.b, b.Source.Bytes...)
	e.raw(`"}}`)
	return nil
}

func fromS3(field string) error {
	return invalid("This model doesn't support S3 locations in the %s field. Send the bytes and try again.", field)
}

// check64 keeps what is not base64 from breaking the JSON around it.
func check64(field string, b converse.Base64) error {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '/', c == '=':
		default:
			return invalid("The bytes in the %s field are not base64. Correct them and try again.", field)
		}
	}
	return nil
}

func (e *encoder) audio(b *converse.AudioBlock) error {
	if b.Source.S3Location != nil {
		return fromS3("audio")
	}
	if b.Format != "wav" && b.Format != "mp3" {
		return invalid("This model doesn't support audio in the format %s. Use wav or mp3 and try again.", b.Format)
	}
	if err := check64("audio", b.Source.Bytes); err != nil {
		return err
	}
	e.comma()
	e.raw(`{"type":"input_audio","input_audio":{"data":"`)
	e.b = append(e.b, b.Source.Bytes...)
	e.raw(`"`)
	e.text("format", b.Format)
	e.raw("}}")
	return nil
}

// mediaTypes of documents, by Converse's format.
var mediaTypes = map[string]string{
	"pdf": "application/pdf", "csv": "text/csv", "html": "text/html", "txt": "text/plain", "md": "text/markdown",
	"doc": "application/msword", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xls": "application/vnd.ms-excel", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// attachment writes a document: as text when it is text, else as a file when
// the server takes files.
func (e *encoder) attachment(d *converse.DocumentBlock) error {
	if text, ok := DocumentText(d); ok {
		e.textPart(text)
		return nil
	}
	if d.Source.S3Location != nil {
		return fromS3("document")
	}
	media := mediaTypes[d.Format]
	if !e.config.FileParts || media == "" {
		return invalid("This model doesn't support documents in the format %s. Send it as txt, md, csv or html and try again.", d.Format)
	}
	if err := check64("document", d.Source.Bytes); err != nil {
		return err
	}
	e.comma()
	e.raw(`{"type":"file","file":{`)
	e.text("filename", d.Name+"."+d.Format)
	e.raw(`,"file_data":"data:` + media + ";base64,")
	e.b = append(e.b, d.Source.Bytes...)
	e.raw(`"}}`)
	return nil
}

// DocumentText is the text of a document that is text, with its name and
// context around it.
func DocumentText(d *converse.DocumentBlock) (string, bool) {
	var b strings.Builder
	b.WriteString(`<document name="` + strings.ReplaceAll(d.Name, `"`, "'") + "\">\n")
	if d.Context != "" {
		b.WriteString(d.Context + "\n")
	}
	switch {
	case d.Source.Text != nil:
		b.WriteString(*d.Source.Text)
	case d.Source.Content != nil:
		for i := range d.Source.Content {
			if t := d.Source.Content[i].Text; t != nil {
				b.WriteString(*t + "\n")
			}
		}
	case plainText(d.Format) && d.Source.S3Location == nil:
		text, err := d.Source.Bytes.Bytes()
		if err != nil {
			return "", false
		}
		b.Write(text)
	default:
		return "", false
	}
	b.WriteString("\n</document>")
	return b.String(), true
}

func plainText(format string) bool {
	switch format {
	case "txt", "md", "csv", "html":
		return true
	}
	return false
}

// SearchText is the text of a search result, with where it is from.
func SearchText(r *converse.SearchResultBlock) string {
	var b strings.Builder
	b.WriteString(r.Title + "\n" + r.Source)
	for i := range r.Content {
		b.WriteString("\n" + r.Content[i].Text)
	}
	return b.String()
}

// result writes a tool result as a message of its own, and returns its images,
// which a tool message cannot hold.
func (e *encoder) result(r *converse.ToolResultBlock) ([]*converse.ImageBlock, error) {
	var pictures []*converse.ImageBlock
	var said []string
	for i := range r.Content {
		switch c := &r.Content[i]; {
		case c.Text != nil:
			said = append(said, *c.Text)
		case len(c.Json) > 0:
			said = append(said, string(c.Json))
		case c.Image != nil:
			pictures = append(pictures, c.Image)
			said = append(said, "The image follows.")
		case c.SearchResult != nil:
			said = append(said, SearchText(c.SearchResult))
		case c.Document != nil:
			text, ok := DocumentText(c.Document)
			if !ok {
				return nil, invalid("This model doesn't support documents in the format %s in a tool result. Send text and try again.", c.Document.Format)
			}
			said = append(said, text)
		case c.Video != nil:
			return nil, invalid("This model doesn't support the video field. Remove video and try again.")
		}
	}
	text := strings.Join(said, "\n")
	if r.Status == "error" { // the role tool has no other place for it
		text = "Error: " + text
	}
	e.comma()
	e.raw("{")
	e.text("role", "tool")
	e.text("tool_call_id", r.ToolUseId)
	if e.config.Whole && r.Status != "error" && len(said) != 1 {
		e.member("content")
		e.raw("[")
		for _, s := range said {
			e.textPart(s)
		}
		e.raw("]")
	} else {
		e.text("content", text)
	}
	e.raw("}")
	return pictures, nil
}
