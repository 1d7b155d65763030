package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// element is an XML element with its children in an order that says nothing:
// members and map entries may come in any.
type element struct {
	Name, Text string
	Attrs      []string
	Children   []element
}

func (e element) String() string {
	var b strings.Builder
	b.WriteString("<" + e.Name + " " + strings.Join(e.Attrs, " ") + ">" + e.Text)
	for _, c := range e.Children {
		b.WriteString(c.String())
	}
	return b.String() + "</>"
}

func readXML(t *testing.T, body []byte) element {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(body))
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return element{}
		}
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if start, ok := tok.(xml.StartElement); ok {
			return readElement(t, dec, start)
		}
	}
}

func readElement(t *testing.T, dec *xml.Decoder, start xml.StartElement) element {
	e := element{Name: start.Name.Local}
	for _, a := range start.Attr {
		e.Attrs = append(e.Attrs, a.Name.Space+":"+a.Name.Local+"="+a.Value)
	}
	for {
		tok, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e.Children = append(e.Children, readElement(t, dec, tok))
		case xml.CharData:
			e.Text += string(tok)
		case xml.EndElement:
			if len(e.Children) > 0 {
				e.Text = ""
				slices.SortFunc(e.Children, func(a, b element) int { return strings.Compare(a.String(), b.String()) })
			}
			e.Text = neutralTime(strings.TrimSpace(e.Text))
			return e
		}
	}
}

// neutralTime writes a timestamp with an offset in UTC, as servers do.
func neutralTime(s string) string {
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return at.UTC().Format(time.RFC3339Nano)
	}
	return s
}

// readQuery leaves out what every answer has and no client reads a result
// from, and the empty result of operations without output.
func readQuery(t *testing.T, _ *Service, op *Operation, body []byte, _ bool) any {
	root := readXML(t, body)
	var results []string
	for _, c := range root.Children {
		if c.Name != "ResponseMetadata" && len(c.Children) > 0 {
			results = append(results, c.String())
		}
	}
	return results
}

func failureQuery(t *testing.T, svc *Service, w *Response) (string, map[string]any) {
	var code string
	members := map[string]any{}
	for _, part := range readXML(t, w.Body).Children {
		for _, e := range part.Children {
			switch e.Name {
			case "Code":
				code = e.Text
			case "Type":
			default:
				members[e.Name] = e.value()
			}
		}
	}
	shape := svc.Error(code)
	for name, v := range members { // names in the model may differ in case and spelling
		if m := shape.Member(name); m == nil {
			delete(members, name)
		} else {
			members[name] = renamed(m, v)
		}
	}
	return code, members
}

func (e element) value() any {
	if len(e.Children) == 0 {
		return e.Text
	}
	v := map[string]any{}
	for _, c := range e.Children {
		v[c.Name] = c.value()
	}
	return v
}

// binaryBody is the body of a CBOR case, written as base64.
func binaryBody(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return []byte(s)
	}
	return b
}

func readCBOR(t *testing.T, _ *Service, op *Operation, body []byte, strict bool) any {
	return neutral(t, &Member{Shape: outputShape(op)}, plainCBOR(t, body), false, strict)
}

// plainCBOR reads CBOR into the values that encoding/json would make.
func plainCBOR(t *testing.T, body []byte) any {
	t.Helper()
	if len(body) == 0 {
		return map[string]any{}
	}
	var v any
	if err := cborIn.Unmarshal(body, &v); err != nil {
		t.Fatalf("%x: %v", body, err)
	}
	return plainValue(v)
}

func plainValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plainValue(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plainValue(v[i])
		}
	case int64:
		return float64(v)
	case cbor.Tag:
		return plainValue(v.Content)
	}
	return v
}

func failureCBOR(t *testing.T, svc *Service, w *Response) (string, map[string]any) {
	body := plainCBOR(t, w.Body).(map[string]any)
	code, _ := body["__type"].(string)
	code = code[strings.LastIndexByte(code, '#')+1:]
	delete(body, "__type")
	if query := w.Header.Get("x-amzn-query-error"); query != "" {
		code, _, _ = strings.Cut(query, ";")
	}
	return code, body
}
