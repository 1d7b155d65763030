package profile

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"outcrop"
	"outcrop/converse"
)

// DefaultPrefix begins the keys of the tags in which an application profile
// holds its defaults, such as outcrop:default:temperature. They are tags so
// that every tool that makes profiles can set them: the aws CLI, Terraform,
// CDK. They are no cost allocation tags.
const DefaultPrefix = "outcrop:default:"

// The settings there are, as shared by tags, flags and the CDK construct.
const (
	defaultTemperature      = "temperature"
	defaultTopP             = "topP"
	defaultTopK             = "topK"
	defaultMaxTokens        = "maxTokens"
	defaultStopSequences    = "stopSequences" // further ones in stopSequences:2 …
	defaultAnthropicVersion = "anthropicVersion"
	defaultResponseFormat   = "responseFormat" // continued in responseFormat:2 …
)

// DefaultNames are the settings there are.
var DefaultNames = []string{
	defaultTemperature, defaultTopP, defaultTopK, defaultMaxTokens, defaultStopSequences, defaultAnthropicVersion, defaultResponseFormat,
}

// A tag's value has few characters, so what needs others is written in base64,
// compressed where that is shorter.
const (
	plainBase64 = "base64:"
	deflated    = "deflate:"

	maxSchemaBytes = 64 << 10
)

// DefaultsOf reads the defaults among tags; nil when there are none.
func DefaultsOf(tags outcrop.Tags) (*outcrop.Defaults, error) {
	set := map[string][]string{}
	for _, key := range slices.SortedFunc(maps.Keys(tags), byPart) {
		rest, ok := strings.CutPrefix(key, DefaultPrefix)
		if !ok {
			continue
		}
		name, part, _ := strings.Cut(rest, ":")
		if err := knownDefault(key, name, part); err != nil {
			return nil, err
		}
		set[name] = append(set[name], tags[key])
	}
	if len(set) == 0 {
		return nil, nil
	}
	return readDefaults(set)
}

