package outcrop

import "encoding/json"

// Defaults are what an application profile says where a call is silent: the
// call's own value always wins. The zero value says nothing.
type Defaults struct {
	Temperature      *float64
	TopP             *float64
	TopK             *int64
	MaxTokens        *int64
	StopSequences    []string
	AnthropicVersion string          // of InvokeModel bodies of Anthropic's models
	ResponseFormat   json.RawMessage // a JSON Schema that answers follow
}
