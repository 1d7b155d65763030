package simulator

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/converse"
)

func point(ttl string) converse.ContentBlock {
	return converse.ContentBlock{CachePoint: &converse.CachePointBlock{Type: "default", Ttl: ttl}}
}

// words is a text of n tokens.
func words(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }

// traffic asks and returns what was read, written and neither.
func traffic(t *testing.T, s *Simulator, model outcrop.ModelID, r *converse.Request) [3]int64 {
	t.Helper()
	response, err := s.Converse(t.Context(), attempt(model), r)
	if err != nil {
		t.Fatal(err)
	}
	u := response.Usage
	var details int64
	for _, d := range u.CacheDetails {
		details += d.InputTokens
	}
	if details != *u.CacheWriteInputTokens {
		t.Errorf("details %+v of %d written", u.CacheDetails, *u.CacheWriteInputTokens)
	}
	return [3]int64{*u.CacheReadInputTokens, *u.CacheWriteInputTokens, u.InputTokens}
}

func conversation(messages ...converse.Message) *converse.Request {
	return &converse.Request{Messages: messages}
}

func TestPromptCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		r := conversation(user(text(words(2000)), point(""), text("Question?")))
		first := traffic(t, s, sonnet, r)
		if want := [3]int64{0, 2004, 2}; first != want {
			t.Fatalf("first %v, want %v", first, want)
		}
		hit := [3]int64{2004, 0, 2}
		for range 3 { // each hit starts the five minutes anew
			time.Sleep(4 * time.Minute)
			if got := traffic(t, s, sonnet, r); got != hit {
				t.Fatalf("again %v, want %v", got, hit)
			}
		}
		time.Sleep(5*time.Minute + time.Second)
		if got := traffic(t, s, sonnet, r); got != first {
			t.Errorf("after five minutes %v, want %v", got, first)
		}
		if got := traffic(t, s, "anthropic.claude-3-haiku", r); got[0] != 0 {
			t.Errorf("another model reads %v", got)
		}
	})
}

// The cache point moves with the conversation, as chat clients do it: what was
// cached at the last turn is found a few blocks before the new point.
func TestPromptCacheLooksBack(t *testing.T) {
	s := New(Options{})
	one := conversation(user(text(words(1500)), point("")))
	two := conversation(user(text(words(1500))), assistant(text("ok")), user(text(words(300)), point("")))
	if got, want := traffic(t, s, sonnet, one), [3]int64{0, 1504, 0}; got != want {
		t.Errorf("first turn %v, want %v", got, want)
	}
	if got, want := traffic(t, s, sonnet, two), [3]int64{1504, 309, 0}; got != want {
		t.Errorf("second turn %v, want %v", got, want)
	}
	changed := conversation(user(text("x "+words(1500))), assistant(text("ok")), user(text(words(300)), point("")))
	if got := traffic(t, s, sonnet, changed); got[0] != 0 {
		t.Errorf("a changed prefix reads %v", got)
	}
}

func TestPromptCacheRules(t *testing.T) {
	s := New(Options{})
	if got := traffic(t, s, "anthropic.claude-sonnet-4-5-20250929-v1:0", conversation(user(text(words(2000)), point("")))); got[1] != 0 {
		t.Errorf("below the minimum: %v written", got)
	}
	if got := traffic(t, s, "meta.llama3-3-70b-instruct-v1:0", conversation(user(text(words(2000)), point("")))); got[1] != 0 {
		t.Errorf("a model without a cache: %v written", got)
	}
	r := conversation(user(text(words(2000)), point("1h"), text(words(1000)), point("5m")))
	response := say(t, s, r)
	d := response.Usage.CacheDetails
	if len(d) != 2 || d[0] != (converse.CacheDetail{Ttl: "1h", InputTokens: 2004}) || d[1] != (converse.CacheDetail{Ttl: "5m", InputTokens: 1000}) {
		t.Errorf("details %+v", d)
	}
}

func TestPromptCacheIsBounded(t *testing.T) {
	c := newPromptCache()
	now := time.Now()
	for i := range uint64(3 * maxCachedPrefixes) {
		c.write(i, ttlLong, now)
		c.write(i, ttlLong, now)
	}
	if len(c.entries) != maxCachedPrefixes || len(c.order) != maxCachedPrefixes {
		t.Errorf("%d entries, %d in order", len(c.entries), len(c.order))
	}
	if !c.refresh(3*maxCachedPrefixes-1, now) || c.refresh(0, now) {
		t.Error("what was written first should leave first")
	}
}

func pngOf(t testing.TB, w, h int) converse.Base64 {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return converse.Encode64(b.Bytes())
}

func TestImageSize(t *testing.T) {
	var j, g bytes.Buffer
	if err := jpeg.Encode(&j, image.NewGray(image.Rect(0, 0, 30, 20)), nil); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&g, image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	webp := func(kind string, rest string) string {
		return "RIFF\x00\x00\x00\x00WEBP" + kind + rest + strings.Repeat("\x00", 20)
	}
	for _, c := range []struct {
		format, bytes string
		ok            bool
	}{
		{"jpeg", j.String(), true}, {"gif", g.String(), true},
		{"webp", webp("VP8 ", "\x00\x00\x00\x00\x00\x00\x00\x9d\x01\x2a\x1e\x00\x14\x00"), true},
		{"webp", webp("VP8L", "\x00\x00\x00\x00\x2f\x1d\xc0\x04\x00"), true},
		{"webp", webp("VP8X", "\x00\x00\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x13\x00\x00"), true},
		{"webp", "RIFF", false}, {"png", j.String(), false}, {"jpeg", "", false}, {"tiff", "x", false},
	} {
		w, h, ok := imageSize(c.format, converse.Encode64([]byte(c.bytes)))
		if ok != c.ok || ok && (w != 30 || h != 20) {
			t.Errorf("%s %q: %d×%d %v", c.format, c.bytes, w, h, ok)
		}
	}
	if _, _, ok := imageSize("png", converse.Base64("not base64!")); ok {
		t.Error("took what is not base64")
	}
}

func FuzzImageSize(f *testing.F) {
	for _, format := range []string{"png", "jpeg", "gif", "webp"} {
		f.Add(format, []byte("RIFF0000WEBPVP8 "))
	}
	f.Fuzz(func(t *testing.T, format string, b []byte) {
		if w, h, ok := imageSize(format, converse.Encode64(b)); ok && (w <= 0 || h <= 0) {
			t.Errorf("%d×%d", w, h)
		}
	})
}
