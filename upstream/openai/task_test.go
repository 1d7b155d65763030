package openai_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/converse/task"
	"outcrop/upstream/openai"
	"outcrop/upstream/upstreamtest"
)

func TestTasksAtAServer(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		ask          task.Request
		path, sent   string
		want         *task.Response
		kind         outcrop.Kind
	}{
		{"embeddings, in any order", `{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":5,"total_tokens":5}}`,
			task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a"}, {Text: "b"}}, Dimensions: 3}}, "/v1/embeddings", `{"encoding_format":"float","input":["a","b"],"model":"test-model"}`,
			&task.Response{Vectors: [][]float32{{1}, {2}}, Tokens: new(int64(5))}, 0},
		{"a vector is missing", `{"data":[{"index":1,"embedding":[2]}]}`, task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a"}, {Text: "b"}}}}, "/v1/embeddings", "", nil, outcrop.ModelFailed},
		{"a vector too many", `{"data":[{"index":7,"embedding":[2]}]}`, task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a"}}}}, "/v1/embeddings", "", nil, outcrop.ModelFailed},
		{"an error with status 200", `{"error":{"message":"slow","type":"rate_limit_error"}}`, task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a"}}}}, "/v1/embeddings", "", nil, outcrop.Throttled},
		{"ranking", `{"results":[{"index":0,"relevance_score":0.1},{"index":1,"relevance_score":0.9}],"usage":{"total_tokens":4}}`,
			task.Request{Rerank: &task.Rerank{Query: "q", Documents: []string{"a", "b"}, Top: 1}}, "/v1/rerank", `{"documents":["a","b"],"model":"test-model","query":"q","top_n":1}`,
			&task.Response{Ranking: []task.Ranked{{Index: 1, Score: 0.9}}, Tokens: new(int64(4))}, 0},
		{"pictures", `{"data":[{"b64_json":"AQI="}]}`, task.Request{Image: &task.Image{Task: "TEXT_IMAGE", Prompt: "p", Count: 1, Width: 8, Height: 9}}, "/v1/images/generations",
			`{"model":"test-model","n":1,"prompt":"p","response_format":"b64_json","size":"8x9"}`, &task.Response{Images: [][]byte{{1, 2}}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.URL.Path != c.path || c.sent != "" && string(body) != c.sent {
					t.Errorf("sent %s to %s", body, r.URL.Path)
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, c.answer)
			}))
			defer server.Close()
			u, err := openai.New(openai.Config{BaseURL: server.URL}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := u.Do(t.Context(), upstreamtest.Attempt, &c.ask)
			if d := cmp.Diff(c.want, got); d != "" || c.want == nil && outcrop.KindOf(err) != c.kind {
				t.Errorf("%v\n%s", err, d)
			}
		})
	}
}

// What a server has no word for is refused, not left out.
func TestTasksThatAServerCannotDo(t *testing.T) {
	u, err := openai.New(openai.Config{BaseURL: "http://127.0.0.1:1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*task.Request{
		{Embed: &task.Embed{Inputs: []task.Input{{Image: []byte("aGk=")}}}},
		{Image: &task.Image{Task: "INPAINTING", Prompt: "x"}},
		{Image: &task.Image{Task: "TEXT_IMAGE", Prompt: "x", Extra: map[string]json.RawMessage{"style": nil}}},
	} {
		if _, err := u.Do(t.Context(), upstreamtest.Attempt, r); outcrop.KindOf(err) != outcrop.Invalid || strings.Contains(err.Error(), "reached") {
			t.Errorf("%+v: %v, want a refusal before the server is asked", r, err)
		}
	}
}

// Azure takes its key in a header of its own, keeps its version in the query
// and puts the model in the path.
func TestAzuresAddresses(t *testing.T) {
	var got *http.Request
	u, err := openai.New(openai.Config{BaseURL: "https://x.openai.azure.com/openai/deployments/gpt?api-version=2024-10-21", APIKey: "secret"}, roundTrip(func(r *http.Request) (*http.Response, error) {
		got = r
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"data":[{"embedding":[1]}]}`)), Request: r}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Do(t.Context(), upstreamtest.Attempt, &task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a"}}, Dimensions: 256}}); err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(got.Body)
	if got.URL.String() != "https://x.openai.azure.com/openai/deployments/gpt/embeddings?api-version=2024-10-21" || got.Header.Get("Api-Key") != "secret" || got.Header.Get("Authorization") != "" || !strings.Contains(string(body), `"dimensions":256`) {
		t.Errorf("asked %s with %v: %s", got.URL, got.Header, body)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
