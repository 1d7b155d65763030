package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"outcrop/awsapi/wire"
)

// generateInto generates the whole tree from the committed models into a
// folder of its own and returns that folder.
func generateInto(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	models := filepath.Join(dir, "awsapi", "model")
	if err := os.CopyFS(models, os.DirFS("../../awsapi/model")); err != nil {
		t.Fatal(err)
	}
	if err := generate(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func generated(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, "_gen.go") {
			files[name], err = os.ReadFile(filepath.Join(dir, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Property: the same models give the same files, and they are the committed
// ones.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	first, second := generated(t, generateInto(t)), generated(t, generateInto(t))
	if len(first) < 2 || first["converse/codec_gen.go"] == nil {
		t.Fatalf("only %d files were generated", len(first))
	}
	for name, want := range first {
		if !bytes.Equal(second[name], want) {
			t.Errorf("%s differs from run to run", name)
		}
		if got, err := os.ReadFile(filepath.Join("../..", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is out of date (run `make generate`): %v", name, err)
		}
	}
}

// Property: a charset accepts what its pattern accepts.
func TestCharsets(t *testing.T) {
	for _, pattern := range []string{`[a-zA-Z0-9_-]+`, `[a-zA-Z0-9_.:-]+`, `[0-9]{12}`, `[a-zA-Z0-9\s:_@$#=/+,-.]{0,256}`, `[a-z]*`, `[!-~]{2,}`} {
		p := patterns{}
		when := p.fails(&wire.Shape{Name: "X", Pattern: pattern}, "v")
		if !strings.HasPrefix(p["patternX"], "charset{") {
			t.Errorf("%s: not a charset: %s", pattern, when)
		}
	}
	for _, pattern := range []string{`ab|b`, `[^a]+`, `(|[a-z]+)`, `[a-z]+x`, `é+`, `s3://[a-z]+`} {
		p := patterns{}
		p.fails(&wire.Shape{Name: "X", Pattern: pattern}, "v")
		if !strings.HasPrefix(p["patternX"], "regexp.MustCompile(`") {
			t.Errorf("%s: %s", pattern, p["patternX"])
		}
	}
	re, set := regexp.MustCompile(`\A[a-zA-Z0-9_.:-]\z`), charsetOf(t, `[a-zA-Z0-9_.:-]+`)
	for c := range rune(128) {
		if in := set[c>>6]&(1<<(c&63)) != 0; in != re.MatchString(string(c)) {
			t.Errorf("character %q: %v", c, in)
		}
	}
}

func charsetOf(t *testing.T, pattern string) [2]uint64 {
	t.Helper()
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	set, _, _, ok := charset(re)
	if !ok {
		t.Fatalf("%s is no charset", pattern)
	}
	return set
}

func TestFindTop(t *testing.T) {
	top, err := findTop()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(top, "tools", "wiregen", "main.go")); err != nil {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if top, err := findTop(); err == nil {
		t.Errorf("found %s from a folder outside the module", top)
	}
}
