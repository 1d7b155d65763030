// Package overlay reads the YAML files of a folder that is laid over built-in
// data, and reads them again when they change.
package overlay

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Kind is a sort of file that the folder may hold; files of other kinds lie
// beside them.
type Kind struct {
	Name     string // for errors
	Mine     func(base string) bool
	MaxFiles int
	MaxBytes int64 // of one file
}

// Files returns the paths of the files of a kind in dir, sorted by name: files
// that end in .yaml or .yml, are not hidden, and whose name without the ending
// is the kind's. An empty dir has none.
func (k Kind) Files(dir string) ([]string, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read overlay folder: %w", err)
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		ext := filepath.Ext(name)
		if e.IsDir() || name[0] == '.' || ext != ".yaml" && ext != ".yml" || !k.Mine(strings.TrimSuffix(name, ext)) {
			continue
		}
		files = append(files, filepath.Join(dir, name))
	}
	if len(files) > k.MaxFiles {
		return nil, fmt.Errorf("overlay folder %s holds %d files of the kind %s; at most %d are read", dir, len(files), k.Name, k.MaxFiles)
	}
	return files, nil
}

// Read returns what a file holds.
func (k Kind) Read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.Name, err)
	}
	if info.Size() > k.MaxBytes {
		return nil, fmt.Errorf("%s %s has %d bytes; at most %d are read", k.Name, path, info.Size(), k.MaxBytes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k.Name, err)
	}
	return text, nil
}
