package simulator

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"outcrop/converse"
	"outcrop/upstream/upstreamtest"
)

// fits says whether a made-up value satisfies the schema it was made for, by
// an independent judge.
func fits(schema string, value []byte) error {
	s, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		return err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", s); err != nil {
		return err
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(value))
	if err != nil {
		return err
	}
	return compiled.Validate(v)
}

func TestMadeUpValuesFit(t *testing.T) {
	for _, schema := range []string{
		`{}`, `{"type":"object"}`, `{"type":"string","minLength":30,"maxLength":40}`, `{"type":"string","maxLength":3}`, `{"type":["null","integer"],"minimum":50}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"number"},"minItems":3}},"required":["a","b"],"additionalProperties":false}`,
		`{"type":"object","properties":{"unit":{"enum":["C","F"]},"fixed":{"const":{"x":[1]}},"with":{"type":"integer","default":7}}}`,
		`{"type":"integer","exclusiveMinimum":10,"exclusiveMaximum":12}`, `{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":0.5}`, `{"type":"integer","minimum":100,"multipleOf":7}`, `{"type":"number","maximum":-3.5}`,
		`{"$defs":{"city":{"type":"object","properties":{"name":{"type":"string"},"near":{"$ref":"#/$defs/city"}},"required":["name"]}},"$ref":"#/$defs/city"}`,
		`{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"boolean"}},"required":["b"]}],"type":"object"}`,
		`{"anyOf":[{"type":"integer","minimum":5},{"type":"string"}]}`, `{"oneOf":[{"type":"string","format":"uuid"},{"type":"null"}]}`,
		`{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false}`, `{"type":"array","items":{"enum":[1,2,3,4]},"minItems":3,"uniqueItems":true}`, `{"type":"array","items":{"type":"string"},"minItems":4,"uniqueItems":true}`,
		`{"type":"string","pattern":"^[A-Z]{3}-\\d{4}$"}`, `{"type":"string","pattern":"^(foo|bar)+$"}`,
		`{"type":"string","format":"date"}`, `{"type":"string","format":"date-time"}`, `{"type":"string","format":"email"}`, `{"type":"string","format":"ipv6"}`, `{"type":"string","format":"duration"}`, `{"type":"string","format":"time"}`, `{"type":"string","format":"uri"}`,
		`{"type":"object","required":["free"],"additionalProperties":{"type":"integer"}}`, `{"properties":{"a":{}},"required":["a"]}`, `{"type":"string","title":"日本"}`,
	} {
		for seed := range uint64(5) {
			value := synthesise(json.RawMessage(schema), seed, "What is the weather in Paris?")
			if err := fits(schema, value); err != nil {
				t.Errorf("%s: %s: %v", schema, value, err)
			}
		}
	}
}

// schemas draws schemas as people write them for tools.
func schemas(depth int) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		kinds := []string{"string", "integer", "number", "boolean", "enum"}
		if depth > 0 {
			kinds = append(kinds, "object", "array", "anyOf")
		}
		switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
		case "enum":
			return map[string]any{"enum": rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "字"}), 1, 3).Draw(t, "enum")}
		case "integer", "number":
			low := rapid.IntRange(-50, 50).Draw(t, "low")
			return map[string]any{"type": kind, "minimum": low, "maximum": low + rapid.IntRange(0, 9).Draw(t, "width")}
		case "string":
			least := rapid.IntRange(0, 9).Draw(t, "least")
			return map[string]any{"type": kind, "minLength": least, "maxLength": least + rapid.IntRange(0, 9).Draw(t, "room")}
		case "anyOf":
			return map[string]any{"anyOf": rapid.SliceOfN(schemas(depth-1), 1, 3).Draw(t, "anyOf")}
		case "array":
			return map[string]any{"type": kind, "items": schemas(depth-1).Draw(t, "items"), "minItems": rapid.IntRange(0, 3).Draw(t, "minItems")}
		case "object":
			properties := rapid.MapOfN(rapid.StringMatching("[a-z]{1,5}"), schemas(depth-1), 0, 4).Draw(t, "properties")
			required := []string{}
			for name := range properties {
				if rapid.Bool().Draw(t, "required") {
					required = append(required, name)
				}
			}
			return map[string]any{"type": kind, "properties": properties, "required": required, "additionalProperties": false}
		}
		return map[string]any{"type": "boolean"}
	})
}

// Property: whatever the schema, the value fits it, and is the same next time.
func TestMadeUpValuesFitAnySchema(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema, _ := json.Marshal(schemas(3).Draw(t, "schema"))
		seed, prompt := rapid.Uint64().Draw(t, "seed"), rapid.String().Draw(t, "prompt")
		value := synthesise(schema, seed, prompt)
		if err := fits(string(schema), value); err != nil {
			t.Fatalf("%s: %s: %v", schema, value, err)
		}
		if again := synthesise(schema, seed, prompt); !bytes.Equal(value, again) {
			t.Fatalf("%s, then %s", value, again)
		}
	})
}

func TestHostileSchemasAreBounded(t *testing.T) {
	deep := strings.Repeat(`{"type":"array","items":`, 500) + `{}` + strings.Repeat(`}`, 500)
	for _, schema := range []string{
		deep, `{"$ref":"#"}`, `{"$ref":"#/a/b"}`, `{"$ref":7}`, `{"allOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}`, `{"type":"array","minItems":1e18}`, `{"type":"string","minLength":1e18}`, `{"type":"string","pattern":"(((a{99}){9}){1})"}`,
		`{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"},"c":{"$ref":"#"}},"required":["a","b","c"]}`, `{"type":"integer","minimum":1e400}`, `[]`, `7`, `{`, ``, `{"type":"number","multipleOf":1e-300}`,
		`{"type":"array","minItems":64,"items":{"type":"array","minItems":64,"items":{"type":"array","minItems":64}}}`,
	} {
		if value := synthesise(json.RawMessage(schema), 1, "x"); !json.Valid(value) || len(value) > 4<<20 {
			t.Errorf("%.60s: %d bytes: %.100s", schema, len(value), value)
		}
	}
}

func FuzzSynthesise(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"string","pattern":"^a+$"}},"required":["a"]}`, "x")
	f.Add(`{"allOf":[{"$ref":"#"}],"items":{"multipleOf":3}}`, "Paris")
	f.Fuzz(func(t *testing.T, schema, prompt string) {
		if value := synthesise(json.RawMessage(schema), 3, prompt); !json.Valid(value) {
			t.Errorf("%q is no JSON", value)
		}
	})
}

func TestStructuredOutput(t *testing.T) {
	const schema = `{"type":"object","properties":{"sentiment":{"enum":["good","bad"]},"score":{"type":"number","minimum":0,"maximum":1}},"required":["sentiment","score"],"additionalProperties":false}`
	r := upstreamtest.Ask("I like it.")
	r.OutputConfig = &converse.OutputConfig{TextFormat: &converse.OutputFormat{Type: "json_schema", Structure: converse.OutputFormatStructure{JsonSchema: &converse.JsonSchemaDefinition{Schema: schema}}}}
	if got := upstreamtest.Text(say(t, New(Options{}), r)); fits(schema, []byte(got)) != nil {
		t.Errorf("%s: %v", got, fits(schema, []byte(got)))
	}
}
