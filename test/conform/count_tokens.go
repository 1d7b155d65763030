package conform

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
)

const opCount = "CountTokens"

func countTokensChecks() []Check {
	const source = "runtime-metering-billing.md §1.11"
	const conversation = `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"Say hi."}]}]}}}`
	c := func(id, _ string) ask { return modelAsk("count-tokens", id, conversation) }
	count := func(body string) ask { return modelAsk("count-tokens", "{%systemID}", body) }
	return slices.Concat([]Check{
		asks(opCount, "answers with inputTokens", source, Own, count(conversation), answer{status: 200, members: []string{"inputTokens"}}),
		{opCount, "counts what Converse bills", source, Own, countsAsBilled},
		{opCount, "counts a native body as it counts the conversation", source, Own, countsNative},
		asks(opCount, "refuses both inputs at once", "botocore: input is a union", Nothing, count(`{"input":{"converse":{"messages":[]},"invokeModel":{"body":"e30="}}}`), refused(400, "")),
		asks(opCount, "insists on the input", "botocore", Nothing, count(`{}`), breaks("input", "Member must not be null")),
		asks(opCount, "refuses an input without a member", "botocore: input is a union", Nothing, count(`{"input":{}}`), invalid()),
		asks(opCount, "refuses a body that is no base64", "framework", Nothing, count(`{"input":{"invokeModel":{"body":"%%%"}}}`), refused(400, "")),
		asks(opCount, "refuses a native body that breaks the model's format", "runtime-metering-billing.md §1.9", Own, count(`{"input":{"invokeModel":{"body":"e30="}}}`), invalid("Malformed input request")),
		asks(opCount, "refuses a modelId of 257 characters", "botocore", Nothing, c(strings.Repeat("a", 257), ""), breaks("modelId", "less than or equal to 256")),
		asks(opCount, "refuses a modelId beyond the pattern", "botocore", Nothing, c("a%20b", ""), breaks("modelId", `regular expression pattern: [a-zA-Z_\.\-/0-9:]+`)),
	}, countModelIDs(modelIDChecks(opCount, c, counted)))
}

// countModelIDs leaves out what CountTokens says otherwise: its own pattern
// lets a slash through. AWS counts for some foundation models only; that every
// model and profile is taken is Outcrop's own.
func countModelIDs(checks []Check) []Check {
	checks = slices.DeleteFunc(checks, func(c Check) bool {
		return strings.Contains(c.Says, "by the pattern") || strings.Contains(c.Says, "nobody replaced")
	})
	for i := range checks {
		if strings.HasPrefix(checks[i].Says, "takes ") || strings.Contains(checks[i].Says, "profile") {
			checks[i].Needs = Own
		}
	}
	return checks
}

func (s *Subject) countOf(ctx context.Context, input string) (float64, error) {
	got, err := s.expect(ctx, modelAsk("count-tokens", "{%systemID}", `{"input":`+input+`}`), answer{status: 200})
	if err != nil {
		return 0, err
	}
	return number(got.object(), "inputTokens"), counted(got)
}

func counted(r *reply) error {
	return holds("inputTokens", number(r.object(), "inputTokens") > 0, "more than 0", string(r.body))
}

func countsAsBilled(ctx context.Context, s *Subject) error {
	counted, err := s.countOf(ctx, `{"converse":{"messages":[{"role":"user","content":[{"text":"Say hi."}]}]}}`)
	if err != nil {
		return err
	}
	billed, err := s.expect(ctx, modelAsk("converse", "{%systemID}", hello), answer{status: 200})
	if err != nil {
		return err
	}
	return same("inputTokens", number(billed.object(), "usage.inputTokens"), counted)
}

func countsNative(ctx context.Context, s *Subject) error {
	plain, err := s.countOf(ctx, `{"converse":{"messages":[{"role":"user","content":[{"text":"Say hi."}]}]}}`)
	if err != nil {
		return err
	}
	body := base64.StdEncoding.EncodeToString([]byte(nativeBody(s.facts.systemModel)))
	native, err := s.countOf(ctx, `{"invokeModel":{"body":"`+body+`"}}`)
	if err != nil {
		return err
	}
	return same("inputTokens", plain, native)
}
