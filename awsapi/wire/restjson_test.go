package wire

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func restRequest(method, target string) *Request {
	path, query, _ := strings.Cut(target, "?")
	return &Request{Method: method, Path: path, RawQuery: query, Header: http.Header{}}
}

// decodeREST routes and decodes a request as the door does.
func decodeREST(t *testing.T, svc *Service, r *Request) (map[string]any, error) {
	t.Helper()
	op, labels, ok := NewRouter(svc).Match(r.Method, r.Path, r.RawQuery)
	if !ok {
		t.Fatalf("no route for %s %s", r.Method, r.Path)
	}
	r.Labels = labels
	return RESTJSON{}.Decode(op, r)
}

func TestDecodeBedrockQuery(t *testing.T) {
	svc := loadModel(t, "bedrock")
	r := restRequest("GET", "/inference-profiles?maxResults=10&type=APPLICATION&nextToken=a%2Bb%3D+c;d&unknown=1")
	tree, err := decodeREST(t, svc, r)
	want := map[string]any{"maxResults": int64(10), "typeEquals": "APPLICATION", "nextToken": "a+b= c;d"}
	if err != nil || cmp.Diff(want, tree) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, tree))
	}
	r = restRequest("GET", "/model-invocation-jobs?submitTimeAfter=2026-11-21T10%3A00%3A00Z")
	tree, err = decodeREST(t, svc, r)
	if at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC); err != nil || tree["submitTimeAfter"] != at {
		t.Errorf("%v %v, want %v", err, tree, at)
	}
}

func TestDecodeBedrockRefuses(t *testing.T) {
	svc := loadModel(t, "bedrock")
	for target, want := range map[string]string{
		"/inference-profiles?maxResults=ten":              "STRING_VALUE can not be converted to an Integer: \"ten\" at 'maxResults'",
		"/inference-profiles?maxResults=99999999999":      "at 'maxResults'",
		"/inference-profiles?maxResults=0x10":             "at 'maxResults'",
		"/inference-profiles?nextToken=%zz":               "malformed percent escape",
		"/model-invocation-jobs?submitTimeAfter=tomorrow": "at 'submitTimeAfter'",
	} {
		_, err := decodeREST(t, svc, restRequest("GET", target))
		var m *Malformed
		if !errors.As(err, &m) || !strings.Contains(m.Message, want) {
			t.Errorf("%s: got %v, want %s", target, err, want)
		}
	}
}

// InvokeModel's body is opaque; its headers come beside it and go back.
func TestInvokeModelBlob(t *testing.T) {
	svc := loadModel(t, "bedrock-runtime")
	r := restRequest("POST", "/model/amazon.titan-text-lite-v1/invoke")
	r.Body = []byte("{not json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Amzn-Bedrock-Trace", "ENABLED")
	tree, err := decodeREST(t, svc, r)
	want := map[string]any{"modelId": "amazon.titan-text-lite-v1", "body": []byte("{not json"), "contentType": "application/json", "trace": "ENABLED"}
	if err != nil || cmp.Diff(want, tree) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, tree))
	}
	w := &Response{Header: http.Header{}}
	out := map[string]any{"body": []byte(`{"a":"<b>"}`), "contentType": "application/json"}
	if err := (RESTJSON{}).Encode(svc.Operation("InvokeModel"), out, w); err != nil || string(w.Body) != `{"a":"<b>"}` || w.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s %v", err, w.Body, w.Header)
	}
}

// A GET with a body that no member lives in is read without looking at it.
func TestBodyOfBodilessOperation(t *testing.T) {
	r := restRequest("GET", "/inference-profiles/x")
	r.Body = []byte("garbage")
	if _, err := decodeREST(t, loadModel(t, "bedrock"), r); err != nil {
		t.Error(err)
	}
}

