package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A protocolSuite runs the public protocol cases of one file from the
// server's side: the request that a client makes of params must decode to
// params, and the answer made of a result must be the one a client reads it
// from.
type protocolSuite struct {
	file     string              // under testdata/protocols/{input,output}, without .json
	protocol Protocol            // under test
	body     func(string) []byte // of a case: as it is written, or base64 of a binary one
	// read brings an answer's body into a neutral form. Strict tells the
	// answer under test, which may hold nothing unmodelled, from the case's.
	read func(t *testing.T, svc *Service, op *Operation, body []byte, strict bool) any
	// failure reads an error answer as clients do: its code and its members.
	failure func(t *testing.T, svc *Service, w *Response) (code string, members map[string]any)
	// known are the cases that differ, by id, and why. Each is a line of
	// docs/divergences.md.
	knownInput, knownOutput map[string]string
}

// plainBody is the body of a case as it is written in the file.
func plainBody(s string) []byte { return []byte(s) }

var protocolSuites = []protocolSuite{
	{"rest-json", RESTJSON{}, plainBody, readRESTJSON, failureJSON, restJSONInput, nil},
	{"json", AWSJSON{"1.1"}, plainBody, readAWSJSON, failureJSON, awsJSON11Input, nil},
	{"json_1_0", AWSJSON{"1.0"}, plainBody, readAWSJSON, failureJSON, awsJSON10Input, nil},
	{"json_1_0-query-compatible", AWSJSON{"1.0"}, plainBody, readAWSJSON, failureJSON, nil, nil},
	{"query", Query{}, plainBody, readQuery, failureQuery, queryInput, nil},
	{"smithy-rpc-v2-cbor", RPCv2CBOR{}, binaryBody, readCBOR, failureCBOR, nil, cborOutput},
	{"smithy-rpc-v2-cbor-query-compatible", RPCv2CBOR{}, binaryBody, readCBOR, failureCBOR, nil, nil},
	{"smithy-rpc-v2-cbor-non-query-compatible", RPCv2CBOR{}, binaryBody, readCBOR, failureCBOR, nil, nil},
}

// The cases in which a server is not the mirror image of a client, and why.
var (
	restJSONInput = map[string]string{
		"RestJsonHostWithPath":                           "the path of the client's endpoint is not part of the operation's",
		"RestJsonOmitsEmptyListQueryValues":              "an empty list leaves no trace in a query: it reads as absent",
		"SDKAppliedContentEncoding_restJson1":            "the case has no body; bodies are unpacked before they are decoded",
		"SDKAppendedGzipAfterProvidedEncoding_restJson1": "the case has no body; bodies are unpacked before they are decoded",
		"RestJsonQueryIdempotencyTokenAutoFill":          "the client made up the token; the server sees it",
		"RestJsonQueryParamsStringListMap":               "a server's map of query parameters holds the bound ones too",
		"RestJsonQueryPrecedence":                        "a server's map of query parameters holds the bound ones too",
		"RestJsonHttpWithEmptyStructurePayload":          "a payload of {} is an empty structure, not an absent one",
		"RestJsonHttpWithHeadersButNoPayload":            "a payload of {} is an empty structure, not an absent one",
	}
	queryInput = map[string]string{
		"SDKAppliedContentEncoding_awsQuery":                    "the case has no body; bodies are unpacked before they are decoded",
		"SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": "the case has no body; bodies are unpacked before they are decoded",
		"QueryProtocolIdempotencyTokenAutoFill":                 "the client made up the token; the server sees it",
		"QueryEmptyQueryMaps":                                   "an empty map leaves no trace in a form: it reads as absent",
	}
	cborOutput = map[string]string{
		"NoOutputClientAllowsEmptyCbor": "the case shows what a client tolerates; without output there is no body to name a type of",
		"NoOutputClientAllowsEmptyBody": "the case shows what a client tolerates; without output there is no body to name a type of",
	}
	awsJSON11Input = map[string]string{
		"SDKAppliedContentEncoding_awsJson1_1":                    "the case has no body; bodies are unpacked before they are decoded",
		"SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_1": "the case has no body; bodies are unpacked before they are decoded",
	}
	awsJSON10Input = map[string]string{
		"SDKAppliedContentEncoding_awsJson1_0":                    "the case has no body; bodies are unpacked before they are decoded",
		"SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": "the case has no body; bodies are unpacked before they are decoded",
	}
)

