// Package openai is an upstream at any server that speaks
// /v1/chat/completions: vLLM, llama.cpp, Ollama, OpenAI, Azure.
package openai

import (
	"context"
	"iter"
	"net/http"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/chat"
	"outcrop/upstream"
)

// An Upstream answers Attempts at one server. It is safe for concurrent use,
// never tries twice, and leaves neither goroutine nor connection behind a call
// that has ended. When a call's context ends, errors.Is finds the context's
// error in the error returned.
type Upstream struct {
	config Config
	host   *upstream.Host
	chat   string // URL
	count  string // URL of vLLM's /tokenize, or empty
}

// New makes an Upstream. A nil rt stands for a transport of its own, tuned for
// many calls to one host.
func New(c Config, rt http.RoundTripper) (*Upstream, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	u := &Upstream{config: c, chat: base.chat}
	u.host = upstream.NewHost(upstream.HostOptions{
		RoundTripper: rt, Header: c.header(), Secrets: c.secrets(), Failure: readFailure,
		Limits: c.Limits,
	})
	if c.Tokenize {
		u.count = base.tokenize
	}
	return u, nil
}

// appendChat appends r as this server takes it.
func appendChat(dst []byte, c *Config, a outcrop.Attempt, r *converse.Request, streaming bool) ([]byte, error) {
	if err := upstream.Unguarded(r); err != nil {
		return dst, err
	}
	o := chat.Options{MaxTokensField: c.MaxTokensField, MaxStops: c.MaxStops, FileParts: c.FileParts, ReasoningField: c.ReasoningField}
	return chat.Append(dst, &o, string(a.Model), r, streaming)
}

// readFailure reads the body of an error; nil when it is none.
func readFailure(body []byte) *upstream.Failure { return (*upstream.Failure)(chat.ReadFailure(body)) }

// decodeAnswer reads a whole chat.completion.
func (u *Upstream) decodeAnswer(a outcrop.Attempt, text []byte) (*converse.Response, error) {
	var c chat.Chunk
	switch {
	case !c.Decode(text):
		return nil, u.host.Failed(a, http.StatusOK, "The model's server answered with broken JSON. Tell the operator.")
	case c.Failure != nil:
		return nil, u.host.InBody(a, (*upstream.Failure)(c.Failure))
	case !c.Choice:
		return nil, u.host.Failed(a, http.StatusOK, "The model's server answered without choices. Tell the operator.")
	}
	c.Tell(a)
	return c.Response(a.Invocation), nil
}

// Close drops idle connections. Calls under way go on.
func (u *Upstream) Close() error { return u.host.Close() }

// Converse answers at once. Usage is nil when the server did not report it.
func (u *Upstream) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	began := time.Now()
	asked, told := upstream.Borrow(), upstream.Borrow()
	body, err := appendChat(asked.Bytes, &u.config, a, r, false)
	if err != nil {
		return nil, err
	}
	asked.Bytes = body
	var response *converse.Response
	post := upstream.Post{URL: u.chat, Attempt: a, Body: body, Room: asked}
	err = u.host.Answer(ctx, u.config.Timeout, &post, told, func(text []byte, _ http.Header) (err error) {
		response, err = u.decodeAnswer(a, text)
		return err
	})
	if err != nil {
		return nil, err
	}
	told.Return() // nothing of the response is in it
	response.Metrics.LatencyMs = time.Since(began).Milliseconds()
	return response, nil
}

// ConverseStream answers in events. The server is asked when the sequence is
// first ranged over. The metadata event has no usage when the server did not
// report it.
func (u *Upstream) ConverseStream(ctx context.Context, a outcrop.Attempt, r *converse.Request) iter.Seq2[converse.Event, error] {
	return func(yield func(converse.Event, error) bool) {
		if err := u.stream(ctx, a, r, yield); err != nil {
			yield(converse.Event{}, err)
		}
	}
}

// stream returns an error only while the consumer still listens.
func (u *Upstream) stream(ctx context.Context, a outcrop.Attempt, r *converse.Request, yield func(converse.Event, error) bool) error {
	began := time.Now()
	body, err := appendChat(nil, &u.config, a, r, true)
	if err != nil {
		return err
	}
	post := upstream.Post{URL: u.chat, Attempt: a, Body: body}
	return u.host.Stream(ctx, u.config.FirstByteTimeout, &post, func(watch *upstream.Watch, res *http.Response) error {
		s := &stream{u: u, attempt: a, watch: watch, began: began, say: chat.Speaker{Yield: yield, Invocation: a.Invocation}}
		return s.follow(res)
	})
}
