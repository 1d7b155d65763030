package conform

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrock"
)

const opDelete = "DeleteInferenceProfile"

func deleteInferenceProfileChecks() []Check {
	const source = "control-plane.md §1.8"
	remove := func(id string) ask { return ask{method: "DELETE", path: "/inference-profiles/" + id} }
	unknown := refused(404, "ResourceNotFoundException")
	return []Check{
		{opDelete, "deletes by ID, at once and for good: Get, Delete and its tags answer 404", source, Nothing, deleteByID},
		{opDelete, "deletes by ARN and answers 200 with {}", source, Nothing, deleteByARN},
		{opDelete, "answers an SDK", source, Nothing, deleteBySDK},
		asks(opDelete, "does not find an unknown ID", source, Nothing, remove("k3x09m2p7q1z"), unknown),
		asks(opDelete, "does not find the run-together ID of the guides", "runtime-metering-billing.md §9.1, 12", Nothing, remove("kmghfarxnyzcaws"), unknown),
		asks(opDelete, "refuses a system-defined profile by ID", source+" (UNVERIFIED)", Own, remove("{%systemID}"), invalid("system-defined")),
		asks(opDelete, "refuses a system-defined profile by ARN", source+" (UNVERIFIED)", Own, remove("{%systemARN}"), invalid("system-defined")),
		asks(opDelete, "refuses the ARN of a foundation model", "botocore", Nothing, remove(label("arn:aws:bedrock:us-east-1::foundation-model/a.b")),
			breaks("inferenceProfileIdentifier", "Member must satisfy regular expression pattern: (arn:aws")),
	}
}

func deleteByID(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx)
	if err != nil {
		return err
	}
	unknown := refused(404, "ResourceNotFoundException")
	var errs []error
	for _, step := range []struct {
		ask  ask
		want answer
	}{
		{ask{method: "DELETE", path: "/inference-profiles/" + p.id}, answer{status: 200, body: "{}"}},
		{ask{method: "DELETE", path: "/inference-profiles/" + p.id}, unknown},
		{ask{path: "/inference-profiles/" + label(p.arn)}, unknown},
		{ask{method: "POST", path: "/listTagsForResource", body: `{"resourceARN":"` + p.arn + `"}`}, unknown},
		{ask{service: "bedrock-runtime", method: "POST", path: "/model/" + label(p.arn) + "/converse", body: hello}, invalid(noIdentifier)},
	} {
		_, err := s.expect(ctx, step.ask, step.want)
		errs = append(errs, err)
	}
	list, err := s.send(ctx, ask{path: "/inference-profiles?type=APPLICATION"})
	if err != nil {
		return err
	}
	errs = append(errs, holds("the list", !strings.Contains(string(list.body), p.id), "without the profile", p.id))
	return errors.Join(errs...)
}

func deleteByARN(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx)
	if err != nil {
		return err
	}
	return s.steps(ctx,
		step{ask{method: "DELETE", path: "/inference-profiles/" + label(p.arn)}, answer{status: 200, body: "{}"}, ""},
		step{ask{path: "/inference-profiles/" + p.id}, refused(404, "ResourceNotFoundException"), ""})
}

func deleteBySDK(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx)
	if err != nil {
		return err
	}
	in := &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &p.arn}
	if _, err := s.control.DeleteInferenceProfile(ctx, in); err != nil {
		return err
	}
	_, err = s.control.DeleteInferenceProfile(ctx, in)
	return sdkRefusal(err, "ResourceNotFoundException")
}
