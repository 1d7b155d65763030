package native

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/converse"
)

// odd are things that only some families have words for; each says "zzmark".
var odd = map[string]func(r *converse.Request){
	"cachePoint in system": func(r *converse.Request) {
		r.System = append(r.System, converse.SystemContentBlock{CachePoint: &converse.CachePointBlock{Type: "default", Ttl: "zzmark"}})
	},
	"guardContent in system": func(r *converse.Request) {
		r.System = append(r.System, converse.SystemContentBlock{GuardContent: guard()})
	},
	"system": func(r *converse.Request) {
		r.System = append(r.System, converse.SystemContentBlock{Text: new("zzmark")})
	},
	"stopSequences":   func(r *converse.Request) { r.InferenceConfig.StopSequences = []string{"zzmark"} },
	"additional":      func(r *converse.Request) { r.AdditionalModelRequestFields = json.RawMessage(`{"zz":{"a":["zzmark"]}}`) },
	"response fields": func(r *converse.Request) { r.AdditionalModelResponseFieldPaths = []string{"/zzmark"} },
	"prompt variables": func(r *converse.Request) {
		r.PromptVariables = map[string]converse.PromptVariableValues{"a": {Text: new("zzmark")}}
	},
	"a schema":               func(r *converse.Request) { r.OutputConfig = schemaNamed("", "") },
	"a schema's name":        func(r *converse.Request) { r.OutputConfig = schemaNamed("zzmark", "") },
	"a schema's description": func(r *converse.Request) { r.OutputConfig = schemaNamed("", "zzmark") },
	"a tool":                 tooled(converse.Tool{ToolSpec: &converse.ToolSpecification{Name: "zzmark", InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"type":"object"}`)}}}),
	"a tool's enum":          tooled(converse.Tool{ToolSpec: &converse.ToolSpecification{Name: "g", InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"type":"object","properties":{"a":{"type":"string","enum":["zzmark"]}}}`)}}}),
	"a system tool":          tooled(converse.Tool{SystemTool: &converse.SystemTool{Name: "zzmark"}}),
	"cachePoint among tools": tooled(converse.Tool{CachePoint: &converse.CachePointBlock{Type: "default", Ttl: "zzmark"}}),
	"cachePoint":             said(converse.ContentBlock{CachePoint: &converse.CachePointBlock{Type: "default", Ttl: "zzmark"}}),
	"guardContent":           said(converse.ContentBlock{GuardContent: guard()}),
	"image":                  said(converse.ContentBlock{Image: &converse.ImageBlock{Format: "png", Source: converse.ImageSource{Bytes: converse.Base64("zzmark==")}}}),
	"image in S3":            said(converse.ContentBlock{Image: &converse.ImageBlock{Format: "png", Source: converse.ImageSource{S3Location: &converse.S3Location{Uri: "s3://b/zzmark"}}}}),
	"document":               said(converse.ContentBlock{Document: &converse.DocumentBlock{Format: "txt", Name: "zzmark", Source: converse.DocumentSource{Text: new("x")}}}),
	"document's context":     said(converse.ContentBlock{Document: &converse.DocumentBlock{Format: "txt", Name: "n", Context: "zzmark", Source: converse.DocumentSource{Text: new("x")}}}),
	"office document":        said(converse.ContentBlock{Document: &converse.DocumentBlock{Format: "docx", Name: "zzmark", Source: converse.DocumentSource{Bytes: converse.Base64("aGk=")}}}),
	"video":                  said(converse.ContentBlock{Video: &converse.VideoBlock{Format: "mp4", Source: converse.VideoSource{Bytes: converse.Base64("zzmark==")}}}),
	"audio":                  said(converse.ContentBlock{Audio: &converse.AudioBlock{Format: "wav", Source: converse.AudioSource{Bytes: converse.Base64("zzmark==")}}}),
	"search result":          said(converse.ContentBlock{SearchResult: &converse.SearchResultBlock{Source: "s", Title: "zzmark", Content: []converse.SearchResultContentBlock{{Text: "x"}}}}),
	"reasoning":              answered(converse.ContentBlock{ReasoningContent: plainThought("zzmark")}),
	"reasoning's signature":  answered(converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: "x", Signature: "zzmark"}}}),
	"redacted reasoning":     answered(converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{RedactedContent: converse.Base64("zzmark==")}}),
	"cited text":             answered(converse.ContentBlock{CitationsContent: &converse.CitationsContentBlock{Content: []converse.CitationGeneratedContent{{Text: new("zzmark")}}}}),
	"what is cited":          answered(converse.ContentBlock{CitationsContent: &converse.CitationsContentBlock{Content: []converse.CitationGeneratedContent{{Text: new("x")}}, Citations: []converse.Citation{{Title: "zzmark", SourceContent: []converse.CitationSourceContent{{Text: new("y")}}}}}}),
	"a tool's result":        resulted(converse.ToolResultContentBlock{Text: new("zzmark")}, ""),
	"a tool's JSON":          resulted(converse.ToolResultContentBlock{Json: json.RawMessage(`{"a":"zzmark"}`)}, ""),
	"a tool's error":         resulted(converse.ToolResultContentBlock{Text: new("zzmark")}, "error"),
	"a tool's image":         resulted(converse.ToolResultContentBlock{Image: &converse.ImageBlock{Format: "png", Source: converse.ImageSource{Bytes: converse.Base64("zzmark==")}}}, ""),
	"a tool's video":         resulted(converse.ToolResultContentBlock{Video: &converse.VideoBlock{Format: "mp4", Source: converse.VideoSource{Bytes: converse.Base64("zzmark==")}}}, ""),
	"a tool's search result": resulted(converse.ToolResultContentBlock{SearchResult: &converse.SearchResultBlock{Source: "zzmark", Title: "t", Content: []converse.SearchResultContentBlock{{Text: "x"}}}}, ""),
}

