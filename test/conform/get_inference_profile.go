package conform

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
)

const opGet = "GetInferenceProfile"

func getInferenceProfileChecks() []Check {
	const vectors, shapes, missing = "control-plane.md §1.14", "control-plane.md §1.13", "control-plane.md §1.6"
	found := answer{status: 200, members: profileMembers}
	get := func(id string) ask { return ask{path: "/inference-profiles/" + id} }
	pattern := breaks("inferenceProfileIdentifier", "Member must satisfy regular expression pattern: (arn:aws")
	unknown := refused(404, "ResourceNotFoundException")
	return []Check{
		{opGet, "describes a system-defined profile to an SDK", shapes, Nothing, getSystem},
		{opGet, "describes an application profile to an SDK, by ID and by ARN", shapes, Nothing, getApplication},
		{opGet, "writes times in UTC with Z, to the microsecond at most", "control-plane.md §0", Nothing, getTimes},
		{opGet, "gives an unknown profile the SDK's ResourceNotFoundException", missing, Nothing, getUnknown},
		asks(opGet, "finds a system-defined profile by its ID", vectors, Nothing, get("{%systemID}"), found),
		asks(opGet, "finds a system-defined profile by its ID, the colon bare", vectors, Nothing, get("{systemID}"), found),
		{opGet, "finds it by an ID encoded in small letters, %3a", "RFC 3986 §2.1", Nothing, func(ctx context.Context, s *Subject) error {
			_, err := s.expect(ctx, get(strings.ReplaceAll(label(s.facts.systemID), "%3A", "%3a")), found)
			return err
		}},
		asks(opGet, "finds a system-defined profile by its ARN", vectors, Nothing, get("{%systemARN}"), found),
		asks(opGet, "finds an application profile by its 12 characters", vectors, Nothing, get("{profileID}"), found),
		asks(opGet, "finds an application profile by its ARN", vectors, Nothing, get("{%profile}"), found),
		asks(opGet, "takes an ARN whose slash is bare", "control-plane.md §0; AWS answers UnknownOperationException", Own, get("{profile}"), found),
		asks(opGet, "refuses the ARN of a foundation model", vectors, Nothing, get(label("arn:aws:bedrock:us-east-1::foundation-model/a.b")), pattern),
		asks(opGet, "refuses a%2Fb", vectors, Nothing, get("a%2Fb"), pattern),
		asks(opGet, "refuses an identifier of 2049 characters", "botocore", Nothing, get(strings.Repeat("a", 2049)), breaks("inferenceProfileIdentifier", "less than or equal to 2048")),
		asks(opGet, "does not find the short ID of the guides", "control-plane.md §1.15", Nothing, get(label("arn:aws:bedrock:")+"{region}%3A{account}"+label(":application-inference-profile/abc123")), unknown),
		asks(opGet, "does not find an unknown ID", missing, Nothing, get("k3x09m2p7q1z"), unknown),
		asks(opGet, "does not find a model by its ID", "control-plane.md §1.10", Nothing, get("{%systemModel}"), unknown),
		asks(opGet, "does not find another geography's profile", missing, Nothing, get("{%foreign}"), unknown),
		asks(opGet, "does not find a profile of another Region", missing+" (UNVERIFIED)", Nothing, get(label("arn:aws:bedrock:me-south-1:")+"{account}"+label(":application-inference-profile/k3x09m2p7q1z")), unknown),
		asks(opGet, "refuses to look into another account", missing+" (UNVERIFIED)", Own, get(label("arn:aws:bedrock:")+"{region}"+label(":999999999999:application-inference-profile/k3x09m2p7q1z")), refused(403, "AccessDeniedException", "is not authorized to perform: bedrock:GetInferenceProfile")),
	}
}

// profileMembers are those of Get and of a list's entry.
var profileMembers = []string{"inferenceProfileName", "models", "description?", "createdAt", "updatedAt", "inferenceProfileArn", "inferenceProfileId", "status", "type"}

func getSystem(ctx context.Context, s *Subject) error {
	for _, id := range []string{s.facts.systemID, s.facts.systemARN} {
		got, err := s.control.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &id})
		if err != nil {
			return err
		}
		err = errors.Join(
			same("ID", s.facts.systemID, aws.ToString(got.InferenceProfileId)),
			same("ARN", s.facts.systemARN, aws.ToString(got.InferenceProfileArn)),
			same("type", types.InferenceProfileTypeSystemDefined, got.Type),
			same("status", types.InferenceProfileStatusActive, got.Status),
			same("models", strings.Join(s.facts.destination, " "), modelARNs(got.Models)),
			holds("description", strings.HasPrefix(aws.ToString(got.Description), "Routes requests to "), "Routes requests to …", aws.ToString(got.Description)))
		if err != nil {
			return err
		}
	}
	return nil
}

func getApplication(ctx context.Context, s *Subject) error {
	p, err := s.profile(ctx)
	if err != nil {
		return err
	}
	for _, id := range []string{p.id, p.arn} {
		got, err := s.control.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &id})
		if err != nil {
			return err
		}
		err = errors.Join(same("ID", p.id, aws.ToString(got.InferenceProfileId)), same("ARN", p.arn, aws.ToString(got.InferenceProfileArn)),
			same("type", types.InferenceProfileTypeApplication, got.Type), same("status", types.InferenceProfileStatusActive, got.Status))
		if err != nil {
			return err
		}
	}
	return nil
}

var timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$`)

func getTimes(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, ask{path: "/inference-profiles/{%profile}"}, answer{status: 200})
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range []string{"createdAt", "updatedAt"} {
		t := text(got.object(), name)
		errs = append(errs, holds(name, timestamp.MatchString(t), "such as 2026-11-21T10:00:00.123456Z", t))
	}
	return errors.Join(errs...)
}

func getUnknown(ctx context.Context, s *Subject) error {
	_, err := s.control.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: aws.String("k3x09m2p7q1z")})
	var typed *types.ResourceNotFoundException
	return holds("the SDK's error", errors.As(err, &typed), "types.ResourceNotFoundException", err)
}
