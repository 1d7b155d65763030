// Package native reads and writes the models' own request and answer bodies,
// the ones InvokeModel takes, as conversations in the middle form.
//
// What the middle form does not know is carried in
// AdditionalModelRequestFields or refused, never dropped in silence.
package native

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/converse"
)

// A Family is one body format and the models that speak it.
type Family interface {
	// Decode reads a native request body. Errors have the words that Bedrock
	// uses for native bodies ("Malformed input request: …").
	Decode(body []byte) (*converse.Request, error)
	// Encode writes an answer as the native response body.
	Encode(a *Answer) ([]byte, error)
	// Chunks starts a stream of native chunks.
	Chunks(a *Answer) Chunker

	// EncodeRequest writes a conversation as the native request body. What the
	// family has no words for is refused by its name. Guardrails, tiers and
	// metadata stand beside a native body and are the caller's to send.
	EncodeRequest(r *converse.Request) ([]byte, error)
	// DecodeAnswer reads a native response body. Its usage is what the body
	// tells of it. Errors are of the kind ModelFailed.
	DecodeAnswer(a outcrop.Attempt, body []byte) (*converse.Response, error)
	// Reader starts reading a stream of native chunks as Converse's events.
	Reader(a outcrop.Attempt, yield func(converse.Event, error) bool) Reader
}

// A Reader tells the native chunks of one answer as Converse's events. The
// message begins with the first thing said, so that a failure before it may
// still be tried elsewhere.
type Reader interface {
	// Read takes in a chunk, and says whether it is the one that closes the
	// stream. Errors are of the kind ModelFailed.
	Read(chunk []byte) (last bool, err error)
	// Finish tells why the answer ended, and what it used, as far as it was told.
	Finish(latency time.Duration)
	Stopped() bool // it is known why the answer ended
	Begun() bool   // messageStart is out
	Deaf() bool    // nobody listens any more
}

// A Chunker turns the events of one answer into native chunks, in order. The
// chunk that the metadata event makes is the last, and carries
// amazon-bedrock-invocationMetrics.
type Chunker interface {
	Chunk(converse.Event) ([][]byte, error)
}

// An Answer is what the native formats tell beyond the conversation. Response
// is nil while streaming.
type Answer struct {
	ID       string // request id; ids such as msg_bdrk_… are made of it
	Model    outcrop.ModelID
	Created  time.Time
	Response *converse.Response
	Usage    func() outcrop.Usage // asked for once with the usage, for kinds that Converse has no words for; may be nil
	Metrics  func() Metrics       // asked for once, with the last chunk; nil for forms that have none
}

// Metrics are amazon-bedrock-invocationMetrics, times in milliseconds.
type Metrics struct {
	InputTokens  int64  `json:"inputTokenCount"`
	OutputTokens int64  `json:"outputTokenCount"`
	Latency      int64  `json:"invocationLatency"`
	FirstByte    int64  `json:"firstByteLatency"`
	CacheRead    *int64 `json:"cacheReadInputTokenCount,omitempty"`
	CacheWrite   *int64 `json:"cacheWriteInputTokenCount,omitempty"`
}

// families in order of their prefixes; the first that fits wins.
var families = []struct {
	prefix string
	family Family
}{
	{"anthropic.", anthropic{}},
	{"amazon.nova", nova{}},
	{"amazon.titan-text", titanText{}},
	{"amazon.titan-tg1", titanText{}},
	{"meta.llama4", llama{&llama4Template}},
	{"meta.llama", llama{&llama3Template}},
	{"cohere.command-r", cohere{}},
	{"cohere.command-a", cohere{}},
	{"cohere.command", cohereText{}},
	{"deepseek.r1", deepseekR1{}},
	{"mistral.mistral-7b", mistralText{}},
	{"mistral.mixtral", mistralText{}},
	{"mistral.mistral-large-2402", mistralText{}},
	{"mistral.mistral-small-2402", mistralText{}},
	{"mistral.", openAIChat{}},
	{"openai.", openAIChat{}},
	{"qwen.", openAIChat{}},
	{"deepseek.", openAIChat{}},
	{"minimax.", openAIChat{}},
	{"moonshot", openAIChat{}},
	{"zai.", openAIChat{}},
	{"google.", openAIChat{}},
	{"nvidia.", openAIChat{}},
	{"xai.", openAIChat{}},
	{"writer.", openAIChat{}},
	{"ai21.", openAIChat{}},
}

