package identity

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"outcrop"
)

// A Page asks for part of a list.
type Page struct {
	Marker string // where the page before it ended; empty for the first
	Max    int    // how many at most; 0 is IAM's default, 100
}

const (
	defaultPage = 100
	maxPage     = 1000
	maxMarker   = 2048 // bytes
)

func (p Page) max() int {
	if p.Max <= 0 {
		return defaultPage
	}
	return min(p.Max, maxPage)
}

// after is the key that a marker stands for. Markers name where to go on, and
// not how far: what is added or deleted meanwhile moves nothing.
func (p Page) after() (string, error) {
	key, err := base64.RawURLEncoding.Strict().DecodeString(p.Marker)
	if err != nil || len(p.Marker) > maxMarker {
		return "", validation("Invalid Marker.")
	}
	return string(key), nil
}

func markerOf(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// list reads a page of kind in scope, without what keep refuses. next is the
// marker of the page after it, empty at the end.
func list[T any](ctx context.Context, d *Directory, kind EntryKind, scope string, p Page, keep func(T) bool) (all []T, next string, err error) {
	after, err := p.after()
	if err != nil {
		return nil, "", err
	}
	for {
		entries, err := d.store.Page(ctx, kind, scope, after, maxPage)
		if err != nil {
			return nil, "", wrap("list "+string(kind), err)
		}
		for _, e := range entries {
			x, err := read[T](e)
			if err != nil {
				return nil, "", err
			}
			if !keep(x) {
				after = e.Key
				continue
			}
			if len(all) == p.max() {
				return all, markerOf(after), nil
			}
			all, after = append(all, x), e.Key
		}
		if len(entries) < maxPage {
			return all, "", nil
		}
	}
}

// cut takes a page of what is in memory, in the order of its keys.
func cut[T any](all []T, p Page, key func(T) string) ([]T, string, error) {
	after, err := p.after()
	if err != nil {
		return nil, "", err
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	all = slices.DeleteFunc(all, func(x T) bool { return key(x) <= after && p.Marker != "" })
	if len(all) <= p.max() {
		return all, "", nil
	}
	return all[:p.max()], markerOf(key(all[p.max()-1])), nil
}

// underPath keeps what lies below a path prefix; the empty one is everything.
func underPath(prefix, path string) bool {
	if path == "" {
		path = "/"
	}
	return strings.HasPrefix(path, prefix)
}

// all reads every page.
func all[T any](ctx context.Context, d *Directory, kind EntryKind, scope string) ([]T, error) {
	var found []T
	p := Page{Max: maxPage}
	for {
		some, next, err := list(ctx, d, kind, scope, p, func(T) bool { return true })
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
		if next == "" {
			return found, nil
		}
		p.Marker = next
	}
}

// followers reads everything that leads to link.
func (d *Directory) followers(ctx context.Context, link string) ([]Entry, error) {
	var found []Entry
	after := ""
	for {
		some, err := d.store.Linked(ctx, link, after, maxPage)
		if err != nil {
			return nil, wrap("find links", err)
		}
		found = append(found, some...)
		if len(some) < maxPage {
			return found, nil
		}
		after = some[len(some)-1].ID
	}
}

// mustExist turns absence into words.
func mustExist(err, absent error) error {
	if outcrop.KindOf(err) == outcrop.NotFound {
		return absent
	}
	return err
}
