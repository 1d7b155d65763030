package outcrop

import (
	"maps"
	"slices"
	"strings"
)

// Tags are a resource's tags by key. Keys are case-sensitive.
type Tags map[string]string

// Keys in sorted order.
func (t Tags) Keys() []string { return slices.Sorted(maps.Keys(t)) }

// Clone copies t; the copy of nil is nil.
func (t Tags) Clone() Tags { return maps.Clone(t) }

// Limits of a tag, from the Bedrock service model and its tagging guide.
const (
	MaxTagsPerResource = 50
	MaxTagKeyRunes     = 128
	MaxTagValueRunes   = 256
	ReservedTagPrefix  = "aws:"
)

// ReservedTagKey says whether only AWS may set the key.
func ReservedTagKey(key string) bool {
	return len(key) >= len(ReservedTagPrefix) && strings.EqualFold(key[:len(ReservedTagPrefix)], ReservedTagPrefix)
}
