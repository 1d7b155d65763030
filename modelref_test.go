package outcrop

import (
	"strings"
	"testing"
)

const here = "arn:aws:bedrock:us-east-1:111122223333:"

// The forms of reference/runtime-metering-billing.md §1.4.
func TestModelRefs(t *testing.T) {
	for _, c := range []struct {
		text string
		kind RefKind
		id   string
	}{
		{"amazon.nova-lite-v1:0", RefBare, "amazon.nova-lite-v1:0"},
		{"us.amazon.nova-lite-v1:0", RefBare, "us.amazon.nova-lite-v1:0"},
		{"global.anthropic.claude-sonnet-4-6", RefBare, "global.anthropic.claude-sonnet-4-6"},
		{"bmcqrhwso453", RefBare, "bmcqrhwso453"},
		{"arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", RefFoundationModel, "amazon.nova-lite-v1:0"},
		{"arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0", RefFoundationModel, "amazon.nova-2-lite-v1:0"},
		{here + "inference-profile/us.amazon.nova-lite-v1:0", RefSystemProfile, "us.amazon.nova-lite-v1:0"},
		{here + "application-inference-profile/k3x09m2p7q1z", RefApplicationProfile, "k3x09m2p7q1z"},
		{here + "prompt-router/k3x09m2p7q1z", RefPromptRouter, "k3x09m2p7q1z"},
		{here + "default-prompt-router/amazon.nova:1", RefPromptRouter, "amazon.nova:1"},
		{here + "prompt/ABCDEFGHIJ:2", RefPrompt, "ABCDEFGHIJ:2"},
		{here + "provisioned-model/k3x09m2p7q1z", RefProvisionedModel, "k3x09m2p7q1z"},
		{here + "custom-model/amazon.nova-lite-v1:0/k3x09m2p7q1z", RefCustomModel, "amazon.nova-lite-v1:0/k3x09m2p7q1z"},
		{here + "custom-model-deployment/k3x09m2p7q1z", RefCustomModel, "k3x09m2p7q1z"},
		{here + "imported-model/k3x09m2p7q1z", RefImportedModel, "k3x09m2p7q1z"},
		{"arn:aws:sagemaker:us-east-1:111122223333:endpoint/mine", RefEndpoint, "mine"},
		{"arn:aws-us-gov:bedrock:us-gov-west-1:111122223333:inference-profile/us-gov.a.b", RefSystemProfile, "us-gov.a.b"},

		{"", RefUnknown, ""},
		{"${BEDROCK_INFERENCE_PROFILE_SONNET}", RefUnknown, ""}, // a variable that was never replaced
		{"a b", RefUnknown, ""},
		{"a/b", RefUnknown, ""},
		{"arn:aws:bedrock", RefUnknown, ""},
		{here + "inference-profile/", RefUnknown, ""},
		{here + "inference-profile", RefUnknown, ""},
		{here + "guardrail-profile/x", RefUnknown, "x"},
		{here + "endpoint/x", RefUnknown, "x"},
		{"arn:aws:sagemaker:us-east-1:111122223333:model/x", RefUnknown, "x"},
		{"arn:aws:s3:us-east-1:111122223333:inference-profile/x", RefUnknown, "x"},
	} {
		ref := ParseModelRef(c.text)
		if ref.Kind != c.kind || ref.ID != c.id || ref.Text != c.text {
			t.Errorf("%q: kind %d, id %q; want %d, %q", c.text, ref.Kind, ref.ID, c.kind, c.id)
		}
	}
}

func FuzzParseModelRef(f *testing.F) {
	for _, s := range []string{"amazon.nova-lite-v1:0", here + "prompt/A:1", "arn:aws:bedrock:::foundation-model/a.b", "arn::::::/", "${X}", "arn:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref := ParseModelRef(s)
		switch {
		case ref.Text != s:
			t.Errorf("the text %q became %q", s, ref.Text)
		case ref.Kind == RefBare && (ref.ID != s || ref.ARN != ARNParts{}):
			t.Errorf("%q: bare id %q", s, ref.ID)
		case ref.Kind > RefBare && (ref.ID == "" || string(ref.ARN.ARN()) != s || !strings.HasSuffix(s, "/"+ref.ID)):
			t.Errorf("%q: %+v", s, ref)
		}
	})
}
