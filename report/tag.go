package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxNamed is how many tags are named to somebody who asks for another.
const maxNamed = 20

// TagAdvice says why a report by q shows no values of its tag, and what to do;
// empty when the tag is active, when q is by something else, and when the
// caller may not know. Only a tag that is active for costs is in them
// (ListCostAllocationTags).
func TagAdvice(ctx context.Context, s Server, q Question) string {
	key, ok := strings.CutPrefix(q.By, "tag:")
	if !ok {
		return ""
	}
	var out struct {
		CostAllocationTags []struct{ TagKey, Status string }
	}
	if err := s.CostExplorer(ctx, "ListCostAllocationTags", map[string]any{"MaxResults": 1000}, &out); err != nil {
		return ""
	}
	var others []string
	for _, t := range out.CostAllocationTags {
		switch {
		case t.TagKey != key:
			others = append(others, t.TagKey)
		case t.Status == "Active":
			return ""
		default:
			return fmt.Sprintf("The tag %s is not active, so that no cost shows it. To have it in all of history at once:\n  aws ce update-cost-allocation-tags-status --cost-allocation-tags-status 'TagKey=%[1]s,Status=Active'", key)
		}
	}
	if len(others) == 0 {
		return fmt.Sprintf("No usage had a tag %s, nor any other.", key)
	}
	slices.Sort(others)
	if more := len(others) - maxNamed; more > 0 {
		others = append(others[:maxNamed], fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("No usage had a tag %s. There are: %s.", key, strings.Join(others, ", "))
}
