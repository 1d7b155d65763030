package conform

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

const opInvokeStream = "InvokeModelWithResponseStream"

func invokeModelWithResponseStreamChecks() []Check {
	const source = "runtime-metering-billing.md §1.8"
	c := nativeCall("invoke-with-response-stream")
	all := slices.Concat([]Check{
		{opInvokeStream, "tells an SDK native events in chunks", source, Spend, invokeStreamBySDK},
		{opInvokeStream, "frames every native event as a chunk, padded", source, Spend, invokeStreamFrames(false)},
		{opInvokeStream, "does so over HTTP/2", source, Spend, invokeStreamFrames(true)},
		{opInvokeStream, "tells in a header the service tier it served", "runtime-metering-billing.md §1.2", Own, invokeStreamTier},
	}, modelIDChecks(opInvokeStream, c, chunked), onDemandChecks(opInvokeStream, c))
	for _, f := range families {
		all = append(all, Check{opInvokeStream, "streams " + f.name + "'s own events, the last with " + invocationMetrics, "runtime-metering-billing.md §1.14, §2", Spend, func(ctx context.Context, s *Subject) error {
			return invokeStreamFamily(ctx, s, f)
		}})
	}
	return all
}

// chunked holds an answer to be chunks that came to their end.
func chunked(r *reply) error {
	frames, err := readFrames(r.body)
	if err != nil {
		return err
	}
	native, err := chunks(frames)
	if err != nil {
		return err
	}
	return metricsLast(native)
}

func invokeStreamBySDK(ctx context.Context, s *Subject) error {
	out, err := s.runtime.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{
		ModelId: &s.facts.systemID, Body: []byte(nativeBody(s.facts.systemModel)), Accept: aws.String("application/json")})
	if err != nil {
		return err
	}
	stream := out.GetStream()
	defer stream.Close()
	n := 0
	for event := range stream.Events() {
		if chunk, ok := event.(*types.ResponseStreamMemberChunk); ok && len(chunk.Value.Bytes) > 0 {
			n++
		}
	}
	return errors.Join(stream.Err(), same("contentType", "application/json", aws.ToString(out.ContentType)), holds("chunks", n > 1, "several", n))
}

func invokeStreamFrames(h2 bool) func(context.Context, *Subject) error {
	return func(ctx context.Context, s *Subject) error {
		a := nativeCall("invoke-with-response-stream")("{%systemID}", "{systemModel}")
		a.h2 = h2
		got, frames, err := s.stream(ctx, a)
		if err != nil {
			return err
		}
		_, err = chunks(frames)
		return errors.Join(err, framed(frames), padded(frames),
			same("X-Amzn-Bedrock-Content-Type", "application/json", got.header.Get("X-Amzn-Bedrock-Content-Type")))
	}
}

func invokeStreamTier(ctx context.Context, s *Subject) error {
	a := nativeCall("invoke-with-response-stream")("{%systemID}", "{systemModel}")
	a.header = map[string]string{"X-Amzn-Bedrock-Service-Tier": "flex"}
	got, _, err := s.stream(ctx, a)
	if err != nil {
		return err
	}
	return same("header X-Amzn-Bedrock-Service-Tier", "flex", got.header.Get("X-Amzn-Bedrock-Service-Tier"))
}

func invokeStreamFamily(ctx context.Context, s *Subject, f family) error {
	id, err := s.offered(ctx, f)
	if err != nil {
		return err
	}
	_, frames, err := s.stream(ctx, modelAsk("invoke-with-response-stream", label(id), f.body))
	if err != nil {
		return err
	}
	native, err := chunks(frames)
	if err != nil {
		return err
	}
	if f.stream != "" {
		err = same("events", f.stream, shapeOf(native))
	}
	return errors.Join(err, metricsLast(native))
}

// shapeOf names native events in order, repeated ones once.
func shapeOf(events []map[string]any) string {
	var list []string
	for _, e := range events {
		name := text(e, "type") // Anthropic
		if name == "" {         // Nova: an object by the event's name
			keys := slices.DeleteFunc(slices.Sorted(maps.Keys(e)), func(k string) bool { return k == invocationMetrics })
			name = strings.Join(keys, "+")
		}
		if name == "ping" || len(list) > 0 && list[len(list)-1] == name {
			continue
		}
		list = append(list, name)
	}
	return strings.Join(list, " ")
}

func metricsLast(events []map[string]any) error {
	for i, e := range events {
		metrics, ok := e[invocationMetrics].(map[string]any)
		if last := i == len(events)-1; ok != last {
			return &Mismatch{invocationMetrics, "in the last chunk only", shapeOf(events[i : i+1])}
		}
		if !ok {
			continue
		}
		return errors.Join(
			sameMembers(invocationMetrics, []string{"inputTokenCount", "outputTokenCount", "invocationLatency", "firstByteLatency", "cacheReadInputTokenCount?", "cacheWriteInputTokenCount?"}, metrics),
			holds("inputTokenCount", number(metrics, "inputTokenCount") > 0, "more than 0", metrics["inputTokenCount"]),
			holds("outputTokenCount", number(metrics, "outputTokenCount") > 0, "more than 0", metrics["outputTokenCount"]),
			holds("firstByteLatency", number(metrics, "firstByteLatency") <= number(metrics, "invocationLatency"), "no more than invocationLatency", metrics))
	}
	return &Mismatch{"chunks", "some", "none"}
}