// ignoredHeaders are written by the layers above (request id), by net/http, or
// belong to requests.
var ignoredHeaders = []string{"X-Amzn-Requestid", "Content-Length", "X-Amz-Target"}

type protocolFile struct {
	Description string
	Metadata    json.RawMessage
	Shapes      json.RawMessage
	Cases       []protocolCase
}

type protocolCase struct {
	ID         string
	Given      json.RawMessage
	Params     any
	Serialized *struct {
		Method, URI, Body string
		Headers           map[string]string
	}
	Result       any
	Error        any
	ErrorCode    string
	ErrorMessage string
	Response     *struct {
		Status  int `json:"status_code"`
		Headers map[string]string
		Body    string
	}
}

func TestProtocols(t *testing.T) {
	for _, s := range protocolSuites {
		t.Run(s.file+"/input", func(t *testing.T) { s.run(t, "input", s.knownInput, s.input) })
		t.Run(s.file+"/output", func(t *testing.T) { s.run(t, "output", s.knownOutput, s.output) })
	}
}

// run runs every case of one file. A known difference must still differ:
// what has come to agree leaves the list.
func (s *protocolSuite) run(t *testing.T, folder string, known map[string]string, one func(t *testing.T, svc *Service, op *Operation, c *protocolCase) string) {
	files := protocolFiles(t, folder, s.file)
	seen := map[string]bool{}
	for i := range files {
		for j := range files[i].Cases {
			c := &files[i].Cases[j]
			seen[c.ID] = true
			t.Run(c.ID, func(t *testing.T) {
				svc := files[i].service(t, c)
				diff := one(t, svc, svc.Operations[0], c)
				reason, listed := known[c.ID]
				switch {
				case diff != "" && !listed:
					t.Error(diff)
				case diff == "" && listed:
					t.Errorf("agrees now; remove it from the list of differences (%s)", reason)
				}
			})
		}
	}
	for id := range known {
		if !seen[id] {
			t.Errorf("the listed case %s is not in %s/%s", id, folder, s.file)
		}
	}
}

// protocolFiles reads a case file, or skips where the test data is not at hand.
func protocolFiles(t *testing.T, folder, file string) []protocolFile {
	name := filepath.Join("..", "..", "..", "shared", "testdata", "protocols", folder, file+".json")
	b, err := os.ReadFile(name)
	if err != nil {
		if os.Getenv("OUTCROP_NO_SKIP") == "1" {
			t.Fatalf("protocol cases: %v", err)
		}
		t.Skipf("no protocol cases here: %v", err)
	}
	var files []protocolFile
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&files); err != nil {
		t.Fatal(err)
	}
	return files
}

// service loads the model that a case describes.
func (f *protocolFile) service(t *testing.T, c *protocolCase) *Service {
	t.Helper()
	model, err := json.Marshal(map[string]any{
		"metadata": f.Metadata, "shapes": f.Shapes, "operations": map[string]any{"Op": c.Given},
	})
	if err != nil {
		t.Fatal(err)
	}
	svc, err := Load(model)
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func (s *protocolSuite) input(t *testing.T, svc *Service, op *Operation, c *protocolCase) string {
	path, query, _ := strings.Cut(c.Serialized.URI, "?")
	r := &Request{Method: c.Serialized.Method, Path: path, RawQuery: query, Header: http.Header{}, Body: s.body(c.Serialized.Body)}
	for name, value := range c.Serialized.Headers {
		r.Header.Set(name, value)
	}
	if strings.HasPrefix(svc.Protocols[0], "rest-") {
		found, labels, ok := NewRouter(svc).Match(r.Method, r.Path, r.RawQuery)
		if !ok || found != op {
			return fmt.Sprintf("no route for %s %s to %s", r.Method, c.Serialized.URI, op.URI)
		}
		r.Labels = labels
	}
	tree, err := s.protocol.Decode(op, r)
	if err != nil {
		return fmt.Sprintf("decode: %v", err)
	}
	want := map[string]any{}
	if op.Input != nil {
		want = caseTree(t, &Member{Shape: op.Input}, c.Params).(map[string]any)
	}
	return cmp.Diff(want, comparable(tree), cmpopts.EquateNaNs())
}

func (s *protocolSuite) output(t *testing.T, svc *Service, op *Operation, c *protocolCase) string {
	w := &Response{Header: http.Header{}}
	if c.ErrorCode != "" {
		return s.errorOutput(t, svc, c, w)
	}
	var out map[string]any
	if op.Output != nil {
		out = caseTree(t, &Member{Shape: op.Output}, c.Result).(map[string]any)
	}
	if err := s.protocol.Encode(op, out, w); err != nil {
		return fmt.Sprintf("encode: %v", err)
	}
	var diffs []string
	if w.Status != c.Response.Status {
		diffs = append(diffs, fmt.Sprintf("status %d, want %d", w.Status, c.Response.Status))
	}
	for name, want := range c.Response.Headers {
		if got := w.Header.Get(name); got != want && !slices.Contains(ignoredHeaders, http.CanonicalHeaderKey(name)) {
			diffs = append(diffs, fmt.Sprintf("header %s: %q, want %q", name, got, want))
		}
	}
	want := s.read(t, svc, op, s.body(c.Response.Body), false)
	got := s.read(t, svc, op, w.Body, true)
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" {
		diffs = append(diffs, d)
	}
	return strings.Join(diffs, "\n")
}

