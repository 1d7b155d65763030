package conform

import (
	"context"
	"strings"
)

// Bodies of InvokeModel, which each model family writes in its own way.

const (
	novaBody      = `{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"Say hi."}]}],"inferenceConfig":{"maxTokens":20}}`
	anthropicBody = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":20,"messages":[{"role":"user","content":"Say hi."}]}`
	llamaBody     = `{"prompt":"Say hi.","max_gen_len":20}`
	openAIBody    = `{"messages":[{"role":"user","content":"Say hi."}],"max_completion_tokens":60}`
)

// nativeBody is hello as the family of model writes it.
func nativeBody(model string) string {
	switch {
	case strings.HasPrefix(model, "anthropic."):
		return anthropicBody
	case strings.HasPrefix(model, "meta."):
		return llamaBody
	case strings.HasPrefix(model, "amazon."):
		return novaBody
	}
	return openAIBody
}

// A native family and a profile or model of it, with what it answers.
type family struct {
	name, body string
	models     []string // the first that is offered is called; "us." stands for any geography
	answer     []string // members of a whole answer
	stream     string   // events of its stream, as written by shapeOf
}

var families = []family{
	{"Amazon Nova", novaBody, []string{"amazon.nova-micro-v1:0", "amazon.nova-lite-v1:0"}, []string{"output", "stopReason", "usage"},
		"messageStart contentBlockDelta contentBlockStop messageStop metadata"},
	{"Anthropic Claude", anthropicBody, []string{"anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"},
		[]string{"id", "type", "role", "model", "content", "stop_reason", "stop_sequence?", "usage"},
		"message_start content_block_start content_block_delta content_block_stop message_delta message_stop"},
	{"Meta Llama", llamaBody, []string{"meta.llama3-1-8b-instruct-v1:0", "meta.llama3-8b-instruct-v1:0"},
		[]string{"generation", "prompt_token_count", "generation_token_count", "stop_reason"}, ""},
	{"OpenAI", openAIBody, []string{"openai.gpt-oss-20b-1:0"}, []string{"id", "object", "created", "model", "choices", "usage", "service_tier?", "system_fingerprint?"}, ""},
}

// offered is a name under which the family can be called here.
func (s *Subject) offered(ctx context.Context, f family) (string, error) {
	geography, _, _ := strings.Cut(s.facts.systemID, ".")
	profiles, err := s.listAll(ctx, "")
	if err != nil {
		return "", err
	}
	for _, model := range f.models {
		for _, p := range profiles {
			if id := *p.InferenceProfileId; id == geography+"."+model {
				return id, nil
			}
		}
		if model == s.facts.model {
			return model, nil
		}
	}
	return "", skipped("the Region offers no model of " + f.name)
}
