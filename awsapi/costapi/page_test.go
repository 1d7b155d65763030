package costapi

import (
	"slices"
	"testing"

	"outcrop"
)

// Promise: what is deleted between two pages makes none of the others be
// missed.
func TestPagesMissNothingThoughOthersAreDeleted(t *testing.T) {
	two, id := int64(2), func(s *string) string { return *s }
	whole := []string{"a", "b", "c", "d", "e"}
	for _, c := range []struct{ left, want []string }{
		{whole, []string{"c", "d"}},
		{[]string{"b", "c", "d", "e"}, []string{"c", "d"}},
		{[]string{"a", "c", "d", "e"}, []string{"c", "d"}},
		{[]string{"a", "b"}, []string{}},
		{nil, nil},
		{append(slices.Clone(whole), "f"), []string{"c", "d"}},
	} {
		_, token, err := pageOf(whole, "", &two, maxListed, id)
		if err != nil {
			t.Fatal(err)
		}
		page, _, err := pageOf(c.left, token, &two, maxListed, id)
		if err != nil || !slices.Equal(page, c.want) {
			t.Errorf("of %v the second page is %v (%v), want %v", c.left, page, err, c.want)
		}
	}
	same := []string{"x", "x", "x"}
	one, token, seen := int64(1), "", 0
	for range 4 {
		page, next, err := pageOf(same, token, &one, maxListed, id)
		if err != nil {
			t.Fatal(err)
		}
		seen += len(page)
		if token = next; token == "" {
			break
		}
	}
	if seen != 3 || token != "" {
		t.Errorf("%d of three alike, then %q", seen, token)
	}
	if _, _, err := pageOf(same, "?", &one, maxListed, id); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("a token that is none: %v", err)
	}
}
