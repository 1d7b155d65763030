package ledger

import "path/filepath"

// CreateFile makes a file as segments are made, for the bare loop of the
// benchmark.
func CreateFile(path string, size int64) (File, error) {
	return (&folder{dir: filepath.Dir(path)}).Create(filepath.Base(path), size, nil)
}

// CheckFiles is Check of files.
var CheckFiles = check
