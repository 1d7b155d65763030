package cost

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"outcrop"
)

// A Version is a change to how an account's history is read: other prices, or
// other tags, from one hour to another. The ledger and the rollups stay as they
// are; a version is laid over them when somebody asks. Versions are numbered,
// each lies over those before it, and none is ever changed or taken away, so
// that every older reading can be had again by its name.
type Version struct {
	Name    string
	Kind    VersionKind
	From    time.Time // on the hour
	To      time.Time // on the hour, and not in the future when it was made
	Created time.Time
	Tags    map[outcrop.ARN]TagSet `json:",omitempty"` // of Retagged: by profile
	Rules   []TagRule              `json:",omitempty"` // of Ruled: the first that fits
	Rates   []RateChange           `json:",omitempty"` // of Rerated

	rates map[rateKey][]RateSegment
	rules []predicate
}

// A VersionKind is what a Version changes.
type VersionKind string

// The kinds of versions.
const (
	Retagged VersionKind = "TAGS"  // usage has the tags that its profile had when the version was made
	Ruled    VersionKind = "RULES" // usage has the tags that rules give it
	Rerated  VersionKind = "RATES" // usage has the prices of another price book
)

// Original names the history as it was recorded, with no version over it.
const Original = "original"

// A TagRule gives tags to the usage that it fits: a key with an empty value is
// taken away. It sees every tag of the usage, active or not.
type TagRule struct {
	Filter *Filter           // nil fits everything
	Set    map[string]string // by tag key
}

// A RateChange is the price of one sort of usage over a version's time.
type RateChange struct {
	Model     outcrop.ModelID
	Geography outcrop.Geography `json:",omitempty"`
	Region    outcrop.Region
	Tier      string     `json:",omitempty"`
	Input     InputClass `json:",omitempty"`
	Kind      outcrop.TokenKind
	Segments  []RateSegment // in order of From
}

// A RateSegment is a price from an hour on.
type RateSegment struct {
	From   int64 // hour since 1970
	Price  string
	Rate   outcrop.Rate
	Priced bool
}

// A rateKey is what a price depends on, beside the time.
type rateKey struct {
	model     outcrop.ModelID
	geography outcrop.Geography
	region    outcrop.Region
	tier      string
	input     InputClass
	kind      outcrop.TokenKind
}

func (l *Line) rateKey() rateKey {
	return rateKey{l.Model, l.Geography, l.Region, l.Tier, l.Input, l.Kind}
}

// ready compiles what a version was read with.
func (v *Version) ready(s Settings) error {
	v.rates = make(map[rateKey][]RateSegment, len(v.Rates))
	for _, r := range v.Rates {
		v.rates[rateKey{r.Model, r.Geography, r.Region, r.Tier, r.Input, r.Kind}] = r.Segments
	}
	v.rules = nil
	for _, rule := range v.Rules {
		p, err := s.compile(rule.Filter)
		if err != nil {
			return err
		}
		v.rules = append(v.rules, p)
	}
	return nil
}

func (v *Version) covers(hour int64) bool { return hour >= HourOf(v.From) && hour < HourOf(v.To) }

// tell is e as v shows it in an hour that v covers.
func (v *Version) tell(s Settings, e *entry, hour int64) Line {
	l := e.Line
	switch v.Kind {
	case Retagged:
		if set, known := v.Tags[l.Profile]; known {
			l.Tags = set
		}
	case Ruled:
		v.rule(s, e, &l)
	case Rerated:
		segments := v.rates[l.rateKey()]
		for _, at := range slices.Backward(segments) {
			if at.From <= hour {
				if at.Priced { // what the book did not know keeps its price
					l.Price, l.Rate, l.Priced = at.Price, at.Rate, true
				}
				break
			}
		}
	}
	return l
}

func (v *Version) rule(s Settings, e *entry, l *Line) {
	all := &fact{entry: e, view: &view{Settings: s, everyTag: true}}
	for i, fits := range v.rules {
		if !fits(all) {
			continue
		}
		tags := l.Tags.Tags().Clone()
		if tags == nil {
			tags = outcrop.Tags{}
		}
		for key, value := range v.Rules[i].Set {
			if tags[key] = value; value == "" {
				delete(tags, key)
			}
		}
		l.Tags = NewTagSet(tags)
		return
	}
}

// A history is what lies over an account's records, oldest first.
type history []*Version

func (h history) name() string {
	if len(h) == 0 {
		return ""
	}
	return h[len(h)-1].Name
}

// touches says whether any version says something about a day.
func (h history) touches(day int64) bool {
	return slices.ContainsFunc(h, func(v *Version) bool { return HourOf(v.From) < day*24+24 && HourOf(v.To) > day*24 })
}

// cuts says whether a version changes its mind within a day.
func (h history) cuts(day int64) bool {
	inside := func(hour int64) bool { return hour > day*24 && hour < day*24+24 }
	return slices.ContainsFunc(h, func(v *Version) bool {
		if inside(HourOf(v.From)) || inside(HourOf(v.To)) {
			return true
		}
		for _, r := range v.Rates {
			if slices.ContainsFunc(r.Segments, func(s RateSegment) bool { return inside(s.From) }) {
				return true
			}
		}
		return false
	})
}

