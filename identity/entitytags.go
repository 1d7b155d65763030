package identity

import (
	"strings"
	"unicode"

	"outcrop"
)

// Tags of users, roles, policies and providers. IAM keeps the case of a key
// and takes keys that differ in case only for the same.

// Lengths of tags, in characters.
const (
	maxTagKey   = 128
	maxTagValue = 256
)

// isTagText says whether s matches [\p{L}\p{Z}\p{N}_.:/=+\-@]{least,most}. As
// a regular expression it would take ten megabytes: package regexp unrolls the
// repetition, each time with all letters of the world.
func isTagText(s string, least, most int) bool {
	n := 0
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
		n++
	}
	return n >= least && n <= most
}

func goodTags(tags outcrop.Tags) error {
	seen := map[string]bool{}
	for _, k := range tags.Keys() {
		switch {
		case outcrop.ReservedTagKey(k):
			return invalidInput("System tags cannot be added/updated by requester.")
		case !isTagText(k, 1, maxTagKey):
			return constraint(k, "tags.member.key", "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+")
		case !isTagText(tags[k], 0, maxTagValue):
			return constraint(tags[k], "tags.member.value", "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*")
		case seen[strings.ToLower(k)]:
			return invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[strings.ToLower(k)] = true
	}
	if len(tags) > MaxTagsPerEntity {
		return quota("TagsPerResource", MaxTagsPerEntity)
	}
	return nil
}

func mergeTags(have *outcrop.Tags, more outcrop.Tags) error {
	if have == nil {
		return invalidInput("Groups cannot be tagged.")
	}
	if err := goodTags(more); err != nil {
		return err
	}
	if *have == nil {
		*have = outcrop.Tags{}
	}
	for k, v := range more {
		dropTag(*have, k)
		(*have)[k] = v
	}
	if len(*have) > MaxTagsPerEntity {
		return quota("TagsPerResource", MaxTagsPerEntity)
	}
	return nil
}

func dropTags(have *outcrop.Tags, keys []string) error {
	if have == nil {
		return invalidInput("Groups cannot be tagged.")
	}
	for _, k := range keys {
		dropTag(*have, k)
	}
	return nil
}

func dropTag(tags outcrop.Tags, key string) {
	for k := range tags {
		if strings.EqualFold(k, key) {
			delete(tags, k)
		}
	}
}
