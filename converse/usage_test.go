package converse

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
)

type kinds map[outcrop.TokenKind]outcrop.Tokens

func TestUsage(t *testing.T) {
	const in, out, read, w5m, w1h = outcrop.InputTokens, outcrop.OutputTokens, outcrop.CacheReadTokens, outcrop.CacheWrite5mTokens, outcrop.CacheWrite1hTokens
	for _, c := range []struct {
		name, json string
		want       kinds
	}{
		{"no cache", `{"inputTokens":1,"outputTokens":2,"totalTokens":3}`, kinds{in: 1, out: 2}},
		{"cache unused", `{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cacheReadInputTokens":0,"cacheWriteInputTokens":0,"cacheDetails":[]}`, kinds{in: 1, out: 2, read: 0, w5m: 0}},
		{"written, lifetime not given", `{"inputTokens":1,"outputTokens":2,"totalTokens":9,"cacheReadInputTokens":2,"cacheWriteInputTokens":4}`, kinds{in: 1, out: 2, read: 2, w5m: 4}},
		{"both lifetimes", `{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":10,"cacheDetails":[{"ttl":"1h","inputTokens":7},{"ttl":"5m","inputTokens":3}]}`, kinds{in: 1, out: 2, w5m: 3, w1h: 7}},
		{"one hour only", `{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":7,"cacheDetails":[{"ttl":"1h","inputTokens":7}]}`, kinds{in: 1, out: 2, w1h: 7}},
		{"details tell less than the sum", `{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":10,"cacheDetails":[{"ttl":"1h","inputTokens":7}]}`, kinds{in: 1, out: 2, w5m: 3, w1h: 7}},
		{"details without a sum", `{"inputTokens":1,"outputTokens":2,"cacheDetails":[{"ttl":"1h","inputTokens":7},{"ttl":"5m","inputTokens":0}]}`, kinds{in: 1, out: 2, w5m: 0, w1h: 7}},
		{"a lifetime that came later", `{"inputTokens":1,"outputTokens":2,"cacheWriteInputTokens":5,"cacheDetails":[{"ttl":"2d","inputTokens":5}]}`, kinds{in: 1, out: 2, w5m: 5}},
		{"negative counts", `{"inputTokens":-1,"outputTokens":-2,"cacheReadInputTokens":-3}`, kinds{in: 0, out: 0, read: 0}},
	} {
		r, err := DecodeResponse([]byte(`{"usage":` + c.json + `}`))
		if err != nil {
			t.Fatal(err)
		}
		u := r.Usage.Usage()
		if got := maps.Collect(u.All()); !maps.Equal(got, c.want) || u.Estimated {
			t.Errorf("%s: got %v want %v", c.name, got, c.want)
		}
	}
}

// Property: every token of a usage is told, once, and read back into the bucket
// it came from; the total is the sum; what was not known stays unknown.
func TestUsageOfIsUndoneByUsage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var u outcrop.Usage
		for k := range outcrop.Kinds() {
			if rapid.Bool().Draw(t, "known") {
				u.Set(k, outcrop.Tokens(rapid.Int64Range(0, 1<<40).Draw(t, "n")))
			}
		}
		v := UsageOf(u)
		if outcrop.Tokens(v.TotalTokens) != u.Total() {
			t.Fatalf("total %d, want %d", v.TotalTokens, u.Total())
		}
		back := v.Usage()
		if back.Total() != u.Total() {
			t.Fatalf("total read back %d, want %d", back.Total(), u.Total())
		}
		for k := range outcrop.Kinds() {
			_, known := u.Get(k)
			n, still := back.Get(k)
			if want := told(&u, k); n != want {
				t.Fatalf("%s: %d, want %d", k, n, want)
			}
			if still && !known && k == outcrop.CacheReadTokens {
				t.Fatalf("%s became known", k)
			}
		}
		if _, a := u.Get(outcrop.CacheWrite5mTokens); !a {
			if _, b := u.Get(outcrop.CacheWrite1hTokens); !b && v.CacheWriteInputTokens != nil {
				t.Fatal("a cache write became known")
			}
		}
	})
}

// told is what an answer can tell of kind k: it has no word for the kinds that
// AWS counts as input or output.
func told(u *outcrop.Usage, k outcrop.TokenKind) outcrop.Tokens {
	switch k {
	case outcrop.InputTokens:
		return u.Of(k) + u.Of(outcrop.InputAudioTokens)
	case outcrop.OutputTokens:
		return u.Output()
	case outcrop.CacheReadTokens, outcrop.CacheWrite5mTokens, outcrop.CacheWrite1hTokens:
		return u.Of(k)
	}
	return 0
}

func TestUsageOfOnTheWire(t *testing.T) {
	var u outcrop.Usage
	u.Set(outcrop.InputTokens, 1)
	u.Set(outcrop.OutputTokens, 2)
	u.Set(outcrop.CacheReadTokens, 3)
	u.Set(outcrop.CacheWrite5mTokens, 4)
	u.Set(outcrop.CacheWrite1hTokens, 5)
	v := UsageOf(u)
	if got, want := string(v.append(nil)), `{"inputTokens":1,"outputTokens":2,"totalTokens":15,"cacheReadInputTokens":3,"cacheWriteInputTokens":9,"cacheDetails":[{"ttl":"1h","inputTokens":5},{"ttl":"5m","inputTokens":4}]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	u = outcrop.Usage{}
	u.Set(outcrop.CacheWrite5mTokens, 0)
	v = UsageOf(u)
	if got, want := string(v.append(nil)), `{"inputTokens":0,"outputTokens":0,"totalTokens":0,"cacheWriteInputTokens":0,"cacheDetails":[]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBase64Len(t *testing.T) {
	for n := range 20 {
		if got := Encode64(make([]byte, n)).Len(); got != n {
			t.Errorf("%d bytes count as %d", n, got)
		}
	}
	if Base64("====").Len() < 0 || Base64("=").Len() > 0 {
		t.Error("padding alone has a strange length")
	}
}
