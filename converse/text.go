package converse

// Text is a content block that holds s.
func Text(s string) ContentBlock { return ContentBlock{Text: &s} }
