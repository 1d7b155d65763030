package main

import (
	"bytes"
	"os"
	"testing"
)

// An uncalled type has a method that nobody calls.
type uncalled struct{ n int }

//go:noinline
func (u *uncalled) Method() int { return u.n }

// seen is an interface, so that reflect could find the method.
var seen any = &uncalled{}

// Go's linker leaves out methods that nothing calls, unless something calls
// reflect's Method, or MethodByName with a name that it cannot know: then it
// keeps every exported method of the program, which were 17 MB of 62. This test
// is outcrop too (TestMain), so that what holds for it holds for both.
func TestUncalledMethodsAreNotLinked(t *testing.T) {
	if seen == nil {
		t.Fatal("not linked at all")
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := func(of, method string) []byte { return []byte("outcrop/cmd/outcrop.(*" + of + ")." + method) } // in parts: the test's own text is in it, too
	if !bytes.Contains(text, name("serveCommand", "Run")) {
		t.Fatal("the names of functions are not in the program, or outcrop is not: the test cannot tell")
	}
	if bytes.Contains(text, name("uncalled", "Method")) {
		t.Error(`the linker keeps methods that nothing calls: something reaches reflect's Method or MethodByName. Who:
	go build -ldflags=-dumpdep -o /dev/null ./cmd/outcrop 2>deps; grep -oE -- '\S+ -> \S+ <ReflectMethod>' deps | sort -u`)
	}
}
