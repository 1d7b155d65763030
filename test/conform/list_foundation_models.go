package conform

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
)

const opListModels = "ListFoundationModels"

func listFoundationModelsChecks() []Check {
	const source = "control-plane.md §2.4"
	list := func(query string) ask { return ask{path: "/foundation-models?" + query} }
	return []Check{
		asks(opListModels, "answers with all models at once", source, Nothing, ask{path: "/foundation-models"}, answer{status: 200, members: []string{"modelSummaries"}}),
		{opListModels, "describes each model with an ARN of the Region called and without an account", source, Nothing, listModelARNs},
		{opListModels, "filters by provider, in any case of letters", source, Nothing, listModelsOf(
			&bedrock.ListFoundationModelsInput{ByProvider: aws.String("amazon")},
			func(m types.FoundationModelSummary) bool {
				return strings.EqualFold(aws.ToString(m.ProviderName), "Amazon")
			})},
		{opListModels, "filters by output modality", source, Nothing, listModelsOf(
			&bedrock.ListFoundationModelsInput{ByOutputModality: types.ModelModalityEmbedding},
			func(m types.FoundationModelSummary) bool {
				return slices.Contains(m.OutputModalities, types.ModelModalityEmbedding)
			})},
		{opListModels, "filters by ON_DEMAND", source, Nothing, listModelsOf(
			&bedrock.ListFoundationModelsInput{ByInferenceType: types.InferenceTypeOnDemand},
			func(m types.FoundationModelSummary) bool {
				return slices.Contains(m.InferenceTypesSupported, types.InferenceTypeOnDemand)
			})},
		{opListModels, "filters by INFERENCE_PROFILE, which the SDKs' enumeration lacks", source + " (UNVERIFIED)", Nothing, listModelsOf(
			&bedrock.ListFoundationModelsInput{ByInferenceType: "INFERENCE_PROFILE"},
			func(m types.FoundationModelSummary) bool {
				return slices.Contains(m.InferenceTypesSupported, "INFERENCE_PROFILE")
			})},
		asks(opListModels, "has no model of an unknown provider", source, Nothing, list("byProvider=Nobody"), answer{status: 200, body: `{"modelSummaries":[]}`}),
		asks(opListModels, "refuses a provider beyond its pattern", source, Nothing, list("byProvider=a%2Fb"), breaks("byProvider", "regular expression pattern: [A-Za-z0-9- ]{1,63}")),
		asks(opListModels, "refuses an unknown inference type", source, Nothing, list("byInferenceType=SOMETIMES"), breaks("byInferenceType", "Member must satisfy enum value set: [")),
		asks(opListModels, "refuses an unknown modality", source, Nothing, list("byOutputModality=SMELL"), breaks("byOutputModality", "Member must satisfy enum value set: [")),
		asks(opListModels, "refuses an unknown customization", source, Nothing, list("byCustomizationType=MAGIC"), breaks("byCustomizationType", "Member must satisfy enum value set: [")),
	}
}

func listModelARNs(ctx context.Context, s *Subject) error {
	out, err := s.control.ListFoundationModels(ctx, &bedrock.ListFoundationModelsInput{})
	if err != nil {
		return err
	}
	for _, m := range out.ModelSummaries {
		id := aws.ToString(m.ModelId)
		arn := "arn:" + s.endpoint.Region.Partition() + ":bedrock:" + string(s.endpoint.Region) + "::foundation-model/" + id
		err := errors.Join(same("ARN", arn, aws.ToString(m.ModelArn)),
			holds("modelName of "+id, aws.ToString(m.ModelName) != "", "a name", ""),
			holds("providerName of "+id, aws.ToString(m.ProviderName) != "", "a name", ""),
			holds("modelLifecycle of "+id, m.ModelLifecycle != nil && m.ModelLifecycle.Status != "", "a status", m.ModelLifecycle))
		if err != nil {
			return err
		}
	}
	return holds("models", len(out.ModelSummaries) > 0, "some", len(out.ModelSummaries))
}

// listModelsOf checks a filter against the whole list.
func listModelsOf(in *bedrock.ListFoundationModelsInput, passes func(types.FoundationModelSummary) bool) func(context.Context, *Subject) error {
	return func(ctx context.Context, s *Subject) error {
		all, err := s.control.ListFoundationModels(ctx, &bedrock.ListFoundationModelsInput{})
		if err != nil {
			return err
		}
		some, err := s.control.ListFoundationModels(ctx, in)
		if err != nil {
			return err
		}
		var want, got []string
		for _, m := range all.ModelSummaries {
			if passes(m) {
				want = append(want, aws.ToString(m.ModelId))
			}
		}
		for _, m := range some.ModelSummaries {
			got = append(got, aws.ToString(m.ModelId))
		}
		slices.Sort(want)
		slices.Sort(got)
		return errors.Join(same("models", strings.Join(want, " "), strings.Join(got, " ")), holds("models", len(got) > 0, "some", len(got)))
	}
}
