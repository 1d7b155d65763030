package conform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrock"
)

// Wrong and right inputs of CreateInferenceProfile, one by one.

// createBody is a body with one member more; the members that are not under check
// are good.
func createBody(member string) string {
	body := member
	if !strings.Contains(member, `"inferenceProfileName"`) {
		body = `"inferenceProfileName":"{name}",` + body
	}
	if !strings.Contains(member, `"modelSource"`) {
		body = `"modelSource":{"copyFrom":"{systemARN}"},` + body
	}
	return "{" + strings.TrimSuffix(body, ",") + "}"
}

func createAsk(body string) ask { return ask{method: "POST", path: "/inference-profiles", body: body} }

// createVectors are the input vectors of control-plane.md §1.14.
func createVectors() []Check {
	const source = "control-plane.md §1.14; botocore"
	var all []Check
	accept := func(what, member string) {
		all = append(all, Check{opCreate, "takes " + what, source, Nothing, func(ctx context.Context, s *Subject) error {
			_, err := s.createRaw(ctx, createBody(member))
			return err
		}})
	}
	reject := func(what, member, field, constraint string) {
		all = append(all, asks(opCreate, "refuses "+what, source, Nothing, createAsk(createBody(member)), breaks(field, constraint)))
	}
	for _, name := range []string{"a", "Chat-App", "team_1", "a b", "a-", "LibreChat-us-anthropic-claude-3-7-sonnet-20250219-v1-0", strings.Repeat("n", 64)} {
		accept("the name "+quoted(name), member("inferenceProfileName", name))
	}
	for _, name := range []string{"-a", "a--b", "a  b", "a_-b", "a.b", "a/b", "é", ""} {
		reject("the name "+quoted(name), member("inferenceProfileName", name), "inferenceProfileName", patternName)
	}
	reject("a name of 65 characters", member("inferenceProfileName", strings.Repeat("n", 65)), "inferenceProfileName", "less than or equal to 64")
	for _, text := range []string{"Cost center: 12.", "Custom inference profile for my application", strings.Repeat("d", 200)} {
		accept("the description "+quoted(text), member("description", text))
	}
	for _, text := range []string{"a, b", "(x)", " a", ""} {
		reject("the description "+quoted(text), member("description", text), "description", patternText)
	}
	reject("a description of 201 characters", member("description", strings.Repeat("d", 201)), "description", "less than or equal to 200")
	for _, token := range []string{"8d0c1c0e-7b1f-4e1c-9a51-0d9f6f0f4c11", "a", strings.Repeat("t", 256)} {
		accept("the token "+quoted(token), member("clientRequestToken", token))
	}
	for _, token := range []string{"a-", "a_b", ""} {
		reject("the token "+quoted(token), member("clientRequestToken", token), "clientRequestToken", patternToken)
	}
	accept("the ARN of a foundation model as source", copyFrom("{modelARN}"))
	accept("the ARN of a system-defined profile as source", copyFrom("{systemARN}"))
	for _, v := range []struct{ what, arn string }{
		{"a bare profile ID", "{systemID}"}, {"a bare model ID", "{systemModel}"}, {"the ARN of an application profile", "{profile}"},
		{"an ARN of the partition aws-eusc", "arn:aws-eusc:bedrock:{region}::foundation-model/{systemModel}"},
	} {
		reject(v.what+" as source", copyFrom(v.arn), "modelSource.copyFrom", patternCopyFrom)
	}
	all = append(all, asks(opCreate, "lets the ARN of a model without a Region through the pattern, and refuses it as source", source, Nothing,
		createAsk(createBody(copyFrom("arn:aws:bedrock:::foundation-model/{systemModel}"))), answer{status: 400, code: "ValidationException", message: noSource}))
	return all
}

func member(name, value string) string {
	b, _ := json.Marshal(value) // a string always encodes
	return `"` + name + `":` + string(b) + ","
}

func copyFrom(arn string) string { return `"modelSource":{"copyFrom":"` + arn + `"},` }

// quoted shows a value in a sentence, long ones by their length.
func quoted(text string) string {
	if len(text) > 60 {
		return fmt.Sprintf("of %d characters", len(text))
	}
	return fmt.Sprintf("%q", text)
}

// createRaw creates a profile and takes it away again.
func (s *Subject) createRaw(ctx context.Context, body string) (*reply, error) {
	got, err := s.expect(ctx, createAsk(body), answer{status: 201, members: []string{"inferenceProfileArn", "status"}})
	if got != nil && got.status == 201 {
		arn := text(got.object(), "inferenceProfileArn")
		s.own(arn)
		err = errors.Join(err, holds("inferenceProfileArn", s.isApplicationARN(arn), "an application profile's ARN with 12 characters", arn),
			same("status", "ACTIVE", text(got.object(), "status")))
		_, gone := s.control.DeleteInferenceProfile(ctx, &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &arn})
		err = errors.Join(err, gone)
	}
	return got, err
}

