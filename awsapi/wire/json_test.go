package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// jsonModel has a member of every type, and reaches itself.
const jsonModel = `{"metadata":{"protocol":"json","jsonVersion":"1.1","serviceId":"Test","apiVersion":"2026-01-02","signingName":"test"},
"operations":{"Op":{"name":"Op","http":{"method":"POST","requestUri":"/"},"input":{"shape":"In"},"output":{"shape":"In"},"errors":[{"shape":"Broken"}]},
	"Nothing":{"name":"Nothing","http":{"method":"POST","requestUri":"/nothing","responseCode":204}}},
"shapes":{
"In":{"type":"structure","members":{"S":{"shape":"S","locationName":"s-name"},"I":{"shape":"I"},"L":{"shape":"L"},"F":{"shape":"F"},"D":{"shape":"D"},
	"B":{"shape":"B"},"T":{"shape":"T"},"Iso":{"shape":"Iso"},"Rfc":{"shape":"Rfc"},"Blob":{"shape":"Blob"},"Doc":{"shape":"Doc"},
	"List":{"shape":"List"},"Sparse":{"shape":"Sparse"},"Map":{"shape":"Map"},"In":{"shape":"In"}}},
"S":{"type":"string"},"I":{"type":"integer"},"L":{"type":"long"},"F":{"type":"float"},"D":{"type":"double"},"B":{"type":"boolean"},
"T":{"type":"timestamp"},"Iso":{"type":"timestamp","timestampFormat":"iso8601"},"Rfc":{"type":"timestamp","timestampFormat":"rfc822"},"Blob":{"type":"blob"},
"Doc":{"type":"structure","members":{},"document":true},"List":{"type":"list","member":{"shape":"In"}},"Sparse":{"type":"list","member":{"shape":"S"},"sparse":true},
"Map":{"type":"map","key":{"shape":"S"},"value":{"shape":"S"}},
"Broken":{"type":"structure","exception":true,"error":{"code":"OldBroken","httpStatusCode":400,"senderFault":true},"members":{"Message":{"shape":"S"},"resourceName":{"shape":"S"}}}}}`

func jsonService(t testing.TB) *Service {
	t.Helper()
	svc, err := Load([]byte(jsonModel))
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func decode(t testing.TB, p Protocol, body string) (map[string]any, error) {
	t.Helper()
	return p.Decode(jsonService(t).Operation("Op"), &Request{Body: []byte(body), Header: http.Header{}})
}

func TestDecodeJSON(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 123456000, time.UTC)
	tests := []struct {
		body string
		want map[string]any
	}{
		{``, map[string]any{}},
		{" \r\n\t", map[string]any{}},
		{`null`, map[string]any{}},
		{`{}`, map[string]any{}},
		{`{"S":"a\u00e9\ud83d\ude00\n\/"}`, map[string]any{"S": "aé😀\n/"}},
		{`{"S":"\ud83d"}`, map[string]any{"S": "\ufffd"}},
		{`{"S":null,"I":null,"Doc":null,"List":null}`, map[string]any{}},
		{`{"S":"first","S":"last"}`, map[string]any{"S": "last"}},
		{`{"S":"first","S":null}`, map[string]any{}},
		{`{"I":-2147483648,"L":9223372036854775807}`, map[string]any{"I": int64(math.MinInt32), "L": int64(math.MaxInt64)}},
		{`{"I":1.0,"L":1e3}`, map[string]any{"I": int64(1), "L": int64(1000)}},
		{`{"F":1.1,"D":"NaN"}`, map[string]any{"F": 1.1, "D": math.NaN()}},
		{`{"F":"Infinity","D":"-Infinity"}`, map[string]any{"F": math.Inf(1), "D": math.Inf(-1)}},
		{`{"D":-0.0e-1}`, map[string]any{"D": math.Copysign(0, -1)}},
		{`{"B":true}`, map[string]any{"B": true}},
		{`{"T":1795255200.123456}`, map[string]any{"T": at}},
		{`{"T":1795255200}`, map[string]any{"T": at.Truncate(time.Second)}},
		{`{"Iso":"2026-11-21T10:00:00.123456Z"}`, map[string]any{"Iso": at}},
		{`{"Iso":"2026-11-21T12:00:00.123456+02:00"}`, map[string]any{"Iso": at}},
		{`{"Rfc":"Sat, 21 Nov 2026 10:00:00 GMT"}`, map[string]any{"Rfc": at.Truncate(time.Second)}},
		{`{"T":"2026-11-21T10:00:00.123456Z","Iso":1795255200}`, map[string]any{"T": at, "Iso": at.Truncate(time.Second)}}, // one meaning only
		{`{"Blob":"AAEC","S":""}`, map[string]any{"Blob": []byte{0, 1, 2}, "S": ""}},
		{`{"Doc": {"a" : [1, null]} }`, map[string]any{"Doc": Document(`{"a" : [1, null]}`)}},
		{`{"Sparse":["a",null],"List":[]}`, map[string]any{"Sparse": []any{"a", nil}, "List": []any{}}},
		{`{"Map":{"k":"v"},"List":[{"I":1}]}`, map[string]any{"Map": map[string]any{"k": "v"}, "List": []any{map[string]any{"I": int64(1)}}}},
		{`{"New":[{"deep":"x"},1.5e3,true,null],"I":2}`, map[string]any{"I": int64(2)}},
	}
	for _, tt := range tests {
		got, err := decode(t, AWSJSON{"1.1"}, tt.body)
		if err != nil {
			t.Errorf("%s: %v", tt.body, err)
		} else if d := cmp.Diff(tt.want, got, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("%s: %s", tt.body, d)
		}
	}
}

