// Package overlaytest makes overlay folders for tests.
package overlaytest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Folder makes a folder of files, given as name and content in turn.
func Folder(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		Write(t, dir, files[i], files[i+1])
	}
	return dir
}

// Write puts a file into a folder, in place of an older one.
func Write(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Example is the first YAML example of a document.
func Example(t testing.TB, document string) string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("%s has no YAML example", document)
	}
	return example
}

// Refused checks that err is there and says all that is asked of it.
func Refused(t testing.TB, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}
