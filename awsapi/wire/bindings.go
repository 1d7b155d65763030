package wire

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// decodeBindings reads the members of in that ride in path, query and
// headers, for REST-JSON and REST-XML.
func decodeBindings(in *Shape, r *Request) (map[string]any, error) {
	tree := make(map[string]any, len(in.Members))
	var query url.Values
	for _, m := range in.Members {
		if m.Location == InQuery && query == nil {
			var err error
			if query, err = parseQuery(r.RawQuery); err != nil {
				return nil, err
			}
		}
		v, err := decodeBinding(m, r, query)
		if err != nil {
			return nil, err
		}
		if v != nil {
			tree[m.Name] = v
		}
	}
	return tree, nil
}

// parseQuery reads a query; unlike url.ParseQuery it takes ; for a character
// like any other.
func parseQuery(raw string) (url.Values, error) {
	q := url.Values{}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, &Malformed{"The query string has a malformed percent escape"}
		}
		q[name] = append(q[name], value)
	}
	return q, nil
}

func decodeBinding(m *Member, r *Request, query url.Values) (any, error) {
	switch m.Location {
	case InURI:
		if s := r.Labels.Get(m.WireName()); s != "" {
			return decodeText(m, s, ISO8601)
		}
	case InQuery:
		return decodeQuery(m, query)
	case InHeader:
		if values := r.Header.Values(m.WireName()); len(values) > 0 {
			return decodeHeader(m, values)
		}
	case InHeaders:
		return prefixed(r.Header, m.LocationName), nil // the prefix may be empty
	}
	return nil, nil
}

// decodeQuery reads a parameter, a repeated parameter as a list, and all
// parameters, bound ones too, as a map: that is a server's reading of
// httpQueryParams.
func decodeQuery(m *Member, query url.Values) (any, error) {
	if m.Shape.Type == Map {
		return queryMap(m.Shape, query), nil
	}
	values, ok := query[m.WireName()]
	if !ok {
		return nil, nil
	}
	if m.Shape.Type != List {
		return decodeText(m, values[0], ISO8601)
	}
	return decodeTexts(m.Shape.Elem, values, ISO8601)
}

func queryMap(s *Shape, query url.Values) any {
	if len(query) == 0 {
		return nil
	}
	tree := make(map[string]any, len(query))
	for name, values := range query {
		tree[name] = values[0]
		if s.Value.Shape.Type == List {
			list := make([]any, len(values))
			for i, v := range values {
				list[i] = v
			}
			tree[name] = list
		}
	}
	return tree
}

func decodeTexts(m *Member, texts []string, format string) (any, error) {
	list := make([]any, len(texts))
	for i, s := range texts {
		v, err := decodeText(m, s, format)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

// decodeHeader reads a header, which for a list may be several lines and
// several values in each. An empty header is absent unless it is a string's.
func decodeHeader(m *Member, lines []string) (any, error) {
	if m.Shape.Type == List {
		split := splitHeader
		if elem := m.Shape.Elem; elem.Shape.Type == Timestamp && elem.timestampFormat(RFC822) == RFC822 {
			split = splitDates
		}
		var values []string
		for _, line := range lines {
			values = append(values, split(line)...)
		}
		return decodeTexts(m.Shape.Elem, values, RFC822)
	}
	if lines[0] == "" && m.Shape.Type != String {
		return nil, nil
	}
	if m.JSONValue {
		b, err := base64.StdEncoding.DecodeString(lines[0])
		if err != nil {
			return nil, &Malformed{fmt.Sprintf("Header %s is not valid base64", m.WireName())}
		}
		return string(b), nil
	}
	return decodeText(m, lines[0], RFC822)
}

// splitHeader cuts a header's list at its commas. A value in quotes may hold
// commas, and quotes after a backslash.
func splitHeader(line string) []string {
	var values []string
	for line = strings.TrimSpace(line); line != ""; {
		var value string
		if line[0] == '"' {
			value, line = cutQuoted(line[1:])
			_, line, _ = strings.Cut(line, ",")
		} else {
			value, line, _ = strings.Cut(line, ",")
			value = strings.TrimSpace(value)
		}
		values = append(values, value)
		line = strings.TrimSpace(line)
	}
	return values
}

// cutQuoted reads up to the closing quote, or to the end when there is none.
func cutQuoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// splitDates cuts a list of HTTP dates, each of which has a comma of its own.
func splitDates(line string) []string {
	parts := strings.Split(line, ",")
	var dates []string
	for i := 0; i < len(parts); i += 2 {
		dates = append(dates, strings.TrimSpace(strings.Join(parts[i:min(i+2, len(parts))], ",")))
	}
	return dates
}

// prefixed gathers the headers that begin with a prefix. Their keys are in
// lower case: HTTP has no other way to tell how they were written.
func prefixed(h http.Header, prefix string) any {
	tree := map[string]any{}
	for name, values := range h {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			tree[strings.ToLower(name[len(prefix):])] = strings.Join(values, ",")
		}
	}
	return tree
}

// decodeText reads a scalar from a label, header or query value, or a query
// form's. format is the place's own timestamp format.
func decodeText(m *Member, s, format string) (any, error) {
	switch t := m.Shape.Type; t {
	case String:
		return s, nil
	case Integer, Long:
		if n, ok := parseInteger(s, t); ok {
			return n, nil
		}
	case Float, Double:
		if f, ok := parseFloatText(s); ok {
			return f, nil
		}
	case Boolean:
		switch s {
		case "true", "True": // botocore's query serializer lowers it, others may not
			return true, nil
		case "false", "False":
			return false, nil
		}
	case Timestamp:
		if t, ok := parseTimestamp(s, m.timestampFormat(format)); ok {
			return t, nil
		}
	case Blob:
		if b, err := base64.StdEncoding.DecodeString(s); err == nil {
			return b, nil
		}
	case Doc:
		return Document(s), nil
	}
	return nil, &Malformed{fmt.Sprintf("STRING_VALUE can not be converted to %s: %.40q at '%s'", aType(m.Shape.Type), s, m.WireName())}
}

// aType names a type with its article, as AWS's messages do.
func aType(t Type) string {
	if t == Integer {
		return "an Integer"
	}
	return "a " + strings.ToUpper(string(t[:1])) + string(t[1:])
}

// parseFloatText reads a decimal number or one of the three names, and none
// of the further spellings that strconv knows (hex, inf, underscores).
func parseFloatText(s string) (float64, bool) {
	if f, ok := parseSpecialFloat(s); ok {
		return f, true
	}
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}
