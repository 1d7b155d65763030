package objects

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// errNotDir is what a path through a file gives.
var errNotDir = syscall.ENOTDIR

// A walk yields the keys below top in the order of their bytes, and reads only
// the folders that can hold one that begins with prefix and comes after after.
type walk struct {
	top, prefix, after string
	whole              bool // do not enter the folders below prefix's own: tell their names
	yield              func(key string, folder bool) (more bool, err error)
}

// An entry of a folder: its key so far, which of a folder ends with a slash, so
// that sorting entries sorts all keys.
type entry struct {
	key, name string
	folder    bool
}

// folder walks one folder, whose keys begin with at.
func (w *walk) folder(at string) (more bool, err error) {
	entries, err := w.entries(at)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		more := true
		switch {
		case e.folder && w.enters(e.key):
			more, err = w.folder(e.key)
		case e.folder && w.whole && strings.HasPrefix(e.key, w.prefix):
			more, err = w.told(e.key)
		case !e.folder && strings.HasPrefix(e.key, w.prefix) && e.key > w.after:
			more, err = w.yield(e.key, false)
		}
		if !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// told yields a folder's name in place of its keys, unless the walk is past it
// or it is empty: a key below it may just have been deleted.
func (w *walk) told(key string) (bool, error) {
	if key <= w.after {
		return true, nil
	}
	found := false
	inner := walk{top: w.top, prefix: key, yield: func(string, bool) (bool, error) { found = true; return false, nil }}
	if _, err := inner.folder(key); err != nil || !found {
		return true, err
	}
	return w.yield(key, true)
}

// enters says whether keys in a folder can be asked for.
func (w *walk) enters(key string) bool {
	on := strings.HasPrefix(w.prefix, key) || strings.HasPrefix(key, w.prefix) && !w.whole
	past := key <= w.after && !strings.HasPrefix(w.after, key)
	return on && !past
}

// entries reads the folder of the keys that begin with at.
func (w *walk) entries(at string) ([]entry, error) {
	dir := w.top
	for segment := range strings.SplitSeq(strings.TrimSuffix(at, "/"), "/") {
		if at != "" {
			dir = filepath.Join(dir, escapeSegment(segment))
		}
	}
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // deleted meanwhile
	}
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(list))
	for _, d := range list {
		name, isKey := strings.CutSuffix(d.Name(), fileMark)
		segment, ok := unescapeSegment(name)
		switch {
		case !ok || isKey == d.IsDir():
		case d.IsDir():
			entries = append(entries, entry{at + segment + "/", d.Name(), true})
		default:
			entries = append(entries, entry{at + segment, d.Name(), false})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	return entries, nil
}
