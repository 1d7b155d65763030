package compatapi

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse/task"
)

// An embeddingBody is a request of OpenAI's embeddings.
type embeddingBody struct {
	header
	Input      json.RawMessage `json:"input"`
	Dimensions int             `json:"dimensions"`
	Encoding   string          `json:"encoding_format"`
	User       string          `json:"user"`
}

// maxEmbeddings is how many texts one request may have, as with OpenAI.
const maxEmbeddings = 2048

// embed answers POST /openai/v1/embeddings, which Bedrock does not have.
func (a *API) embed(w http.ResponseWriter, r *awsapi.Request) error {
	b := new(embeddingBody)
	if err := json.Unmarshal(r.Body, b); err != nil {
		return outcrop.Errorf(outcrop.Invalid, "The request body cannot be read: %s", plainJSON(err))
	}
	h, err := readHeader(r.Body)
	if err != nil {
		return err
	}
	inputs, err := b.inputs()
	if err != nil {
		return err
	}
	if b.Encoding != "" && b.Encoding != "float" && b.Encoding != "base64" {
		return outcrop.Errorf(outcrop.Invalid, "encoding_format %q is not one of float, base64.", b.Encoding)
	}
	h.Stream = false
	c := call(r, h, nil)
	c.Task = func(t *outcrop.Target) (*task.Request, error) {
		if !embeds(&t.Model) {
			return nil, outcrop.Errorf(outcrop.Invalid, "The model %s does not make embeddings.", t.Model.ID)
		}
		req := &task.Request{Embed: &task.Embed{Inputs: inputs, Dimensions: b.Dimensions}}
		if b.User != "" {
			req.RequestMetadata = map[string]string{"user": b.User}
		}
		return req, nil
	}
	answer, err := a.Gateway.Converse(r.Context(), c)
	if err != nil {
		return err
	}
	r.ServedIn = answer.ServedIn
	return marshalJSON(w, r, b.answer(answer.Task, answer.Usage.Of(outcrop.InputTokens)))
}

// embeds says whether a model makes vectors.
func embeds(m *outcrop.FoundationModel) bool {
	for _, modality := range m.OutputModalities {
		if modality == "EMBEDDING" {
			return true
		}
	}
	return false
}

// inputs are one text, or several. Token ids are of one tokenizer, which is not
// the model's.
func (b *embeddingBody) inputs() ([]task.Input, error) {
	var one string
	if json.Unmarshal(b.Input, &one) == nil {
		return []task.Input{{Text: one}}, nil
	}
	var many []string
	if json.Unmarshal(b.Input, &many) != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "input must be a text or a list of texts. Lists of token ids are not supported.")
	}
	if len(many) == 0 || len(many) > maxEmbeddings {
		return nil, outcrop.Errorf(outcrop.Invalid, "input must have between 1 and %d texts.", maxEmbeddings)
	}
	all := make([]task.Input, len(many))
	for i, text := range many {
		all[i].Text = text
	}
	return all, nil
}

func (b *embeddingBody) answer(made *task.Response, tokens outcrop.Tokens) map[string]any {
	data := make([]any, len(made.Vectors))
	for i, vector := range made.Vectors {
		var shown any = vector
		if b.Encoding == "base64" {
			shown = packed(vector)
		}
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": shown}
	}
	return map[string]any{"object": "list", "data": data, "model": b.Model, "usage": map[string]any{"prompt_tokens": tokens, "total_tokens": tokens}}
}

// packed is a vector as little-endian floats in base64, the SDK's own wish.
func packed(vector []float32) string {
	raw := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}
