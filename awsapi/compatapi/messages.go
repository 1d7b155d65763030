package compatapi

import (
	"encoding/json"
	"iter"
	"net/http"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/converse/native"
)

// An eventSeq is the events of one answer.
type eventSeq = iter.Seq2[converse.Event, error]

// createMessage answers POST /anthropic/v1/messages.
func (a *API) createMessage(w http.ResponseWriter, r *awsapi.Request) error {
	h, err := readHeader(r.Body)
	if err != nil {
		return err
	}
	answer := native.Answer{ID: string(r.ID), Created: r.Received}
	c := call(r, h, func(t *outcrop.Target) (*converse.Request, error) {
		answer.Model = t.Model.ID
		return readMessages(r, t, nil)
	})
	if h.Stream {
		stream, err := a.Gateway.ConverseStream(r.Context(), c)
		if err != nil {
			return err
		}
		defer func() { r.ServedIn = stream.ServedIn() }()
		return streamMessage(newEvents(w, r), stream.Events, native.AnthropicMessages.Chunks(&answer))
	}
	got, err := a.Gateway.Converse(r.Context(), c)
	if err != nil {
		return err
	}
	r.ServedIn, answer.Response = got.ServedIn, got.Response
	body, err := native.AnthropicMessages.Encode(&answer)
	if err != nil {
		return err
	}
	writeJSON(w, r, body)
	return nil
}

// readMessages reads a body of Anthropic's messages. The version and the betas
// stand in headers there, and in the body on Bedrock.
func readMessages(r *awsapi.Request, t *outcrop.Target, fill map[string]any) (*converse.Request, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &members); err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The request body is not a JSON object.")
	}
	said, err := takeAnthropic(members)
	if err != nil {
		return nil, err
	}
	put := func(name string, value any) {
		if _, there := members[name]; !there {
			members[name], _ = json.Marshal(value) // strings and numbers
		}
	}
	put("anthropic_version", "bedrock-2023-05-31")
	if betas := r.HTTP.Header.Values("anthropic-beta"); len(betas) > 0 {
		put("anthropic_beta", splitList(betas))
	}
	for name, value := range fill {
		put(name, value)
	}
	body, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	request, err := native.AnthropicMessages.Decode(native.Silent(body, t))
	if err != nil {
		return nil, err
	}
	said.apply(request)
	return request, nil
}

// takeAnthropic removes what is not the model's affair: who the user is, and
// the tier.
func takeAnthropic(members map[string]json.RawMessage) (c common, err error) {
	if raw, ok := members["metadata"]; ok {
		delete(members, "metadata")
		var m struct {
			User string `json:"user_id"`
		}
		if json.Unmarshal(raw, &m) != nil {
			return c, outcrop.Errorf(outcrop.Invalid, "metadata must be an object with user_id.")
		}
		if m.User != "" {
			c.metadata = map[string]string{"user_id": m.User}
		}
	}
	switch tier := takeText(members, "service_tier"); tier {
	case "", "auto", "standard_only":
	default:
		c.tier = tier
	}
	return c, nil
}

func streamMessage(out *events, all eventSeq, chunker native.Chunker) error {
	for event, err := range all {
		if err != nil {
			return out.fail("anthropic", err)
		}
		chunks, err := chunker.Chunk(event)
		if err != nil {
			return out.fail("anthropic", err)
		}
		for _, chunk := range chunks {
			if out.send(typeOf(chunk), chunk) != nil {
				return nil // the client has gone; leaving the loop settles what was seen
			}
		}
	}
	return nil
}

// typeOf is the name of Anthropic's event: its member "type".
func typeOf(chunk []byte) string {
	var t struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(chunk, &t) != nil {
		return ""
	}
	return t.Type
}

// countMessageTokens answers POST /anthropic/v1/messages/count_tokens: free,
// and recorded nowhere.
func (a *API) countMessageTokens(w http.ResponseWriter, r *awsapi.Request) error {
	h, err := readHeader(r.Body)
	if err != nil {
		return err
	}
	c := call(r, h, func(t *outcrop.Target) (*converse.Request, error) {
		return readMessages(r, t, map[string]any{"max_tokens": 1})
	})
	c.Operation = outcrop.OpCountTokens
	n, err := a.Gateway.CountTokens(r.Context(), c)
	if err != nil {
		return err
	}
	return marshalJSON(w, r, map[string]any{"input_tokens": int64(n)})
}
