package conform

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

const opConverseStream = "ConverseStream"

func converseStreamChecks() []Check {
	const source = "runtime-metering-billing.md §1.8"
	c := func(id, _ string) ask { return modelAsk("converse-stream", id, hello) }
	return slices.Concat([]Check{
		{opConverseStream, "tells an SDK messageStart, deltas, messageStop and, last and once, metadata", source, Spend, streamBySDK},
		{opConverseStream, "orders its events, over HTTP/1.1", source, Spend, streamOrder(false)},
		{opConverseStream, "orders its events, over HTTP/2", source, Spend, streamOrder(true)},
		{opConverseStream, "gives each frame its three headers, in the order seen", source, Spend, streamFrames},
		{opConverseStream, "blurs the sizes of its events with p", source, Spend, streamPadding},
		{opConverseStream, "tells usage that adds up, and the latency", source, Spend, streamMetadata},
		{opConverseStream, "sends no reasoning that nobody asked for: the guides' script indexes delta.text", "runtime-metering-billing.md §10, trap 9", Spend, streamWithoutReasoning},
		{opConverseStream, "streams a tool's input as partial JSON inside one block", source, Spend, streamTool},
		{opConverseStream, "breaks off with an exception inside the stream once it has begun", source, Own, streamCut},
	}, modelIDChecks(opConverseStream, c, streamed), onDemandChecks(opConverseStream, c), conversationRefusals(opConverseStream, "converse-stream"), simulatedFaults(opConverseStream, "converse-stream"))
}

// streamed holds an answer to be a stream that came to its end.
func streamed(r *reply) error {
	frames, err := readFrames(r.body)
	if err != nil || len(frames) == 0 {
		return errors.Join(err, &Mismatch{"body", "events", abridged(string(r.body))})
	}
	return same("the last event", "metadata", frames[len(frames)-1].name)
}

func streamBySDK(ctx context.Context, s *Subject) error {
	in := helloInput(s.facts.systemID)
	out, err := s.runtime.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: in.ModelId, Messages: in.Messages, InferenceConfig: in.InferenceConfig})
	if err != nil {
		return err
	}
	stream := out.GetStream()
	defer stream.Close()
	var said strings.Builder
	var order []string
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberMessageStart:
			order = append(order, "start "+string(e.Value.Role))
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			if d, ok := e.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				said.WriteString(d.Value)
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			order = append(order, "stop")
		case *types.ConverseStreamOutputMemberMetadata:
			order = append(order, "metadata")
			err = errors.Join(err, holds("usage", aws.ToInt32(e.Value.Usage.OutputTokens) > 0, "output tokens", e.Value.Usage))
		}
	}
	return errors.Join(err, stream.Err(), same("order", "start assistant, stop, metadata", strings.Join(order, ", ")), holds("text", said.Len() > 0, "some", ""))
}

// eventOrder is how a stream of text may go; a text block may or may not be
// announced.
var eventOrder = regexp.MustCompile(`^messageStart( (contentBlockStart )?contentBlockDelta contentBlockStop)+ messageStop metadata$`)

func streamOrder(h2 bool) func(context.Context, *Subject) error {
	return func(ctx context.Context, s *Subject) error {
		a := modelAsk("converse-stream", "{%systemID}", hello)
		a.h2 = h2
		_, frames, err := s.stream(ctx, a)
		if err != nil {
			return err
		}
		got := names(frames)
		if err := holds("order", eventOrder.MatchString(got), "messageStart, blocks, messageStop, metadata", got); err != nil {
			return err
		}
		return errors.Join(same("role", "assistant", text(frames[0].payload, "role")), blocksInOrder(frames),
			holds("stopReason", text(frames[len(frames)-2].payload, "stopReason") != "", "one", ""))
	}
}

// blocksInOrder holds contentBlockIndex to count up from 0.
func blocksInOrder(frames []frame) error {
	block := 0.0
	for _, f := range frames {
		if !strings.HasPrefix(f.name, "contentBlock") {
			continue
		}
		if err := same("contentBlockIndex of "+f.name, block, number(f.payload, "contentBlockIndex")); err != nil {
			return err
		}
		if f.name == "contentBlockStop" {
			block++
		}
	}
	return nil
}

func (s *Subject) hello(ctx context.Context) ([]frame, error) {
	_, frames, err := s.stream(ctx, modelAsk("converse-stream", "{%profile}", hello))
	if err == nil && len(frames) == 0 {
		err = &Mismatch{"events", "some", "none"}
	}
	return frames, err
}

func streamFrames(ctx context.Context, s *Subject) error {
	frames, err := s.hello(ctx)
	return errors.Join(err, framed(frames))
}

func streamPadding(ctx context.Context, s *Subject) error {
	frames, err := s.hello(ctx)
	if err != nil {
		return err
	}
	return padded(frames)
}

func streamMetadata(ctx context.Context, s *Subject) error {
	frames, err := s.hello(ctx)
	if err != nil {
		return err
	}
	last := frames[len(frames)-1]
	usage, _ := last.payload["usage"].(map[string]any)
	return errors.Join(same("the last event", "metadata", last.name), sameMembers("usage", usageMembers, usage), sameTotal(usage),
		holds("metrics.latencyMs", number(last.payload, "metrics.latencyMs") >= 0, "a number", last.payload["metrics"]))
}

func streamWithoutReasoning(ctx context.Context, s *Subject) error {
	frames, err := s.hello(ctx)
	if err != nil {
		return err
	}
	for _, f := range frames {
		if f.name == "contentBlockDelta" {
			delta, _ := f.payload["delta"].(map[string]any)
			if err := sameMembers("delta", []string{"text"}, delta); err != nil {
				return err
			}
		}
	}
	return nil
}

func streamTool(ctx context.Context, s *Subject) error {
	_, frames, err := s.stream(ctx, modelAsk("converse-stream", "{%systemID}", weather))
	if err != nil {
		return err
	}
	input, name, stop := "", "", ""
	for _, f := range frames {
		if n := text(f.payload, "start.toolUse.name"); n != "" {
			name = n
			err = errors.Join(err, holds("toolUseId", toolUseID.MatchString(text(f.payload, "start.toolUse.toolUseId")), "1 to 64 characters", f.payload))
		}
		input += text(f.payload, "delta.toolUse.input")
		if f.name == "messageStop" {
			stop = text(f.payload, "stopReason")
		}
	}
	return errors.Join(err, same("tool", "weather", name), same("stopReason", "tool_use", stop), blocksInOrder(frames),
		holds("the tool's input", strings.HasPrefix(input, "{") && strings.HasSuffix(input, "}"), "an object in JSON", input))
}

var inStream = []string{"internalServerException", "modelStreamErrorException", "validationException", "throttlingException", "serviceUnavailableException"}

// streamCut has the simulator break off after three events.
func streamCut(ctx context.Context, s *Subject) error {
	_, frames, err := s.stream(ctx, modelAsk("converse-stream", "{%systemID}", strings.Replace(hello, `{"messages"`, `{"requestMetadata":{"outcrop.simulate":"cut=3"},"messages"`, 1)))
	if err != nil {
		return err
	}
	last := frames[len(frames)-1]
	if last.name == "metadata" {
		return skipped("the upstream is no simulator")
	}
	return errors.Join(same(":message-type", "exception", last.kind), same("headers", ":exception-type :content-type :message-type", strings.Join(last.headers, " ")),
		holds(":exception-type", slices.Contains(inStream, last.name), "a modelled member", last.name),
		holds("message", text(last.payload, "message") != "", "one", last.payload))
}
