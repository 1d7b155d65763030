package librechat

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// defaultModels are what LibreChat offers when neither librechat.yaml nor
// BEDROCK_AWS_MODELS says otherwise (librechat-data-provider 0.8.524).
var defaultModels = strings.Fields(`
	global.anthropic.claude-fable-5-1 global.anthropic.claude-fable-5 global.anthropic.claude-opus-5-5
	global.anthropic.claude-opus-5 global.anthropic.claude-opus-4-8 global.anthropic.claude-opus-4-7
	global.anthropic.claude-sonnet-5 global.anthropic.claude-sonnet-4-6 global.anthropic.claude-opus-4-6-v1
	global.anthropic.claude-sonnet-4-5-20250929-v1:0 global.anthropic.claude-haiku-4-5-20251001-v1:0
	us.anthropic.claude-opus-4-1-20250805-v1:0 cohere.command-r-v1:0 cohere.command-r-plus-v1:0
	meta.llama2-13b-chat-v1 meta.llama2-70b-chat-v1 meta.llama3-8b-instruct-v1:0 meta.llama3-70b-instruct-v1:0
	meta.llama3-1-8b-instruct-v1:0 meta.llama3-1-70b-instruct-v1:0 meta.llama3-1-405b-instruct-v1:0
	mistral.mistral-7b-instruct-v0:2 mistral.mixtral-8x7b-instruct-v0:1 mistral.mistral-large-2402-v1:0
	mistral.mistral-large-2407-v1:0 mistral.mistral-small-2402-v1:0 ai21.jamba-instruct-v1:0
	amazon.titan-text-lite-v1 amazon.titan-text-express-v1 amazon.titan-text-premier-v1:0`)

// providers are those for which LibreChat shows a panel of settings.
var providers = strings.Fields("ai21 amazon anthropic cohere deepseek meta mistral moonshot moonshotai openai stability zai")

// geographies are the prefixes of system-defined profiles.
var geographies = strings.Fields("us eu apac global jp au ca us-gov sa")

// provider of a model id: its first or second part between dots.
func provider(id string) string {
	parts := strings.Split(id, ".")
	for _, p := range parts[:min(2, len(parts))] {
		if slices.Contains(providers, p) {
			return p
		}
	}
	return ""
}

// foundation is a model id without the geography that a profile's id begins
// with.
func foundation(id string) string {
	if geo, rest, ok := strings.Cut(id, "."); ok && slices.Contains(geographies, geo) {
		return rest
	}
	return id
}

// An ability is what LibreChat sends for a model because of its id.
type ability struct {
	thinking, adaptive bool
	fixedSampling      bool // sends no temperature, topP and topK
	maxTokens          int
	betas              []string
	cache              bool
	cacheTTL           string
}

var (
	claudeLater = regexp.MustCompile(`claude-(?:(?:[4-9])-?(?:sonnet|opus|haiku)|(?:sonnet|opus|haiku)-[4-9]|(?:fable|mythos)-?[0-9])`)
	claudeAt    = regexp.MustCompile(`claude-(opus|sonnet|haiku|fable|mythos)-([0-9]+)(?:-([0-9]{1,2})(?:-|$|v|:))?`)
)

// abilityOf reads a key of inferenceProfiles as LibreChat does: never the ARN
// behind it.
func abilityOf(id string) (a ability) {
	a.cache = strings.Contains(id, "claude") || strings.Contains(id, "nova")
	if strings.Contains(id, "claude") {
		a.cacheTTL = "1h"
	}
	is37 := strings.Contains(id, "claude-3-7-sonnet")
	later := claudeLater.MatchString(id)
	if a.thinking = is37 || later; !a.thinking {
		return a
	}
	a.betas = []string{"output-128k-2025-02-19"}
	a.maxTokens = 8192
	if later {
		a.betas = append(a.betas, "fine-grained-tool-streaming-2025-05-14")
		a.maxTokens = 64000
	}
	family, version := claudeVersion(id)
	switch {
	case family == "opus" && version >= 406, family == "sonnet" && version >= 406, family == "fable", family == "mythos":
		a.adaptive, a.maxTokens = true, 128000
	}
	a.fixedSampling = family == "opus" && version >= 407 || family == "sonnet" && version >= 500 || family == "fable" || family == "mythos"
	return a
}

func claudeVersion(id string) (family string, version int) {
	m := claudeAt.FindStringSubmatch(id)
	if m == nil {
		return "", 0
	}
	major, _ := strconv.Atoi(m[2]) // digits, by the pattern
	minor, _ := strconv.Atoi(m[3]) // none is 0
	return m[1], major*100 + minor
}

// family of a model id, for telling whether two are alike: provider and the
// name's first words, without version and date.
func family(id string) string {
	id = foundation(strings.TrimSpace(id))
	name, _, _ := strings.Cut(id, ":")
	return name
}
