package outcrop

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParseARN(t *testing.T) {
	for _, c := range []struct {
		text, kind, id string
		parts          ARNParts
	}{
		{"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-lite-v1:0", "inference-profile", "us.amazon.nova-lite-v1:0",
			ARNParts{"aws", "bedrock", "us-east-1", "111122223333", "inference-profile/us.amazon.nova-lite-v1:0"}},
		{"arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0", "foundation-model", "amazon.nova-2-lite-v1:0",
			ARNParts{"aws", "bedrock", "", "", "foundation-model/amazon.nova-2-lite-v1:0"}},
		{"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/a.b", "foundation-model", "a.b",
			ARNParts{"aws-us-gov", "bedrock", "us-gov-west-1", "", "foundation-model/a.b"}},
		{"arn:aws:logs:us-east-1:111122223333:log-group:G:log-stream:aws/bedrock", "log-group:G:log-stream:aws", "bedrock",
			ARNParts{"aws", "logs", "us-east-1", "111122223333", "log-group:G:log-stream:aws/bedrock"}},
		{"arn:aws:sns:us-east-1:111122223333:topic", "topic", "", ARNParts{"aws", "sns", "us-east-1", "111122223333", "topic"}},
		{"arn:::::", "", "", ARNParts{}},
	} {
		p, ok := ParseARN(c.text)
		if !ok || p != c.parts || p.ResourceType() != c.kind || p.ResourceID() != c.id || string(p.ARN()) != c.text {
			t.Errorf("%s: %+v, %t", c.text, p, ok)
		}
	}
	for _, text := range []string{"", "arn", "arn:aws:bedrock:us-east-1:111122223333", "ARN:aws:a:b:c:d", "xarn:aws:a:b:c:d", "us.amazon.nova-lite-v1:0"} {
		if p, ok := ParseARN(text); ok || p != (ARNParts{}) || ARN(text).Parts() != (ARNParts{}) {
			t.Errorf("%q is taken for %+v", text, p)
		}
	}
}

// Property: parts without colons, joined and split, are the same parts; the
// resource may hold anything.
func TestARNsRoundTrip(t *testing.T) {
	word := rapid.StringMatching(`[a-z0-9-]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		p := ARNParts{word.Draw(t, "partition"), word.Draw(t, "service"), Region(word.Draw(t, "region")),
			AccountID(word.Draw(t, "account")), rapid.String().Draw(t, "resource")}
		if back, ok := ParseARN(string(p.ARN())); !ok || back != p || p.ARN().Parts() != p {
			t.Fatalf("%+v came back as %+v", p, back)
		}
	})
}

func TestARNsOfBedrock(t *testing.T) {
	for got, want := range map[ARN]string{
		FoundationModelARN("aws", "", "a.b"):                            "arn:aws:bedrock:::foundation-model/a.b",
		FoundationModelARN("aws-us-gov", "us-gov-west-1", "a.b"):        "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/a.b",
		SystemProfileARN("eu-west-1", "111122223333", "eu.a.b-v1:0"):    "arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.a.b-v1:0",
		SystemProfileARN("us-gov-east-1", "111122223333", "us-gov.a.b"): "arn:aws-us-gov:bedrock:us-gov-east-1:111122223333:inference-profile/us-gov.a.b",
		ApplicationProfileARN("dc-berlin-1", "111122223333", "abc123"):  "arn:aws:bedrock:dc-berlin-1:111122223333:application-inference-profile/abc123",
		ApplicationProfileARN("cn-north-1", "111122223333", "abc123"):   "arn:aws-cn:bedrock:cn-north-1:111122223333:application-inference-profile/abc123",
	} {
		if string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPartitions(t *testing.T) {
	for r, want := range map[Region]string{
		"us-east-1": "aws", "dc-berlin-1": "aws", "": "aws", "us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn", "eusc-de-east-1": "aws-eusc",
	} {
		if got := r.Partition(); got != want {
			t.Errorf("%q lies in %s, want %s", r, got, want)
		}
	}
}
