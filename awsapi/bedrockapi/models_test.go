package bedrockapi

import (
	"slices"
	"strings"
	"testing"

	"outcrop"
	"outcrop/catalog"
)

func TestListFoundationModels(t *testing.T) {
	d := setUp()
	all := call(t, d.listFoundationModels, &ListFoundationModelsInput{}).ModelSummaries
	if want := len(catalog.Embedded().Models(caller.Region)); len(all) != want || want == 0 {
		t.Errorf("%d models, want %d", len(all), want)
	}
	for _, m := range all {
		if want := "arn:aws:bedrock:us-west-2::foundation-model/" + m.ModelId; m.ModelArn != want || m.ModelLifecycle.Status == "" || m.InputModalities == nil || m.InferenceTypesSupported == nil || m.CustomizationsSupported == nil {
			t.Errorf("listed %+v", m)
		}
	}
	for name, c := range map[string]struct {
		in   ListFoundationModelsInput
		pass func(FoundationModelSummary) bool
	}{
		"provider":        {ListFoundationModelsInput{ByProvider: "Anthropic"}, func(m FoundationModelSummary) bool { return m.ProviderName == "Anthropic" }},
		"provider's case": {ListFoundationModelsInput{ByProvider: "anthropic"}, func(m FoundationModelSummary) bool { return m.ProviderName == "Anthropic" }},
		"customization":   {ListFoundationModelsInput{ByCustomizationType: "FINE_TUNING"}, func(m FoundationModelSummary) bool { return slices.Contains(m.CustomizationsSupported, "FINE_TUNING") }},
		"output":          {ListFoundationModelsInput{ByOutputModality: "EMBEDDING"}, func(m FoundationModelSummary) bool { return slices.Contains(m.OutputModalities, "EMBEDDING") }},
		"inference":       {ListFoundationModelsInput{ByInferenceType: "ON_DEMAND"}, func(m FoundationModelSummary) bool { return slices.Contains(m.InferenceTypesSupported, "ON_DEMAND") }},
		"profile only": {ListFoundationModelsInput{ByInferenceType: "INFERENCE_PROFILE"}, func(m FoundationModelSummary) bool {
			return slices.Contains(m.InferenceTypesSupported, "INFERENCE_PROFILE")
		}},
		"two filters meet": {ListFoundationModelsInput{ByProvider: "Amazon", ByOutputModality: "IMAGE"}, func(m FoundationModelSummary) bool {
			return m.ProviderName == "Amazon" && slices.Contains(m.OutputModalities, "IMAGE")
		}},
		"nobody": {ListFoundationModelsInput{ByProvider: "Nobody"}, func(FoundationModelSummary) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			got := call(t, d.listFoundationModels, &c.in).ModelSummaries
			want := 0
			for _, m := range all {
				if c.pass(m) {
					want++
				}
			}
			if len(got) != want || got == nil || slices.ContainsFunc(got, func(m FoundationModelSummary) bool { return !c.pass(m) }) {
				t.Errorf("%d models, want %d", len(got), want)
			}
		})
	}
}

func TestGetFoundationModel(t *testing.T) {
	d := setUp()
	arn := "arn:aws:bedrock:us-west-2::foundation-model/" + sonnet
	for _, identifier := range []string{sonnet, arn} {
		m := call(t, d.getFoundationModel, &GetFoundationModelInput{ModelIdentifier: identifier}).ModelDetails
		if m.ModelId != sonnet || m.ModelArn != arn || m.ProviderName != "Anthropic" || !*m.ResponseStreamingSupported {
			t.Errorf("%s: %+v", identifier, m)
		}
	}
	for _, identifier := range []string{
		"no.such-model", novaID, novaARN, strings.Replace(arn, "us-west-2", "us-east-1", 1), strings.Replace(arn, "::", ":111122223333:", 1),
		"arn:aws:bedrock:us-west-2:111122223333:custom-model/" + sonnet,
	} {
		refused(t, outcrop.NotFound, identifier, d.getFoundationModel, &GetFoundationModelInput{ModelIdentifier: identifier})
	}
}
