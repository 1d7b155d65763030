package tour

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func ask(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func (g *guide) usage(u *types.TokenUsage, latency int64) {
	g.say("%d tokens in, %d out, %d ms", aws.ToInt32(u.InputTokens), aws.ToInt32(u.OutputTokens), latency)
}

func (g *guide) converse(ctx context.Context) error {
	answer, err := g.runtime.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &g.profile, Messages: ask("What is an inference profile?")})
	if err != nil {
		return err
	}
	if m, ok := answer.Output.(*types.ConverseOutputMemberMessage); ok {
		for _, b := range m.Value.Content {
			if t, ok := b.(*types.ContentBlockMemberText); ok {
				g.say("%s", t.Value)
			}
		}
	}
	g.usage(answer.Usage, aws.ToInt64(answer.Metrics.LatencyMs))
	return nil
}

func (g *guide) stream(ctx context.Context) error {
	answer, err := g.runtime.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: &g.profile, Messages: ask("Count to three.")})
	if err != nil {
		return err
	}
	stream := answer.GetStream()
	defer stream.Close()
	var text strings.Builder
	deltas := 0
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			if t, ok := e.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				text.WriteString(t.Value)
				deltas++
			}
		case *types.ConverseStreamOutputMemberMetadata:
			g.say("%s", text.String())
			g.say("in %d pieces", deltas)
			g.usage(e.Value.Usage, aws.ToInt64(e.Value.Metrics.LatencyMs))
		}
	}
	return stream.Err()
}

func (g *guide) invoke(ctx context.Context) error {
	if !strings.Contains(g.Model, "anthropic.") {
		g.say("Left out: this step's body is Anthropic's, and %s is another family.", g.Model)
		return nil
	}
	answer, err := g.runtime.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{
		ModelId: &g.profile, ContentType: aws.String("application/json"),
		Body: []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"Say hello."}]}`),
	})
	if err != nil {
		return err
	}
	var body struct {
		ID    string `json:"id"`
		Usage struct {
			Input  int `json:"input_tokens"`
			Output int `json:"output_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(answer.Body, &body); err != nil {
		return fmt.Errorf("read the native answer: %w", err)
	}
	g.say("%s, %d tokens in, %d out", body.ID, body.Usage.Input, body.Usage.Output)
	return nil
}
