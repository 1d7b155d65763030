// Package anthropic is an upstream at any server that speaks the Messages API:
// api.anthropic.com, or one that is compatible with it.
package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/messages"
	"outcrop/upstream"
)

// An Upstream answers Attempts at one server. It is safe for concurrent use,
// never tries twice, and leaves neither goroutine nor connection behind a call
// that has ended. When a call's context ends, errors.Is finds the context's
// error in the error returned.
type Upstream struct {
	config  Config
	host    *upstream.Host
	address string // URL
	count   string // URL
	beta    string // of every request: the configured anthropic-beta header
}

// New makes an Upstream. A nil rt stands for a transport of its own, tuned for
// many calls to one host.
func New(c Config, rt http.RoundTripper) (*Upstream, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	address, err := messagesURL(c.BaseURL)
	if err != nil {
		return nil, err
	}
	count, err := countURL(address)
	if err != nil {
		return nil, err
	}
	header := c.header()
	u := &Upstream{config: c, address: address, count: count, beta: header.Get("Anthropic-Beta")}
	u.host = upstream.NewHost(upstream.HostOptions{
		RoundTripper: rt, Header: header, Secrets: c.secrets(), Failure: readFailure,
		Limits: c.Limits,
	})
	return u, nil
}

// encode writes r for this server.
func (u *Upstream) encode(a outcrop.Attempt, r *converse.Request) (*messages.Body, error) {
	if err := upstream.Unguarded(r); err != nil {
		return nil, err
	}
	b, err := messages.Encode(r, u.maxTokens(a))
	if err != nil {
		return nil, err
	}
	b.Members["model"] = string(a.Model)
	return b, nil
}

func (u *Upstream) maxTokens(a outcrop.Attempt) outcrop.Tokens {
	if n := u.config.MaxOutput(a.Destination.Model); n > 0 {
		return n
	}
	return defaultMaxTokens
}

// readFailure reads the body of an error; nil when it is none.
func readFailure(text []byte) *upstream.Failure {
	return (*upstream.Failure)(messages.ReadFailure(text))
}

// decodeAnswer reads a whole message.
func (u *Upstream) decodeAnswer(a outcrop.Attempt, text []byte) (*converse.Response, error) {
	r, err := messages.Decode(text)
	return r, u.told(a, err)
}

// told is an error that the reading of an answer ended in, with what is known
// of the server.
func (u *Upstream) told(a outcrop.Attempt, err error) error {
	var failure *messages.Failure
	var broken *outcrop.Error
	switch {
	case errors.As(err, &failure):
		return u.host.InBody(a, (*upstream.Failure)(failure))
	case errors.As(err, &broken):
		return u.host.Failed(a, http.StatusOK, "%s", broken.Message).Because(err)
	}
	return err
}

// Close drops idle connections. Calls under way go on.
func (u *Upstream) Close() error { return u.host.Close() }

// Converse answers at once. Usage is nil when the server did not report it.
func (u *Upstream) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	began := time.Now()
	body, err := u.encode(a, r)
	if err != nil {
		return nil, err
	}
	text, err := u.ask(ctx, u.config.Timeout, u.address, a, body)
	if err != nil {
		return nil, err
	}
	response, err := u.decodeAnswer(a, text)
	if err != nil {
		return nil, err
	}
	response.Metrics.LatencyMs = time.Since(began).Milliseconds()
	return response, nil
}

// CountTokens asks the server. What a request says about the answer is left
// out, because the server counts what goes in.
func (u *Upstream) CountTokens(ctx context.Context, a outcrop.Attempt, r *converse.Request) (outcrop.Tokens, error) {
	body, err := u.encode(a, r)
	if err != nil {
		return 0, err
	}
	body.KeepInput()
	text, err := u.ask(ctx, u.config.IdleTimeout, u.count, a, body)
	if err != nil {
		return 0, err
	}
	var counted struct {
		Input *uint64 `json:"input_tokens"`
	}
	if f := readFailure(text); f != nil {
		return 0, u.host.InBody(a, f)
	}
	if err := json.Unmarshal(text, &counted); err != nil || counted.Input == nil {
		return 0, u.host.Failed(a, http.StatusOK, "The model's server did not count the tokens. Tell the operator.")
	}
	return outcrop.Tokens(*counted.Input), nil
}

// ask sends a request and reads the whole answer.
func (u *Upstream) ask(ctx context.Context, limit time.Duration, address string, a outcrop.Attempt, body *messages.Body) ([]byte, error) {
	post, err := u.post(address, a, body)
	if err != nil {
		return nil, err
	}
	return u.host.Ask(ctx, limit, post)
}

// post writes a request out.
func (u *Upstream) post(address string, a outcrop.Attempt, body *messages.Body) (upstream.Post, error) {
	text, err := json.Marshal(body.Members)
	if err != nil {
		return upstream.Post{}, outcrop.Errorf(outcrop.Invalid, "The request holds a document that is not JSON. Correct it and try again.")
	}
	p := upstream.Post{URL: address, Attempt: a, Body: text}
	if beta := messages.JoinBetas(u.beta, body.Betas); beta != u.beta {
		p.Header = map[string]string{"Anthropic-Beta": beta}
	}
	return p, nil
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
	body, err := u.encode(a, r)
	if err != nil {
		return err
	}
	body.Members["stream"] = true
	post, err := u.post(u.address, a, body)
	if err != nil {
		return err
	}
	return u.host.Stream(ctx, u.config.FirstByteTimeout, &post, func(watch *upstream.Watch, res *http.Response) error {
		s := &stream{u: u, attempt: a, watch: watch, began: began, read: messages.Reader{Yield: yield, Attempt: a}}
		return s.follow(res)
	})
}