// errorOutput compares what clients make of an error: they accept many forms
// of it, of which a server writes one.
func (s *protocolSuite) errorOutput(t *testing.T, svc *Service, c *protocolCase, w *Response) string {
	shape := svc.Error(c.ErrorCode)
	if shape == nil {
		return "the model has no error " + c.ErrorCode
	}
	f := &Failure{Code: c.ErrorCode, Status: c.Response.Status, Message: c.ErrorMessage, Sender: shape.SenderFault, RequestID: "req-1"}
	f.Fields = caseTree(t, &Member{Shape: shape}, c.Error).(map[string]any)
	want := maps.Clone(f.Fields)
	s.protocol.EncodeError(svc, f, w)
	code, members := s.failure(t, svc, w)
	if code != c.ErrorCode {
		return fmt.Sprintf("code %q, want %q", code, c.ErrorCode)
	}
	if w.Status != c.Response.Status {
		return fmt.Sprintf("status %d, want %d", w.Status, c.Response.Status)
	}
	for name, want := range c.Response.Headers {
		if got := w.Header.Get(name); got != want && !strings.EqualFold(name, "X-Amzn-Errortype") {
			return fmt.Sprintf("header %s: %q, want %q", name, got, want)
		}
	}
	return cmp.Diff(want, members, cmpopts.EquateNaNs())
}

// caseTree turns the params or the result of a case into a tree.
func caseTree(t *testing.T, m *Member, v any) any {
	t.Helper()
	switch m.Shape.Type {
	case Structure:
		tree := map[string]any{}
		members, _ := v.(map[string]any)
		for name, v := range members {
			member := m.Shape.Member(name)
			if member == nil {
				t.Fatalf("%s has no member %s", m.Shape.Name, name)
			}
			if v != nil {
				tree[name] = caseTree(t, member, v)
			}
		}
		return tree
	case List:
		list := []any{}
		for _, v := range v.([]any) {
			if v == nil {
				list = append(list, nil)
				continue
			}
			list = append(list, caseTree(t, m.Shape.Elem, v))
		}
		return list
	case Map:
		tree := map[string]any{}
		for key, v := range v.(map[string]any) {
			tree[key] = nil
			if v != nil {
				tree[key] = caseTree(t, m.Shape.Value, v)
			}
		}
		return tree
	}
	return caseScalar(t, m.Shape.Type, v)
}

func caseScalar(t *testing.T, kind Type, v any) any {
	t.Helper()
	switch kind {
	case Integer, Long:
		n, err := v.(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		return n
	case Float, Double:
		if s, ok := v.(string); ok {
			return map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)}[s]
		}
		f, err := v.(json.Number).Float64()
		if err != nil {
			t.Fatal(err)
		}
		return f
	case Timestamp:
		return caseTime(t, v)
	case Blob:
		return []byte(v.(string))
	case Doc:
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return Document(b)
	}
	return v
}

func caseTime(t *testing.T, v any) time.Time {
	f, err := v.(json.Number).Float64()
	if err != nil {
		t.Fatal(err)
	}
	return time.UnixMilli(int64(math.Round(f * 1000))).UTC()
}

// comparable brings the documents of a tree into the form that caseTree makes.
func comparable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = comparable(v[key])
		}
	case []any:
		for i := range v {
			v[i] = comparable(v[i])
		}
	case Document:
		var doc any
		dec := json.NewDecoder(bytes.NewReader(v))
		dec.UseNumber()
		if dec.Decode(&doc) == nil {
			b, _ := json.Marshal(doc)
			return Document(b)
		}
	}
	return v
}

