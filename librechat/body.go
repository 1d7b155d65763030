package librechat

// A body is a Converse request as LibreChat would send it for a model of this
// id, in which the question is short.
type body map[string]any

// minBudget is the least that thinking may be granted.
const minBudget = 1024

// chatBody asks for as little as the model's options leave: one token, or
// those that thinking needs.
func chatBody(id string) body {
	a := abilityOf(id)
	content := []any{map[string]any{"text": "Say ok."}}
	b := body{"system": []any{}}
	fields, maxTokens := map[string]any{}, 1
	if a.thinking {
		fields["anthropic_beta"] = a.betas
		maxTokens = minBudget + 1
		if a.adaptive {
			fields["thinking"] = map[string]any{"type": "adaptive"}
		} else {
			fields["thinking"] = map[string]any{"type": "enabled", "budget_tokens": minBudget}
		}
	}
	if a.cache {
		point := map[string]any{"type": "default"}
		if a.cacheTTL != "" {
			point["ttl"] = a.cacheTTL
		}
		content = append(content, map[string]any{"cachePoint": point})
	}
	if len(fields) > 0 {
		b["additionalModelRequestFields"] = fields
	}
	b["inferenceConfig"] = map[string]any{"maxTokens": maxTokens}
	b["messages"] = []any{map[string]any{"role": "user", "content": content}}
	return b
}

// titleBody is one message and nothing else, as titles are asked for.
func titleBody() body {
	return body{
		"messages":        []any{map[string]any{"role": "user", "content": []any{map[string]any{"text": "Say ok."}}}},
		"inferenceConfig": map[string]any{"maxTokens": 1},
	}
}
