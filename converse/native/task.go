package native

import (
	"encoding/json"
	"strings"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
)

// A Task is a native body of a model that does not converse: what it asks, and
// how its answer is written.
type Task struct {
	Request *task.Request
	Encode  func(*TaskAnswer) ([]byte, error)
}

// A TaskAnswer is what the native formats tell.
type TaskAnswer struct {
	ID       string // request id
	Response *task.Response
	Tokens   int64 // read
}

// tasks in order of their prefixes; the first that fits wins.
var tasks = []struct {
	prefix string
	decode func(model outcrop.ModelID, f fields) (*Task, error)
}{
	{"amazon.titan-embed-image", titanMultimodal},
	{"amazon.titan-embed-text-v2", titanEmbedV2},
	{"amazon.titan-embed", titanEmbed},
	{"amazon.nova-2-multimodal-embeddings", novaEmbed},
	{"cohere.embed", cohereEmbed},
	{"cohere.rerank", rerank},
	{"amazon.rerank", rerank},
	{"amazon.titan-image", amazonImage},
	{"amazon.nova-canvas", amazonImage},
	{"stability.stable-diffusion-xl", stableDiffusionXL},
	{"stability.", stableImage},
}

// DecodeTask reads the native body of a model that does not converse. ok is
// false for the others, and for those that are not known here.
func DecodeTask(model outcrop.ModelID, body []byte) (t *Task, ok bool, err error) {
	for _, row := range tasks {
		if !strings.HasPrefix(string(model), row.prefix) {
			continue
		}
		f, err := parse(body)
		if err != nil {
			return nil, true, err
		}
		f.drop("model")
		if t, err = row.decode(model, f); err != nil {
			return nil, true, err
		}
		return t, true, f.extraneous("#")
	}
	return nil, false, nil
}

// extraneous refuses what is left: these formats have no place to carry it.
func (f fields) extraneous(path string) error {
	for key := range f {
		return malformed("%s: extraneous key [%s] is not permitted", path, key)
	}
	return nil
}

// demand is take for a member that must be there.
func (f fields) demand(key string, v any) error {
	found, err := f.take(key, v)
	if err == nil && !found {
		err = missingKey("#", key)
	}
	return err
}

// oneOf refuses a number that is not among those that the model takes.
func oneOf(key string, n int, allowed ...int) error {
	for _, a := range allowed {
		if n == a {
			return nil
		}
	}
	return malformed("#/%s: %d is not a valid enum value", key, n)
}

// titanEmbed is Titan's first text embedding format.
func titanEmbed(_ outcrop.ModelID, f fields) (*Task, error) {
	var text string
	if err := f.demand("inputText", &text); err != nil {
		return nil, err
	}
	if text == "" {
		return nil, malformed("#/inputText: expected minLength: 1, actual: 0")
	}
	return &Task{
		Request: &task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: text}}, Dimensions: 1536}},
		Encode: func(a *TaskAnswer) ([]byte, error) {
			v, err := a.vector()
			return encode(map[string]any{"embedding": v, "inputTextTokenCount": a.Tokens}, err)
		},
	}, nil
}

// titanEmbedV2 has a choice of lengths and of types.
func titanEmbedV2(m outcrop.ModelID, f fields) (*Task, error) {
	t, err := titanEmbed(m, f)
	if err != nil {
		return nil, err
	}
	dimensions, normalize, types := 1024, true, []string{}
	if err := f.takeAll(map[string]any{"dimensions": &dimensions, "normalize": &normalize, "embeddingTypes": &types}); err != nil {
		return nil, err
	}
	if err := oneOf("dimensions", dimensions, 256, 512, 1024); err != nil {
		return nil, err
	}
	if err := valid("embeddingTypes", types, "float", "binary"); err != nil {
		return nil, err
	}
	if len(types) == 0 {
		types = []string{"float"}
	}
	t.Request.Embed.Dimensions, t.Request.Embed.Raw = dimensions, !normalize
	t.Encode = func(a *TaskAnswer) ([]byte, error) {
		v, err := a.vector()
		byType := map[string]any{}
		for _, name := range types {
			if byType[name] = v; name == "binary" {
				byType[name] = bits(v)
			}
		}
		answer := map[string]any{"embeddingsByType": byType, "inputTextTokenCount": a.Tokens}
		if float, ok := byType["float"]; ok {
			answer["embedding"] = float
		}
		return encode(answer, err)
	}
	return t, nil
}

