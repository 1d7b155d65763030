package gateway

import (
	"bytes"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
)

// Exchanges hears what was said in every call, when someone wants it: the
// invocation logs. Both methods return at once and never fail a call.
type Exchanges interface {
	// Wants says whether calls of an account in a Region are to be told.
	Wants(outcrop.AccountID, outcrop.Region) bool
	// Finished hands over a call that was opened in the ledger, once it is
	// settled, or one that was refused as invalid. The exchange is the
	// listener's own.
	Finished(*Exchange)
}

// An Exchange is what a client and a model said to each other. Of the answers,
// those are set that there were.
type Exchange struct {
	Record    outcrop.UsageRecord
	Request   []byte             // the request's body as it came
	Response  *converse.Response // of a call answered at once
	Task      *task.Response     // of a model that does not converse
	Events    []converse.Event   // of a stream, as far as it came
	Forwarded []byte             // an answer that was passed on as it came
	Frames    [][]byte           // a stream that was
	Chunks    [][]byte           // a native stream that was
	Native    Native             // nil for the Converse operations
	TooLong   bool               // a stream went on beyond what is gathered: nothing of it is here

	gathered int // bytes, about
}

// maxGathered is the most that is gathered of a stream. Of one that goes on for
// longer nothing is kept: a part would pass for the whole.
const maxGathered = 32 << 20

// gather says whether a piece of n bytes is kept.
func (x *Exchange) gather(n int) bool {
	const beside = 64 // what holds a piece
	if x.gathered += n + beside; x.gathered > maxGathered {
		x.TooLong, x.Events, x.Frames, x.Chunks = true, nil, nil, nil
	}
	return !x.TooLong
}

// Size is about how many bytes x holds.
func (x *Exchange) Size() int {
	n := len(x.Request) + len(x.Forwarded)
	for _, list := range [][][]byte{x.Frames, x.Chunks} {
		for _, b := range list {
			n += len(b)
		}
	}
	for i := range x.Events {
		if d := x.Events[i].ContentBlockDelta; d != nil {
			n += deltaBytes(&d.Delta)
		}
	}
	if x.Response != nil && x.Response.Output.Message != nil {
		for i := range x.Response.Output.Message.Content {
			n += blockBytes(&x.Response.Output.Message.Content[i])
		}
	}
	return n
}

// A Native writes an answer that was not passed on as it came, in the format of
// the model: a body, or a list of chunks.
type Native interface {
	Output(*Exchange) ([]byte, error)
}

// exchange begins to listen, or does not: nothing is copied then.
func (g *Gateway) exchange(call *Call) *Exchange {
	if call.Hear != nil { // AWS keeps no words of these either
		return nil
	}
	if g.Exchanges == nil || !g.Exchanges.Wants(call.Caller.Account, call.Caller.Region) {
		return nil
	}
	return &Exchange{Request: bytes.Clone(call.Body), Native: call.Native}
}

// saw keeps an event of a stream.
func (x *Exchange) saw(e converse.Event) {
	n := 0
	if e.ContentBlockDelta != nil {
		n = deltaBytes(&e.ContentBlockDelta.Delta)
	}
	if x != nil && x.gather(n) {
		x.Events = append(x.Events, e)
	}
}

// passed keeps a piece of a forwarded stream, which holds until the next one.
func (x *Exchange) passed(p *Piece) {
	switch {
	case x == nil || !x.gather(len(p.Frame)+len(p.Chunk)):
	case p.Frame != nil:
		x.Frames = append(x.Frames, bytes.Clone(p.Frame))
	case p.Chunk != nil:
		x.Chunks = append(x.Chunks, bytes.Clone(p.Chunk))
	}
}

// tell hands a settled call over. What the client's side still adds to is
// copied.
func (g *Gateway) tell(t *trip) {
	x := t.exchange
	if x == nil {
		return
	}
	x.Record, x.Task = t.record, t.made
	if t.response != nil {
		own := *t.response
		x.Response = &own
	}
	if t.forwarded != nil {
		x.Forwarded = t.forwarded.Body
	}
	if closing := t.meter.closing; closing.Metadata != nil && len(x.Events) > 0 {
		own := *closing.Metadata
		closing.Metadata = &own
		x.Events = append(x.Events, closing)
	}
	g.Exchanges.Finished(x)
}
