package conform

import (
	"context"
	"strings"
)

// Helpers of the runtime operations: what a modelId may be is the same for
// all of them.

// Texts that clients match on.
const (
	noIdentifier = "The provided model identifier is invalid."
	onDemandText = "Invocation of model ID {profileOnly} with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that contains this model."
)

// hello is the cheapest conversation.
const hello = `{"messages":[{"role":"user","content":[{"text":"Say hi."}]}],"inferenceConfig":{"maxTokens":20}}`

// A call makes the ask of an operation for a modelId as it stands in the path
// and for the model behind it.
type call func(id, model string) ask

// takes makes a check of a request that is good, and of what shows that the
// answer is one.
func takes(operation, says, source string, need Need, a ask, answered func(*reply) error) Check {
	return Check{operation, says, source, need, func(ctx context.Context, s *Subject) error {
		got, err := s.expect(ctx, a, answer{status: 200})
		if err != nil {
			return err
		}
		return answered(got)
	}}
}

func modelAsk(verb, id, body string) ask {
	return ask{service: "bedrock-runtime", method: "POST", path: "/model/" + id + "/" + verb, body: body}
}

// modelIDChecks are every form of modelId, good and bad.
func modelIDChecks(operation string, c call, answered func(*reply) error) []Check {
	const forms, errs = "runtime-metering-billing.md §1.4", "runtime-metering-billing.md §1.9; control-plane.md §1.11"
	var all []Check
	for _, v := range []struct {
		what, id, model string
	}{
		{"a foundation model's id", "{%model}", "{model}"},
		{"a foundation model's ARN", "{%modelARN}", "{model}"},
		{"a system-defined profile's id", "{%systemID}", "{systemModel}"},
		{"a system-defined profile's id, the colon bare", "{systemID}", "{systemModel}"},
		{"a system-defined profile's ARN", "{%systemARN}", "{systemModel}"},
		{"an application profile's ARN", "{%profile}", "{systemModel}"},
		{"an application profile's ARN, its colons and slash bare", "{profile}", "{systemModel}"},
	} {
		all = append(all, takes(operation, "takes "+v.what, forms, Spend, c(v.id, v.model), answered))
	}
	unknown := invalid(noIdentifier) // Outcrop goes on with the cure
	for _, v := range []struct {
		what, id, source string
		need             Need
		want             answer
	}{
		{"the bare id of an application profile", "{profileID}", errs, Nothing, unknown},
		{"an unknown model", "no.such-model-v1%3A0", errs, Nothing, unknown},
		{"another geography's profile", "{%foreign}", errs, Nothing, unknown},
		{"the ARN of a model of another Region", "arn%3Aaws%3Abedrock%3Ame-south-1%3A%3Afoundation-model%2F{%systemModel}", forms + " (UNVERIFIED)", Nothing, unknown},
		{"the ARN of a profile of another Region", "arn%3Aaws%3Abedrock%3Ame-south-1%3A{account}%3Ainference-profile%2F{%systemID}", errs, Own, unknown},
		{"the ARN of a profile of another account", "arn%3Aaws%3Abedrock%3A{region}%3A999999999999%3Ainference-profile%2F{%systemID}", errs, Own, unknown},
		{"the ARN of an application profile that is not", "arn%3Aaws%3Abedrock%3A{region}%3A{account}%3Aapplication-inference-profile%2Fk3x09m2p7q1z", errs, Nothing, unknown},
		{"a variable that nobody replaced, by its name", "%24%7BMODEL_ARN%7D", "librechat.md", Own, invalid("${MODEL_ARN}")},
		{"a prompt router, naming what is not served", "arn%3Aaws%3Abedrock%3A{region}%3A{account}%3Adefault-prompt-router%2Famazon.nova%3A1", "Outcrop", Own, invalid("prompt router")},
		{"a SageMaker endpoint, naming what is not served", "arn%3Aaws%3Asagemaker%3A{region}%3A{account}%3Aendpoint%2Fmine", forms, Own, invalid("SageMaker")},
		{"a%2Fb by the pattern", "a%2Fb", forms, Nothing, breaks("modelId", "Member must satisfy regular expression pattern: ")},
	} {
		all = append(all, asks(operation, "refuses "+v.what, v.source, v.need, c(v.id, "{systemModel}"), v.want))
	}
	return all
}

// onDemandChecks are about models that answer behind a profile only. Tokens
// are counted by the model itself, so CountTokens has none of this.
func onDemandChecks(operation string, c call) []Check {
	const source = "runtime-metering-billing.md §1.9; control-plane.md §1.11"
	refusal := answer{status: 400, code: "ValidationException", message: onDemandText}
	return []Check{
		asks(operation, "refuses a profile-only model by its id, with a curly apostrophe", source, Nothing, c("{%profileOnly}", "{profileOnly}"), refusal),
		asks(operation, "refuses a profile-only model by its ARN", source, Nothing, c("{%profileOnlyARN}", "{profileOnly}"), invalid("on-demand throughput isn\u2019t supported.")),
		{operation, "refuses an application profile copied from a profile-only model", "control-plane.md §1.4 (UNVERIFIED)", Own, func(ctx context.Context, s *Subject) error {
			arn, err := s.fill(ctx, "{profileOnlyARN}")
			if err != nil {
				return err
			}
			p, err := s.copyOf(ctx, arn)
			if err != nil {
				return err
			}
			_, err = s.expect(ctx, c(label(p.arn), "{profileOnly}"), refusal)
			return err
		}},
		asks(operation, "refuses a modelId of 2049 characters", "runtime-metering-billing.md §1.4", Nothing, c(strings.Repeat("a", 2049), "{systemModel}"), breaks("modelId", "less than or equal to 2048")),
	}
}
