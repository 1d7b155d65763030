package orgapi

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"outcrop/identity"
)

// maxPage is the most that MaxResults may be, and what it is when absent.
const maxPage = 20

func page(token string, maxResults *int64) identity.Page {
	p := identity.Page{Marker: token, Max: maxPage}
	if maxResults != nil {
		p.Max = int(*maxResults)
	}
	return p
}

// each converts a list, to one that is empty and not nil when there is
// nothing: Organizations writes empty lists out.
func each[From, To any](list []From, convert func(From) To) []To {
	all := make([]To, len(list))
	for i, v := range list {
		all[i] = convert(v)
	}
	return all
}

// cut takes a page of a list that is in memory, in the order of its keys. A
// token names where to go on, so that what is added or deleted meanwhile moves
// nothing.
func cut[T any](all []T, p identity.Page, key func(T) string) (some []T, next string, err error) {
	after, err := base64.RawURLEncoding.DecodeString(p.Marker)
	if err != nil {
		return nil, "", invalidInput("You specified an invalid value for NextToken.")
	}
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if p.Marker != "" {
		all = slices.DeleteFunc(all, func(v T) bool { return key(v) <= string(after) })
	}
	n := cmp.Or(p.Max, maxPage)
	if len(all) <= n {
		return all, "", nil
	}
	return all[:n], base64.RawURLEncoding.EncodeToString([]byte(key(all[n-1]))), nil
}