// FamilyOf finds the family that model speaks. ok is false for models whose
// bodies are no conversation (embeddings, images) or not known here.
func FamilyOf(model outcrop.ModelID) (f Family, ok bool) {
	if strings.Contains(string(model), "embed") {
		return nil, false
	}
	for _, row := range families {
		if strings.HasPrefix(string(model), row.prefix) {
			return row.family, true
		}
	}
	return nil, false
}

// named are the families by the names that configurations call them by.
var named = map[string]Family{
	"anthropic": anthropic{}, "nova": nova{}, "titan": titanText{}, "llama3": llama{&llama3Template}, "llama4": llama{&llama4Template},
	"mistral": mistralText{}, "deepseek": deepseekR1{}, "cohere": cohere{}, "command": cohereText{}, "chat": openAIChat{},
}

// FamilyNamed finds a family by its name.
func FamilyNamed(name string) (f Family, ok bool) {
	f, ok = named[name]
	return f, ok
}

// FamilyNames are the names of all families.
func FamilyNames() []string { return slices.Sorted(maps.Keys(named)) }

// malformed is Bedrock's wording for a native body that does not fit.
func malformed(format string, args ...any) error {
	e := outcrop.Errorf(outcrop.Invalid, format, args...)
	e.Message = "Malformed input request: " + e.Message + ", please reformat your input and try again."
	return e
}

func missingKey(path, key string) error {
	return malformed("%s: required key [%s] not found", path, key)
}

// fields are the members of a JSON object that a family takes out one by one;
// what is left over is carried on.
type fields map[string]json.RawMessage

func parse(body []byte) (fields, error) {
	if f, ok := quickParse(body); ok {
		return f, nil
	}
	var f fields
	if err := json.Unmarshal(body, &f); err != nil || f == nil {
		return nil, malformed("#: expected a JSON object")
	}
	return f, nil
}

// take reads the member into v and removes it. Null counts as absent.
func (f fields) take(key string, v any) (found bool, err error) {
	raw, ok := f[key]
	delete(f, key)
	if !ok || string(raw) == "null" {
		return false, nil
	}
	read := json.Unmarshal
	if s, ok := v.(strict); ok {
		read, v = strictly, s.v
	}
	if err := read(raw, v); err != nil {
		if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return false, malformed("#/%s: extraneous key [%s] is not permitted", key, strings.Trim(name, `"`))
		}
		return false, malformed("#/%s: %s", key, plain(err))
	}
	return true, nil
}

// strict marks a value that refuses members it has no place for.
type strict struct{ v any }

// takeAll reads several members, stopping at the first that does not fit.
func (f fields) takeAll(into map[string]any) error {
	for key, v := range into {
		if _, err := f.take(key, v); err != nil {
			return err
		}
	}
	return nil
}

// drop removes members that mean nothing here, such as model and stream.
func (f fields) drop(keys ...string) {
	for _, k := range keys {
		delete(f, k)
	}
}

// rest is what is left, as AdditionalModelRequestFields.
func (f fields) rest() json.RawMessage {
	if len(f) == 0 {
		return nil
	}
	b, _ := json.Marshal(f) // raw messages that came from JSON marshal again
	return b
}

// plain is a JSON error without Go's own words, and with Bedrock's where a
// value is of the wrong type.
func plain(err error) string {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		found, _, _ := strings.Cut(wrong.Value, " ") // "number 1.5" has the number, too
		if want, ok := schemaKinds[wrong.Type.Kind()]; ok {
			return "expected type: " + want + ", found: " + cmp.Or(schemaValues[found], found)
		}
		return "unexpected " + found
	}
	s := err.Error()
	if i := strings.Index(s, "json: "); i >= 0 {
		s = s[i+len("json: "):]
	}
	return s
}

// What Bedrock calls the types of its schemas, and the values it finds.
var (
	schemaKinds = map[reflect.Kind]string{
		reflect.Slice: "JSONArray", reflect.Array: "JSONArray", reflect.Struct: "JSONObject", reflect.Map: "JSONObject",
		reflect.String: "String", reflect.Bool: "Boolean", reflect.Float64: "Number", reflect.Int: "Integer", reflect.Int64: "Integer",
	}
	schemaValues = map[string]string{"string": "String", "number": "Number", "bool": "Boolean", "array": "JSONArray", "object": "JSONObject", "null": "Null"}
)

// withMetrics adds the invocation metrics to a chunk that is a JSON object.
func withMetrics(chunk map[string]any, a *Answer) map[string]any {
	if a.Metrics != nil {
		chunk["amazon-bedrock-invocationMetrics"] = a.Metrics()
	}
	return chunk
}

func marshal(v any) ([][]byte, error) {
	b, err := json.Marshal(v)
	return [][]byte{b}, err
}
