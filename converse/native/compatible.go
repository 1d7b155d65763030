package native

// The families that Bedrock's compatible endpoints speak, whatever model is
// named.
var (
	OpenAIChat        Family = openAIChat{}
	AnthropicMessages Family = anthropic{}
)
