package openai

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/converse/task"
	"outcrop/upstream"
)

// Do asks for vectors at /v1/embeddings, for rankings at /v1/rerank as vLLM
// and llama.cpp have it, and for pictures at /v1/images/generations.
func (u *Upstream) Do(ctx context.Context, a outcrop.Attempt, r *task.Request) (*task.Response, error) {
	switch {
	case r.Embed != nil:
		return u.embed(ctx, a, r.Embed)
	case r.Rerank != nil:
		return u.rerank(ctx, a, r.Rerank)
	}
	return u.paint(ctx, a, r.Image)
}

// beside is the address of another operation of the server.
func (u *Upstream) beside(operation string) string {
	at, err := url.Parse(u.chat)
	if err != nil {
		return u.chat
	}
	at.Path = strings.TrimSuffix(at.Path, "/chat/completions") + operation
	return at.String()
}

// ask posts in and reads the answer into out.
func (u *Upstream) ask(ctx context.Context, a outcrop.Attempt, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	text, err := u.host.Ask(ctx, u.config.Timeout, upstream.Post{URL: u.beside(operation), Attempt: a, Body: body})
	if err != nil {
		return err
	}
	if f := readFailure(text); f != nil {
		return u.host.InBody(a, f)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return u.host.Failed(a, http.StatusOK, "The model's server answered with broken JSON. Tell the operator.").Because(err)
	}
	return nil
}

// counted is usage as any of the three operations tells it.
type counted struct {
	Prompt *int64 `json:"prompt_tokens"`
	Total  *int64 `json:"total_tokens"`
}

func (c *counted) tokens() *int64 { return cmp.Or(c.Prompt, c.Total) }

func (u *Upstream) embed(ctx context.Context, a outcrop.Attempt, e *task.Embed) (*task.Response, error) {
	in := map[string]any{"model": a.Model, "encoding_format": "float"}
	texts := make([]string, len(e.Inputs))
	for i := range e.Inputs {
		if len(e.Inputs[i].Image) > 0 {
			return nil, outcrop.Errorf(outcrop.Invalid, "The model's server embeds texts only, no pictures.")
		}
		texts[i] = e.Inputs[i].Text
	}
	in["input"] = texts
	if u.config.Dimensions && e.Dimensions > 0 {
		in["dimensions"] = e.Dimensions
	}
	var out struct {
		Data []struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
		Usage counted `json:"usage"`
	}
	if err := u.ask(ctx, a, "/embeddings", in, &out); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	for _, d := range out.Data {
		if d.Index < 0 || d.Index >= len(vectors) || vectors[d.Index] != nil || len(d.Embedding) == 0 {
			return nil, u.host.Failed(a, http.StatusOK, "The model's server mixed up its vectors. Tell the operator.")
		}
		vectors[d.Index] = d.Embedding
	}
	if slices.ContainsFunc(vectors, func(v []float32) bool { return v == nil }) {
		return nil, u.host.Failed(a, http.StatusOK, "The model's server left out a vector. Tell the operator.")
	}
	return &task.Response{Vectors: vectors, Tokens: out.Usage.tokens()}, nil
}

func (u *Upstream) rerank(ctx context.Context, a outcrop.Attempt, r *task.Rerank) (*task.Response, error) {
	in := map[string]any{"model": a.Model, "query": r.Query, "documents": r.Documents}
	if r.Top > 0 {
		in["top_n"] = r.Top
	}
	var out struct {
		Results []struct {
			Index int     `json:"index"`
			Score float64 `json:"relevance_score"`
		} `json:"results"`
		Usage counted `json:"usage"`
	}
	if err := u.ask(ctx, a, "/rerank", in, &out); err != nil {
		return nil, err
	}
	w := &task.Response{Tokens: out.Usage.tokens()}
	for _, d := range out.Results {
		if d.Index < 0 || d.Index >= len(r.Documents) {
			return nil, u.host.Failed(a, http.StatusOK, "The model's server ranked a document that it was not given. Tell the operator.")
		}
		w.Ranking = append(w.Ranking, task.Ranked{Index: d.Index, Score: d.Score})
	}
	slices.SortStableFunc(w.Ranking, func(a, b task.Ranked) int { return cmp.Compare(b.Score, a.Score) })
	if r.Top > 0 && r.Top < len(w.Ranking) {
		w.Ranking = w.Ranking[:r.Top]
	}
	return w, nil
}

func (u *Upstream) paint(ctx context.Context, a outcrop.Attempt, i *task.Image) (*task.Response, error) {
	if i.Task != "TEXT_IMAGE" || len(i.Sources) > 0 || len(i.Extra) > 0 || i.Negative != "" {
		return nil, outcrop.Errorf(outcrop.Invalid, "The model's server makes pictures from one prompt only: leave out source images, negative prompts and styles.")
	}
	in := map[string]any{"model": a.Model, "prompt": i.Prompt, "n": i.Count, "size": strconv.Itoa(i.Width) + "x" + strconv.Itoa(i.Height), "response_format": "b64_json"}
	var out struct {
		Data []struct {
			Picture []byte `json:"b64_json"`
		} `json:"data"`
	}
	if err := u.ask(ctx, a, "/images/generations", in, &out); err != nil {
		return nil, err
	}
	w := new(task.Response)
	for _, d := range out.Data {
		if len(bytes.TrimSpace(d.Picture)) == 0 {
			return nil, u.host.Failed(a, http.StatusOK, "The model's server answered without a picture. Tell the operator.")
		}
		w.Images = append(w.Images, d.Picture)
	}
	return w, nil
}
