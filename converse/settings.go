package converse

import (
	"regexp"
	"strconv"
	"strings"

	"outcrop"
)

// Settings are what a model takes of the sampling settings that callers and
// profiles may give.
type Settings struct {
	TopK       []string // where topK stands in additionalModelRequestFields; empty for a model that has none
	MaxTopK    int64
	NoSampling bool // temperature, topP and topK are refused
	NotBoth    bool // temperature and topP are refused in one call
	Anthropic  bool // its InvokeModel bodies have an anthropic_version
}

// AnthropicVersion is the only one that Bedrock takes.
const AnthropicVersion = "bedrock-2023-05-31"

// topKs are the providers' own names for it
// (reference/runtime-metering-billing.md §2).
var topKs = []struct {
	prefix string
	path   []string
	max    int64
}{
	{"anthropic.", []string{"top_k"}, 500},
	{"amazon.nova-", []string{"inferenceConfig", "topK"}, 128},
	{"cohere.command", []string{"k"}, 500},
	{"mistral.mistral-7b", []string{"top_k"}, 200},
	{"mistral.mixtral", []string{"top_k"}, 200},
}

// SettingsOf a model, by its id.
func SettingsOf(id outcrop.ModelID) Settings {
	var s Settings
	for _, k := range topKs {
		if strings.HasPrefix(string(id), k.prefix) {
			s.TopK, s.MaxTopK = k.path, k.max
		}
	}
	s.Anthropic = strings.HasPrefix(string(id), "anthropic.")
	if family, version := claude(id); family != "" {
		s.NotBoth = version >= 405
		switch family {
		case "opus":
			s.NoSampling = version >= 407
		case "sonnet":
			s.NoSampling = version >= 500
		case "fable", "mythos":
			s.NoSampling = true
		}
	}
	if s.NoSampling {
		s.TopK = nil
	}
	return s
}

var claudeName = regexp.MustCompile(`^anthropic\.claude-(opus|sonnet|haiku|fable|mythos)-([0-9]{1,2})(?:-([0-9]{1,2}))?(?:-|:|$)`)

// claude reads family and version, as hundreds and units, of a Claude model
// that is named the newer way, from Claude 4 on.
func claude(id outcrop.ModelID) (family string, version int) {
	m := claudeName.FindStringSubmatch(string(id))
	if m == nil {
		return "", 0
	}
	major, _ := strconv.Atoi(m[2]) // digits, by the pattern
	minor, _ := strconv.Atoi(m[3]) // none is 0
	return m[1], major*100 + minor
}
