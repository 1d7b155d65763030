package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A vector of control-plane.md §1.14 and §0: one member of an input, and the
// whole message, empty when it is valid.
type vector struct {
	op     string
	member string
	value  any
	want   string
}

const (
	namePattern        = `([0-9a-zA-Z][ _-]?)+`
	descriptionPattern = `([0-9a-zA-Z:.][ _-]?)+`
)

func broken(one string) string { return "1 validation error detected: " + one }

func repeated(s string, n int) string { return strings.Repeat(s, n) }

func TestValidateInputVectors(t *testing.T) {
	nameFails := func(v string) string {
		return broken("Value '" + v + "' at 'inferenceProfileName' failed to satisfy constraint: Member must satisfy regular expression pattern: " + namePattern)
	}
	descriptionFails := broken("Value at 'description' failed to satisfy constraint: Member must satisfy regular expression pattern: " + descriptionPattern)
	const create = "CreateInferenceProfile"
	tests := []vector{
		{create, "inferenceProfileName", "-a", nameFails("-a")},
		{create, "inferenceProfileName", "a--b", nameFails("a--b")},
		{create, "inferenceProfileName", "a  b", nameFails("a  b")},
		{create, "inferenceProfileName", "a.b", nameFails("a.b")},
		{create, "inferenceProfileName", "a/b", nameFails("a/b")},
		{create, "inferenceProfileName", "é", nameFails("é")},
		{create, "inferenceProfileName", "a\n", nameFails("a\n")},
		{create, "inferenceProfileName", repeated("a", 65), broken("Value '" + repeated("a", 65) + "' at 'inferenceProfileName' failed to satisfy constraint: Member must have length less than or equal to 64")},
		{create, "description", "a, b", descriptionFails},
		{create, "description", "(x)", descriptionFails},
		{create, "description", " lead", descriptionFails},
		{create, "description", repeated("a", 201), broken("Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 200")},
		{create, "tags", []any{map[string]any{"key": "", "value": "v"}}, broken("Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1")},
		{create, "tags", []any{map[string]any{"key": "a", "value": "v"}, map[string]any{"key": "b"}}, broken("Value at 'tags.2.member.value' failed to satisfy constraint: Member must not be null")},
		{create, "modelSource", map[string]any{}, broken("Value at 'modelSource' failed to satisfy constraint: Member must have exactly one of the following keys set: [copyFrom]")},
		{create, "modelSource", nil, broken("Value at 'modelSource' failed to satisfy constraint: Member must not be null")},
		{"ListInferenceProfiles", "maxResults", int64(1001), broken("Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000")},
		{"ListInferenceProfiles", "maxResults", int64(0), broken("Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1")},
		{"ListInferenceProfiles", "typeEquals", "X", broken("Value 'X' at 'typeEquals' failed to satisfy constraint: Member must satisfy enum value set: [SYSTEM_DEFINED, APPLICATION]")},
		{"ListFoundationModels", "byInferenceType", "X", broken("Value 'X' at 'byInferenceType' failed to satisfy constraint: Member must satisfy enum value set: [ON_DEMAND, PROVISIONED]")},
		{"ListFoundationModels", "byInferenceType", "INFERENCE_PROFILE", ""},
		{"ListFoundationModels", "byOutputModality", "VIDEO", ""},
		{"GetInferenceProfile", "inferenceProfileIdentifier", "us.amazon.nova-lite-v1:0", ""},
		{"GetInferenceProfile", "inferenceProfileIdentifier", "k3x09m2p7q1z", ""},
		{"GetInferenceProfile", "inferenceProfileIdentifier", someARN, ""},
		{"GetInferenceProfile", "inferenceProfileIdentifier", systemARN, ""},
	}
	for _, name := range []string{"a", "Chat-App", "team_1", "a b", "a-", "LibreChat-us-anthropic-claude-3-7-sonnet-20250219-v1-0"} {
		tests = append(tests, vector{create, "inferenceProfileName", name, ""})
	}
	for _, text := range []string{"Cost center: 12.", "Custom inference profile for my application"} {
		tests = append(tests, vector{create, "description", text, ""})
	}
	svc := loadModel(t, "bedrock")
	for _, tt := range tests {
		checkMessage(t, svc, tt)
	}
}

