package native

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
)

// maxTexts is how many texts Cohere embeds in one call.
const maxTexts = 96

// cohereEmbed is the format of Embed 3 and 4.
func cohereEmbed(model outcrop.ModelID, f fields) (*Task, error) {
	var texts, images, types []string
	var inputs []cohereInput
	e := &task.Embed{Dimensions: 1024}
	v4 := strings.HasPrefix(string(model), "cohere.embed-v4")
	read := map[string]any{"texts": &texts, "images": &images, "embedding_types": &types, "truncate": &e.Truncate}
	if v4 {
		e.Dimensions = 1536
		read["output_dimension"], read["inputs"], read["max_tokens"] = &e.Dimensions, &inputs, new(int)
	}
	if err := f.demand("input_type", &e.Purpose); err != nil {
		return nil, err
	}
	if err := f.takeAll(read); err != nil {
		return nil, err
	}
	if err := cohereChoices(e, types, v4); err != nil {
		return nil, err
	}
	if err := cohereInputs(e, texts, images, inputs); err != nil {
		return nil, err
	}
	return &Task{Request: &task.Request{Embed: e}, Encode: func(a *TaskAnswer) ([]byte, error) { return encodeCohereEmbed(a, texts, types) }}, nil
}

func cohereChoices(e *task.Embed, types []string, v4 bool) error {
	if err := word("input_type", e.Purpose, "search_document", "search_query", "classification", "clustering", "image"); err != nil {
		return err
	}
	if e.Truncate != "" {
		if err := word("truncate", e.Truncate, "NONE", "START", "END", "LEFT", "RIGHT"); err != nil {
			return err
		}
	}
	if v4 {
		if err := oneOf("output_dimension", e.Dimensions, 256, 512, 1024, 1536); err != nil {
			return err
		}
	}
	return valid("embedding_types", types, "float", "int8", "uint8", "binary", "ubinary")
}

// A cohereInput mixes texts and pictures into one vector (Embed 4).
type cohereInput struct {
	Content []chatPart `json:"content"`
}

func cohereInputs(e *task.Embed, texts, images []string, inputs []cohereInput) error {
	for _, t := range texts {
		e.Inputs = append(e.Inputs, task.Input{Text: t})
	}
	for _, url := range images {
		image, err := ReadDataURL(url)
		if err != nil {
			return err
		}
		e.Inputs = append(e.Inputs, task.Input{Image: image.Source.Bytes})
	}
	for _, in := range inputs {
		one, err := in.read()
		if err != nil {
			return err
		}
		e.Inputs = append(e.Inputs, one)
	}
	kinds := 0
	for _, n := range []int{len(texts), len(images), len(inputs)} {
		if n > 0 {
			kinds++
		}
	}
	if kinds != 1 || len(e.Inputs) > maxTexts {
		return malformed("#: exactly one of texts, images and inputs is required, of at most %d elements", maxTexts)
	}
	return nil
}

func (in *cohereInput) read() (one task.Input, err error) {
	for _, p := range in.Content {
		switch p.Type {
		case "text":
			one.Text = strings.TrimSpace(one.Text + "\n" + p.Text)
		case "image_url":
			image, err := ReadDataURL(p.ImageURL.URL)
			if err != nil {
				return one, err
			}
			if len(one.Image) > 0 {
				return one, malformed("#/inputs/content: only one picture in an input is understood here")
			}
			one.Image = image.Source.Bytes
		default:
			return one, malformed("#/inputs/content/type: %q is not a valid enum value", p.Type)
		}
	}
	return one, nil
}

func encodeCohereEmbed(a *TaskAnswer, texts, types []string) ([]byte, error) {
	answer := map[string]any{"id": a.ID, "response_type": "embeddings_floats", "embeddings": a.Response.Vectors}
	if texts != nil {
		answer["texts"] = texts
	}
	if len(types) > 0 {
		byType := map[string]any{}
		for _, name := range types {
			byType[name] = quantized(name, a.Response.Vectors)
		}
		answer["embeddings"], answer["response_type"] = byType, "embeddings_by_type"
	}
	return json.Marshal(answer)
}

// quantized are vectors in a smaller type. A bit is whether a number is above
// zero; eight make a byte, the first the highest; int8 spans -1 to 1.
func quantized(name string, vectors [][]float32) any {
	if name == "float" {
		return vectors
	}
	out := make([][]int, len(vectors))
	for i, v := range vectors {
		switch name {
		case "binary", "ubinary":
			out[i] = packed(v, name == "binary")
		default:
			for _, x := range v {
				n := int(math.Round(float64(max(-1, min(1, x))) * 127))
				if name == "uint8" {
					n += 128
				}
				out[i] = append(out[i], n)
			}
		}
	}
	return out
}

func packed(v []float32, signed bool) (out []int) {
	for eight := range slices.Chunk(bits(v), 8) {
		n := 0
		for _, b := range eight {
			n = n<<1 | b
		}
		if signed {
			n -= 128
		}
		out = append(out, n)
	}
	return out
}

// bits are whether each number is above zero.
func bits(v []float32) []int {
	out := make([]int, len(v))
	for i, x := range v {
		if x > 0 {
			out[i] = 1
		}
	}
	return out
}

// novaEmbed is the format of Nova's multimodal embeddings, of one input.
func novaEmbed(_ outcrop.ModelID, f fields) (*Task, error) {
	var kind string
	f.drop("schemaVersion")
	if err := f.demand("taskType", &kind); err != nil {
		return nil, err
	}
	if err := word("taskType", kind, "SINGLE_EMBEDDING"); err != nil {
		return nil, err
	}
	var params struct {
		Purpose   string `json:"embeddingPurpose"`
		Dimension int    `json:"embeddingDimension"`
		Text      *struct {
			Truncation string `json:"truncationMode"`
			Value      string `json:"value"`
		} `json:"text"`
		Image *struct {
			Format string `json:"format"`
			Detail string `json:"detailLevel"`
			Source struct {
				Bytes string `json:"bytes"`
			} `json:"source"`
		} `json:"image"`
	}
	params.Dimension = 3072
	if err := f.demand("singleEmbeddingParams", &params); err != nil {
		return nil, err
	}
	if err := oneOf("singleEmbeddingParams/embeddingDimension", params.Dimension, 256, 384, 1024, 3072); err != nil {
		return nil, err
	}
	var in task.Input
	form := "TEXT"
	switch {
	case params.Text != nil && params.Image == nil && params.Text.Value != "":
		in.Text = params.Text.Value
	case params.Image != nil && params.Text == nil && params.Image.Source.Bytes != "":
		in.Image, form = converse.Base64(params.Image.Source.Bytes), "IMAGE"
	default:
		return nil, malformed("#/singleEmbeddingParams: a text or an image with bytes is required")
	}
	return &Task{
		Request: &task.Request{Embed: &task.Embed{Inputs: []task.Input{in}, Dimensions: params.Dimension, Purpose: params.Purpose}},
		Encode: func(a *TaskAnswer) ([]byte, error) {
			v, err := a.vector()
			return encode(map[string]any{"embeddings": []any{map[string]any{"embeddingType": form, "embedding": v}}}, err)
		},
	}, nil
}
