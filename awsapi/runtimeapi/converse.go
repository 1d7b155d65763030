package runtimeapi

import (
	"encoding/json"
	"net/http"
	"sync"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/gateway"
)

// A conversation is a call with a Converse body, and all that it needs.
type conversation struct {
	call    gateway.Call
	form    gateway.Form
	request converse.Request
	asked   func(*outcrop.Target) (*converse.Request, error) // what call.Request is
	answer  []byte                                           // room for an answer that did not come as it goes
}

// conversations are used again after a whole answer: nobody knows them then.
var conversations = sync.Pool{New: func() any {
	c := new(conversation)
	c.asked = func(*outcrop.Target) (*converse.Request, error) { return &c.request, c.form.Refusal }
	return c
}}

// maxAnswerRoom is how much room for answers is kept.
const maxAnswerRoom = 64 << 10

func (c *conversation) release() {
	room := c.answer[:0]
	if cap(room) > maxAnswerRoom {
		room = nil
	}
	*c = conversation{asked: c.asked, answer: room}
	conversations.Put(c)
}

// converses reads a Converse body. It is checked before the model is looked up,
// as AWS does. What is JSON and breaks Converse's constraints is refused by the
// gateway, unless a Bedrock behind it gets the body as it is.
func converses(r *awsapi.Request, op outcrop.Operation) (*conversation, error) {
	c := conversations.Get().(*conversation)
	err := c.request.Decode(r.Body)
	if err == nil {
		err = c.request.Validate()
	} else if !json.Valid(r.Body) {
		return nil, err
	}
	c.call = callOf(r, op)
	c.form = gateway.Form{Protocol: gateway.ConverseProtocol, Body: r.Body, Digest: r.Digest, Refusal: err}
	c.call.Request, c.call.Form = c.asked, &c.form
	return c, nil
}

func (a *API) converse(w http.ResponseWriter, r *awsapi.Request) error {
	c, err := converses(r, outcrop.OpConverse)
	if err != nil {
		return err
	}
	answer, err := a.Gateway.Converse(r.Context(), &c.call)
	if err != nil {
		return refused(r, err)
	}
	r.ServedIn = answer.ServedIn
	if answer.Forwarded != nil {
		writeForwarded(w, answer)
	} else {
		c.answer = answer.Response.AppendJSON(c.answer)
		writeJSON(w, c.answer)
	}
	if !answer.Kept || answer.Forwarded != nil { // else what is kept may hold parts of the request
		r.Free()
		c.release()
	}
	return nil
}
