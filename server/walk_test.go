package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop/awsapi/wire"
)

// An inventor makes up inputs that a service model accepts: required members
// only, each value the first that the model's constraints allow.
type inventor struct{ t *testing.T }

// likely are values that many constraints accept; the more particular first.
var likely = []string{
	"arn:aws:iam::123456789012:role/nobody", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456",
	"us.amazon.nova-lite-v1:0", "AKIAIOSFODNN7EXAMPLE", "ACCAEXAMPLE123EXAMPLE", "nobody", "123456789012", "o-abcdefghij", "r-abcd",
	"ou-abcd-abcdefgh", "p-abcdefgh", "car-abcdefgh", "someone@example.com", "2026-01-01", strings.Repeat("0", 40), "{}", "v1",
}

func (i inventor) structure(s *wire.Shape) map[string]any {
	tree := map[string]any{}
	if s == nil {
		return tree
	}
	for n, m := range s.Members {
		if m.Required || s.Union && n == 0 {
			tree[m.Name] = i.value(m)
		}
	}
	return tree
}

func (i inventor) value(m *wire.Member) any {
	switch s := m.Shape; s.Type {
	case wire.Structure:
		return i.structure(s)
	case wire.List:
		list := []any{}
		for range max(1, int(s.Min)) {
			list = append(list, i.value(s.Elem))
		}
		return list
	case wire.Map:
		return map[string]any{i.text(s.Key).(string): i.value(s.Value)}
	case wire.Integer, wire.Long:
		return int64(max(1, s.Min))
	case wire.Float, wire.Double:
		return max(1, s.Min)
	case wire.Boolean:
		return true
	case wire.Blob:
		return []byte(strings.Repeat("x", max(1, int(s.Min))))
	case wire.Timestamp:
		return time.Unix(1_790_000_000, 0).UTC()
	case wire.Doc:
		return wire.Document("{}")
	}
	return i.text(m)
}

// text finds a string. What nothing likely fits is drawn from the pattern.
func (i inventor) text(m *wire.Member) any {
	try := slices.Concat(m.Shape.Enum, likely)
	if strings.Contains(strings.ToLower(m.Name), "name") {
		try = slices.Concat(m.Shape.Enum, []string{"nobody"}, likely)
	}
	for _, text := range try {
		if fits(m.Shape, text) {
			return text
		}
	}
	for seed := range 100 {
		if text := rapid.StringMatching(m.Shape.Pattern).Example(seed); fits(m.Shape, text) {
			return text
		}
	}
	i.t.Errorf("no value for %s (%q): add one to likely", m.Shape.Name, m.Shape.Pattern)
	return ""
}

func fits(s *wire.Shape, value any) bool {
	around := &wire.Shape{Type: wire.Structure, Members: []*wire.Member{{Name: "value", Shape: s}}}
	return wire.Validate(around, map[string]any{"value": value}) == nil
}

// A plain request is what a client would send for an operation, unsigned.
type plain struct {
	method, path, body string
	header             http.Header
}

// encode writes an input as the service's preferred protocol has it.
func encode(t *testing.T, op *wire.Operation, in map[string]any) plain {
	switch p := protocolOf(op.Service); p {
	case "rest-json":
		return encodeREST(t, op, in)
	case "json":
		return plain{"POST", "/", toJSON(t, body(op.Input, in)), http.Header{
			"Content-Type": {"application/x-amz-json-" + op.Service.JSONVersion}, "X-Amz-Target": {op.Service.TargetPrefix + "." + op.Name},
		}}
	case "query":
		form := url.Values{"Action": {op.Name}, "Version": {op.Service.APIVersion}}
		for _, m := range members(op.Input) {
			if v, ok := in[m.Name]; ok {
				flatten(form, m.WireName(), m, v)
			}
		}
		return plain{"POST", "/", form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
	default:
		t.Fatalf("%s speaks %s, which this test does not", op.Service.ID, p)
		return plain{}
	}
}

// protocolOf prefers what a reader of this test can read.
func protocolOf(s *wire.Service) string {
	for _, p := range s.Protocols {
		if p != "smithy-rpc-v2-cbor" {
			return p
		}
	}
	return ""
}

func members(s *wire.Shape) []*wire.Member {
	if s == nil {
		return nil
	}
	return s.Members
}

func encodeREST(t *testing.T, op *wire.Operation, in map[string]any) plain {
	p := plain{method: op.Method, path: op.URI, header: http.Header{"Content-Type": {"application/json"}}}
	query := url.Values{}
	for _, m := range members(op.Input) {
		v, ok := in[m.Name]
		if !ok {
			continue
		}
		switch m.Location {
		case wire.InURI:
			escaped := url.PathEscape(fmt.Sprint(v))
			p.path = strings.NewReplacer("{"+m.WireName()+"}", escaped, "{"+m.WireName()+"+}", escaped).Replace(p.path)
		case wire.InQuery:
			list, many := v.([]any)
			if !many {
				list = []any{v}
			}
			for _, e := range list {
				query.Add(m.WireName(), fmt.Sprint(e))
			}
		case wire.InHeader:
			p.header.Set(m.WireName(), fmt.Sprint(v))
		}
	}
	if len(query) > 0 {
		p.path += map[bool]string{true: "&", false: "?"}[strings.Contains(p.path, "?")] + query.Encode()
	}
	if raw, ok := in[payload(op)].([]byte); ok {
		p.body = string(raw)
	} else if op.Method != http.MethodGet {
		p.body = toJSON(t, body(op.Input, in))
	}
	return p
}

func payload(op *wire.Operation) string {
	if op.Input == nil {
		return ""
	}
	return op.Input.Payload
}

// body is the tree under its names in JSON.
func body(s *wire.Shape, tree map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range members(s) {
		if v, ok := tree[m.Name]; ok && m.Location == wire.InBody {
			out[m.WireName()] = inJSON(m.Shape, v)
		}
	}
	return out
}

func inJSON(s *wire.Shape, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if s.Type == wire.Structure {
			return body(s, v)
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = inJSON(s.Elem.Shape, e)
		}
		return out
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case time.Time:
		return v.Unix()
	case wire.Document:
		return json.RawMessage(v)
	}
	return v
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// flatten writes a value as parameters of a form (awsQuery).
func flatten(form url.Values, name string, m *wire.Member, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range m.Shape.Members {
			if e, ok := v[inner.Name]; ok {
				flatten(form, name+"."+inner.WireName(), inner, e)
			}
		}
	case []any:
		for i, e := range v {
			flatten(form, fmt.Sprintf("%s.member.%d", name, i+1), m.Shape.Elem, e)
		}
	case []byte:
		form.Set(name, base64.StdEncoding.EncodeToString(v))
	case time.Time:
		form.Set(name, v.Format(time.RFC3339))
	default:
		form.Set(name, fmt.Sprint(v))
	}
}