func readRESTJSON(t *testing.T, _ *Service, op *Operation, body []byte, strict bool) any {
	if op.Output != nil && op.Output.Payload != "" {
		m := op.Output.Member(op.Output.Payload)
		if m.Shape.Type == Blob || m.Shape.Type == String {
			return string(body)
		}
		return neutralJSON(t, m, body, true, strict)
	}
	return neutralJSON(t, &Member{Shape: outputShape(op)}, body, true, strict)
}

func readAWSJSON(t *testing.T, _ *Service, op *Operation, body []byte, strict bool) any {
	return neutralJSON(t, &Member{Shape: outputShape(op)}, body, false, strict)
}

func outputShape(op *Operation) *Shape {
	if op.Output == nil {
		return &Shape{Type: Structure}
	}
	return op.Output
}

// neutralJSON parses with encoding/json and then takes out what may be spelled
// in several ways: the format of timestamps; {} and no body at all, of which
// the cases hold both for the same result.
func neutralJSON(t *testing.T, m *Member, body []byte, names, strict bool) any {
	t.Helper()
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%q is not JSON: %v", body, err)
	}
	return neutral(t, m, v, names, strict)
}

func neutral(t *testing.T, m *Member, v any, names, strict bool) any {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if m.Shape.Type == Map {
			return neutralMap(t, m, v, names, strict)
		}
		if m.Shape.Type == Structure {
			return neutralStructure(t, m, v, names, strict)
		}
	case []any:
		if m.Shape.Type == List {
			for i := range v {
				v[i] = neutral(t, m.Shape.Elem, v[i], names, strict)
			}
		}
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			t.Fatal(err)
		}
		return f
	case string:
		if m.Shape.Type == Timestamp {
			for _, layout := range []string{time.RFC3339Nano, time.RFC1123} {
				if at, err := time.Parse(layout, v); err == nil {
					return float64(at.UnixMilli()) / 1000
				}
			}
		}
	}
	return v
}

func neutralMap(t *testing.T, m *Member, v map[string]any, names, strict bool) any {
	for key := range v {
		if v[key] == nil && !strict {
			delete(v, key) // clients skip the null values of dense maps
			continue
		}
		v[key] = neutral(t, m.Shape.Value, v[key], names, strict)
	}
	return v
}

func neutralStructure(t *testing.T, m *Member, v map[string]any, names, strict bool) any {
	for key := range v {
		i := slices.IndexFunc(m.Shape.Members, func(m *Member) bool {
			return names && m.Location == InBody && m.WireName() == key || !names && m.Name == key
		})
		switch {
		case i < 0 && strict:
			t.Errorf("%s.%s is not in the model", m.Shape.Name, key)
		case i < 0 || v[key] == nil && !strict:
			delete(v, key)
		default:
			v[key] = neutral(t, m.Shape.Members[i], v[key], names, strict)
		}
	}
	return v
}

// failureJSON reads an error as botocore does: the code from the header or
// from __type, cut to the bare name, unless x-amzn-query-error has another.
func failureJSON(t *testing.T, svc *Service, w *Response) (string, map[string]any) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body, &body); err != nil {
		t.Fatalf("%q: %v", w.Body, err)
	}
	code := w.Header.Get("x-amzn-ErrorType")
	if kind, ok := body["__type"].(string); ok {
		code = kind
	}
	delete(body, "__type")
	code, _, _ = strings.Cut(code, ":")
	code = code[strings.LastIndexByte(code, '#')+1:]
	shape := svc.Error(code)
	if query := w.Header.Get("x-amzn-query-error"); query != "" {
		code, _, _ = strings.Cut(query, ";")
	}
	members := map[string]any{}
	for _, m := range shape.Members {
		if m.Location == InHeader && w.Header.Get(m.WireName()) != "" {
			members[m.Name] = w.Header.Get(m.WireName())
		}
		if v, ok := body[m.WireName()]; ok && m.Location == InBody {
			members[m.Name] = renamed(m, v)
		}
	}
	return code, members
}

// renamed gives the members of an error's nested structures their own names.
func renamed(m *Member, v any) any {
	tree, ok := v.(map[string]any)
	if !ok || m.Shape.Type != Structure {
		return v
	}
	out := map[string]any{}
	for _, member := range m.Shape.Members {
		if v, ok := tree[member.WireName()]; ok {
			out[member.Name] = renamed(member, v)
		}
	}
	return out
}