// tell is a line as the whole history shows it in an hour.
func (h history) tell(s Settings, e *entry, hour int64) *Line {
	l := e.Line
	for _, v := range h {
		if v.covers(hour) {
			l = v.tell(s, &entry{Line: l}, hour)
		}
	}
	return &l
}

// Versions lists what lies over an account's history, oldest first.
func (c *Costs) Versions(ctx context.Context, account outcrop.AccountID) ([]*Version, error) {
	return read(ctx, c, account, "version", func(v *Version) error { return v.ready(c.Settings) })
}

// history is what a version's name stands for: that version and those below
// it. Without a name it is all of them.
func (c *Costs) history(ctx context.Context, account outcrop.AccountID, name string) (history, error) {
	if name == Original {
		return nil, nil
	}
	all, err := c.Versions(ctx, account)
	if err != nil || name == "" {
		return all, err
	}
	for i, v := range all {
		if v.Name == name {
			return all[:i+1], nil
		}
	}
	return nil, outcrop.Errorf(outcrop.NotFound, "There is no version %q of the cost history. It has: %s", name, versionNames(all))
}

func versionNames(all []*Version) string {
	names := Original
	for _, v := range all {
		names += ", " + v.Name
	}
	return names
}

// addVersion lays v over everything so far.
func (c *Costs) addVersion(ctx context.Context, account outcrop.AccountID, v *Version) error {
	if v.Name == Original || v.Name == "primary" || !versionName(v.Name) {
		return outcrop.Errorf(outcrop.Invalid, "Version name %q: 1 to 35 letters, digits, '-', '_' and '.', and neither primary nor %s", v.Name, Original)
	}
	have, err := c.Versions(ctx, account)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(have, func(o *Version) bool { return o.Name == v.Name }) {
		return outcrop.Errorf(outcrop.Conflict, "A version named %s is there already: versions are never changed. Choose another name", v.Name)
	}
	if len(have) >= maxVersions {
		return outcrop.Errorf(outcrop.QuotaExceeded, "The cost history has %d versions, which is the limit", maxVersions)
	}
	if err := v.ready(c.Settings); err != nil {
		return err
	}
	return write(ctx, c, account, "version", v.Name, v)
}

// maxVersions bounds what a question has to look through.
const maxVersions = 1000

func versionName(s string) bool {
	if s == "" || len(s) > 35 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return true
}

// freeName is prefix and the time, with a number when that is taken.
func freeName(have []*Version, prefix string, at time.Time) string {
	name := prefix + at.UTC().Format("-20060102T150405Z")
	for n := 2; slices.ContainsFunc(have, func(v *Version) bool { return v.Name == name }); n++ {
		name = fmt.Sprintf("%s%s-%d", prefix, at.UTC().Format("-20060102T150405Z"), n)
	}
	return name
}

// parsed keeps documents as they were last read, so that a question does not
// parse what has not changed.
type parsed struct {
	mu   sync.Mutex
	last map[parsedKey]parsedList
}

type parsedKey struct {
	account outcrop.AccountID
	kind    string
}

type parsedList struct {
	documents []Document
	values    any
}

// maxParsedLists bounds what is remembered.
const maxParsedLists = 1024

// read lists an account's documents of one kind. What it returns is shared and
// must not be changed.
func read[T any](ctx context.Context, c *Costs, account outcrop.AccountID, kind string, ready func(*T) error) ([]*T, error) {
	documents, err := c.store.Documents(ctx, account, kind)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind, err)
	}
	c.docs.mu.Lock()
	defer c.docs.mu.Unlock()
	key := parsedKey{account, kind}
	if last, ok := c.docs.last[key]; ok && slices.EqualFunc(last.documents, documents, sameDocument) {
		return last.values.([]*T), nil
	}
	values := make([]*T, len(documents))
	for i, d := range documents {
		values[i] = new(T)
		if err := json.Unmarshal(d.Body, values[i]); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", kind, d.ID, err)
		}
		if ready == nil {
			continue
		}
		if err := ready(values[i]); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", kind, d.ID, err)
		}
	}
	if c.docs.last == nil || len(c.docs.last) >= maxParsedLists {
		c.docs.last = map[parsedKey]parsedList{}
	}
	c.docs.last[key] = parsedList{documents, values}
	return values, nil
}

func sameDocument(a, b Document) bool {
	return a.ID == b.ID && a.Number == b.Number && bytes.Equal(a.Body, b.Body)
}

// write keeps one document.
func write(ctx context.Context, c *Costs, account outcrop.AccountID, kind, id string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", kind, err)
	}
	if err := c.store.PutDocument(ctx, account, Document{Kind: kind, ID: id, Body: body}); err != nil {
		return fmt.Errorf("write %s: %w", kind, err)
	}
	return nil
}
