package conform

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
)

const opGetModel = "GetFoundationModel"

func getFoundationModelChecks() []Check {
	const source = "control-plane.md §2.4"
	get := func(id string) ask { return ask{path: "/foundation-models/" + id} }
	unknown := refused(404, "ResourceNotFoundException")
	return []Check{
		{opGetModel, "describes a model to an SDK, by ID and by ARN", source, Nothing, getModel},
		asks(opGetModel, "answers with modelDetails", source, Nothing, get("{%systemModel}"), answer{status: 200, members: []string{"modelDetails"}}),
		asks(opGetModel, "does not find an unknown model", source, Nothing, get(label("no.such-model-v1:0")), unknown),
		asks(opGetModel, "does not find the ARN of another Region's model", source+" (UNVERIFIED)", Own, get(label("arn:aws:bedrock:me-south-1::foundation-model/")+"{%systemModel}"), unknown),
		asks(opGetModel, "refuses an identifier beyond the pattern", "botocore", Nothing, get("a%20b"), breaks("modelIdentifier", "regular expression")),
	}
}

func getModel(ctx context.Context, s *Subject) error {
	arn, err := s.fill(ctx, "arn:aws:bedrock:{region}::foundation-model/{systemModel}")
	if err != nil {
		return err
	}
	for _, id := range []string{s.facts.systemModel, arn} {
		got, err := s.control.GetFoundationModel(ctx, &bedrock.GetFoundationModelInput{ModelIdentifier: &id})
		if err != nil {
			return err
		}
		d := got.ModelDetails
		if d == nil {
			return &Mismatch{"modelDetails", "a model", "none"}
		}
		err = errors.Join(same("modelId", s.facts.systemModel, aws.ToString(d.ModelId)), same("modelArn", arn, aws.ToString(d.ModelArn)),
			holds("outputModalities", len(d.OutputModalities) > 0, "some", d.OutputModalities),
			holds("responseStreamingSupported", d.ResponseStreamingSupported != nil, "told", d.ResponseStreamingSupported))
		if err != nil {
			return err
		}
	}
	return nil
}
