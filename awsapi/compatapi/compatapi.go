// Package compatapi answers in the forms of other providers that Bedrock
// Runtime listens in too: OpenAI's chat completions and responses, and
// Anthropic's messages, so that their SDKs and the agents built on them work
// with a Bedrock API key and can name a profile as their model
// (reference/runtime-metering-billing.md §3).
package compatapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/iam"
)

// An API answers the compatible forms.
type API struct {
	Gateway *gateway.Gateway
	// Models are what a caller may name as a model.
	Models func(ctx context.Context, who outcrop.Caller) ([]Model, error)
	// Responses keeps what OpenAI's responses API can be asked for again.
	Responses ResponseStore
	// Strict refuses what AWS refuses: application profiles as the model of a
	// response (reference §3.1).
	Strict bool
}

// OpenAI are the operations of OpenAI's forms.
func (a *API) OpenAI() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Raw("CreateChatCompletion", a.chat),
		awsapi.Raw("CreateEmbedding", a.embed),
		awsapi.Raw("CreateResponse", a.createResponse),
		awsapi.Raw("GetResponse", a.getResponse),
		awsapi.Raw("DeleteResponse", a.deleteResponse),
		awsapi.Raw("CancelResponse", a.cancelResponse),
		awsapi.Raw("ListResponseInputItems", a.listInputItems),
		awsapi.Raw("ListModels", a.listModels),
		awsapi.Raw("GetModel", a.getModel),
	}
}

// Anthropic are the operations of Anthropic's form.
func (a *API) Anthropic() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Raw("CreateMessage", a.createMessage),
		awsapi.Raw("CountMessageTokens", a.countMessageTokens),
		awsapi.Raw("ListAnthropicModels", a.listAnthropicModels),
		awsapi.Raw("GetAnthropicModel", a.getAnthropicModel),
	}
}

// A header is what every body says beside the conversation.
type header struct {
	Model  string `json:"model"`
	Stream bool   `json:"stream"`
}

func readHeader(body []byte) (h header, err error) {
	if err := json.Unmarshal(body, &h); err != nil {
		return h, outcrop.Errorf(outcrop.Invalid, "The request body is not a JSON object with a model.")
	}
	if h.Model == "" {
		return h, outcrop.Errorf(outcrop.Invalid, "model is missing: name a model id, a system-defined profile or the ARN of an application profile.")
	}
	return h, nil
}

// call begins a gateway call. Whatever the form, it is an InvokeModel: that is
// the permission it needs, and what it is recorded as.
func call(r *awsapi.Request, h header, read func(*outcrop.Target) (*converse.Request, error)) *gateway.Call {
	c := &gateway.Call{
		Invocation: r.ID, Operation: outcrop.OpInvokeModel, Caller: r.Caller, Received: r.Received,
		Ref: outcrop.ParseModelRef(h.Model), SDKAttempt: r.HTTP.Header.Get("amz-sdk-invocation-id"),
	}
	if read != nil {
		c.Request = func(t *outcrop.Target) (*converse.Request, error) {
			request, err := read(t)
			if err != nil {
				return nil, err
			}
			return request, request.Validate()
		}
	}
	if h.Stream {
		c.Operation = outcrop.OpInvokeModelStream
	}
	if r.Caller.Bearer {
		c.BearerTokenType = awsapi.BearerTokenType(r.Caller)
	}
	return c
}

// allow asks for permission of something other than an invocation.
func (a *API) allow(r *awsapi.Request, action string) error {
	checks := []iam.Check{{Action: action}}
	if r.Caller.Bearer {
		checks = append([]iam.Check{iam.BearerTokenCheck(awsapi.BearerTokenType(r.Caller), r.Caller.Region)}, checks...)
	}
	return a.Gateway.Policy.Authorize(r.Context(), r.Caller, checks...)
}

func writeJSON(w http.ResponseWriter, r *awsapi.Request, body []byte) {
	h := w.Header()
	identify(h, r)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	w.Write(body) // a client that has gone does not read its answer; the record is kept
}

// identify gives the answer its request id under the names that their SDKs read.
func identify(h http.Header, r *awsapi.Request) {
	h.Set("x-request-id", string(r.ID))
	h.Set("request-id", string(r.ID))
}

func marshalJSON(w http.ResponseWriter, r *awsapi.Request, v any) error {
	body, err := json.Marshal(v)
	if err == nil {
		writeJSON(w, r, body)
	}
	return err
}
