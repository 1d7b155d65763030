package cur

import (
	"outcrop/cost"
)

// allTags are the row's tags under the names of the newer column, which tells
// tags of a profile from those of a principal.
func allTags(r *Row) map[string]string {
	tags := make(map[string]string, len(r.Tags))
	for key, value := range r.Tags {
		tags["resourceTags/"+key] = value
	}
	return tags
}

func principalOf(*cost.Line) string { return "" }

func forgetPrincipal(*cost.Line) {}

func costCategories(*Row) map[string]string { return nil }
