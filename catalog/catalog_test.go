package catalog

import "testing"

// The embedded data is read at start-up: it must stay well under 30 ms.
func BenchmarkEmbedded(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		t, err := parseEmbedded()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := t.build(options{}); err != nil {
			b.Fatal(err)
		}
	}
}
func TestX(t *testing.T) {
	c := Embedded()
	t.Log(len(c.SystemProfiles("us-east-1")), len(c.Models("us-east-1")))
	p, ok := c.SystemProfile("eu-west-1", "global.anthropic.claude-sonnet-4-6")
	t.Logf("%+v %v", p.For("111122223333"), ok)
	for _, p := range c.SystemProfiles("us-east-1")[:5] {
		t.Logf("%+v", p)
	}
}
