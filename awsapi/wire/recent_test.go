package wire

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// A path leads where it led before, whatever else was asked for meanwhile, and
// finding that out again allocates nothing.
func TestAPathLeadsWhereItLedBefore(t *testing.T) {
	used, model := NewRouter(loadModel(t, "bedrock")), loadModel(t, "bedrock")
	part := rapid.SampledFrom([]string{"inference-profiles", "guardrails", "us.amazon.nova-lite-v1%3A0", encodedARN, someARN, "a", "%zz", "", "tags"})
	rapid.Check(t, func(t *rapid.T) {
		path := ""
		for range rapid.IntRange(0, 4).Draw(t, "parts") {
			path += "/" + part.Draw(t, "part")
		}
		method := rapid.SampledFrom([]string{"GET", "POST", "DELETE"}).Draw(t, "method")
		query := rapid.SampledFrom([]string{"", "", "a&b=1"}).Draw(t, "query")
		op, labels, ok := NewRouter(model).Match(method, path, query)
		for range 2 {
			again, same, known := used.Match(method, path, query)
			if known != ok || ok && again.Name != op.Name || (labels == nil) != (same == nil) || !maps.Equal(mapOf(labels), mapOf(same)) {
				t.Fatalf("%s %s: %v %v %v, then %v %v %v", method, path, op, labels, ok, again, same, known)
			}
		}
	})
	if n := testing.AllocsPerRun(100, func() { used.Match("GET", "/inference-profiles/"+encodedARN, "") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestARouterRemembersWithinBounds(t *testing.T) {
	r := NewRouter(loadModel(t, "bedrock-runtime"))
	for i := range 3 * maxRecent {
		path := fmt.Sprintf("/model/m%d/converse", i)
		if _, labels, ok := r.Match("POST", path, ""); !ok || labels.Get("modelId") != fmt.Sprint("m", i) {
			t.Fatal(path, labels, ok)
		}
		if n := len(r.recent.matches); n > maxRecent {
			t.Fatalf("%d paths are remembered", n)
		}
	}
}
