package conform

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

const opInvoke = "InvokeModel"

// invocationMetrics end a stream, and no whole answer.
const invocationMetrics = "amazon-bedrock-invocationMetrics"

func invokeModelChecks() []Check {
	const source, headers = "runtime-metering-billing.md §2", "runtime-metering-billing.md §1.2"
	c := nativeCall("invoke")
	meta := func(value string) map[string]string {
		return map[string]string{"X-Amzn-Bedrock-Request-Metadata": value}
	}
	with := func(header map[string]string) ask {
		a := c("{%systemID}", "{systemModel}")
		a.header = header
		return a
	}
	all := slices.Concat([]Check{
		{opInvoke, "answers an SDK with the native body and its type", "botocore", Spend, invokeBySDK},
		{opInvoke, "tells tokens and latency in its headers", "runtime-metering-billing.md §1.3", Spend, invokeHeaders},
		takes(opInvoke, "takes a body without Content-Type, as boto3 sends it", headers, Spend, with(map[string]string{"Content-Type": ""}), invoked),
		takes(opInvoke, "takes Accept: */*", headers, Spend, with(map[string]string{"Accept": "*/*"}), invoked),
		takes(opInvoke, "takes request metadata in a header", headers, Spend, with(meta(`{"team":"blue"}`)), invoked),
		asks(opInvoke, "refuses request metadata that is no JSON", headers, Nothing, with(meta(`team=blue`)), invalid()),
		asks(opInvoke, "refuses request metadata beyond the pattern", headers, Nothing, with(meta(`{"team":"{}"}`)), invalid("regular expression")),
		asks(opInvoke, "refuses an unknown service tier in a header", headers, Nothing, with(map[string]string{"X-Amzn-Bedrock-Service-Tier": "royal"}), invalid("priority")),
		asks(opInvoke, "refuses an unknown latency in a header", headers, Nothing, with(map[string]string{"X-Amzn-Bedrock-PerformanceConfig-Latency": "yesterday"}), invalid("optimized")),
		takes(opInvoke, "tells in a header the service tier it served", headers, Own, with(map[string]string{"X-Amzn-Bedrock-Service-Tier": "priority"}), func(r *reply) error {
			return same("header X-Amzn-Bedrock-Service-Tier", "priority", r.header.Get("X-Amzn-Bedrock-Service-Tier"))
		}),
		asks(opInvoke, "refuses a guardrail that it would not apply", "Outcrop", Own, with(map[string]string{"X-Amzn-Bedrock-GuardrailIdentifier": "abc", "X-Amzn-Bedrock-GuardrailVersion": "1"}), invalid("guardrail")),
		asks(opInvoke, "refuses 17 pairs of request metadata", headers, Nothing, with(meta(pairs(17))), invalid("16")),
		asks(opInvoke, "refuses what is no JSON", "runtime-metering-billing.md §1.9", Nothing, modelAsk("invoke", "{%systemID}", `{"messages":`), invalid("Malformed input request")),
		asks(opInvoke, "insists on messages in Nova's body", "runtime-metering-billing.md §1.9", Nothing, modelAsk("invoke", "{%systemID}", `{"inferenceConfig":{}}`), invalid("Malformed input request: #: required key [messages] not found, please reformat your input and try again.")),
		{opInvoke, "insists on max_tokens in Anthropic's body", "runtime-metering-billing.md §1.9", Nothing, invokeWithoutMaxTokens},
	}, modelIDChecks(opInvoke, c, invoked), onDemandChecks(opInvoke, c))
	for _, f := range families {
		all = append(all, Check{opInvoke, "answers " + f.name + "'s body in its own shape, without stream metrics", source, Spend, func(ctx context.Context, s *Subject) error {
			return invokeFamily(ctx, s, f)
		}})
	}
	return all
}

// invoked holds an answer to be a model's: it is billed for.
func invoked(r *reply) error {
	tokens := r.header.Get("X-Amzn-Bedrock-Output-Token-Count")
	return holds("header X-Amzn-Bedrock-Output-Token-Count", tokens != "" && tokens != "0", "tokens", tokens)
}

// pairs are n pairs of metadata.
func pairs(n int) string {
	var list []string
	for i := range n {
		list = append(list, `"k`+strconv.Itoa(i)+`":"v"`)
	}
	return "{" + strings.Join(list, ",") + "}"
}

// nativeCall asks with the body of the model behind the id.
func nativeCall(verb string) call {
	return func(id, model string) ask {
		return modelAsk(verb, id, "{body:"+strings.Trim(model, "{}")+"}")
	}
}

func invokeBySDK(ctx context.Context, s *Subject) error {
	out, err := s.runtime.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: &s.facts.systemID, Body: []byte(nativeBody(s.facts.systemModel))})
	if err != nil {
		return err
	}
	return errors.Join(same("contentType", "application/json", aws.ToString(out.ContentType)), holds("body", len(out.Body) > 20, "an answer", string(out.Body)))
}

func invokeHeaders(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, nativeCall("invoke")("{%systemID}", "{systemModel}"), answer{status: 200})
	if err != nil {
		return err
	}
	var errs []error
	for name, least := range map[string]int{"Input-Token-Count": 1, "Output-Token-Count": 1, "Cache-Read-Input-Token-Count": 0, "Cache-Write-Input-Token-Count": 0, "Invocation-Latency": 0} {
		value := got.header.Get("X-Amzn-Bedrock-" + name)
		n, err := strconv.Atoi(value)
		errs = append(errs, holds("header X-Amzn-Bedrock-"+name, err == nil && n >= least, "a number of at least "+strconv.Itoa(least), value))
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(sentence(a), sentence(b)) })
	return errors.Join(errs...)
}

func sentence(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func invokeWithoutMaxTokens(ctx context.Context, s *Subject) error {
	id, err := s.offered(ctx, families[1])
	if err != nil {
		return err
	}
	_, err = s.expect(ctx, modelAsk("invoke", label(id), `{"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user","content":"hi"}]}`),
		answer{status: 400, code: "ValidationException", message: "Malformed input request: #: required key [max_tokens] not found, please reformat your input and try again."})
	return err
}

func invokeFamily(ctx context.Context, s *Subject, f family) error {
	id, err := s.offered(ctx, f)
	if err != nil {
		return err
	}
	got, err := s.expect(ctx, modelAsk("invoke", label(id), f.body), answer{status: 200, members: f.answer})
	if err != nil {
		return err
	}
	return holds("body", !strings.Contains(string(got.body), invocationMetrics), "no "+invocationMetrics, string(got.body))
}
