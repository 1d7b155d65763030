// Package bedrock is an upstream at Amazon Bedrock's own Regions, or at
// anything that answers as they do, such as another Outcrop.
package bedrock

import (
	"context"
	"iter"
	"net/http"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/native"
	"outcrop/internal/memo"
	"outcrop/upstream"
)

// An Upstream answers Attempts in the Regions of their Destinations. It is
// safe for concurrent use, never tries twice, and leaves neither goroutine nor
// connection behind a call that has ended. When a call's context ends,
// errors.Is finds the context's error in the error returned.
type Upstream struct {
	config Config
	keys   keys
	host   *upstream.Host
	forms  map[outcrop.ModelID]native.Family // of models that are called through InvokeModel

	addresses memo.Memo[operationOf, string]
}

// New makes an Upstream and reads where its credentials come from; it asks
// nobody over the network. A nil rt stands for a transport of its own.
func New(ctx context.Context, c Config, rt http.RoundTripper) (*Upstream, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	forms, err := c.forms()
	if err != nil {
		return nil, err
	}
	keys, err := c.Credentials.open(ctx)
	if err != nil {
		return nil, err
	}
	roots, err := trusted(c.CAFile)
	if err != nil {
		return nil, err
	}
	u := &Upstream{config: c, keys: keys, forms: forms}
	u.host = upstream.NewHost(upstream.HostOptions{
		RoundTripper: rt, Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"outcrop"}},
		Secrets: []string{c.Credentials.APIKey, c.Credentials.SecretAccessKey, c.Credentials.SessionToken},
		Sign:    u.sign, Refused: u.refused,
		Limits: c.Limits, Roots: roots,
	})
	return u, nil
}

// Close drops idle connections. Calls under way go on.
func (u *Upstream) Close() error { return u.host.Close() }

// Converse answers at once. Usage is nil when the Region did not report it.
func (u *Upstream) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	model, err := u.called(a)
	if err != nil {
		return nil, err
	}
	if form := u.form(a); form != nil {
		return u.invoke(ctx, a, model, form, r)
	}
	text, err := u.ask(ctx, a, model, "converse", whole(r).AppendJSON(nil))
	if err != nil {
		return nil, err
	}
	response, err := converse.DecodeResponse(text)
	if err != nil {
		return nil, u.host.Failed(a, http.StatusOK, "The model's server answered with broken JSON. Tell the operator.").Because(err)
	}
	if response.Output.Message == nil {
		return nil, u.noAnswer(a, text)
	}
	return response, nil
}

// whole is r without what only ConverseStream knows.
func whole(r *converse.Request) *converse.Request {
	if r.GuardrailConfig == nil || r.GuardrailConfig.StreamProcessingMode == "" {
		return r
	}
	q, guardrail := *r, *r.GuardrailConfig
	guardrail.StreamProcessingMode = ""
	q.GuardrailConfig = &guardrail
	return &q
}

// ConverseStream answers in events. The Region is asked when the sequence is
// first ranged over. The metadata event has no usage when the Region did not
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
	model, err := u.called(a)
	if err != nil {
		return err
	}
	form := u.form(a)
	var post upstream.Post
	if form != nil {
		post, err = u.invocation(a, model, form, r, 1)
	} else {
		post, err = u.post(a, model, "converse-stream", r.AppendJSON(nil))
	}
	if err != nil {
		return err
	}
	began := time.Now()
	return u.host.Stream(ctx, u.config.FirstByteTimeout, &post, func(watch *upstream.Watch, res *http.Response) error {
		s := stream{u: u, attempt: a, watch: watch, yield: yield}
		if form != nil {
			return (&heard{stream: s, began: began}).follow(form, res)
		}
		return s.follow(res)
	})
}

// CountTokens counts in the Region. AWS counts for foundation models and not
// for profiles (reference/runtime-metering-billing.md §1.4), so the model is
// called by its own id, whatever Config.Models says.
func (u *Upstream) CountTokens(ctx context.Context, a outcrop.Attempt, r *converse.Request) (outcrop.Tokens, error) {
	in := converse.CountTokensRequest{Input: converse.CountTokensInput{Converse: &converse.ConverseTokensRequest{
		Messages: r.Messages, System: r.System, ToolConfig: r.ToolConfig, AdditionalModelRequestFields: r.AdditionalModelRequestFields}}}
	if form := u.form(a); form != nil {
		body, err := form.EncodeRequest(r)
		if err != nil {
			return 0, err
		}
		in.Input = converse.CountTokensInput{InvokeModel: &converse.InvokeModelTokensRequest{Body: converse.Encode64(body)}}
	}
	text, err := u.ask(ctx, a, string(a.Destination.Model), "count-tokens", in.AppendJSON(nil))
	if err != nil {
		return 0, err
	}
	counted, err := converse.DecodeCountTokensResponse(text)
	if err != nil || counted.InputTokens <= 0 {
		return 0, u.noAnswer(a, text)
	}
	return outcrop.Tokens(counted.InputTokens), nil
}
