package invocationlog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"regexp"
	"slices"

	"outcrop"
)

// redacted stands where something was taken out.
const redacted = "[REDACTED]"

// A Redaction says what never reaches a log. Its zero value takes nothing out.
type Redaction struct {
	Fields   []string         // names of members, wherever they stand in a body or record
	Patterns []*regexp.Regexp // what is taken out of every text
	Sample   float64          // share of the calls that is logged; 0 is all
}

func (r *Redaction) none() bool { return len(r.Fields) == 0 && len(r.Patterns) == 0 }

// samples decides by the request's id, so that whoever asks gets one answer.
func (r *Redaction) samples(id outcrop.InvocationID) bool {
	if r.Sample <= 0 || r.Sample >= 1 {
		return true
	}
	h := fnv.New64a()
	h.Write([]byte(id))
	sum := h.Sum(nil)
	return float64(binary.BigEndian.Uint64(mixed(sum))>>11)/(1<<53) < r.Sample
}

// mixed spreads the differences in the last bytes over all of them.
func mixed(sum []byte) []byte {
	x := binary.BigEndian.Uint64(sum)
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return binary.BigEndian.AppendUint64(nil, x)
}

// body is a body without what must not be kept.
func (r *Redaction) body(text json.RawMessage) (json.RawMessage, error) {
	if r.none() || len(text) == 0 {
		return text, nil
	}
	return rewrite(text, r.value)
}

// record redacts the metadata that a client sent along; what Outcrop itself
// says of a call stays.
func (r *Redaction) record(text json.RawMessage) (json.RawMessage, error) {
	if r.none() || !bytes.Contains(text, []byte(`"requestMetadata"`)) {
		return text, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	clean, err := rewrite(members["requestMetadata"], r.value)
	if err != nil {
		return nil, err
	}
	return bytes.Replace(text, members["requestMetadata"], clean, 1), nil
}

func (r *Redaction) value(v any) any {
	switch v := v.(type) {
	case string:
		for _, p := range r.Patterns {
			v = p.ReplaceAllString(v, redacted)
		}
		return v
	case []any:
		for i := range v {
			v[i] = r.value(v[i])
		}
	case map[string]any:
		for name, x := range v {
			if slices.Contains(r.Fields, name) {
				v[name] = redacted
			} else {
				v[name] = r.value(x)
			}
		}
	}
	return v
}

// rewrite reads a JSON text, changes it and writes it again.
func rewrite(text json.RawMessage, change func(any) any) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(change(v)); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// withoutMedia takes images, videos and sound out of a body whose kinds are not
// delivered. Only a body that has some is read.
func withoutMedia(body json.RawMessage, c *outcrop.InvocationLogging) (json.RawMessage, error) {
	var off []string
	for name, on := range map[string]bool{"image": c.Image, "video": c.Video, "audio": c.Audio} {
		if !on && bytes.Contains(body, []byte(`"`+name+`"`)) {
			off = append(off, name)
		}
	}
	if len(off) == 0 {
		return body, nil
	}
	return rewrite(body, func(v any) any { return strip(v, off) })
}

// strip takes the source out of blocks {"image": {"format", "source"}} of
// Converse and {"type": "image", "source"} of the Messages API.
func strip(v any, off []string) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = strip(v[i], off)
		}
	case map[string]any:
		kind, _ := v["type"].(string)
		if slices.Contains(off, kind) {
			delete(v, "source")
		}
		for name, x := range v {
			if block, ok := x.(map[string]any); ok && slices.Contains(off, name) {
				delete(block, "source")
			}
			v[name] = strip(x, off)
		}
	}
	return v
}
