package conform

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/auth/bearer"

	"outcrop/internal/textform"
)

const opConverse = "Converse"

func converseChecks() []Check {
	const source = "runtime-metering-billing.md §1.7"
	c := func(id, _ string) ask { return modelAsk("converse", id, hello) }
	return slices.Concat([]Check{
		{opConverse, "answers an SDK with the assistant's text, a stop reason, usage and latency", source, Spend, converseBySDK},
		{opConverse, "answers with its members and no others, without the token headers of InvokeModel", source + ", §1.3", Spend, converseShape},
		{opConverse, "adds up totalTokens of the disjoint kinds", source, Spend, converseUsage},
		{opConverse, "stops at maxTokens", source, Spend, converseMaxTokens},
		{opConverse, "calls a tool when any must be called", source, Spend, converseTool},
		takes(opConverse, "takes the request of the guides: system, temperature 0 and maxTokens 2000", "runtime-metering-billing.md §9.1, 25", Spend,
			modelAsk("converse", "{%profile}", `{"system":[{"text":"Answer in one word."}],"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"maxTokens":2000,"temperature":0}}`), conversed),
		takes(opConverse, "passes over members it does not know", "runtime-metering-billing.md §10, trap 17", Spend,
			modelAsk("converse", "{%systemID}", strings.Replace(hello, `{"messages"`, `{"fromTheFuture":{"a":[1]},"messages"`, 1)), conversed),
	}, modelIDChecks(opConverse, c, conversed), onDemandChecks(opConverse, c), conversationRefusals(opConverse, "converse"), simulatedFaults(opConverse, "converse"))
}

// converseMembers are those of a whole answer.
var converseMembers = []string{"output", "stopReason", "usage", "metrics", "additionalModelResponseFields?", "trace?", "performanceConfig?", "serviceTier?"}

func conversed(r *reply) error { return r.has(converseMembers) }

