package profile_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"outcrop"
	"outcrop/profile"
	"outcrop/profile/profiletest"

	"pgregory.net/rapid"
)

// Values that a model refuses are refused when they are set, at create and at
// tag time, in words that name the tag.
func TestDefaultsThatTheModelRefuses(t *testing.T) {
	b := setUp(profile.Options{})
	const (
		sonnet45 = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
		opus5    = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.anthropic.claude-opus-4-7"
		llama    = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.meta.llama3-3-70b-instruct-v1:0"
	)
	for _, c := range []struct {
		source, tags, words string // tags: name=value, separated by spaces
	}{
		{novaARN, "temperature=1.5", `outcrop:default:temperature is "1.5", and must be a number from 0 to 1`},
		{novaARN, "temperature=NaN", "must be a number from 0 to 1"},
		{novaARN, "temperature=warm", "must be a number"},
		{novaARN, "maxTokens=0", "must be a whole number from 1"},
		{novaARN, "maxTokens=1e3", "must be a whole number from 1"},
		{novaARN, "maxTokens=2000000000", "cannot be set for amazon.nova-lite-v1:0: its maximum is"},
		{novaARN, "topK=129", "its maximum is 128"},
		{novaARN, "anthropicVersion=bedrock-2023-05-31", "it is not of Anthropic"},
		{sonnet45, "anthropicVersion=2023-06-01", "must be bedrock-2023-05-31"},
		{sonnet45, "temperature=0.2 topP=0.9", "takes temperature or topP, not both"},
		{opus5, "temperature=0.2", "takes no sampling settings"},
		{opus5, "topK=5", "takes no sampling settings"},
		{llama, "topK=5", "it has no topK"},
		{novaARN, "stopSequences=", "must not be empty"},
		{novaARN, "stopSequences=a stopSequences:2=b stopSequences:3=c stopSequences:4=d stopSequences:5=e", "at most 4 are taken"},
		{novaARN, "stopSequences=base64:%", "does not decode"},
		{novaARN, "responseFormat=yaml", "is no JSON Schema"},
		{novaARN, "top_p=0.9", "is not a setting: write outcrop:default:topP"},
		{novaARN, "TEMPERATURE=0.9", "write outcrop:default:temperature"},
		{novaARN, "heat=0.9", "is not a setting; the settings are temperature, topP"},
		{novaARN, "temperature:2=0.9", "only stopSequences and responseFormat go on"},
	} {
		t.Run(c.tags, func(t *testing.T) {
			var tags []profile.Tag
			for one := range strings.SplitSeq(c.tags, " ") {
				name, value, _ := strings.Cut(one, "=")
				tags = append(tags, profile.Tag{Key: profile.DefaultPrefix + name, Value: value})
			}
			_, err := b.Create(t.Context(), request(c.source, tags...))
			profiletest.Refused(t, err, outcrop.Invalid, c.words)
			made := b.create(t, c.source)
			profiletest.Refused(t, b.Tag(t.Context(), account, region, string(made.ARN), tags), outcrop.Invalid, c.words)
			if kept, err := b.TagsOf(t.Context(), account, region, string(made.ARN)); err != nil || len(kept) != 0 {
				t.Errorf("refused, and kept %v, %v", kept, err)
			}
		})
	}
}

// A half that was set earlier counts: the union is what calls will get.
func TestDefaultsAreCheckedTogether(t *testing.T) {
	b := setUp(profile.Options{})
	made := b.create(t, "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
		profile.Tag{Key: profile.DefaultPrefix + "temperature", Value: "0.2"})
	err := b.Tag(t.Context(), account, region, string(made.ARN), []profile.Tag{{Key: profile.DefaultPrefix + "topP", Value: "0.9"}})
	profiletest.Refused(t, err, outcrop.Invalid, "not both")
	if err := b.Tag(t.Context(), account, region, string(made.ARN), []profile.Tag{{Key: "team", Value: "blue"}}); err != nil {
		t.Error(err)
	}
}