func checkMessage(t *testing.T, svc *Service, tt vector) {
	t.Helper()
	err := Validate(svc.Operation(tt.op).Input, validInput(tt))
	if tt.want == "" {
		if err != nil {
			t.Errorf("%s %s = %v: %v", tt.op, tt.member, tt.value, err)
		}
		return
	}
	if err == nil || err.Error() != tt.want {
		t.Errorf("%s %s = %.80v\n got %v\nwant %s", tt.op, tt.member, tt.value, err, tt.want)
	}
}

// validInput is an input that is valid but for the vector's member.
func validInput(tt vector) map[string]any {
	tree := map[string]any{}
	if tt.op == "CreateInferenceProfile" {
		tree = map[string]any{"inferenceProfileName": "a", "modelSource": map[string]any{"copyFrom": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"}}
	}
	if tt.value == nil {
		delete(tree, tt.member)
	} else {
		tree[tt.member] = tt.value
	}
	return tree
}

func TestValidateRejects(t *testing.T) {
	svc := loadModel(t, "bedrock")
	for _, tt := range []vector{
		{"CreateInferenceProfile", "inferenceProfileName", "", ""},
		{"CreateInferenceProfile", "description", "", ""},
		{"CreateInferenceProfile", "clientRequestToken", "a-", ""},
		{"CreateInferenceProfile", "clientRequestToken", "a_b", ""},
		{"CreateInferenceProfile", "clientRequestToken", "", ""},
		{"CreateInferenceProfile", "modelSource", map[string]any{"copyFrom": "amazon.nova-lite-v1:0"}, ""},
		{"CreateInferenceProfile", "modelSource", map[string]any{"copyFrom": someARN}, ""},
		{"CreateInferenceProfile", "modelSource", map[string]any{"copyFrom": "arn:aws-eusc:bedrock:eusc-de-east-1::foundation-model/amazon.nova-lite-v1:0"}, ""},
		{"GetInferenceProfile", "inferenceProfileIdentifier", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", ""},
		{"GetInferenceProfile", "inferenceProfileIdentifier", "a/b", ""},
	} {
		var e *ValidationError
		if err := Validate(svc.Operation(tt.op).Input, validInput(tt)); !errors.As(err, &e) {
			t.Errorf("%s %s = %v passes", tt.op, tt.member, tt.value)
		}
	}
}

// shapes of a small model of our own, for what bedrock's has no case of.
func testShape(t *testing.T, shapes string) *Shape {
	t.Helper()
	svc, err := Load([]byte(`{"shapes":{` + shapes + `,"S":{"type":"string"},"N":{"type":"integer"},
		"Short":{"type":"string","max":3,"min":2,"pattern":"^[a-z]*$"},"Secret":{"type":"string","max":3,"sensitive":true},
		"Color":{"type":"string","enum":["RED","BLUE"]},"B":{"type":"blob","max":2},"D":{"type":"double","min":0.001,"max":5000}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return svc.Shape("In")
}

func TestValidateWording(t *testing.T) {
	in := testShape(t, `
		"In":{"type":"structure","required":["TimePeriod"],"members":{
			"TimePeriod":{"shape":"Period"},"Colors":{"shape":"Colors"},"Secrets":{"shape":"Secrets"},"Map":{"shape":"Map"},
			"Deep":{"shape":"Deep"},"Blob":{"shape":"B"},"Double":{"shape":"D"},"Short":{"shape":"Short"},"Either":{"shape":"Either"},"Grid":{"shape":"Grid"}}},
		"Period":{"type":"structure","required":["Start"],"members":{"Start":{"shape":"S"}}},
		"Colors":{"type":"list","member":{"shape":"Color"},"min":1,"max":3},
		"Secrets":{"type":"list","member":{"shape":"Secret"}},
		"Map":{"type":"map","key":{"shape":"Short"},"value":{"shape":"Short"},"max":2},
		"Deep":{"type":"map","key":{"shape":"S"},"value":{"shape":"Period"}},
		"Grid":{"type":"list","member":{"shape":"Colors"}},
		"Either":{"type":"structure","union":true,"members":{"a":{"shape":"S"},"b":{"shape":"S"}}}`)
	const value = "Value "
	const at = " failed to satisfy constraint: "
	shortList := "[Member must have length less than or equal to 3, Member must have length greater than or equal to 2, Member must satisfy regular expression pattern: ^[a-z]*$]"
	tests := []struct {
		member string
		value  any
		want   []string
	}{
		{"TimePeriod", nil, []string{value + "at 'timePeriod'" + at + "Member must not be null"}},
		{"TimePeriod", map[string]any{}, []string{value + "at 'timePeriod.start'" + at + "Member must not be null"}},
		{"Colors", []any{}, []string{value + "'[]' at 'colors'" + at + "Member must have length greater than or equal to 1"}},
		{"Colors", []any{"RED", "PINK"}, []string{value + "'[RED, PINK]' at 'colors'" + at + "Member must satisfy constraint: [Member must satisfy enum value set: [RED, BLUE]]"}},
		{"Secrets", []any{"abcd"}, []string{value + "at 'secrets'" + at + "Member must satisfy constraint: [Member must have length less than or equal to 3]"}},
		{"Map", map[string]any{"ab": "x"}, []string{value + "'{ab=x}' at 'map'" + at + "Map value must satisfy constraint: " + shortList}},
		{"Map", map[string]any{"A": "xx"}, []string{value + "'{A=xx}' at 'map'" + at + "Map keys must satisfy constraint: " + shortList}},
		{"Map", map[string]any{"aa": "xx", "bb": "xx", "cc": "xx"}, []string{value + "'{aa=xx, bb=xx, cc=xx}' at 'map'" + at + "Member must have length less than or equal to 2"}},
		{"Deep", map[string]any{"k": map[string]any{}}, []string{value + "at 'deep.k.member.start'" + at + "Member must not be null"}},
		{"Grid", []any{[]any{"RED"}, []any{}}, []string{value + "'[]' at 'grid.2.member'" + at + "Member must have length greater than or equal to 1"}},
		{"Blob", []byte("abc"), []string{value + "at 'blob'" + at + "Member must have length less than or equal to 2"}},
		{"Blob", []byte("ab"), nil},
		{"Double", 0.0, []string{value + "'0.0' at 'double'" + at + "Member must have value greater than or equal to 0.001"}},
		{"Double", 5001.0, []string{value + "'5001.0' at 'double'" + at + "Member must have value less than or equal to 5000"}},
		{"Short", "éé", []string{value + "'éé' at 'short'" + at + "Member must satisfy regular expression pattern: ^[a-z]*$"}}, // two code points, four bytes
		{"Short", "ABCD", []string{value + "'ABCD' at 'short'" + at + "Member must have length less than or equal to 3", value + "'ABCD' at 'short'" + at + "Member must satisfy regular expression pattern: ^[a-z]*$"}},
		{"Either", map[string]any{"a": "", "b": ""}, []string{value + "at 'either'" + at + "Member must have exactly one of the following keys set: [a, b]"}},
		{"Either", map[string]any{"b": ""}, nil},
	}
	for _, tt := range tests {
		tree := map[string]any{"TimePeriod": map[string]any{"Start": "2026"}}
		if tt.value == nil {
			delete(tree, tt.member)
		} else {
			tree[tt.member] = tt.value
		}
		var got []string
		var e *ValidationError
		if err := Validate(in, tree); errors.As(err, &e) {
			got = e.Messages
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s = %v\n got %q\nwant %q", tt.member, tt.value, got, tt.want)
		}
	}
}

// All broken constraints are counted; the answer does not grow with them.
func TestValidateIsBounded(t *testing.T) {
	in := testShape(t, `"In":{"type":"structure","members":{"l":{"shape":"L"}}},"L":{"type":"list","member":{"shape":"P"}},
		"P":{"type":"structure","required":["x"],"members":{"x":{"shape":"S"},"y":{"shape":"Short"}}}`)
	list := make([]any, 2_000)
	for i := range list {
		list[i] = map[string]any{"y": strings.Repeat("ü", 5000)}
	}
	err := Validate(in, map[string]any{"l": list})
	if err == nil || !strings.HasPrefix(err.Error(), "6000 validation errors detected: ") {
		t.Errorf("got %.60v", err)
	}
	if n := len(err.Error()); n > maxValidationMessages*(2*maxEchoRunes+200) {
		t.Errorf("the message has %d bytes", n)
	}
}

// uncheckedPatterns are all patterns of all models that use look-around,
// which Go's regexp does not have. The operations that meet them check by
// hand, or not at all.
var uncheckedPatterns = []string{
	"budgets.BudgetName", "ce.CostCategoryName", "ce.CostCategoryValue", "cloudtrail.PartitionKeyName", "cloudtrail.PartitionKeyType", "iam.accountAliasType",
}

func TestPatternsCompile(t *testing.T) {
	var unchecked []string
	for _, name := range modelNames(t) {
		for _, s := range loadModel(t, name).shapes {
			if s.Pattern == "" {
				continue
			}
			if _, err := compilePattern(s.Pattern); err != nil {
				unchecked = append(unchecked, name+"."+s.Name)
			}
		}
	}
	slices.Sort(unchecked)
	if !slices.Equal(unchecked, uncheckedPatterns) {
		t.Errorf("patterns that are not checked:\n got %q\nwant %q", unchecked, uncheckedPatterns)
	}
}

func TestPatternTranslation(t *testing.T) {
	for _, tt := range []struct {
		pattern, value string
		want           bool
	}{
		{`\u002F[\u0021-\u007F]*`, "/a~", true},
		{`\u002F[\u0021-\u007F]*`, "/a b", false},
		{`s3://.{1,1024}`, "s3://" + repeated("x", 1024), true},
		{`s3://.{1,1024}`, "s3://", false},
		{`a{2,3}`, "aa", true},
		{`a|b`, "ab", false}, // a full match of either
		{`^x$`, "x\n", false},
		{`\\u0041`, `\u0041`, true}, // an escaped backslash is no escape
		{`[a{]`, "{", true},
	} {
		re, err := compilePattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
		} else if got := re.MatchString(tt.value); got != tt.want {
			t.Errorf("%s on %.20q = %v", tt.pattern, tt.value, got)
		}
	}
}

// Property: whatever tree arrives, of whatever types, validation answers.
func TestValidateNeverPanics(t *testing.T) {
	svc := loadModel(t, "bedrock")
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom(svc.Operations).Draw(t, "op")
		if op.Input == nil {
			return
		}
		tree := map[string]any{}
		for _, m := range op.Input.Members {
			tree[m.Name] = rapid.OneOf(
				rapid.Just(any(nil)), rapid.Map(rapid.String(), func(s string) any { return s }),
				rapid.Just(any(int64(-1))), rapid.Just(any([]any{nil, "x", map[string]any{"key": int64(1)}})),
				rapid.Just(any(map[string]any{"copyFrom": []any{}})), rapid.Just(any(true)),
			).Draw(t, m.Name)
		}
		_ = Validate(op.Input, tree)
	})
}

func BenchmarkValidateCreate(b *testing.B) {
	in := loadModel(b, "bedrock").Operation("CreateInferenceProfile").Input
	tree := validInput(vector{op: "CreateInferenceProfile", member: "description", value: "Team A chat"})
	b.ReportAllocs()
	for b.Loop() {
		if err := Validate(in, tree); err != nil {
			b.Fatal(err)
		}
	}
}