// conversationRefusals are wrong bodies, the same for whole and streamed
// answers; a refusal is a plain HTTP error of either.
func conversationRefusals(operation, verb string) []Check {
	const limits, turns = "botocore; runtime-metering-billing.md §1.6", "runtime-metering-billing.md §1.6 (UNVERIFIED)"
	var all []Check
	refuse := func(says, source, body string, want answer) {
		all = append(all, asks(operation, says, source, Nothing, modelAsk(verb, "{%systemID}", body), want))
	}
	with := func(rest string) string {
		return `{"messages":[{"role":"user","content":[{"text":"hi"}]}],` + rest + `}`
	}
	said := func(messages string) string { return `{"messages":[` + messages + `]}` }
	refuse("refuses maxTokens 0", limits, with(`"inferenceConfig":{"maxTokens":0}`), breaks("inferenceConfig.maxTokens", "greater than or equal to 1"))
	refuse("refuses temperature 1.5", limits, with(`"inferenceConfig":{"temperature":1.5}`), breaks("inferenceConfig.temperature", "less than or equal to 1"))
	refuse("refuses topP -0.5", limits, with(`"inferenceConfig":{"topP":-0.5}`), breaks("inferenceConfig.topP", "greater than or equal to 0"))
	refuse("refuses an empty stop sequence", limits, with(`"inferenceConfig":{"stopSequences":[""]}`), invalid("stopSequences", "greater than or equal to 1"))
	refuse("refuses a role that is none", limits, said(`{"role":"oracle","content":[{"text":"hi"}]}`), breaks("messages.1.member.role", "Member must satisfy enum value set: ["))
	refuse("insists on a role", limits, said(`{"content":[{"text":"hi"}]}`), breaks("messages.1.member.role", "Member must not be null"))
	refuse("insists on the content", limits, said(`{"role":"user"}`), breaks("messages.1.member.content", "Member must not be null"))
	refuse("refuses a tool's name beyond the pattern", limits, with(`"toolConfig":{"tools":[{"toolSpec":{"name":"a b","inputSchema":{"json":{"type":"object"}}}}]}`), breaks("toolConfig.tools.1.member.toolSpec.name", "regular expression pattern: [a-zA-Z0-9_-]+"))
	refuse("refuses a toolConfig without tools", limits, with(`"toolConfig":{"tools":[]}`), breaks("toolConfig.tools", "greater than or equal to 1"))
	refuse("refuses 11 response field paths", limits, with(`"additionalModelResponseFieldPaths":["/a"`+strings.Repeat(`,"/a"`, 10)+`]`), breaks("additionalModelResponseFieldPaths", "less than or equal to 10"))
	refuse("refuses request metadata with a key of 257 characters", limits, with(`"requestMetadata":{"`+strings.Repeat("k", 257)+`":"v"}`), invalid("requestMetadata", "256"))
	refuse("refuses 17 pairs of request metadata", limits, with(`"requestMetadata":`+pairs(17)), breaks("requestMetadata", "less than or equal to 16"))
	refuse("refuses an unknown latency", limits, with(`"performanceConfig":{"latency":"yesterday"}`), breaks("performanceConfig.latency", "Member must satisfy enum value set: ["))
	refuse("refuses two members in a content block", "botocore: ContentBlock is a union", said(`{"role":"user","content":[{"text":"hi","cachePoint":{"type":"default"}}]}`), refused(400, ""))
	refuse("refuses a format of image that is none", limits, said(`{"role":"user","content":[{"text":"hi"},{"image":{"format":"bmp","source":{"bytes":"aGk="}}}]}`), invalid("image.format", "Member must satisfy enum value set: ["))
	refuse("refuses bytes that are no base64", "framework", said(`{"role":"user","content":[{"text":"hi"},{"image":{"format":"png","source":{"bytes":"%%%"}}}]}`), refused(400, ""))
	refuse("refuses a tool result's status that is none", limits, said(`{"role":"user","content":[{"toolResult":{"toolUseId":"a","status":"meh","content":[{"text":"x"}]}}]}`), invalid("toolResult.status", "Member must satisfy enum value set: ["))
	refuse("refuses an unknown service tier", limits, with(`"serviceTier":{"type":"royal"}`), breaks("serviceTier.type", "Member must satisfy enum value set: ["))
	refuse("refuses a conversation that the assistant begins", turns, said(`{"role":"assistant","content":[{"text":"hi"}]}`), invalid("A conversation must start with a user message."))
	refuse("refuses two turns of one role", turns, said(`{"role":"user","content":[{"text":"a"}]},{"role":"user","content":[{"text":"b"}]}`), invalid("alternate"))
	refuse("refuses a blank text", turns, said(`{"role":"user","content":[{"text":" "}]}`), invalid("messages.0.content.0 is blank"))
	refuse("refuses no messages", turns, `{"messages":[]}`, invalid("message"))
	refuse("refuses what is no JSON", "framework", `{"messages":`, refused(400, "SerializationException"))
	refuse("refuses text where a list belongs", "framework", `{"messages":"hi"}`, refused(400, "SerializationException"))
	return all
}

// simulatedFaults are played by the simulator only, which says so in its text.
func simulatedFaults(operation, verb string) []Check {
	const source = "runtime-metering-billing.md §1.9"
	script := func(text string) ask {
		return modelAsk(verb, "{%systemID}", strings.Replace(hello, `{"messages"`, `{"requestMetadata":{"outcrop.simulate":"`+text+`"},"messages"`, 1))
	}
	fault := func(says, play string, want answer, also func(*reply) error) Check {
		return Check{operation, says, source, Own, func(ctx context.Context, s *Subject) error {
			a := script(play)
			got, err := s.send(ctx, a)
			if err != nil {
				return err
			}
			if got.status == 200 {
				return skipped("the upstream is no simulator")
			}
			return errors.Join(got.is(want), got.common(a), also(got))
		}}
	}
	return []Check{
		fault("passes a throttle on as 429, with the time to wait", "throttle=2s", refused(429, "ThrottlingException"), func(r *reply) error {
			return same("Retry-After", "2", r.header.Get("Retry-After"))
		}),
		fault("passes a break before the first byte on as 503", "error", refused(503, "ServiceUnavailableException"), func(*reply) error { return nil }),
	}
}

// helloInput is hello for an SDK.
func helloInput(id string) *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{
		ModelId: &id, Messages: helloMessages(), InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(20)},
	}
}

func helloMessages() []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Say hi."}}}}
}

// withKey is the runtime's client, signing in with the Bedrock API key.
func (s *Subject) withKey() *bedrockruntime.Client {
	o := s.runtime.Options()
	o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: s.endpoint.APIKey}}
	o.AuthSchemePreference = []string{"httpBearerAuth"}
	return bedrockruntime.New(o)
}

