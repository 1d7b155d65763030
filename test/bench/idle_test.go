package main

import "testing"

// As many streams are opened as files allow, and as few of them share
// connections as that takes.
func TestStreamsFitTheFiles(t *testing.T) {
	for files, want := range map[int]struct{ open, shared int }{
		1 << 20: {10_000, 0},
		20_200:  {10_000, 0},
		20_000:  {10_000, 200},
		19_200:  {10_000, 1000},
		1024:    {433, 42},
		100:     {0, 0},
	} {
		open, shared := fitting(10_000, files)
		if open != want.open || shared != want.shared {
			t.Errorf("%d files: %d open, %d shared, want %+v", files, open, shared, want)
		}
		if own := 2*open - shared; own > max(files-200, 0) {
			t.Errorf("%d files: Outcrop needs %d", files, own)
		}
	}
}
