// Package runtimeapi answers the operations of Amazon Bedrock Runtime: it
// turns the AWS wire into gateway calls and their answers back into wire.
package runtimeapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/wire"
	"outcrop/gateway"
	"outcrop/internal/memo"
	"outcrop/offline"
)

// An API answers Bedrock Runtime.
type API struct {
	Gateway *gateway.Gateway
	Offline *offline.Jobs // what StartAsyncInvoke starts
	// MayWrite says whether a caller may have objects written to a bucket, in
	// the words of the refusal. key may end in * for those below it.
	MayWrite func(ctx context.Context, who outcrop.Caller, bucket, key string) error
	Padding  bool // blur the sizes of stream events as AWS does

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
	c := callOf(r, op)
	return &c
}

func callOf(r *awsapi.Request, op outcrop.Operation) gateway.Call {
	var bearer string
	if r.Caller.Bearer {
		bearer = awsapi.BearerTokenType(r.Caller)
	}
	return gateway.Call{
		BearerTokenType: bearer,
		Invocation:      r.ID, Operation: op, Caller: r.Caller, Received: r.Received,
		Ref:        refOf(r.Labels.Get("modelId")),
		SDKAttempt: r.HTTP.Header.Get("Amz-Sdk-Invocation-Id"),
		Body:       r.Body,
	}
}

// refs are the modelIds that were called: a few, again and again.
var refs memo.Memo[string, outcrop.ModelRef]

func refOf(text string) outcrop.ModelRef {
	if ref, ok := refs.Find(text); ok {
		return ref
	}
	ref, _ := refs.Get(strings.Clone(text), func(text string) (outcrop.ModelRef, error) { return outcrop.ParseModelRef(text), nil }) // cannot fail
	return ref
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
