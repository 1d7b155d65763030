package openai_test

import (
	"testing"

	"outcrop/upstream/openai"
	"outcrop/upstream/upstreamtest"
)

func TestPromises(t *testing.T) {
	for name, tokenize := range map[string]bool{"counting here": false, "counting there": true} {
		t.Run(name, func(t *testing.T) {
			upstreamtest.Run(t, func(t testing.TB) upstreamtest.Upstream {
				_, base := upstreamtest.OpenAI(t)
				return open(t, openai.Config{BaseURL: base, Tokenize: tokenize})
			})
		})
	}
}

func open(t testing.TB, c openai.Config) *openai.Upstream {
	t.Helper()
	u, err := openai.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}