func (s *Subject) isApplicationARN(arn string) bool {
	return regexp.MustCompile(`^arn:aws[a-z-]*:bedrock:` + string(s.endpoint.Region) + `:` + s.facts.account + `:application-inference-profile/[a-z0-9]{12}$`).MatchString(arn)
}

func createRefusals() []Check {
	var all []Check
	refuse := func(says, source, body string, want answer) {
		all = append(all, asks(opCreate, says, source, Nothing, createAsk(body), want))
	}
	const botocore, sources = "botocore: required members", "control-plane.md §1.4"
	refuse("insists on a name", botocore, `{"modelSource":{"copyFrom":"{systemARN}"}}`, breaks("inferenceProfileName", "Member must not be null"))
	refuse("insists on a source", botocore, `{"inferenceProfileName":"a"}`, breaks("modelSource", "Member must not be null"))
	refuse("counts what is wrong", "control-plane.md §0", `{"description":"a","clientRequestToken":"t"}`, invalid("2 validation errors detected: ", "; "))
	refuse("leaves a sensitive value out of its message", "control-plane.md §0", createBody(member("description", "a, b")), invalid("detected: Value at 'description'"))
	refuse("refuses a source without a member", "botocore: modelSource is a union", `{"inferenceProfileName":"a","modelSource":{}}`, invalid())
	refuse("refuses what is no JSON", "framework", `{"inferenceProfileName":`, refused(400, "SerializationException"))
	refuse("refuses a number for a string", "framework", `{"inferenceProfileName":5,"modelSource":{"copyFrom":"{systemARN}"}}`, refused(400, "SerializationException"))
	for _, v := range []struct{ what, arn string }{
		{"of another Region", "arn:aws:bedrock:me-south-1::foundation-model/{systemModel}"},
		{"of no model", "arn:aws:bedrock:{region}::foundation-model/no.such-model-v1:0"},
		{"of a profile of another Region", "arn:aws:bedrock:me-south-1:{account}:inference-profile/{systemID}"},
		{"of a profile of another account", "arn:aws:bedrock:{region}:999999999999:inference-profile/{systemID}"},
		{"of a profile not offered here", "arn:aws:bedrock:{region}:{account}:inference-profile/{foreign}"},
		{"of a model, with an account in it", "arn:aws:bedrock:{region}:{account}:foundation-model/{systemModel}"},
	} {
		refuse("refuses the ARN "+v.what, sources, createBody(copyFrom(v.arn)), answer{status: 400, code: "ValidationException", message: noSource})
	}
	return all
}

// createTagRefusals are about tags; TagResource has the same.
func createTagRefusals() []Check {
	const source = "control-plane.md §1.3"
	tags := func(list string) ask { return createAsk(createBody(`"tags":[` + list + `],`)) }
	numbered := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"key":"k%d","value":"v"}`, i))
		}
		return strings.Join(list, ",")
	}
	return []Check{
		asks(opCreate, "refuses a tag key beyond ASCII, naming its place", source, Nothing, tags(`{"key":"키","value":"v"}`), breaks("tags.1.member.key", `Member must satisfy regular expression pattern: [a-zA-Z0-9\s._:/=+@-]*`)),
		asks(opCreate, "refuses a tag value beyond ASCII", source, Nothing, tags(`{"key":"a","value":"b"},{"key":"k","value":"项目"}`), breaks("tags.2.member.value", "regular expression")),
		asks(opCreate, "refuses an empty tag key", source, Nothing, tags(`{"key":"","value":"v"}`), breaks("tags.1.member.key", "greater than or equal to 1")),
		asks(opCreate, "refuses a tag key of 129 characters", source, Nothing, tags(`{"key":"`+strings.Repeat("k", 129)+`","value":"v"}`), breaks("tags.1.member.key", "less than or equal to 128")),
		asks(opCreate, "refuses a tag value of 257 characters", source, Nothing, tags(`{"key":"k","value":"`+strings.Repeat("v", 257)+`"}`), breaks("tags.1.member.value", "less than or equal to 256")),
		asks(opCreate, "refuses a tag without a value", source, Nothing, tags(`{"key":"k"}`), breaks("tags.1.member.value", "Member must not be null")),
		asks(opCreate, "refuses a tag key that begins with aws:", "control-plane.md §1.9", Nothing, tags(`{"key":"aws:k","value":"v"}`), invalid("aws:")),
		asks(opCreate, "refuses 51 tags", "control-plane.md §1.5", Nothing, tags(numbered(51)), answer{status: 400, code: "TooManyTagsException", members: []string{"message", "resourceName"}}),
		asks(opCreate, "refuses 201 tags by the shape", "botocore: TagList", Nothing, tags(numbered(201)), breaks("tags", "less than or equal to 200")),
		{opCreate, "takes 50 tags, with every character there is", source, Nothing, func(ctx context.Context, s *Subject) error {
			_, err := s.createRaw(ctx, createBody(`"tags":[`+numbered(49)+`,{"key":"a b._:/=+@-","value":""}],`))
			return err
		}},
	}
}
