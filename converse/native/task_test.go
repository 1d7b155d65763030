package native

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
)

const pixel = "iVBORw0KGgo="

func TestTasksReadAsTheirMiddleForm(t *testing.T) {
	for _, c := range []struct {
		model outcrop.ModelID
		body  string
		want  task.Request
	}{
		{"amazon.titan-embed-text-v1", `{"inputText":"hi"}`, task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "hi"}}, Dimensions: 1536}}},
		{"amazon.titan-embed-text-v2:0", `{"inputText":"hi","dimensions":256,"normalize":false,"embeddingTypes":["binary"]}`,
			task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "hi"}}, Dimensions: 256, Raw: true}}},
		{"amazon.titan-embed-image-v1", `{"inputText":"hi","inputImage":"` + pixel + `","embeddingConfig":{"outputEmbeddingLength":384}}`,
			task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "hi", Image: converse.Base64(pixel)}}, Dimensions: 384}}},
		{"cohere.embed-english-v3", `{"texts":["a","b"],"input_type":"search_query","truncate":"END"}`,
			task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a"}, {Text: "b"}}, Dimensions: 1024, Purpose: "search_query", Truncate: "END"}}},
		{"cohere.embed-v4:0", `{"inputs":[{"content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + pixel + `"}}]}],"input_type":"search_document","output_dimension":512}`,
			task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a", Image: converse.Base64(pixel)}}, Dimensions: 512, Purpose: "search_document"}}},
		{"amazon.nova-2-multimodal-embeddings-v1:0", `{"taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","embeddingDimension":1024,"text":{"truncationMode":"END","value":"hi"}}}`,
			task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "hi"}}, Dimensions: 1024, Purpose: "GENERIC_INDEX"}}},
		{"cohere.rerank-v3-5:0", `{"api_version":2,"query":"q","documents":["a",{"text":"b"},{"title":"c"}],"top_n":2}`,
			task.Request{Rerank: &task.Rerank{Query: "q", Documents: []string{"a", "b", `{"title":"c"}`}, Top: 2}}},
		{"amazon.rerank-v1:0", `{"query":"q","documents":["a"]}`, task.Request{Rerank: &task.Rerank{Query: "q", Documents: []string{"a"}}}},
		{"amazon.nova-canvas-v1:0", `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a cat","negativeText":"dogs","style":"COMIC"},"imageGenerationConfig":{"numberOfImages":2,"width":512,"height":256,"seed":7,"quality":"premium","cfgScale":3.0}}`,
			task.Request{Image: &task.Image{Task: "TEXT_IMAGE", Prompt: "a cat", Negative: "dogs", Count: 2, Width: 512, Height: 256, Seed: 7, Format: "png", Quality: "premium", Extra: map[string]json.RawMessage{"style": json.RawMessage(`"COMIC"`), "cfgScale": json.RawMessage(`3.0`)}}}},
		{"stability.stable-image-core-v1:1", `{"prompt":"a cat","aspect_ratio":"16:9","output_format":"jpeg","seed":3}`,
			task.Request{Image: &task.Image{Task: "TEXT_IMAGE", Prompt: "a cat", Count: 1, Width: 1344, Height: 768, Seed: 3, Format: "jpeg", Extra: map[string]json.RawMessage{}}}},
		{"stability.stable-diffusion-xl-v1", `{"text_prompts":[{"text":"a cat"},{"text":"dogs","weight":-1}],"steps":30}`,
			task.Request{Image: &task.Image{Task: "TEXT_IMAGE", Prompt: "a cat", Negative: "dogs", Count: 1, Width: 1024, Height: 1024, Format: "png", Extra: map[string]json.RawMessage{"steps": json.RawMessage("30")}}}},
	} {
		got, ok, err := DecodeTask(c.model, []byte(c.body))
		if err != nil || !ok {
			t.Errorf("%s: %v, known %t", c.model, err, ok)
			continue
		}
		if d := cmp.Diff(&c.want, got.Request); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.model, d)
		}
	}
	if _, ok, _ := DecodeTask("amazon.nova-lite-v1:0", []byte(`{}`)); ok {
		t.Error("a conversation was taken for a task")
	}
}