func TestSplitHeader(t *testing.T) {
	for line, want := range map[string][]string{
		"":                         nil,
		"a":                        {"a"},
		" a ,b ":                   {"a", "b"},
		`"b,c", "\"def\"", a`:      {"b,c", `"def"`, "a"},
		`"open`:                    {"open"},
		`"a\`:                      {`a\`},
		`"a"junk, b`:               {"a", "b"},
		"a,,b":                     {"a", "", "b"},
		strings.Repeat(",", 3):     {"", "", ""},
		`"` + `a` + `"` + `,"b" ,`: {"a", "b"},
	} {
		if d := cmp.Diff(want, splitHeader(line)); d != "" {
			t.Errorf("%q: %s", line, d)
		}
	}
}

func TestTimestamps(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 500_000_000, time.UTC)
	for _, tt := range []struct {
		text, format string
		want         time.Time
		ok           bool
	}{
		{"1795255200.5", UnixEpoch, at, true},
		{"-1.5", UnixEpoch, time.Unix(-2, 500_000_000).UTC(), true},
		{"253402300799", UnixEpoch, time.Unix(253402300799, 0).UTC(), true},
		{"253402300800", UnixEpoch, time.Time{}, false},
		{"-62135596801", UnixEpoch, time.Time{}, false},
		{"NaN", UnixEpoch, time.Time{}, false},
		{"1e400", UnixEpoch, time.Time{}, false},
		{"2026-11-21T10:00:00.5Z", UnixEpoch, at, true},
		{"2026-11-21T09:00:00.5-01:00", ISO8601, at, true},
		{"2026-11-21", ISO8601, time.Time{}, false},
		{"Sat, 21 Nov 2026 10:00:00 GMT", RFC822, at.Truncate(time.Second), true},
		{"Sat, 21 Nov 2026 10:00:00 GMT", ISO8601, time.Time{}, false},
	} {
		got, ok := parseTimestamp(tt.text, tt.format)
		if ok != tt.ok || ok && !got.Equal(tt.want) {
			t.Errorf("%s as %s: %v %v, want %v %v", tt.text, tt.format, got, ok, tt.want, tt.ok)
		}
	}
	for format, want := range map[string]string{UnixEpoch: "1795255200.500", RFC822: "Sat, 21 Nov 2026 10:00:00 GMT", ISO8601: "2026-11-21T10:00:00.500000Z"} {
		if got := string(appendTimestamp(nil, at, format, iso6)); got != want {
			t.Errorf("%s: %s, want %s", format, got, want)
		}
	}
}

// What rides outside the body never breaks the decoder, and what it reads of
// a header or query encodes into one again.
func FuzzBindings(f *testing.F) {
	f.Add("a=1&b=%20", `"b,c", "\"def\"", a`, "Sat, 21 Nov 2026 10:00:00 GMT, Sat")
	f.Add("i=01&t=2026-11-21T10:00:00Z&l=&l=%", `"`, "")
	svc, err := Load([]byte(`{"metadata":{"protocol":"rest-json"},"operations":{"Op":{"name":"Op","http":{"method":"GET","requestUri":"/"},"input":{"shape":"In"},"output":{"shape":"In"}}},
	"shapes":{"In":{"type":"structure","members":{
		"a":{"shape":"S","location":"querystring"},"i":{"shape":"I","location":"querystring"},"t":{"shape":"T","location":"querystring"},
		"l":{"shape":"L","location":"querystring"},"all":{"shape":"M","location":"querystring"},
		"X-List":{"shape":"L","location":"header"},"X-Dates":{"shape":"Dates","location":"header"},"rest":{"shape":"M","location":"headers","locationName":"X-"}}},
	"S":{"type":"string"},"I":{"type":"integer"},"T":{"type":"timestamp"},"L":{"type":"list","member":{"shape":"S"}},"Dates":{"type":"list","member":{"shape":"T"}},
	"M":{"type":"map","key":{"shape":"S"},"value":{"shape":"S"}}}}`))
	if err != nil {
		f.Fatal(err)
	}
	op := svc.Operation("Op")
	f.Fuzz(func(t *testing.T, query, list, dates string) {
		h := http.Header{"X-List": {list}, "X-Dates": {dates}}
		tree, err := RESTJSON{}.Decode(op, &Request{Method: "GET", Path: "/", RawQuery: query, Header: h})
		var m *Malformed
		if err != nil {
			if !errors.As(err, &m) {
				t.Fatal(err)
			}
			return
		}
		w := &Response{Header: http.Header{}}
		if err := (RESTJSON{}).Encode(op, map[string]any{"X-List": tree["X-List"]}, w); err != nil {
			t.Fatal(err)
		}
		want, _ := tree["X-List"].([]any)
		if got := splitHeader(w.Header.Get("X-List")); !sameTexts(got, want) {
			t.Fatalf("%q reads %q, written %q reads %q", list, want, w.Header.Get("X-List"), got)
		}
	})
}

func sameTexts(got []string, want []any) bool {
	if len(want) == 0 || len(got) != len(want) { // a list of one empty text is no list
		return len(got) == 0 && (len(want) == 0 || len(want) == 1 && want[0] == "")
	}
	for i := range got {
		if got[i] != want[i] {
			return false
		}
	}
	return true
}