// Targets carry the defaults, and bills do not show their tags. A change holds
// from the next call.
func TestTargetsCarryDefaults(t *testing.T) {
	b := setUp(profile.Options{})
	made := b.create(t, novaARN, profile.Tag{Key: "team", Value: "blue"}, profile.Tag{Key: profile.DefaultPrefix + "temperature", Value: "0.2"})
	target, err := b.resolve(t, string(made.ARN))
	if err != nil || target.Defaults == nil || *target.Defaults.Temperature != 0.2 || !reflect.DeepEqual(target.Tags, outcrop.Tags{"team": "blue"}) {
		t.Fatalf("resolved to %+v, %v", target, err)
	}
	if err := b.Untag(t.Context(), account, region, string(made.ARN), []string{profile.DefaultPrefix + "temperature"}); err != nil {
		t.Fatal(err)
	}
	if target, err = b.resolve(t, string(made.ARN)); err != nil || target.Defaults != nil {
		t.Errorf("untagged, and resolved to %+v, %v", target.Defaults, err)
	}
}

var tagValue = regexp.MustCompile(`\A[a-zA-Z0-9\s._:/=+@-]{0,256}\z`) // Bedrock's service model

// Property: what DefaultTags writes fits into tags, and DefaultsOf reads it
// back.
func TestDefaultsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := new(outcrop.Defaults)
		if rapid.Bool().Draw(t, "temperature") {
			d.Temperature = new(rapid.Float64Range(0, 1).Draw(t, "t"))
		}
		if rapid.Bool().Draw(t, "maxTokens") {
			d.MaxTokens = new(rapid.Int64Range(1, 1<<20).Draw(t, "n"))
		}
		d.StopSequences = rapid.SliceOfN(rapid.StringN(1, 20, 40), 0, 4).Draw(t, "stop")
		if len(d.StopSequences) == 0 {
			d.StopSequences = nil
		}
		if rapid.Bool().Draw(t, "format") {
			properties := map[string]any{}
			for _, name := range rapid.SliceOfN(rapid.StringN(0, 30, 60), 0, 40).Draw(t, "names") {
				properties[name] = map[string]string{"type": "string"}
			}
			d.ResponseFormat, _ = json.Marshal(map[string]any{"type": "object", "properties": properties})
		}
		tags, err := profile.DefaultTags(d)
		if err != nil {
			t.Skip("too long for tags, and said so")
		}
		for k, v := range tags {
			if !tagValue.MatchString(v) || !tagValue.MatchString(k) || len(k) > 128 {
				t.Fatalf("%q = %q is no tag that Bedrock takes", k, v)
			}
		}
		got, err := profile.DefaultsOf(tags)
		if err != nil {
			t.Fatal(err)
		}
		if got == nil {
			got = new(outcrop.Defaults)
		}
		if !reflect.DeepEqual(got, d) {
			t.Fatalf("read back %+v, want %+v", got, d)
		}
	})
}

func TestResponseFormats(t *testing.T) {
	for doc, want := range map[string]string{
		`json`:                           `{"type":"object"}`,
		`{"type":"json_object"}`:         `{"type":"object"}`,
		`{"type":"object", "title":"a"}`: `{"type":"object","title":"a"}`,
		`{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"array"}}}`: `{"type":"array"}`,
		`{"type":"json_schema","schema":{"type":"array"}}`:                            `{"type":"array"}`,
	} {
		if got, err := profile.ParseResponseFormat([]byte(doc)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", doc, got, err, want)
		}
	}
	for _, doc := range []string{`[]`, `7`, `{`, `{"type":"json_schema"}`, `{"type":"json_schema","schema":[]}`} {
		if got, err := profile.ParseResponseFormat([]byte(doc)); err == nil {
			t.Errorf("%s: %s, want a refusal", doc, got)
		}
	}
}
