package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

const profileColumns = "id, name, description, geography, source, model, models, destinations, tags, created_at, updated_at"

// A profile is read as one text, and a page of them too: the driver takes
// several steps for each column and each row, and a page has a thousand
// profiles. The separators are in no column: AWS's patterns allow no controls,
// and JSON escapes them.
const (
	columnSeparator  = "\x1f"
	profileSeparator = "\x1e"
)

// packedProfile is in an index too (migrations/0035_profiles_listed.sql), so that
// a page is read from that alone.
const packedProfile = "concat_ws(char(31), " + profileColumns + ")" // columnSeparator

func readPage(page string, a outcrop.AccountID, r outcrop.Region) ([]*outcrop.InferenceProfile, error) {
	if page == "" {
		return nil, nil
	}
	n := strings.Count(page, profileSeparator) + 1
	profiles, list := make([]outcrop.InferenceProfile, n), make([]*outcrop.InferenceProfile, n)
	var reader profileReader
	for i := range list {
		var packed string
		packed, page, _ = strings.Cut(page, profileSeparator)
		if err := reader.read(&profiles[i], packed, a, r); err != nil {
			return nil, err
		}
		list[i] = &profiles[i]
	}
	return list, nil
}

// A profileReader reads profiles of which many have the same models and tags:
// those that follow one another share them.
type profileReader struct {
	model        outcrop.ModelID // of what is kept here
	models       shared[[]outcrop.ARN]
	destinations shared[[]outcrop.Destination]
	tags         shared[outcrop.Tags]
}

// read fills p, which is empty.
func (d *profileReader) read(p *outcrop.InferenceProfile, packed string, a outcrop.AccountID, r outcrop.Region) error {
	next := func() (column string) {
		column, packed, _ = strings.Cut(packed, columnSeparator)
		return column
	}
	p.Kind = outcrop.Application
	p.ID, p.Name, p.Description, p.Geography = next(), next(), next(), outcrop.Geography(next())
	p.Source, p.Model = outcrop.ARN(next()), outcrop.ModelID(next())
	p.ARN = outcrop.ApplicationProfileARN(r, a, p.ID)
	if p.Model != d.model {
		*d = profileReader{model: p.Model}
	}
	p.Models = d.models.of(next(), func(text string) []outcrop.ARN {
		return split(text, func(s string) outcrop.ARN { return outcrop.ARN(s) })
	})
	p.Destinations = d.destinations.of(next(), func(text string) []outcrop.Destination {
		return split(text, func(s string) outcrop.Destination {
			return outcrop.Destination{Region: outcrop.Region(s), Model: d.model}
		})
	})
	var err1, err2, err3 error
	p.Tags = d.tags.of(next(), func(text string) (tags outcrop.Tags) {
		tags, err1 = readTags(text)
		return tags
	})
	p.CreatedAt, err2 = readMicros(next())
	p.UpdatedAt, err3 = readMicros(next())
	if err := errors.Join(err1, err2, err3); err != nil || packed != "" {
		return fmt.Errorf("profile %s does not have the columns it should: %w", p.ID, err)
	}
	return nil
}

// A shared value is that of the text that a column had last.
type shared[T any] struct {
	text  string
	value T
}

func (s *shared[T]) of(text string, read func(string) T) T {
	if text != s.text {
		s.text, s.value = text, read(text)
	}
	return s.value
}

// readTags spares the common case of none a decoder.
func readTags(text string) (tags outcrop.Tags, err error) {
	if text == "null" || text == "{}" {
		return nil, nil
	}
	return tags, json.Unmarshal([]byte(text), &tags)
}

func readMicros(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMicro(n).UTC(), err
}

func join[T any](list []T, text func(T) string) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(text(v))
	}
	return b.String()
}

// split reads what join wrote.
func split[T any](text string, value func(string) T) []T {
	list := make([]T, 0, strings.Count(text, " ")+1)
	for s := range strings.SplitSeq(text, " ") {
		list = append(list, value(s))
	}
	return list
}
