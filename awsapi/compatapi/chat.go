package compatapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/converse/native"
)

// A chatHeader is what a chat completion says beside the conversation.
type chatHeader struct {
	header
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// chat answers POST /openai/v1/chat/completions.
func (a *API) chat(w http.ResponseWriter, r *awsapi.Request) error {
	h, err := readHeader(r.Body)
	if err != nil {
		return err
	}
	var more chatHeader
	if err := json.Unmarshal(r.Body, &more); err != nil {
		return outcrop.Errorf(outcrop.Invalid, "stream_options must be an object with include_usage.")
	}
	c := call(r, h, func(t *outcrop.Target) (*converse.Request, error) { return readChat(r.Body, t) })
	answer := native.Answer{ID: string(r.ID), Created: r.Received, Model: outcrop.ModelID(h.Model)}
	if h.Stream {
		stream, err := a.Gateway.ConverseStream(r.Context(), c)
		if err != nil {
			return err
		}
		defer func() { r.ServedIn = stream.ServedIn() }()
		answer.Usage = stream.Usage
		return streamChat(newEvents(w, r), stream.Events, native.OpenAIChat.Chunks(&answer), more.StreamOptions.IncludeUsage)
	}
	got, err := a.Gateway.Converse(r.Context(), c)
	if err != nil {
		return err
	}
	r.ServedIn, answer.Response, answer.Usage = got.ServedIn, got.Response, func() outcrop.Usage { return got.Usage }
	body, err := native.OpenAIChat.Encode(&answer)
	if err != nil {
		return err
	}
	writeJSON(w, r, body)
	return nil
}

// readChat reads a body of chat completions for t. What OpenAI's SDKs send
// without meaning anything by it is left out; what means something and has a
// place in Converse goes there; the rest is carried on to the model, which
// refuses what it does not know.
func readChat(body []byte, t *outcrop.Target) (*converse.Request, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The request body is not a JSON object.")
	}
	said, err := takeCommon(members)
	if err != nil {
		return nil, err
	}
	effort := takeText(members, "reasoning_effort")
	rest, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	request, err := native.OpenAIChat.Decode(rest)
	if err != nil {
		return nil, err
	}
	said.apply(request)
	return request, native.SetEffort(request, t.Model, effort)
}

// common are members that chat completions and responses share.
type common struct {
	tier     string
	metadata map[string]string
}

func (c *common) apply(r *converse.Request) {
	if c.tier != "" {
		r.ServiceTier = &converse.ServiceTier{Type: c.tier}
	}
	r.RequestMetadata = c.metadata
}

// meaningless are members with the values that say nothing.
var meaningless = map[string][]string{
	"n": {"1"}, "logprobs": {"false"}, "top_logprobs": {"0"}, "presence_penalty": {"0", "0.0"}, "frequency_penalty": {"0", "0.0"}, "logit_bias": {"{}"},
	"parallel_tool_calls": {"true"}, "store": {"false", "true"}, "modalities": {`["text"]`},
}

// takeCommon removes the members that are not the model's affair.
func takeCommon(members map[string]json.RawMessage) (c common, err error) {
	for name, values := range meaningless {
		for _, v := range values {
			if string(members[name]) == v || string(members[name]) == "null" {
				delete(members, name)
			}
		}
	}
	for _, name := range []string{"safety_identifier", "prompt_cache_key", "prompt_cache_retention", "amazon-bedrock-guardrailConfig"} {
		if name == "amazon-bedrock-guardrailConfig" && members[name] != nil {
			return c, outcrop.Errorf(outcrop.Invalid, "Guardrails are not applied to compatible endpoints: use Converse with guardrailConfig.")
		}
		delete(members, name)
	}
	switch tier := takeText(members, "service_tier"); tier {
	case "", "auto", "default":
	default:
		c.tier = tier
	}
	if raw, ok := members["metadata"]; ok {
		delete(members, "metadata")
		if json.Unmarshal(raw, &c.metadata) != nil {
			return c, outcrop.Errorf(outcrop.Invalid, "metadata must be an object of strings.")
		}
	}
	if user := takeText(members, "user"); user != "" {
		if c.metadata == nil {
			c.metadata = map[string]string{}
		}
		c.metadata["user"] = user
	}
	return c, nil
}

// takeText removes a member that is a text, and returns it.
func takeText(members map[string]json.RawMessage, name string) string {
	var s string
	if raw, ok := members[name]; ok && json.Unmarshal(raw, &s) == nil {
		delete(members, name)
	}
	return strings.TrimSpace(s)
}

// streamChat writes the chunks of an answer and the mark that ends it. Usage is
// told only to those who asked for it.
func streamChat(out *events, all eventSeq, chunker native.Chunker, usage bool) error {
	for event, err := range all {
		if err != nil {
			return out.fail("openai", err)
		}
		if event.Metadata != nil && !usage {
			continue
		}
		chunks, err := chunker.Chunk(event)
		if err != nil {
			return out.fail("openai", err)
		}
		for _, chunk := range chunks {
			if out.send("", chunk) != nil {
				return nil // the client has gone; leaving the loop settles what was seen
			}
		}
	}
	out.send("", []byte("[DONE]"))
	return nil
}
