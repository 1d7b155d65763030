package compatapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/gateway"
)

// KeepResponses is how long they are stored (reference §3.1).
const KeepResponses = 30 * 24 * time.Hour

// maxStoredBytes bounds one stored conversation.
const maxStoredBytes = 8 << 20

// ResponseStore keeps responses; sqlite.DB is one. One that is not there, or
// another account's or Region's, is NotFound.
type ResponseStore interface {
	// PutResponse lets go of those that are older than keep.
	PutResponse(ctx context.Context, r outcrop.StoredResponse, keep time.Duration) error
	Response(ctx context.Context, account outcrop.AccountID, region outcrop.Region, id string) (outcrop.StoredResponse, error)
	DeleteResponse(ctx context.Context, account outcrop.AccountID, region outcrop.Region, id string) error
}

// createResponse answers POST /openai/v1/responses.
func (a *API) createResponse(w http.ResponseWriter, r *awsapi.Request) error {
	body, err := readResponse(r.Body)
	if err != nil {
		return err
	}
	if a.Strict && outcrop.ParseModelRef(body.Model).Kind == outcrop.RefApplicationProfile {
		return outcrop.Errorf(outcrop.Invalid, "Application inference profiles are not supported by the Responses API. Use a model id or a system-defined profile.")
	}
	items, err := a.conversation(r, body)
	if err != nil {
		return err
	}
	p := &reply{id: "resp_" + strings.ReplaceAll(string(r.ID), "-", ""), body: body, created: r.Received}
	if p.stored, err = storable(body, items); err != nil {
		return err
	}
	c := call(r, body.header, func(t *outcrop.Target) (*converse.Request, error) { return body.conversation(items, t) })
	if body.Stream {
		return a.streamResponse(w, r, c, p, items)
	}
	answer, err := a.Gateway.Converse(r.Context(), c)
	if err != nil {
		return err
	}
	r.ServedIn, p.settled = answer.ServedIn, func() outcrop.Usage { return answer.Usage }
	told := newTeller(p, func(string, map[string]any) error { return nil })
	for event := range answer.Response.Events() {
		if err := told.event(&event); err != nil {
			return err
		}
	}
	if err := a.store(r, p, items); err != nil {
		return err
	}
	return marshalJSON(w, r, p.object())
}

// streamResponse tells the response as it is made.
func (a *API) streamResponse(w http.ResponseWriter, r *awsapi.Request, c *gateway.Call, p *reply, items []json.RawMessage) error {
	stream, err := a.Gateway.ConverseStream(r.Context(), c)
	if err != nil {
		return err
	}
	defer func() { r.ServedIn = stream.ServedIn() }()
	p.settled = stream.Usage
	out := newEvents(w, r)
	told := newTeller(p, func(name string, event map[string]any) error {
		data, err := json.Marshal(event)
		if err != nil {
			return err
		}
		return out.send(name, data)
	})
	for event, err := range stream.Events {
		if err != nil {
			return out.fail("openai", err)
		}
		if told.event(&event) != nil {
			return nil // the client has gone; leaving the loop settles what was seen
		}
	}
	if err := a.store(r, p, items); err != nil {
		return out.fail("openai", err)
	}
	told.end() // a client that has gone does not read the end; the record is kept
	return nil
}

// conversation is the input with all that came before it.
func (a *API) conversation(r *awsapi.Request, b *responseBody) ([]json.RawMessage, error) {
	items, err := b.items()
	if err != nil || b.Previous == "" {
		return items, err
	}
	if err := a.allow(r, "bedrock:GetInvoke"); err != nil {
		return nil, err
	}
	before, err := a.Responses.Response(r.Context(), r.Caller.Account, r.Caller.Region, b.Previous)
	if err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "Previous response with id '%s' not found.", b.Previous)
	}
	return append(append(before.Input, before.Output...), items...), nil
}

// storable says whether the response is kept. One too large is not, and is
// refused when that was asked for by word.
func storable(b *responseBody, items []json.RawMessage) (bool, error) {
	if b.Store != nil && !*b.Store {
		return false, nil
	}
	size := 0
	for _, it := range items {
		size += len(it)
	}
	if size > maxStoredBytes && b.Store != nil {
		return false, outcrop.Errorf(outcrop.Invalid, "The conversation has %d bytes, and at most %d can be stored: set store to false.", size, maxStoredBytes)
	}
	return size <= maxStoredBytes, nil
}

func (a *API) store(r *awsapi.Request, p *reply, items []json.RawMessage) error {
	if !p.stored {
		return nil
	}
	object, err := json.Marshal(p.object())
	if err != nil {
		return err
	}
	output, err := p.items()
	if err != nil {
		return err
	}
	// The call is answered and billed: that its client goes away loses nothing.
	return a.Responses.PutResponse(context.WithoutCancel(r.Context()), outcrop.StoredResponse{
		ID: p.id, Account: r.Caller.Account, Region: r.Caller.Region, Created: p.created, Object: object, Input: items, Output: output,
	}, KeepResponses)
}

func (a *API) stored(r *awsapi.Request, action string) (outcrop.StoredResponse, error) {
	if err := a.allow(r, action); err != nil {
		return outcrop.StoredResponse{}, err
	}
	s, err := a.Responses.Response(r.Context(), r.Caller.Account, r.Caller.Region, r.Labels.Get("responseId"))
	if err == nil && time.Since(s.Created) > KeepResponses {
		err = outcrop.Errorf(outcrop.NotFound, "Response with id '%s' not found.", s.ID)
	}
	return s, err
}

func (a *API) getResponse(w http.ResponseWriter, r *awsapi.Request) error {
	s, err := a.stored(r, "bedrock:GetInvoke")
	if err != nil {
		return err
	}
	writeJSON(w, r, s.Object)
	return nil
}

func (a *API) deleteResponse(w http.ResponseWriter, r *awsapi.Request) error {
	s, err := a.stored(r, "bedrock:DeleteInvoke")
	if err != nil {
		return err
	}
	if err := a.Responses.DeleteResponse(r.Context(), s.Account, s.Region, s.ID); err != nil {
		return err
	}
	return marshalJSON(w, r, map[string]any{"id": s.ID, "object": "response.deleted", "deleted": true})
}

// cancelResponse has nothing to cancel: no response runs in the background.
func (a *API) cancelResponse(_ http.ResponseWriter, r *awsapi.Request) error {
	if _, err := a.stored(r, "bedrock:CancelInvoke"); err != nil {
		return err
	}
	return outcrop.Errorf(outcrop.Invalid, "Cannot cancel a synchronous response.")
}

func (a *API) listInputItems(w http.ResponseWriter, r *awsapi.Request) error {
	s, err := a.stored(r, "bedrock:GetInvoke")
	if err != nil {
		return err
	}
	input := s.Input
	if input == nil {
		input = []json.RawMessage{}
	}
	return marshalJSON(w, r, map[string]any{"object": "list", "data": input, "has_more": false})
}