func guard() *converse.GuardrailConverseContentBlock {
	return &converse.GuardrailConverseContentBlock{Text: &converse.GuardrailConverseTextBlock{Text: "zzmark"}}
}

func schemaNamed(name, description string) *converse.OutputConfig {
	return &converse.OutputConfig{TextFormat: &converse.OutputFormat{Type: "json_schema", Structure: converse.OutputFormatStructure{JsonSchema: &converse.JsonSchemaDefinition{
		Schema: `{"type":"object","title":"zzmark"}`, Name: name, Description: description}}}}
}

func tooled(t converse.Tool) func(*converse.Request) {
	return func(r *converse.Request) {
		if r.ToolConfig == nil {
			r.ToolConfig = &converse.ToolConfiguration{Tools: []converse.Tool{{ToolSpec: &converse.ToolSpecification{Name: "f", InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"type":"object"}`)}}}}}
		}
		r.ToolConfig.Tools = append(r.ToolConfig.Tools, t)
	}
}

// said puts a block into the last turn of the user.
func said(b converse.ContentBlock) func(*converse.Request) {
	return func(r *converse.Request) {
		m := &r.Messages[len(r.Messages)-1]
		m.Content = append(m.Content, b)
	}
}

// answered puts a block before what the assistant says in a turn of its own.
func answered(b converse.ContentBlock) func(*converse.Request) {
	return func(r *converse.Request) {
		turn := []converse.Message{{Role: "user", Content: []converse.ContentBlock{converse.Text("x.")}}, {Role: "assistant", Content: []converse.ContentBlock{b, converse.Text("y.")}}}
		r.Messages = append(turn, r.Messages...)
	}
}

func resulted(c converse.ToolResultContentBlock, status string) func(*converse.Request) {
	return func(r *converse.Request) {
		r.Messages = append([]converse.Message{{Role: "user", Content: []converse.ContentBlock{converse.Text("x.")}},
			{Role: "assistant", Content: []converse.ContentBlock{{ToolUse: &converse.ToolUseBlock{ToolUseId: "z1", Name: "f", Input: json.RawMessage(`{}`)}}}},
			{Role: "user", Content: []converse.ContentBlock{{ToolResult: &converse.ToolResultBlock{ToolUseId: "z1", Status: status, Content: []converse.ToolResultContentBlock{c}}}}},
			{Role: "assistant", Content: []converse.ContentBlock{converse.Text("y.")}}}, r.Messages...)
	}
}

// Property: whatever is added to a conversation is in the native body, or the
// conversation is refused as the caller's mistake. Nothing is left out in
// silence.
func TestNothingIsLeftOutInSilence(t *testing.T) {
	for model, can := range abilities {
		t.Run(model, func(t *testing.T) {
			family, _ := FamilyOf(outcrop.ModelID(model))
			for name, add := range odd {
				t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
					r := drawRequest(t, can)
					add(r)
					body, err := family.EncodeRequest(r)
					if err != nil && outcrop.KindOf(err) != outcrop.Invalid {
						t.Fatalf("%s: %v", name, err)
					}
					if err == nil && !strings.Contains(string(body), "zzmark") {
						t.Fatalf("%s is left out of %s", name, body)
					}
				}))
			}
		})
	}
}
