package profile_test

import (
	"strings"
	"testing"

	"outcrop"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

// Whoever names nothing hears AWS's words first and then what to do.
func TestAWrongModelIDIsToldItsCure(t *testing.T) {
	b := setUp(profile.Options{})
	app := b.create(t, novaARN)
	for name, c := range map[string]struct{ modelID, cure string }{
		"a version left out":          {"us.amazon.nova-lite-v1", "Did you mean us.amazon.nova-lite-v1:0?"},
		"two letters swapped":         {"us.amazon.nvoa-lite-v1:0", "Did you mean us.amazon.nova-lite-v1:0?"},
		"capitals":                    {"US.Amazon.Nova-Lite-v1:0", "Did you mean us.amazon.nova-lite-v1:0?"},
		"a marketing name":            {"claude-sonnet-4-5", "Did you mean us.anthropic.claude-sonnet-4-5-20250929-v1:0 or global.anthropic.claude-sonnet-4-5-20250929-v1:0?"},
		"a family":                    {"claude", " more?"},
		"nothing like it":             {"gpt-9", ""},
		"another geography's profile": {"eu.amazon.nova-lite-v1:0", "eu.amazon.nova-lite-v1:0 is not offered in us-west-2 but in eu-central-1, eu-north-1, eu-south-1 or 4 more. In us-west-2 call us.amazon.nova-lite-v1:0."},
		"its ARN":                     {"arn:aws:bedrock:us-west-2:111122223333:inference-profile/eu.amazon.nova-lite-v1:0", "In us-west-2 call us.amazon.nova-lite-v1:0."},
		"an ARN without its account":  {"arn:aws:bedrock:us-west-2::inference-profile/us.amazon.nova-lite-v1:0", "Did you mean us.amazon.nova-lite-v1:0?"},
		"a bare application id":       {app.ID, "An application profile is called by its ARN: " + string(app.ARN)},
		"one that is not":             {"abcdefghijkl", "An application profile is called by its ARN: arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abcdefghijkl"},
		"one of another account":      {strings.Replace(string(app.ARN), "111122223333", string(stranger), 1), "The ARN is of account 444455556666 and the caller is of 111122223333, whose profiles have its own account in their ARNs."},
		"one that is gone":            {string(app.ARN[:len(app.ARN)-1]), "There is no such application profile in us-west-2, or no longer: list-inference-profiles --type-equals APPLICATION names those there are."},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.resolve(t, c.modelID)
			e := profiletest.Refused(t, err, outcrop.Invalid, badIdentifier)
			if said, ok := strings.CutPrefix(e.Message, badIdentifier); !ok || !strings.HasSuffix(said, c.cure) || (c.cure == "") != (said == "") {
				t.Errorf("%q: %q, want the cure %q", c.modelID, e.Message, c.cure)
			}
		})
	}
}
