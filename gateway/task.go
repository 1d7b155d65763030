package gateway

import (
	"context"
	"slices"

	"outcrop"
	"outcrop/converse/task"
)

// A Tasker is an upstream that serves models which do not converse: those that
// embed, rank and paint. An upstream that forwards a model's native body need
// not be one.
type Tasker interface {
	Do(context.Context, outcrop.Attempt, *task.Request) (*task.Response, error)
}

// do has an upstream carry out the call's task.
func (g *Gateway) do(ctx context.Context, t *trip, a *outcrop.Attempt) (*task.Response, error) {
	u, ok := g.Upstreams.(Tasker)
	if !ok {
		return nil, outcrop.Errorf(outcrop.Invalid, "The upstream %s serves conversations only. Tell the operator to let another one serve %s.", a.Upstream, a.Destination.Model)
	}
	return u.Do(ctx, *a, t.task)
}

// readTask reads a call to a model that does not converse. ok is false for the
// others.
func (t *trip) readTask(call *Call) (ok bool, err error) {
	if call.Task == nil {
		return false, nil
	}
	t.task, err = call.Task(t.target)
	if t.task == nil {
		return false, err
	}
	t.request = t.task.Words()
	return true, err
}

// silent refuses to converse with a model that answers no text, as AWS does:
// its vectors and pictures are asked for with InvokeModel.
func silent(call *Call, m *outcrop.FoundationModel) error {
	if call.Task != nil || call.Operation == outcrop.OpCountTokens || len(m.OutputModalities) == 0 || slices.Contains(m.OutputModalities, "TEXT") {
		return nil
	}
	return outcrop.Errorf(outcrop.Invalid, "This action doesn't support the model that you provided. Try again with a supported text or chat model.")
}

// noteTask counts what a task used.
func (t *trip) noteTask() {
	var u outcrop.Usage
	switch {
	case t.made != nil:
		u = t.task.Usage(t.made.Tokens, len(t.made.Images))
	case t.forwarded.Seen.Usage != nil:
		u = t.task.Usage(&t.forwarded.Seen.Usage.InputTokens, t.forwarded.Seen.Images)
	default:
		u = t.task.Usage(nil, t.forwarded.Seen.Images)
	}
	t.meter.counted = &u
}
