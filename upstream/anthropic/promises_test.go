package anthropic_test

import (
	"testing"

	"outcrop/upstream/anthropic"
	"outcrop/upstream/upstreamtest"
)

func TestPromises(t *testing.T) {
	upstreamtest.Run(t, func(t testing.TB) upstreamtest.Upstream {
		_, base := upstreamtest.Anthropic(t)
		return open(t, anthropic.Config{BaseURL: base})
	})
}

// key is what open signs in with, unless it is told otherwise.
const key = "sk-ant-secret"

func open(t testing.TB, c anthropic.Config) *anthropic.Upstream {
	t.Helper()
	if c.APIKey == "" {
		c.APIKey = key
	}
	u, err := anthropic.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}
