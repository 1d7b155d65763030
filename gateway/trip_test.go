package gateway

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/iam"
)

// An echo answers with the name of the call it is asked by, one in three only
// after a hedge was begun beside it, and keeps writing until it is cut off.
type echo struct{ *world }

func (e *echo) Authorize(context.Context, outcrop.Caller, ...iam.Check) error { return nil }

func (e *echo) AuthorizeInvocation(context.Context, outcrop.Caller, iam.Invocation) error { return nil }

func (e *echo) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	name := *r.Messages[0].Content[0].Text
	if a.Destination.Region == "us-east-1" && len(name)%3 == 0 {
		<-ctx.Done()
		a.Told.Request = "lost"
		return nil, ctx.Err()
	}
	time.Sleep(time.Millisecond)
	return &converse.Response{StopReason: name, Output: converse.ConverseOutput{Message: &converse.Message{Role: "assistant"}}, Usage: &converse.TokenUsage{InputTokens: 1, OutputTokens: int64(len(name))}}, nil
}

// A keeper is an invocation log that reads late.
type keeper struct {
	mu   sync.Mutex
	kept []*Exchange
}

func (k *keeper) Wants(outcrop.AccountID, outcrop.Region) bool { return true }

func (k *keeper) Finished(x *Exchange) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, x)
}

// Property: what one call leaves behind, its answer, its record and its log,
// holds nothing of another's, though their trips are used again.
func TestWhatACallLeavesIsItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := hedging(0, 0)
		k := new(keeper)
		w.Upstreams, w.Policy, w.Exchanges, w.Router = &echo{w}, &echo{w}, k, quiet{w}
		const calls = 300
		var answers [calls]*Answer
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				c := call()
				name := fmt.Sprint("call-", i*i*i)
				c.Operation, c.Invocation, c.Body = outcrop.OpConverse, outcrop.InvocationID(name), []byte(name)
				c.Request = func(*outcrop.Target) (*converse.Request, error) {
					return &converse.Request{Messages: []converse.Message{{Content: []converse.ContentBlock{{Text: &name}}}}, RequestMetadata: map[string]string{"name": name}}, nil
				}
				answers[i], _ = w.Gateway.Converse(t.Context(), c)
			})
		}
		all.Wait()
		own := func(name string, r *outcrop.UsageRecord) bool {
			return string(r.Invocation) == name && r.Outcome.StopReason == name && r.RequestMetadata["name"] == name && r.Usage.Of(outcrop.OutputTokens) == outcrop.Tokens(len(name)) && r.UpstreamRequest == ""
		}
		for i, a := range answers {
			if name := fmt.Sprint("call-", i*i*i); a == nil || a.Response.StopReason != name || a.Usage.Of(outcrop.OutputTokens) != outcrop.Tokens(len(name)) {
				t.Fatalf("%s was answered by %+v", name, a)
			}
		}
		for _, x := range k.kept {
			if !own(string(x.Request), &x.Record) || x.Response.StopReason != string(x.Request) {
				t.Fatalf("%s is logged as %+v", x.Request, x.Record)
			}
		}
		records := 0
		for _, r := range w.settled {
			if r.RequestMetadata[HedgeKey] != "" {
				continue
			}
			if records++; !own(string(r.Invocation), &r) {
				t.Fatalf("recorded: %+v", r)
			}
		}
		if records != calls || len(k.kept) != calls {
			t.Errorf("%d records and %d logs of %d calls", records, len(k.kept), calls)
		}
	})
}

// quiet holds nothing back and notes nothing.
type quiet struct{ *world }

func (quiet) Start(*outcrop.Attempt, bool) bool            { return true }
func (quiet) Done(*outcrop.Attempt, outcrop.AttemptReport) {}