func TestDecodeJSONRefuses(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{"S":1}`, "NUMBER_VALUE can not be converted to a String at offset 5"},
		{`{"S":true}`, "TRUE_VALUE can not be converted to a String"},
		{`{"S":{}}`, "Start of structure or map found where not expected"},
		{`{"S":[]}`, "Start of list found where not expected"},
		{`{"I":"1"}`, "STRING_VALUE can not be converted to an Integer"},
		{`{"I":1.5}`, "NUMBER_VALUE can not be converted to an Integer: 1.5"},
		{`{"I":2147483648}`, "NUMBER_VALUE can not be converted to an Integer: 2147483648"},
		{`{"L":9223372036854775808}`, "NUMBER_VALUE can not be converted to a Long"},
		{`{"L":1e300}`, "NUMBER_VALUE can not be converted to a Long"},
		{`{"D":1e999}`, "NUMBER_VALUE can not be converted to a Double"},
		{`{"D":"1"}`, "STRING_VALUE can not be converted to a Double"},
		{`{"B":"true"}`, "STRING_VALUE can not be converted to a Boolean"},
		{`{"B":0}`, "NUMBER_VALUE can not be converted to a Boolean"},
		{`{"T":"1795255200"}`, "is not a valid timestamp"},
		{`{"T":1e30}`, "is not a valid timestamp"},
		{`{"T":false}`, "FALSE_VALUE can not be converted to a Timestamp"},
		{`{"Iso":"yesterday"}`, `"yesterday" is not a valid timestamp`},
		{`{"Blob":"%"}`, "not valid base64"},
		{`{"Blob":7}`, "NUMBER_VALUE can not be converted to a Blob"},
		{`{"List":{}}`, "Start of structure or map found where not expected"},
		{`{"List":[null]}`, "An element of a list must not be null"},
		{`{"Map":{"k":null}}`, `The value of map key "k" must not be null`},
		{`{"Map":[]}`, "Start of list found where not expected"},
		{`[]`, "Start of list found where not expected at offset 0"},
		{`"x"`, "STRING_VALUE can not be converted to a structure"},
		{`{} {}`, "Unexpected data after the end of the request body"},
		{`{}x`, "Unexpected data after the end of the request body"},
		{`{`, "Unexpected end of the request body"},
		{`{"S":"a`, "Unexpected end of the request body"},
		{`{"S":"\`, "Unexpected end of the request body"},
		{`{"S":"\x"}`, `Unexpected character 'x'`},
		{`{"S":"\u12"}`, `Unexpected character 'u'`},
		{"{\"S\":\"a\nb\"}", `Unexpected character '\n'`},
		{`{"S" "a"}`, `Unexpected character '"'`},
		{`{"S":"a",}`, `Unexpected character '}'`},
		{`{,}`, `Unexpected character ','`},
		{`{"I":01}`, `Unexpected character '1'`},
		{`{"I":1.}`, `Unexpected character '}'`},
		{`{"I":+1}`, `Unexpected character '+'`},
		{`{"I":NaN}`, `Unexpected character 'N'`},
		{`{"B":tru}`, `Unexpected character 't'`},
		{`{"New":[1,]}`, `Unexpected character ']'`},
		{"{\"S\":\"\xff\"}", "not valid UTF-8"},
		{`{"New":` + strings.Repeat("[", 100_000), "nested more than 512 levels"},
		{strings.Repeat(`{"In":`, 100_000), "nested more than 512 levels"},
		{strings.Repeat(`{"List":[`, 100_000), "nested more than 512 levels"},
	}
	for _, tt := range tests {
		_, err := decode(t, AWSJSON{"1.0"}, tt.body)
		var m *Malformed
		if !errors.As(err, &m) || !strings.Contains(m.Message, tt.want) {
			t.Errorf("%.60s: got %v, want %s", tt.body, err, tt.want)
		}
	}
}

// REST-JSON goes by locationName in a body, AWS JSON does not.
func TestMemberNames(t *testing.T) {
	const body = `{"s-name":"by location","S":"by name"}`
	if tree, err := decode(t, RESTJSON{}, body); err != nil || tree["S"] != "by location" {
		t.Errorf("REST-JSON reads %v, %v", tree, err)
	}
	if tree, err := decode(t, AWSJSON{"1.1"}, body); err != nil || tree["S"] != "by name" {
		t.Errorf("AWS JSON reads %v, %v", tree, err)
	}
}

func encode(t testing.TB, p Protocol, tree map[string]any) *Response {
	t.Helper()
	w := &Response{Header: http.Header{}}
	if err := p.Encode(jsonService(t).Operation("Op"), tree, w); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEncodeJSON(t *testing.T) {
	at := time.Date(2025, 7, 2, 6, 14, 35, 601701000, time.UTC)
	tree := map[string]any{
		"S": "<a> & \"b\"\\\n\x01 é\u2028 \xff", "I": int64(-1), "L": 7, "F": 1.1, "D": 1e21, "B": false, "T": at.Truncate(time.Second), "Iso": at, "Rfc": at,
		"Blob": []byte("foo"), "Doc": Document("{ \"<\" : 1 }"), "Sparse": []any{nil, "x"}, "Map": map[string]any{"b": "2", "a": "1"}, "List": []any{map[string]any{}},
		"In": nil, "unknown": "left out",
	}
	tail := `"I":-1,"L":7,"F":1.1,"D":1e+21,"B":false,"T":1751436875,"Iso":"ISO","Rfc":"Wed, 02 Jul 2025 06:14:35 GMT",` +
		`"Blob":"Zm9v","Doc":{"<":1},"List":[{}],"Sparse":[null,"x"],"Map":{"a":"1","b":"2"}}`
	text := `"<a> & \"b\"\\\n\u0001 é\u2028 \ufffd",`
	for _, tt := range []struct {
		p                     Protocol
		name, iso, contentTyp string
	}{
		{RESTJSON{}, "s-name", "2025-07-02T06:14:35.601701Z", "application/json"},
		{AWSJSON{"1.1"}, "S", "2025-07-02T06:14:35.601Z", "application/x-amz-json-1.1"},
	} {
		w := encode(t, tt.p, tree)
		want := `{"` + tt.name + `":` + text + strings.Replace(tail, "ISO", tt.iso, 1)
		if string(w.Body) != want {
			t.Errorf("%T\n got %s\nwant %s", tt.p, w.Body, want)
		}
		if got := w.Header.Get("Content-Type"); got != tt.contentTyp || w.Status != 200 {
			t.Errorf("%T: %d, content type %s", tt.p, w.Status, got)
		}
	}
}

// A midnight without a fraction has six digits all the same.
func TestRESTTimestampDigits(t *testing.T) {
	w := encode(t, RESTJSON{}, map[string]any{"Iso": time.Date(2024, 8, 1, 2, 0, 0, 0, time.FixedZone("", 7200))})
	if want := `{"Iso":"2024-08-01T00:00:00.000000Z"}`; string(w.Body) != want {
		t.Errorf("got %s, want %s", w.Body, want)
	}
}

func TestEncodeEmpty(t *testing.T) {
	svc := loadModel(t, "bedrock")
	w := &Response{Header: http.Header{}}
	if err := (RESTJSON{}).Encode(svc.Operation("DeleteInferenceProfile"), nil, w); err != nil || string(w.Body) != "{}" || w.Header.Get("Content-Type") != "application/json" || w.Status != 200 {
		t.Errorf("%v: %d %q %v", err, w.Status, w.Body, w.Header)
	}
	w = &Response{Header: http.Header{}}
	if err := (RESTJSON{}).Encode(svc.Operation("CreateInferenceProfile"), map[string]any{"status": "ACTIVE"}, w); err != nil || w.Status != 201 {
		t.Errorf("%v: status %d, want 201", err, w.Status)
	}
	w = &Response{Header: http.Header{}}
	if err := (RESTJSON{}).Encode(jsonService(t).Operation("Nothing"), nil, w); err != nil || w.Status != 204 || len(w.Body) != 0 || w.Header.Get("Content-Type") != "" {
		t.Errorf("%v: %d %q %v", err, w.Status, w.Body, w.Header)
	}
}

// What does not fit its shape is our own fault, and an error that names it.
func TestEncodeRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"S": 1, "I": "1", "D": "NaN", "B": "true", "T": "2026", "Blob": "x", "Doc": Document("{"), "List": map[string]any{}, "Map": []any{}, "In": "x", "F": struct{}{},
	} {
		for _, p := range []Protocol{RESTJSON{}, AWSJSON{"1.0"}} {
			err := p.Encode(jsonService(t).Operation("Op"), map[string]any{name: v}, &Response{Header: http.Header{}})
			if err == nil {
				t.Errorf("%T encodes %s = %T", p, name, v)
			}
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	svc := jsonService(t)
	query := jsonService(t)
	query.QueryMode = true
	fields := map[string]any{"resourceName": "r", "message": "not this", "unmodelled": "x", "Message": 7}
	tests := []struct {
		name, header string
		p            Protocol
		svc          *Service
		f            Failure
		body, value  string
	}{
		{"service fault", "x-amzn-ErrorType", RESTJSON{}, loadModel(t, "bedrock"), Failure{Code: "ValidationException", Status: 400, Message: "no <x>"},
			`{"message":"no <x>"}`, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/"},
		{"runtime fault", "x-amzn-ErrorType", RESTJSON{}, loadModel(t, "bedrock-runtime"), Failure{Code: "ModelErrorException", Status: 424, Message: "m", Fields: map[string]any{"originalStatusCode": int64(500), "resourceName": "r"}},
			`{"message":"m","originalStatusCode":500,"resourceName":"r"}`, "ModelErrorException:http://internal.amazon.com/coral/com.amazon.bedrock/"},
		{"auth fault", "x-amzn-ErrorType", RESTJSON{}, loadModel(t, "bedrock"), Failure{Code: "AccessDeniedException", Status: 403, Message: "no", Auth: true},
			`{"Message":"no"}`, "AccessDeniedException:http://internal.amazon.com/coral/com.amazon.coral.service/"},
		{"no service known", "x-amzn-ErrorType", RESTJSON{}, &Service{}, Failure{Code: "UnknownOperationException", Status: 404},
			`{}`, "UnknownOperationException:http://internal.amazon.com/coral/com.amazon.bedrock/"},
		{"1.1 is bare", "Content-Type", AWSJSON{"1.1"}, svc, Failure{Code: "Broken", Status: 400, Message: "m", Fields: fields},
			`{"__type":"Broken","Message":"m","resourceName":"r"}`, "application/x-amz-json-1.1"},
		{"1.1 by classic code", "Content-Type", AWSJSON{"1.1"}, svc, Failure{Code: "OldBroken", Status: 400},
			`{"__type":"Broken"}`, "application/x-amz-json-1.1"},
		{"1.0 has a namespace", "x-amzn-query-error", AWSJSON{"1.0"}, query, Failure{Code: "Broken", Status: 400, Message: "m", Sender: true},
			`{"__type":"com.amazonaws.test.v2026_01_02#Broken","Message":"m"}`, "OldBroken;Sender"},
		{"cloudwatch", "x-amzn-query-error", AWSJSON{"1.0"}, loadModel(t, "cloudwatch"), Failure{Code: "InvalidParameterValueException", Status: 400, Message: "m", Sender: true},
			`{"__type":"com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException","message":"m"}`, "InvalidParameterValue;Sender"},
		{"unmodelled", "x-amzn-query-error", AWSJSON{"1.0"}, query, Failure{Code: "Throttling", Status: 500, Message: "m"},
			`{"__type":"com.amazonaws.test.v2026_01_02#Throttling","message":"m"}`, "Throttling;Receiver"},
		{"1.0 auth", "Content-Type", AWSJSON{"1.0"}, svc, Failure{Code: "UnrecognizedClientException", Status: 403, Message: "m", Auth: true},
			`{"__type":"com.amazon.coral.service#UnrecognizedClientException","Message":"m"}`, "application/x-amz-json-1.0"},
	}
	for _, tt := range tests {
		w := &Response{Header: http.Header{}}
		tt.p.EncodeError(tt.svc, &tt.f, w)
		if string(w.Body) != tt.body || w.Header.Get(tt.header) != tt.value || w.Status != tt.f.Status {
			t.Errorf("%s: %d %s %q\nwant %s %q", tt.name, w.Status, w.Body, w.Header.Get(tt.header), tt.body, tt.value)
		}
	}
}

func TestTarget(t *testing.T) {
	prefix, op, ok := Target("GraniteServiceVersion20100801.PutMetricData")
	if prefix != "GraniteServiceVersion20100801" || op != "PutMetricData" || !ok {
		t.Errorf("got %q %q %v", prefix, op, ok)
	}
	if _, _, ok := Target("nodots"); ok {
		t.Error("a header without a dot is a target")
	}
}

// drawTree draws a tree of a shape whose JSON says everything about it.
func drawTree(t *rapid.T, s *Shape, depth int) map[string]any {
	tree := map[string]any{}
	for _, m := range s.Members {
		if rapid.Bool().Draw(t, m.Name) {
			if v := drawValue(t, m.Shape, depth); v != nil {
				tree[m.Name] = v
			}
		}
	}
	return tree
}

func drawValue(t *rapid.T, s *Shape, depth int) any {
	text := rapid.String()
	switch s.Type {
	case Integer:
		return int64(rapid.Int32().Draw(t, "integer"))
	case Long:
		return rapid.Int64().Draw(t, "long")
	case Float: // few digits: a float has seven
		return float64(rapid.IntRange(-9999, 9999).Draw(t, "float")) / 16
	case Double:
		return rapid.Float64().Draw(t, "double")
	case Boolean:
		return rapid.Bool().Draw(t, "boolean")
	case Timestamp:
		return time.Unix(rapid.Int64Range(-1e9, 1e11).Draw(t, "timestamp"), 0).UTC()
	case Blob:
		return rapid.SliceOf(rapid.Byte()).Draw(t, "blob")
	case Doc:
		return Document(rapid.SampledFrom([]string{`{"a":[1,"b"]}`, `1.50`, `"x"`, `false`, `[]`}).Draw(t, "document"))
	case Map:
		m := map[string]any{}
		for k, v := range rapid.MapOfN(text, text, 0, 3).Draw(t, "map") {
			m[k] = v
		}
		return m
	case List:
		if depth > 2 {
			return []any{}
		}
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			if list[i] = drawValue(t, s.Elem.Shape, depth+1); list[i] == nil {
				list[i] = map[string]any{}
			}
		}
		return list
	case Structure:
		if depth > 2 {
			return nil
		}
		return drawTree(t, s, depth+1)
	}
	return text.Draw(t, "string")
}

// Property: what a protocol encodes, it decodes to the same tree, and
// encoding/json calls it JSON.
func TestJSONRoundTrip(t *testing.T) {
	op := jsonService(t).Operation("Op")
	for _, p := range []Protocol{RESTJSON{}, AWSJSON{"1.1"}} {
		rapid.Check(t, func(t *rapid.T) {
			tree := drawTree(t, op.Input, 0)
			w := &Response{Header: http.Header{}}
			if err := p.Encode(op, tree, w); err != nil {
				t.Fatal(err)
			}
			if !json.Valid(w.Body) {
				t.Fatalf("%s is not JSON", w.Body)
			}
			got, err := p.Decode(op, &Request{Body: w.Body})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tree, got); d != "" {
				t.Fatal(d)
			}
		})
	}
}

func FuzzAWSJSON(f *testing.F) { fuzzJSON(f, AWSJSON{"1.1"}) }

func FuzzRESTJSON(f *testing.F) { fuzzJSON(f, RESTJSON{}) }

// fuzzJSON holds our reading of JSON against encoding/json: what is no JSON is
// refused, and what is accepted has the same values.
func fuzzJSON(f *testing.F, p Protocol) {
	for _, s := range []string{
		`{}`, `null`, `{"S":"a\u0041\ud800"}`, `{"s-name":"x","I":1,"L":2,"F":1e5,"D":-0.5,"B":true,"T":1.5,"Blob":"AA==","Doc":[{}],"List":[{"In":{}}],"Sparse":[null],"Map":{"":""}}`,
		`{"Iso":"2026-11-21T10:00:00Z","Rfc":"Sat, 21 Nov 2026 10:00:00 GMT"}`, `{"x":[1,2,{"y":null}]}`, `{"S":"a"}{}`, "{\"S\":\"\x00\"}", `{"I":1.0e0}`, `{"F":1e70}`, `[`, ` `,
	} {
		f.Add([]byte(s))
	}
	op := jsonService(f).Operation("Op")
	f.Fuzz(func(t *testing.T, body []byte) {
		tree, err := p.Decode(op, &Request{Body: body})
		if len(bytes.TrimSpace(body)) == 0 {
			return
		}
		if valid := json.Valid(body) && utf8.Valid(body); err == nil && !valid {
			t.Fatalf("accepted %q", body)
		}
		var m *Malformed
		if err != nil {
			if !errors.As(err, &m) || len(m.Message) > 1000 {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if string(bytes.TrimSpace(body)) == "null" {
			return
		}
		_, rest := p.(RESTJSON)
		agree(t, &Member{Shape: op.Input}, tree, stdParse(t, body), rest)
		w := &Response{Header: http.Header{}}
		if err := p.Encode(op, tree, w); err != nil || !json.Valid(w.Body) {
			t.Fatalf("%q decodes to what does not encode: %v %s", body, err, w.Body)
		}
	})
}

func stdParse(t *testing.T, body []byte) any {
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	return v
}

// agree compares a tree with what encoding/json made of the same text.
func agree(t *testing.T, m *Member, got, std any, names bool) {
	t.Helper()
	switch got := got.(type) {
	case map[string]any:
		object, ok := std.(map[string]any)
		if !ok {
			t.Fatalf("%s: %v from %v", m.Shape.Name, got, std)
		}
		for name, v := range got {
			if m.Shape.Type == Map {
				agree(t, m.Shape.Value, v, object[name], names)
				continue
			}
			member := m.Shape.Member(name)
			wire := member.Name
			if names {
				wire = member.WireName()
			}
			agree(t, member, v, object[wire], names)
		}
	case []any:
		list, ok := std.([]any)
		if !ok || len(list) != len(got) {
			t.Fatalf("%s: %v from %v", m.Shape.Name, got, std)
		}
		for i := range got {
			agree(t, m.Shape.Elem, got[i], list[i], names)
		}
	case Document:
		if d := cmp.Diff(stdParse(t, got), std); d != "" {
			t.Fatal(d)
		}
	default:
		if !sameScalar(got, std) {
			t.Fatalf("%s: %v (%T) from %v", m.Shape.Name, got, got, std)
		}
	}
}

func sameScalar(got, std any) bool {
	n, isNumber := std.(json.Number)
	switch got := got.(type) {
	case nil:
		return std == nil
	case int64:
		if i, err := n.Int64(); err == nil {
			return i == got
		}
		f, err := n.Float64()
		return err == nil && f == float64(got)
	case float64:
		if !isNumber {
			s, _ := std.(string)
			f, ok := parseSpecialFloat(s)
			return ok && (f == got || math.IsNaN(f) && math.IsNaN(got))
		}
		f, err := n.Float64()
		return err == nil && f == got
	case time.Time:
		if !isNumber {
			_, isText := std.(string)
			return isText
		}
		f, err := n.Float64()
		return err == nil && math.Abs(float64(got.UnixMicro())/1e6-f) < 1e-3
	case []byte:
		s, _ := std.(string)
		b, err := base64.StdEncoding.DecodeString(s)
		return err == nil && bytes.Equal(b, got)
	}
	return got == std
}

func BenchmarkDecodeCreate(b *testing.B) {
	op := loadModel(b, "bedrock").Operation("CreateInferenceProfile")
	body := []byte(`{"inferenceProfileName":"myapp-01","description":"Team A chat","clientRequestToken":"8d0c1c0e-0000-4000-8000-000000000000",` +
		`"modelSource":{"copyFrom":"` + systemARN + `"},"tags":[{"key":"project","value":"app01"},{"key":"team","value":"blue"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (RESTJSON{}).Decode(op, &Request{Body: body}); err != nil {
			b.Fatal(err)
		}
	}
}