func TestFaultyTasksAreRefused(t *testing.T) {
	for _, c := range []struct {
		model      outcrop.ModelID
		body, says string
	}{
		{"amazon.titan-embed-text-v2:0", `{}`, "required key [inputText] not found"},
		{"amazon.titan-embed-text-v2:0", `{"inputText":"x","dimensions":7}`, "#/dimensions: 7"},
		{"amazon.titan-embed-text-v2:0", `{"inputText":"x","colour":1}`, "extraneous key [colour] is not permitted"},
		{"amazon.titan-embed-text-v1", `{"inputText":""}`, "minLength"},
		{"amazon.titan-embed-image-v1", `{"inputImage":"?"}`, "not valid base64"},
		{"cohere.embed-english-v3", `{"texts":["a"]}`, "required key [input_type] not found"},
		{"cohere.embed-english-v3", `{"texts":[],"input_type":"image"}`, "exactly one of"},
		{"cohere.embed-english-v3", `{"texts":["a"],"input_type":"image","output_dimension":256}`, "extraneous key [output_dimension]"},
		{"cohere.embed-v4:0", `{"texts":["a"],"input_type":"poem"}`, "poem"},
		{"cohere.rerank-v3-5:0", `{"query":"q","documents":["a"]}`, "required key [api_version] not found"},
		{"cohere.rerank-v3-5:0", `{"api_version":2,"query":"q","documents":[]}`, "documents"},
		{"amazon.nova-canvas-v1:0", `{"taskType":"DANCE"}`, "DANCE"},
		{"amazon.nova-canvas-v1:0", `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"x"},"imageGenerationConfig":{"numberOfImages":9}}`, "number of images"},
		{"stability.stable-image-core-v1:1", `{"prompt":"x","aspect_ratio":"1:9"}`, "aspect_ratio"},
		{"stability.stable-diffusion-xl-v1", `{"text_prompts":[]}`, "prompt"},
	} {
		_, _, err := DecodeTask(c.model, []byte(c.body))
		if outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v, want a ValidationException with %q", c.model, c.body, err, c.says)
		}
	}
}

func TestTaskAnswersAreInTheModelsForm(t *testing.T) {
	vector := []float32{1, -0.5, 0.25, -1, 0, 0.5, 1, 1}
	answer := &TaskAnswer{ID: "id-1", Tokens: 3, Response: &task.Response{Vectors: [][]float32{vector}, Ranking: []task.Ranked{{Index: 1, Score: 0.75}}, Images: [][]byte{{1, 2}}}}
	float := `[1,-0.5,0.25,-1,0,0.5,1,1]`
	for _, c := range []struct {
		model      outcrop.ModelID
		body, want string
	}{
		{"amazon.titan-embed-text-v1", `{"inputText":"a"}`, `{"embedding":` + float + `,"inputTextTokenCount":3}`},
		{"amazon.titan-embed-text-v2:0", `{"inputText":"a","embeddingTypes":["binary","float"]}`, `{"embedding":` + float + `,"embeddingsByType":{"binary":[1,0,1,0,0,1,1,1],"float":` + float + `},"inputTextTokenCount":3}`},
		{"amazon.titan-embed-image-v1", `{"inputText":"a"}`, `{"embedding":` + float + `,"inputTextTokenCount":3,"message":null}`},
		{"cohere.embed-english-v3", `{"texts":["a"],"input_type":"search_query"}`, `{"embeddings":[` + float + `],"id":"id-1","response_type":"embeddings_floats","texts":["a"]}`},
		{"cohere.embed-v4:0", `{"texts":["a"],"input_type":"search_query","embedding_types":["int8","uint8","binary","ubinary"]}`,
			`{"embeddings":{"binary":[[39]],"int8":[[127,-64,32,-127,0,64,127,127]],"ubinary":[[167]],"uint8":[[255,64,160,1,128,192,255,255]]},"id":"id-1","response_type":"embeddings_by_type","texts":["a"]}`},
		{"amazon.rerank-v1:0", `{"query":"q","documents":["a","b"]}`, `{"results":[{"index":1,"relevance_score":0.75}]}`},
		{"amazon.titan-image-generator-v2:0", `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"x"}}`, `{"error":null,"images":["` + base64.StdEncoding.EncodeToString([]byte{1, 2}) + `"]}`},
		{"stability.sd3-5-large-v1:0", `{"prompt":"x","seed":5}`, `{"finish_reasons":[null],"images":["AQI="],"seeds":[5]}`},
		{"stability.stable-diffusion-xl-v1", `{"text_prompts":[{"text":"x"}],"seed":5}`, `{"artifacts":[{"base64":"AQI=","finishReason":"SUCCESS","seed":5}],"result":"success"}`},
	} {
		decoded, ok, err := DecodeTask(c.model, []byte(c.body))
		if err != nil || !ok {
			t.Fatalf("%s: %v", c.model, err)
		}
		if got, err := decoded.Encode(answer); err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", c.model, err, got, c.want)
		}
	}
	decoded, _, _ := DecodeTask("amazon.titan-embed-text-v1", []byte(`{"inputText":"a"}`))
	if _, err := decoded.Encode(&TaskAnswer{Response: new(task.Response)}); outcrop.KindOf(err) != outcrop.ModelFailed {
		t.Errorf("no vector for one input: %v, want ModelFailed", err)
	}
}

func FuzzDecodeTask(f *testing.F) {
	for _, row := range tasks {
		f.Add(row.prefix, []byte(`{"inputText":"a","texts":["b"],"input_type":"image","api_version":2,"query":"q","documents":[{}],"prompt":"p","text_prompts":[{}],"taskType":"INPAINTING","inPaintingParams":{}}`))
	}
	f.Fuzz(func(t *testing.T, model string, body []byte) {
		decoded, _, err := DecodeTask(outcrop.ModelID(model), body)
		if err != nil && outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%v, want a ValidationException", err)
		}
		if err == nil && decoded != nil {
			decoded.Request.Words()
			decoded.Request.Usage(nil, 1)
		}
	})
}
