package bedrockapi

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Property: what operations.txt promises of this service is served, and
// nothing twice.
func TestEveryPromisedOperationIsServed(t *testing.T) {
	list, err := os.ReadFile("../model/operations.txt")
	if err != nil {
		t.Fatal(err)
	}
	var promised, served []string
	for line := range strings.Lines(string(list)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "awsapi/bedrockapi" {
			promised = append(promised, f[2:]...)
		}
	}
	for _, h := range setUp().Operations() {
		served = append(served, h.Name())
	}
	slices.Sort(promised)
	slices.Sort(served)
	if !slices.Equal(promised, served) {
		t.Errorf("served %v\npromised %v", served, promised)
	}
}
