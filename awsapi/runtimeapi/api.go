// Package runtimeapi answers the operations of Amazon Bedrock Runtime: it
// turns the AWS wire into gateway calls and their answers back into wire.
package runtimeapi

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/wire"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/offline"
)

// An API answers Bedrock Runtime.
type API struct {
	Gateway *gateway.Gateway
	Offline *offline.Jobs // what StartAsyncInvoke starts
	Padding bool          // blur the sizes of stream events as AWS does

	// How long a spoken conversation may be silent, and last; 0 is AWS's own.
	SilenceLimit, SessionLimit time.Duration
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Raw("Converse", a.converse),
		awsapi.Raw("ConverseStream", a.converseStream),
		awsapi.Raw("InvokeModel", a.invokeModel),
		awsapi.Raw("InvokeModelWithResponseStream", a.invokeModelStream),
		awsapi.Duplex("InvokeModelWithBidirectionalStream", "/invoke-with-bidirectional-stream", a.invokeModelBidirectional),
		awsapi.Raw("CountTokens", a.countTokens),
		awsapi.Own("StartAsyncInvoke", a.startAsyncInvoke),
		awsapi.OpOn("GetAsyncInvoke", onAsyncInvoke, a.getAsyncInvoke),
		awsapi.Op("ListAsyncInvokes", a.listAsyncInvokes),
	}
}

// call is the part of a gateway call that every operation has.
func call(r *awsapi.Request, op outcrop.Operation) *gateway.Call {
	var bearer string
	if r.Caller.Bearer {
		bearer = awsapi.BearerTokenType(r.Caller)
	}
	return &gateway.Call{
		BearerTokenType: bearer,
		Invocation:      r.ID, Operation: op, Caller: r.Caller, Received: r.Received,
		Ref:        outcrop.ParseModelRef(r.Labels.Get("modelId")),
		SDKAttempt: r.HTTP.Header.Get("Amz-Sdk-Invocation-Id"),
		Body:       r.Body,
	}
}

// conversation reads a Converse body. It is checked before the model is looked
// up, as AWS does. What is JSON and breaks Converse's constraints is refused by
// the gateway, unless a Bedrock behind it gets the body as it is.
func conversation(r *awsapi.Request, c *gateway.Call) error {
	request, err := converse.DecodeRequest(r.Body)
	if err == nil {
		err = request.Validate()
	} else if !json.Valid(r.Body) {
		return err
	}
	c.Request = func(*outcrop.Target) (*converse.Request, error) { return request, err }
	c.Form = &gateway.Form{Protocol: gateway.ConverseProtocol, Body: r.Body, Digest: r.Digest, Refusal: err}
	return nil
}

// refused is what the client is told when a call fails. A modelId that was not
// found may also break the model's own constraints, and AWS checks those
// first; checking them only now keeps a long pattern off the hot path.
func refused(r *awsapi.Request, err error) error {
	if kind := outcrop.KindOf(err); kind != outcrop.Invalid && kind != outcrop.NotFound {
		return err
	}
	if strings.Contains(r.Labels.Get("modelId"), "${") {
		return err // a variable nobody expanded: this error names the cure
	}
	shape := r.Operation.Input.Member("modelId")
	only := &wire.Shape{Name: r.Operation.Input.Name, Type: wire.Structure, Members: []*wire.Member{shape}}
	if broken := wire.Validate(only, map[string]any{"modelId": r.Labels.Get("modelId")}); broken != nil {
		return broken
	}
	return err
}

func (a *API) converse(w http.ResponseWriter, r *awsapi.Request) error {
	c := call(r, outcrop.OpConverse)
	if err := conversation(r, c); err != nil {
		return err
	}
	answer, err := a.Gateway.Converse(r.Context(), c)
	if err != nil {
		return refused(r, err)
	}
	r.ServedIn = answer.ServedIn
	if f := answer.Forwarded; f != nil {
		writeForwarded(w, f)
		r.Free()
		return nil
	}
	room := answers.Get().(*[]byte)
	*room = answer.Response.AppendJSON((*room)[:0])
	writeJSON(w, *room)
	if cap(*room) <= maxAnswerRoom {
		answers.Put(room)
	}
	return nil
}

// answers are written in memory that is used again, unless it has become larger
// than maxAnswerRoom.
var answers = sync.Pool{New: func() any { return new([]byte) }}

const maxAnswerRoom = 64 << 10

func writeJSON(w http.ResponseWriter, body []byte) {
	w.Header()["Content-Type"] = jsonType
	writeBody(w, body)
}

var jsonType = []string{"application/json"}

func writeBody(w http.ResponseWriter, body []byte) {
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(http.StatusOK)
	w.Write(body) // a client that has gone does not read its answer; the record is kept
}
