package openai

import (
	"context"
	"encoding/json"
	"net/http"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/chat"
	"outcrop/internal/o200k"
	"outcrop/upstream"
)

// CountTokens asks the server when it can count, and else counts with the
// vocabulary of OpenAI's models, which is near enough for other models' text.
func (u *Upstream) CountTokens(ctx context.Context, a outcrop.Attempt, r *converse.Request) (outcrop.Tokens, error) {
	body, err := appendChat(nil, &u.config, a, r, false)
	if err != nil {
		return 0, err
	}
	if u.count == "" {
		if err := ctx.Err(); err != nil {
			return 0, outcrop.Errorf(outcrop.ModelTimeout, "The request ended before its tokens were counted.").Because(err)
		}
		return countTokens(r), nil
	}
	text, err := u.host.Ask(ctx, u.config.IdleTimeout, upstream.Post{URL: u.count, Attempt: a, Body: body})
	if err != nil {
		return 0, err
	}
	var counted struct {
		Count *uint64 `json:"count"`
	}
	if err := json.Unmarshal(text, &counted); err != nil || counted.Count == nil {
		return 0, u.host.Failed(a, http.StatusOK, "The model's server did not count the tokens. Tell the operator.")
	}
	return outcrop.Tokens(*counted.Count), nil
}

// What a request costs beside its text, in tokens: OpenAI's published numbers
// for messages, and sizes seen for the rest.
const (
	answerTokens  = 3 // that begin the answer
	messageTokens = 4
	imageTokens   = 765 // of an image of 1024 by 1024 pixels
	toolTokens    = 8
	binaryBytes   = 16 // of documents and audio, for one token
)

func countTokens(r *converse.Request) outcrop.Tokens {
	total := answerTokens
	add := func(s string) { total += o200k.Count(s) }
	for i := range r.System {
		if t := r.System[i].Text; t != nil {
			add(*t)
		}
	}
	if r.ToolConfig != nil {
		for i := range r.ToolConfig.Tools {
			if t := r.ToolConfig.Tools[i].ToolSpec; t != nil {
				total += toolTokens
				add(t.Name + " " + t.Description + " " + string(t.InputSchema.Json))
			}
		}
	}
	for i := range r.Messages {
		total += messageTokens
		for j := range r.Messages[i].Content {
			total += blockTokens(&r.Messages[i].Content[j], add)
		}
	}
	return outcrop.Tokens(total)
}

// blockTokens adds the text of a block and returns what it costs beside it.
func blockTokens(b *converse.ContentBlock, add func(string)) int {
	switch {
	case chat.TextOf(b) != nil:
		add(*chat.TextOf(b))
	case b.ToolUse != nil:
		add(b.ToolUse.Name + " " + string(b.ToolUse.Input))
		return toolTokens
	case b.ToolResult != nil:
		for i := range b.ToolResult.Content {
			if t := b.ToolResult.Content[i].Text; t != nil {
				add(*t)
			}
			add(string(b.ToolResult.Content[i].Json))
		}
		return toolTokens
	case b.Image != nil:
		return imageTokens
	case b.Document != nil:
		if text, ok := chat.DocumentText(b.Document); ok {
			add(text)
			return 0
		}
		return len(b.Document.Source.Bytes) / binaryBytes
	case b.Audio != nil:
		return len(b.Audio.Source.Bytes) / binaryBytes
	case b.SearchResult != nil:
		add(chat.SearchText(b.SearchResult))
	}
	return 0
}
