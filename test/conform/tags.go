package conform

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
)

// Helpers of the three tag operations.

// tagAsk names a resource in the body, as these operations do.
func tagAsk(path, arn, rest string) ask {
	return ask{method: "POST", path: path, body: `{"resourceARN":"` + arn + `"` + rest + `}`}
}

// Resources that none of the operations takes. The ARN of an application
// profile that does not exist is no such case: it is not found.
const (
	missingARN  = "arn:aws:bedrock:{region}:{account}:application-inference-profile/k3x09m2p7q1z"
	elsewhereID = "arn:aws:bedrock:me-south-1:{account}:application-inference-profile/k3x09m2p7q1z"
)

// tagTargets are the refusals that the three operations have in common.
func tagTargets(operation, path, rest string) []Check {
	const source = "control-plane.md §1.9"
	unknown := refused(404, "ResourceNotFoundException")
	return []Check{
		asks(operation, "does not find an unknown profile", source, Nothing, tagAsk(path, missingARN, rest), unknown),
		asks(operation, "does not find a profile of another Region", source+" (UNVERIFIED)", Own, tagAsk(path, elsewhereID, rest), unknown),
		asks(operation, "refuses a system-defined profile", source+" (UNVERIFIED)", Own, tagAsk(path, "{systemARN}", rest), invalid("system-defined")),
		asks(operation, "refuses an ID in place of the ARN", "botocore: at least 20 characters", Nothing, tagAsk(path, "k3x09m2p7q1z", rest), breaks("resourceARN", "greater than or equal to 20")),
		asks(operation, "refuses what is no ARN", source, Nothing, tagAsk(path, "this-is-not-an-arn-at-all-but-long", rest), invalid()),
		asks(operation, "refuses an ARN of 1012 characters", "botocore", Nothing, tagAsk(path, missingARN+strings.Repeat("a", 1012), rest), breaks("resourceARN", "less than or equal to 1011")),
		asks(operation, "insists on the ARN", "botocore", Nothing, ask{method: "POST", path: path, body: "{" + strings.TrimPrefix(rest, ",") + "}"}, breaks("resourceARN", "Member must not be null")),
	}
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func (s *Subject) tag(ctx context.Context, arn string, tags ...types.Tag) error {
	_, err := s.control.TagResource(ctx, &bedrock.TagResourceInput{ResourceARN: &arn, Tags: tags})
	return err
}

func (s *Subject) untag(ctx context.Context, arn string, keys ...string) error {
	_, err := s.control.UntagResource(ctx, &bedrock.UntagResourceInput{ResourceARN: &arn, TagKeys: keys})
	return err
}

// tagged compares a profile's tags with expected, written "a=1 b=2" in the
// order of keys.
func (s *Subject) tagged(ctx context.Context, arn, expected string) error {
	out, err := s.control.ListTagsForResource(ctx, &bedrock.ListTagsForResourceInput{ResourceARN: &arn})
	if err != nil {
		return err
	}
	got := map[string]string{}
	for _, t := range out.Tags {
		got[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	var list []string
	for _, key := range slices.Sorted(maps.Keys(got)) {
		list = append(list, key+"="+got[key])
	}
	return same("tags", expected, strings.Join(list, " "))
}
