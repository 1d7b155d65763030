package iamapi

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"outcrop"
	"outcrop/identity"
)

// page reads IAM's paging: the door has held MaxItems to 1 to 1000.
func page(marker string, maxItems *int64) identity.Page {
	p := identity.Page{Marker: marker}
	if maxItems != nil {
		p.Max = int(*maxItems)
	}
	return p
}

// truncated says whether there is a page after the one that ends at next.
func truncated(next string) *bool { return ptr(next != "") }

// each converts a list, to one that is empty and not nil when there is
// nothing: IAM writes empty lists out.
func each[From, To any](list []From, convert func(From) To) []To {
	all := make([]To, len(list))
	for i, v := range list {
		all[i] = convert(v)
	}
	return all
}

// everything reads a list page by page, up to limit of its elements.
func everything[T any](limit int, read func(identity.Page) ([]T, string, error)) ([]T, error) {
	var all []T
	for marker := ""; ; {
		some, next, err := read(identity.Page{Marker: marker, Max: maxPage})
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if next == "" || len(all) >= limit {
			return all, nil
		}
		marker = next
	}
}

const (
	defaultPage = 100  // elements, when MaxItems is absent
	maxPage     = 1000 // elements
)

// cut takes a page of a list that is in memory, in the order of its keys. A
// marker names where to go on, so that what is added or deleted meanwhile
// moves nothing.
func cut[T any](all []T, p identity.Page, key func(T) string) (some []T, next string, err error) {
	after, err := base64.RawURLEncoding.DecodeString(p.Marker)
	if err != nil {
		return nil, "", failure(outcrop.Invalid, "ValidationError", "Invalid Marker.")
	}
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if p.Marker != "" {
		all = slices.DeleteFunc(all, func(v T) bool { return key(v) <= string(after) })
	}
	n := cmp.Or(p.Max, defaultPage)
	if len(all) <= n {
		return all, "", nil
	}
	return all[:n], base64.RawURLEncoding.EncodeToString([]byte(key(all[n-1]))), nil
}
