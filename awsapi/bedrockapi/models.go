package bedrockapi

import (
	"context"
	"slices"
	"strings"

	"outcrop"
)

func (a *API) listFoundationModels(_ context.Context, who outcrop.Caller, in *ListFoundationModelsInput) (*ListFoundationModelsOutput, error) {
	out := &ListFoundationModelsOutput{ModelSummaries: []FoundationModelSummary{}}
	for _, m := range a.Catalog().Models(who.Region) {
		if passes(m, in) {
			out.ModelSummaries = append(out.ModelSummaries, FoundationModelSummary(describeModel(who.Region, m)))
		}
	}
	return out, nil
}

// passes applies the four filters; an empty one lets everything pass. The
// provider is taken in any case, as AWS's own examples write "anthropic".
func passes(m *outcrop.FoundationModel, in *ListFoundationModelsInput) bool {
	has := func(values []string, wanted string) bool { return wanted == "" || slices.Contains(values, wanted) }
	return (in.ByProvider == "" || strings.EqualFold(m.Provider, in.ByProvider)) &&
		has(m.Customizations, in.ByCustomizationType) &&
		has(m.OutputModalities, in.ByOutputModality) &&
		has(m.InferenceTypes, in.ByInferenceType)
}

func (a *API) getFoundationModel(_ context.Context, who outcrop.Caller, in *GetFoundationModelInput) (*GetFoundationModelOutput, error) {
	ref := outcrop.ParseModelRef(in.ModelIdentifier)
	elsewhere := ref.Kind != outcrop.RefBare && (ref.Kind != outcrop.RefFoundationModel ||
		ref.ARN.Region != who.Region || ref.ARN.Partition != who.Region.Partition() || ref.ARN.Account != "")
	m, ok := a.Catalog().Model(who.Region, outcrop.ModelID(ref.ID))
	if elsewhere || !ok {
		return nil, noModel(in.ModelIdentifier, who.Region)
	}
	details := describeModel(who.Region, m)
	return &GetFoundationModelOutput{ModelDetails: &details}, nil
}

func noModel(identifier string, region outcrop.Region) error {
	return outcrop.Errorf(outcrop.NotFound, "The foundation model %s was not found in %s.", identifier, region)
}

func describeModel(r outcrop.Region, m *outcrop.FoundationModel) FoundationModelDetails {
	streaming := m.Streaming
	return FoundationModelDetails{
		ModelArn: string(outcrop.FoundationModelARN(r.Partition(), r, m.ID)), ModelId: string(m.ID),
		ModelName: m.Name, ProviderName: m.Provider,
		InputModalities: listed(m.InputModalities), OutputModalities: listed(m.OutputModalities),
		ResponseStreamingSupported: &streaming,
		CustomizationsSupported:    listed(m.Customizations), InferenceTypesSupported: listed(m.InferenceTypes),
		ModelLifecycle: &FoundationModelLifecycle{
			Status: m.Lifecycle.Status, StartOfLifeTime: m.Lifecycle.StartOfLife, EndOfLifeTime: m.Lifecycle.EndOfLife,
			LegacyTime: m.Lifecycle.LegacySince, PublicExtendedAccessTime: m.Lifecycle.PublicExtendedAccess,
		},
	}
}

// listed shows an empty list as AWS does, which does not leave it out.
func listed(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}
