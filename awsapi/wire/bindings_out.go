package wire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// encodeBindings writes the members of out that ride in headers and status.
func encodeBindings(out *Shape, tree map[string]any, w *Response) error {
	for _, m := range out.Members {
		v, present := tree[m.Name]
		if !present || v == nil {
			continue
		}
		switch m.Location {
		case InStatusCode:
			if n, ok := v.(int64); ok {
				w.Status = int(n)
			}
		case InHeader:
			s, err := headerText(m, v)
			if err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			w.Header.Set(m.WireName(), s)
		case InHeaders:
			entries, _ := v.(map[string]any)
			for _, key := range slices.Sorted(maps.Keys(entries)) {
				w.Header.Set(m.LocationName+key, fmt.Sprint(entries[key]))
			}
		}
	}
	return nil
}

func headerText(m *Member, v any) (string, error) {
	list, ok := v.([]any)
	if !ok {
		if s, ok := v.(string); ok && m.JSONValue {
			return base64.StdEncoding.EncodeToString([]byte(s)), nil
		}
		return encodeText(m, v, RFC822)
	}
	values := make([]string, len(list))
	for i, v := range list {
		s, err := encodeText(m.Shape.Elem, v, RFC822)
		if err != nil {
			return "", err
		}
		if _, isText := v.(string); isText && strings.ContainsAny(s, `,"`) {
			s = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
		}
		values[i] = s
	}
	return strings.Join(values, ", "), nil
}

// encodeText writes a scalar for a header or an XML element. format is the
// place's own timestamp format.
func encodeText(m *Member, v any, format string) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return floatText(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case time.Time:
		return string(appendTimestamp(nil, v, m.timestampFormat(format), iso3)), nil
	case Document:
		return string(v), nil
	}
	return "", fmt.Errorf("encode shape %s: a %s cannot be a %T", m.Shape.Name, m.Shape.Type, v)
}
