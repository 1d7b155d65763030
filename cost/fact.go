package cost

import (
	"maps"
	"slices"
	"strings"
	"time"

	"outcrop"
)

// Tags of whoever called have keys of their own form (reference §7.4):
// "iamPrincipal/team" is the session tag team. PrincipalKey is the caller's ARN
// and needs no activation.
const (
	PrincipalTagPrefix = "iamPrincipal/"
	PrincipalKey       = PrincipalTagPrefix + "aws:PrincipalArn"
)

// A fact is a line as one account's settings show it in one period.
type fact struct {
	*entry
	view  *view
	at    time.Time         // within the period
	depth int               // of cost categories that ask for one another
	moved map[string]string // value by cost category, of a part of the cost that a split charge moved
}

// tag is the value of a key that is active; ok is false when there is none.
func (x *fact) tag(key string) (value string, ok bool) {
	if !x.view.shows(key) {
		return "", false
	}
	x.read()
	name, principal := strings.CutPrefix(key, PrincipalTagPrefix)
	switch {
	case key == PrincipalKey:
		return string(x.Line.Principal), x.Line.Principal != ""
	case principal:
		value, ok = x.session[name]
		return value, ok
	}
	if value, ok = x.entry.tags[key]; !ok && x.view.SessionTags {
		value, ok = x.session[key]
	}
	return value, ok
}

func (v *view) shows(key string) bool { return v.everyTag || v.active[key] }

// keys lists the active keys that x has a value for, in order.
func (x *fact) keys() []string {
	x.read()
	found := map[string]bool{}
	for key := range x.entry.tags {
		found[key] = x.view.shows(key)
	}
	for key := range x.session {
		found[PrincipalTagPrefix+key] = x.view.shows(PrincipalTagPrefix + key)
		if x.view.SessionTags && x.view.shows(key) {
			found[key] = true
		}
	}
	if x.Line.Principal != "" {
		found[PrincipalKey] = true
	}
	maps.DeleteFunc(found, func(_ string, shown bool) bool { return !shown })
	return slices.Sorted(maps.Keys(found))
}

// untagged says whether x has no active tag at all, the caller's aside.
func (x *fact) untagged() bool {
	return !slices.ContainsFunc(x.keys(), func(key string) bool { return !strings.HasPrefix(key, PrincipalTagPrefix) })
}

// shown are the active tags of the profile.
func (x *fact) shown() outcrop.Tags {
	tags := outcrop.Tags{}
	for _, key := range x.keys() {
		if !strings.HasPrefix(key, PrincipalTagPrefix) {
			tags[key], _ = x.tag(key)
		}
	}
	return tags
}

// shownSession are the active tags of the caller's session.
func (x *fact) shownSession() outcrop.Tags {
	tags := outcrop.Tags{}
	for _, key := range x.keys() {
		if name, ok := strings.CutPrefix(key, PrincipalTagPrefix); ok && key != PrincipalKey {
			tags[name], _ = x.tag(key)
		}
	}
	return tags
}

// category is the value that a cost category gives x.
func (x *fact) category(name string) (value string, ok bool) {
	if value, ok = x.moved[name]; ok && x.depth == 0 { // rules of other categories see lines as they are
		return value, true
	}
	c := x.view.categories[name]
	if c == nil || x.depth > maxCategoryDepth {
		return "", false
	}
	inner := *x
	inner.depth++
	return c.value(&inner)
}
