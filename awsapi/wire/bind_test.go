package wire

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"outcrop/converse"
)

// everything has a field of each kind that wiregen writes, optional and
// required.
type everything struct {
	Text          string               `aws:"text"`
	TextReq       string               `aws:"textReq,required"`
	Number        *int64               `aws:"number"`
	NumberReq     int64                `aws:"numberReq,required"`
	Real          *float64             `aws:"real"`
	RealReq       float64              `aws:"realReq,required"`
	Flag          *bool                `aws:"flag"`
	FlagReq       bool                 `aws:"flagReq,required"`
	At            time.Time            `aws:"at"`
	AtReq         time.Time            `aws:"atReq,required"`
	Blob          []byte               `aws:"blob"`
	BlobReq       []byte               `aws:"blobReq,required"`
	Doc           json.RawMessage      `aws:"doc"`
	Inner         *inner               `aws:"inner"`
	InnerReq      inner                `aws:"innerReq,required"`
	List          []string             `aws:"list"`
	ListReq       []inner              `aws:"listReq,required"`
	Sparse        []*string            `aws:"sparse"`
	Map           map[string]string    `aws:"map"`
	MapReq        map[string][]float64 `aws:"mapReq,required"`
	Either        *either              `aws:"either"`
	notABoundOnly int
}

type inner struct {
	Name string `aws:"name"`
}

type either struct {
	Text *string    `aws:"text"`
	At   *time.Time `aws:"at"`
	List []string   `aws:"list"`
}

// Of nothing, only what is required is in the tree.
func TestTreeOfZero(t *testing.T) {
	want := map[string]any{
		"textReq": "", "numberReq": int64(0), "realReq": 0.0, "flagReq": false, "atReq": time.Time{}, "blobReq": []byte{},
		"innerReq": map[string]any{}, "listReq": []any{}, "mapReq": map[string]any{},
	}
	if d := cmp.Diff(want, Tree(&everything{notABoundOnly: 1})); d != "" {
		t.Error(d)
	}
}

func TestTreeKeepsWhatIsSet(t *testing.T) {
	empty, zero, no, at := "", int64(0), false, time.Time{}
	tree := Tree(everything{
		Number: &zero, Flag: &no, List: []string{}, Map: map[string]string{}, Sparse: []*string{nil, &empty},
		Doc: json.RawMessage(`{"a":1}`), Either: &either{Text: &empty, At: &at, List: []string{}},
	})
	want := map[string]any{
		"number": int64(0), "flag": false, "list": []any{}, "map": map[string]any{}, "sparse": []any{nil, ""},
		"doc": Document(`{"a":1}`), "either": map[string]any{"text": "", "at": time.Time{}, "list": []any{}},
	}
	for name, v := range want {
		if d := cmp.Diff(v, tree[name]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if _, ok := tree["text"]; ok {
		t.Error("an optional empty string is in the tree")
	}
}

func TestTreeOfNothing(t *testing.T) {
	for _, v := range []any{nil, (*everything)(nil), 7, "x"} {
		if tree := Tree(v); tree == nil || len(tree) != 0 {
			t.Errorf("Tree(%T) = %v", v, tree)
		}
	}
}

// Property: what Tree makes of a struct, Bind makes into the same struct.
func TestBindReversesTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawEverything(t)
		var out everything
		if err := Bind(Tree(in), &out); err != nil {
			t.Fatal(err)
		}
		opts := []cmp.Option{cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(everything{})}
		if d := cmp.Diff(in, &out, opts...); d != "" {
			t.Fatal(d)
		}
	})
}

func drawEverything(t *rapid.T) *everything {
	text := rapid.String()
	at := rapid.Map(rapid.Int64Range(0, 1<<40), func(n int64) time.Time { return time.UnixMicro(n).UTC() })
	in := &everything{
		Text: text.Draw(t, "text"), TextReq: text.Draw(t, "textReq"),
		Number: rapid.Ptr(rapid.Int64(), true).Draw(t, "number"), NumberReq: rapid.Int64().Draw(t, "numberReq"),
		Real: rapid.Ptr(rapid.Float64(), true).Draw(t, "real"), RealReq: rapid.Float64().Draw(t, "realReq"),
		Flag: rapid.Ptr(rapid.Bool(), true).Draw(t, "flag"), FlagReq: rapid.Bool().Draw(t, "flagReq"),
		At: at.Draw(t, "at"), AtReq: at.Draw(t, "atReq"),
		Blob: rapid.SliceOf(rapid.Byte()).Draw(t, "blob"), BlobReq: rapid.SliceOf(rapid.Byte()).Draw(t, "blobReq"),
		InnerReq: inner{text.Draw(t, "inner")}, List: rapid.SliceOf(text).Draw(t, "list"),
		Sparse: rapid.SliceOf(rapid.Ptr(text, true)).Draw(t, "sparse"),
		Map:    rapid.MapOf(text, text).Draw(t, "map"),
		MapReq: rapid.MapOf(text, rapid.SliceOf(rapid.Float64())).Draw(t, "mapReq"),
	}
	if rapid.Bool().Draw(t, "doc") {
		in.Doc = json.RawMessage(`["x"]`)
	}
	if s := rapid.Ptr(text, true).Draw(t, "union"); s != nil {
		in.Either = &either{Text: s}
	}
	return in
}