func converseBySDK(ctx context.Context, s *Subject) error {
	out, err := s.runtime.Converse(ctx, helloInput(s.facts.systemID))
	if err != nil {
		return err
	}
	message, ok := out.Output.(*types.ConverseOutputMemberMessage)
	if !ok || len(message.Value.Content) == 0 {
		return &Mismatch{"output", "a message with content", "none"}
	}
	block, ok := message.Value.Content[len(message.Value.Content)-1].(*types.ContentBlockMemberText)
	return errors.Join(
		same("role", types.ConversationRoleAssistant, message.Value.Role),
		holds("the last block", ok && block.Value != "", "text", message.Value.Content),
		holds("stopReason", out.StopReason == types.StopReasonEndTurn || out.StopReason == types.StopReasonMaxTokens, "end_turn or max_tokens", out.StopReason),
		holds("usage", out.Usage != nil && aws.ToInt32(out.Usage.InputTokens) > 0 && aws.ToInt32(out.Usage.OutputTokens) > 0, "tokens", out.Usage),
		holds("metrics", out.Metrics != nil && out.Metrics.LatencyMs != nil, "latencyMs", out.Metrics))
}

// usageMembers are those of every usage.
var usageMembers = []string{"inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens?", "cacheWriteInputTokens?", "cacheDetails?", "cacheReadInputTokenCount?", "cacheWriteInputTokenCount?", "serverToolUsage?"}

func converseShape(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, modelAsk("converse", "{%systemID}", hello), answer{status: 200,
		members: converseMembers})
	if err != nil {
		return err
	}
	body := got.object()
	usage, _ := body["usage"].(map[string]any)
	errs := []error{same("role", "assistant", text(body, "output.message.role")), sameMembers("usage", usageMembers, usage),
		holds("metrics.latencyMs", number(body, "metrics.latencyMs") >= 0, "a number", body["metrics"])}
	for name := range got.header {
		errs = append(errs, holds("header "+name, !strings.HasSuffix(name, "-Token-Count"), "none", got.header.Get(name)))
	}
	return errors.Join(errs...)
}

func converseUsage(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, modelAsk("converse", "{%systemID}", hello), answer{status: 200})
	if err != nil {
		return err
	}
	return sameTotal(at(got.object(), "usage"))
}

// sameTotal holds usage to totalTokens = input + output + cache read + write.
func sameTotal(usage any) error {
	sum := number(usage, "inputTokens") + number(usage, "outputTokens")
	for _, kind := range []string{"cacheReadInputTokens", "cacheWriteInputTokens"} {
		sum += max(0, number(usage, kind))
	}
	return same("totalTokens", sum, number(usage, "totalTokens"))
}

func converseMaxTokens(ctx context.Context, s *Subject) error {
	body := `{"messages":[{"role":"user","content":[{"text":"Count from one to a hundred in words."}]}],"inferenceConfig":{"maxTokens":5}}`
	got, err := s.expect(ctx, modelAsk("converse", "{%systemID}", body), answer{status: 200})
	if err != nil {
		return err
	}
	return errors.Join(same("stopReason", "max_tokens", text(got.object(), "stopReason")), same("outputTokens", 5, number(got.object(), "usage.outputTokens")))
}

// weather is a conversation that must call a tool.
const weather = `{"messages":[{"role":"user","content":[{"text":"What is the weather in Utrecht? Use the tool."}]}],"inferenceConfig":{"maxTokens":300},` +
	`"toolConfig":{"toolChoice":{"any":{}},"tools":[{"toolSpec":{"name":"weather","description":"Weather of a city","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}}]}}`

var toolUseID = textform.Of(`[a-zA-Z0-9_.:-]*`, 1, 64)

func converseTool(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, modelAsk("converse", "{%systemID}", weather), answer{status: 200})
	if err != nil {
		return err
	}
	content, _ := at(got.object(), "output.message.content").([]any)
	errs := []error{same("stopReason", "tool_use", text(got.object(), "stopReason"))}
	for _, block := range content {
		use, ok := at(block, "toolUse").(map[string]any)
		if !ok {
			continue
		}
		_, object := use["input"].(map[string]any)
		return errors.Join(append(errs, same("name", "weather", text(use, "name")),
			holds("toolUseId", toolUseID.MatchString(text(use, "toolUseId")), "1 to 64 characters", use["toolUseId"]),
			holds("input", object, "an object", use["input"]))...)
	}
	return errors.Join(append(errs, &Mismatch{"content", "a toolUse block", abridged(string(got.body))})...)
}