// valid refuses words that a list may not hold.
func valid(key string, words []string, allowed ...string) error {
	for _, w := range words {
		if err := word(key, w, allowed...); err != nil {
			return err
		}
	}
	return nil
}

func word(key, w string, allowed ...string) error {
	for _, a := range allowed {
		if w == a {
			return nil
		}
	}
	return malformed("#/%s: %q is not a valid enum value", key, w)
}

// titanMultimodal embeds a text, a picture, or both together.
func titanMultimodal(_ outcrop.ModelID, f fields) (*Task, error) {
	var in task.Input
	var image string
	config := struct {
		Length int `json:"outputEmbeddingLength"`
	}{1024}
	if err := f.takeAll(map[string]any{"inputText": &in.Text, "inputImage": &image, "embeddingConfig": &config}); err != nil {
		return nil, err
	}
	in.Image = converse.Base64(image)
	if in.Text == "" && image == "" {
		return nil, malformed("#: inputText or inputImage is required")
	}
	if err := oneOf("embeddingConfig/outputEmbeddingLength", config.Length, 256, 384, 1024); err != nil {
		return nil, err
	}
	if err := picture("inputImage", in.Image); err != nil {
		return nil, err
	}
	return &Task{
		Request: &task.Request{Embed: &task.Embed{Inputs: []task.Input{in}, Dimensions: config.Length}},
		Encode: func(a *TaskAnswer) ([]byte, error) {
			v, err := a.vector()
			return encode(map[string]any{"embedding": v, "inputTextTokenCount": a.Tokens, "message": nil}, err)
		},
	}, nil
}

// vector is the answer to a request for one.
func (a *TaskAnswer) vector() ([]float32, error) {
	if len(a.Response.Vectors) != 1 {
		return nil, outcrop.Errorf(outcrop.ModelFailed, "The model's server answered with %d vectors for one input. Tell the operator.", len(a.Response.Vectors))
	}
	return a.Response.Vectors[0], nil
}

func encode(v any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// rerank is Cohere's and Amazon's format.
func rerank(model outcrop.ModelID, f fields) (*Task, error) {
	r := new(task.Rerank)
	var documents []document
	version := 0
	if strings.HasPrefix(string(model), "cohere.") {
		if err := f.demand("api_version", &version); err != nil {
			return nil, err
		}
		if err := oneOf("api_version", version, 1, 2); err != nil {
			return nil, err
		}
	}
	if err := f.demand("query", &r.Query); err != nil {
		return nil, err
	}
	if err := f.demand("documents", &documents); err != nil {
		return nil, err
	}
	if _, err := f.take("top_n", &r.Top); err != nil {
		return nil, err
	}
	if len(documents) == 0 || r.Query == "" || r.Top < 0 || len(documents) > maxDocuments {
		return nil, malformed("#: query and 1 to %d documents are required, and top_n is at least 1", maxDocuments)
	}
	for _, d := range documents {
		r.Documents = append(r.Documents, string(d))
	}
	return &Task{Request: &task.Request{Rerank: r}, Encode: encodeRanking}, nil
}

const maxDocuments = 1000

func encodeRanking(a *TaskAnswer) ([]byte, error) {
	results := []any{}
	for _, r := range a.Response.Ranking {
		results = append(results, map[string]any{"index": r.Index, "relevance_score": r.Score})
	}
	return json.Marshal(map[string]any{"results": results})
}

// A document is a text, or an object whose text counts; one of another form is
// read as it is written.
type document string

// UnmarshalJSON implements json.Unmarshaler.
func (d *document) UnmarshalJSON(b []byte) error {
	var s string
	var object struct {
		Text *string `json:"text"`
	}
	switch {
	case b[0] == '"':
		err := json.Unmarshal(b, &s)
		*d = document(s)
		return err
	case json.Unmarshal(b, &object) == nil && object.Text != nil:
		*d = document(*object.Text)
	default:
		*d = document(b)
	}
	return nil
}