func TestBindIgnoresAndRefuses(t *testing.T) {
	var in everything
	if err := Bind(map[string]any{"unknown": 1, "text": nil, "real": int64(3)}, &in); err != nil || *in.Real != 3 {
		t.Errorf("err %v, real %v", err, in.Real)
	}
	for name, v := range map[string]any{
		"text": int64(1), "number": "1", "flag": "true", "at": "2026", "blob": "x", "inner": []any{}, "list": "x",
		"listReq": []any{"x"}, "map": map[string]any{"k": int64(1)}, "doc": map[string]any{}, "real": "NaN",
	} {
		if err := Bind(map[string]any{name: v}, new(everything)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s = %T: error %v", name, v, err)
		}
	}
	for _, into := range []any{nil, everything{}, (*everything)(nil), new(int)} {
		if err := Bind(map[string]any{}, into); err == nil {
			t.Errorf("Bind into %T succeeds", into)
		}
	}
}

// The generated data-plane types, named byte slices and recursion included.
func TestBindConverse(t *testing.T) {
	svc := loadModel(t, "bedrock-runtime")
	body := []byte(`{"messages":[{"role":"user","content":[{"text":"hi"},{"image":{"format":"png","source":{"bytes":"AAEC"}}},
		{"toolUse":{"toolUseId":"t","name":"n","input":{"a":[1,2]}}}]}],"inferenceConfig":{"temperature":0.5,"maxTokens":7},"requestMetadata":{"k":"v"}}`)
	tree, err := RESTJSON{}.Decode(svc.Operation("Converse"), &Request{Body: body, Labels: Labels{{"modelId", "m"}}})
	if err != nil {
		t.Fatal(err)
	}
	var req converse.Request
	if err := Bind(tree, &req); err != nil {
		t.Fatal(err)
	}
	content := req.Messages[0].Content
	if *content[0].Text != "hi" || string(content[1].Image.Source.Bytes) != "\x00\x01\x02" || string(content[2].ToolUse.Input) != `{"a":[1,2]}` {
		t.Errorf("content = %+v", content)
	}
	if *req.InferenceConfig.Temperature != 0.5 || *req.InferenceConfig.MaxTokens != 7 || req.RequestMetadata["k"] != "v" {
		t.Errorf("config = %+v", req.InferenceConfig)
	}
	var again converse.Request
	if err := Bind(Tree(&req), &again); err != nil || !reflect.DeepEqual(req, again) {
		t.Errorf("round trip: %v\n%+v\n%+v", err, req, again)
	}
}

type row struct {
	A string    `aws:"a,required"`
	B string    `aws:"b"`
	C string    `aws:"c"`
	D int64     `aws:"d,required"`
	E *bool     `aws:"e"`
	F time.Time `aws:"f"`
	G []string  `aws:"g"`
	H float64   `aws:"h,required"`
}

func rows(n int) any {
	var out struct {
		Rows []row `aws:"rows,required"`
	}
	yes := true
	for range n {
		out.Rows = append(out.Rows, row{"a", "b", "c", 4, &yes, time.Unix(1, 0), []string{"x", "y"}, 0.5})
	}
	return &out
}

func BenchmarkTree1000(b *testing.B) {
	out := rows(1000)
	b.ReportAllocs()
	for b.Loop() {
		Tree(out)
	}
}

func BenchmarkBind1000(b *testing.B) {
	out := rows(1000)
	tree := Tree(out)
	b.ReportAllocs()
	for b.Loop() {
		if err := Bind(tree, out); err != nil {
			b.Fatal(err)
		}
	}
}