// byPart sorts stopSequences before stopSequences:2 before stopSequences:10.
func byPart(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func knownDefault(key, name, part string) error {
	if !slices.Contains(DefaultNames, name) {
		for _, known := range DefaultNames {
			if strings.EqualFold(known, strings.NewReplacer("_", "", "-", "").Replace(name)) {
				return badDefault(key, "is not a setting: write %s%s", DefaultPrefix, known)
			}
		}
		return badDefault(key, "is not a setting; the settings are %s", strings.Join(DefaultNames, ", "))
	}
	if n, err := strconv.Atoi(part); part != "" && (err != nil || n < 2 || name != defaultStopSequences && name != defaultResponseFormat) {
		return badDefault(key, "is not a setting: only %s and %s go on in :2, :3 and so on", defaultStopSequences, defaultResponseFormat)
	}
	return nil
}

func badDefault(key, format string, args ...any) error {
	return outcrop.Errorf(outcrop.Invalid, "The tag %s "+format+".", append([]any{key}, args...)...)
}

func readDefaults(set map[string][]string) (d *outcrop.Defaults, err error) {
	d = new(outcrop.Defaults)
	for name, values := range set {
		key, text := DefaultPrefix+name, strings.Join(values, "")
		switch name {
		case defaultTemperature:
			d.Temperature, err = fraction(key, text)
		case defaultTopP:
			d.TopP, err = fraction(key, text)
		case defaultTopK:
			d.TopK, err = whole(key, text)
		case defaultMaxTokens:
			d.MaxTokens, err = whole(key, text)
		case defaultAnthropicVersion:
			d.AnthropicVersion = text
		case defaultStopSequences:
			for _, v := range values {
				var stop []byte
				if stop, err = decodeValue(key, v); err != nil {
					return nil, err
				}
				d.StopSequences = append(d.StopSequences, string(stop))
			}
		case defaultResponseFormat:
			var doc []byte
			if doc, err = decodeValue(key, text); err == nil {
				d.ResponseFormat, err = ParseResponseFormat(doc)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func fraction(key, text string) (*float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 1 {
		return nil, badDefault(key, "is %q, and must be a number from 0 to 1", text)
	}
	return &f, nil
}

func whole(key, text string) (*int64, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return nil, badDefault(key, "is %q, and must be a whole number from 1", text)
	}
	return &n, nil
}

func decodeValue(key, text string) ([]byte, error) {
	coded, isPlain := strings.CutPrefix(text, plainBase64)
	packed, isPacked := strings.CutPrefix(text, deflated)
	if !isPlain && !isPacked {
		return []byte(text), nil
	}
	if isPacked {
		coded = packed
	}
	raw, err := base64.StdEncoding.DecodeString(coded)
	if err == nil && isPacked {
		raw, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxSchemaBytes))
	}
	if err != nil {
		return nil, badDefault(key, "does not decode: after base64: comes the base64 form of the value")
	}
	return raw, nil
}

// ParseResponseFormat reads a JSON Schema in any of the forms that people
// write: the schema itself, OpenAI's response_format around it, or json for
// any object.
func ParseResponseFormat(doc []byte) (json.RawMessage, error) {
	key := DefaultPrefix + defaultResponseFormat
	if word := strings.TrimSpace(string(doc)); word == "json" || word == "json_object" {
		return json.RawMessage(`{"type":"object"}`), nil
	}
	var wrapper struct {
		Type       string          `json:"type"`
		Schema     json.RawMessage `json:"schema"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	}
	if err := json.Unmarshal(doc, &wrapper); err != nil || len(doc) > maxSchemaBytes {
		return nil, badDefault(key, "is no JSON Schema: write the word json, or base64: and the base64 form of a JSON object")
	}
	schema := json.RawMessage(doc)
	switch {
	case wrapper.Type == "json_object":
		schema = json.RawMessage(`{"type":"object"}`)
	case wrapper.Type == "json_schema" && wrapper.Schema != nil:
		schema = wrapper.Schema
	case wrapper.Type == "json_schema":
		schema = wrapper.JSONSchema.Schema
	}
	var compact bytes.Buffer
	if len(schema) == 0 || schema[0] != '{' || json.Compact(&compact, schema) != nil {
		return nil, badDefault(key, "holds no JSON Schema: the schema of a json_schema must be an object")
	}
	return compact.Bytes(), nil
}

// DefaultTags are the tags that hold d.
func DefaultTags(d *outcrop.Defaults) (outcrop.Tags, error) {
	tags := outcrop.Tags{}
	float := func(name string, f *float64) {
		if f != nil {
			tags[DefaultPrefix+name] = strconv.FormatFloat(*f, 'g', -1, 64)
		}
	}
	integer := func(name string, n *int64) {
		if n != nil {
			tags[DefaultPrefix+name] = strconv.FormatInt(*n, 10)
		}
	}
	float(defaultTemperature, d.Temperature)
	float(defaultTopP, d.TopP)
	integer(defaultTopK, d.TopK)
	integer(defaultMaxTokens, d.MaxTokens)
	if d.AnthropicVersion != "" {
		tags[DefaultPrefix+defaultAnthropicVersion] = d.AnthropicVersion
	}
	for i, stop := range d.StopSequences {
		value := encodeValue([]byte(stop))
		if len(value) > outcrop.MaxTagValueRunes {
			return nil, outcrop.Errorf(outcrop.Invalid, "The stop sequence %.40q… is too long to be kept in a tag.", stop)
		}
		tags[partKey(defaultStopSequences, i)] = value
	}
	if d.ResponseFormat != nil {
		text := encodeValue(d.ResponseFormat)
		for i := 0; len(text) > 0; i++ {
			n := min(len(text), outcrop.MaxTagValueRunes)
			tags[partKey(defaultResponseFormat, i)], text = text[:n], text[n:]
		}
	}
	if len(tags) > outcrop.MaxTagsPerResource {
		return nil, outcrop.Errorf(outcrop.Invalid, "The defaults need %d tags, and a profile has at most %d: shorten the response format.", len(tags), outcrop.MaxTagsPerResource)
	}
	return tags, nil
}

func partKey(name string, i int) string {
	if i == 0 {
		return DefaultPrefix + name
	}
	return DefaultPrefix + name + ":" + strconv.Itoa(i+1)
}

var plainValue = regexp.MustCompile(`\A[a-zA-Z0-9_./=+@-][a-zA-Z0-9\s._:/=+@-]*\z`)

func encodeValue(b []byte) string {
	text := string(b)
	if plainValue.Match(b) && strings.TrimSpace(text) == text && !strings.HasPrefix(text, plainBase64) && !strings.HasPrefix(text, deflated) && len(text) <= outcrop.MaxTagValueRunes {
		return text
	}
	coded := plainBase64 + base64.StdEncoding.EncodeToString(b)
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestCompression) // the level is valid
	w.Write(b)                                              // to memory
	w.Close()
	if short := deflated + base64.StdEncoding.EncodeToString(packed.Bytes()); len(short) < len(coded) && len(coded) > outcrop.MaxTagValueRunes {
		return short
	}
	return coded
}

// checkDefaults refuses tags whose defaults the profile's model would refuse
// on every call.
func (p *Profiles) checkDefaults(tags outcrop.Tags, model outcrop.ModelID) error {
	d, err := DefaultsOf(tags)
	if d == nil {
		return err
	}
	takes := converse.SettingsOf(model)
	facts, _ := p.catalog().Facts(model)
	m, known := p.catalog().AnyModel(model)
	refuse := func(name, format string, args ...any) error {
		return badDefault(DefaultPrefix+name, "cannot be set for %s: "+format, append([]any{model}, args...)...)
	}
	switch {
	case known && !slices.Contains(m.OutputModalities, "TEXT"):
		return outcrop.Errorf(outcrop.Invalid, "Tags %s* cannot be set for %s: it does not answer in text.", DefaultPrefix, model)
	case takes.NoSampling && (d.Temperature != nil || d.TopP != nil || d.TopK != nil):
		return outcrop.Errorf(outcrop.Invalid, "Tags %stemperature, topP and topK cannot be set for %s: it takes no sampling settings.", DefaultPrefix, model)
	case takes.NotBoth && d.Temperature != nil && d.TopP != nil:
		return refuse(defaultTopP, "it takes temperature or topP, not both")
	case d.TopK != nil && len(takes.TopK) == 0:
		return refuse(defaultTopK, "it has no topK")
	case d.TopK != nil && *d.TopK > takes.MaxTopK:
		return refuse(defaultTopK, "its maximum is %d", takes.MaxTopK)
	case d.MaxTokens != nil && facts.MaxOutput > 0 && *d.MaxTokens > int64(facts.MaxOutput):
		return refuse(defaultMaxTokens, "its maximum is %d", facts.MaxOutput)
	case d.AnthropicVersion != "" && !takes.Anthropic:
		return refuse(defaultAnthropicVersion, "it is not of Anthropic")
	case d.AnthropicVersion != "" && d.AnthropicVersion != converse.AnthropicVersion:
		return badDefault(DefaultPrefix+defaultAnthropicVersion, "must be %s: Bedrock takes no other", converse.AnthropicVersion)
	case slices.Contains(d.StopSequences, ""):
		return badDefault(DefaultPrefix+defaultStopSequences, "must not be empty")
	case len(d.StopSequences) > maxStopSequences:
		return refuse(defaultStopSequences, "at most %d are taken", maxStopSequences)
	}
	return nil
}

// maxStopSequences is what the strictest models take.
const maxStopSequences = 4

// billable are the tags that bills show: all but those that hold defaults.
func billable(tags outcrop.Tags) outcrop.Tags {
	for key := range tags {
		if strings.HasPrefix(key, DefaultPrefix) {
			left := make(outcrop.Tags, len(tags))
			for k, v := range tags {
				if !strings.HasPrefix(k, DefaultPrefix) {
					left[k] = v
				}
			}
			return left
		}
	}
	return tags
}

// defaults of an application profile. Its tags were checked when they were set.
func defaultsOf(a *outcrop.InferenceProfile) (*outcrop.Defaults, error) {
	if a == nil || a.Kind != outcrop.Application {
		return nil, nil
	}
	d, err := DefaultsOf(a.Tags)
	if err != nil {
		return nil, fmt.Errorf("defaults of %s: %w", a.ARN, err)
	}
	return d, nil
}
