package simulator

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer"
	"pgregory.net/rapid"
)

var samples = []string{
	"", "a", " ", "  ", "\n", "Hello, world!", "don't WON'T I'LL we'Re they've", "it'ſ", "  two spaces", "tabs\t\tand\n\nlines \n x",
	"1234567 3.14 ٣٤٥", "你好,你是什么模型?请介绍一下你自己。", "안녕하세요, 모델 프로필입니다.", "Привет, МИР! ЁЖик", "ʼnᵃbc DŽungla ǅ",
	"http://a.b/c//d\n/e", "e\u0301te\u0301 \u0301x", " \u00a0x \u2003y", "emoji 👩‍👩‍👧 ok", "camelCaseHTTPServer", "a\r\nb\r\n", "x'", "x'l", "日本語のテキスト ABCです",
	"\x80\xff bad \xc3( bytes", "中A文b", "ªºa", "\x85\x1c x",
}

// Property: the hand-written rule and the tokenizer's own cut and count alike.
func TestCountIsTheVocabularys(t *testing.T) {
	c, lib := newCounter(), library(t)
	check := func(t interface {
		Fatalf(string, ...any)
	}, s string) {
		want, err := lib.Count(s)
		if err != nil {
			t.Fatalf("library: %v", err)
		}
		for range 2 { // the second time from memory
			if got := c.Count(s); got != want {
				t.Fatalf("Count(%q) = %d, want %d", s, got, want)
			}
		}
	}
	for _, s := range samples {
		if utf8.ValidString(s) {
			check(t, s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(samples), rapid.String(),
			rapid.StringOf(rapid.RuneFrom([]rune("aZ'stLl 1\n\r\t/.,ſʼªǅé\u0301字あ한Жж٣\u00a0_-")))))
		check(t, likeOriginal(strings.Join(words.Draw(t, "words"), "")))
	})
}

// likeOriginal leaves out what the library reads differently from the original
// tokenizer: bytes that are not UTF-8, U+007F, which it does not count, and
// blanks between line breaks, where it cuts.
func likeOriginal(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x7f", "")
	return blankLines.ReplaceAllString(s, "\n\n")
}

var blankLines = regexp.MustCompile(`[\r\n][\s\v\x{85}\p{Z}]*[\r\n]`)

// What the original tokenizer counts (tiktoken, o200k_base).
func TestBlankLinesAreOneToken(t *testing.T) {
	c := newCounter()
	for s, want := range map[string]int{"\n\t\n": 1, "\n \n": 1, "\n\t\t\n": 1, "a\n\t\n": 2} {
		if got := c.Count(s); got != want {
			t.Errorf("Count(%q) = %d, want %d", s, got, want)
		}
	}
}

func library(t testing.TB) tokenizer.Codec {
	lib, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// The documents the product was asked for by are text in four languages.
func TestCountOfRealDocuments(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/seeds/*.txt")
	if len(files) == 0 {
		if os.Getenv("OUTCROP_NO_SKIP") == "1" {
			t.Fatal("../shared/seeds is absent")
		}
		t.Skip("../shared/seeds is absent")
	}
	c, lib := newCounter(), library(t)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := lib.Count(string(b))
		if got := c.Count(string(b)); got != want {
			t.Errorf("%s: %d tokens, want %d", filepath.Base(f), got, want)
		}
	}
}

// Property: bits cover the text, end on rune borders and add up to its count.
func TestBits(t *testing.T) {
	c := newCounter()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.SampledFrom(samples), rapid.String()).Draw(t, "s")
		at, tokens := 0, 0
		for _, b := range c.Bits(s) {
			if b.end <= at || utf8.ValidString(s) && !utf8.ValidString(s[at:b.end]) {
				t.Fatalf("bit %d..%d of %q", at, b.end, s)
			}
			at, tokens = b.end, tokens+b.tokens
		}
		if at != len(s) || tokens != c.Count(s) {
			t.Fatalf("%q: bits end at %d of %d with %d tokens of %d", s, at, len(s), tokens, c.Count(s))
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	lib := library(f)
	c := newCounter()
	f.Fuzz(func(t *testing.T, s string) {
		c.Count(s)
		s = likeOriginal(s)
		got := c.Count(s)
		if want, err := lib.Count(s); err == nil && got != want {
			t.Errorf("Count(%q) = %d, want %d", s, got, want)
		}
	})
}

func TestGenerationsAreBounded(t *testing.T) {
	g := generations[int, int]{limit: 10}
	for i := range 1000 {
		g.put(i, i)
		if _, ok := g.get(0); !ok && i < 5 {
			t.Fatal("forgot what was used")
		}
		if len(g.young) > 10 || len(g.old) > 10 {
			t.Fatalf("holds %d and %d", len(g.young), len(g.old))
		}
	}
}

func BenchmarkCount(b *testing.B) {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog; it isn't amused, is it? ", 60)[:4096]
	b.Run("library", func(b *testing.B) {
		lib := library(b)
		for b.Loop() {
			lib.Count(text)
		}
	})
	b.Run("pieces", func(b *testing.B) {
		c := newCounter()
		for b.Loop() {
			c.count(math.MaxInt, text)
		}
	})
	b.Run("same text", func(b *testing.B) {
		c := newCounter()
		for b.Loop() {
			c.Count(text)
		}
	})
}

// Property: up to the most, CountTo is Count; a text that has more is told by a
// number beyond it, without counting all, and is not remembered by that number.
func TestCountingStopsWhereTheModelDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat(rapid.SampledFrom(samples).Draw(t, "text"), rapid.IntRange(1, 40).Draw(t, "times"))
		all := newCounter().Count(text)
		most := rapid.IntRange(0, 2*all+1).Draw(t, "most")
		c := newCounter()
		got := c.CountTo(most, text)
		if all <= most && got != all || all > most && got <= most {
			t.Fatalf("%d tokens, counted to %d: %d", all, most, got)
		}
		if again := c.Count(text); again != all {
			t.Fatalf("%d tokens, then counted %d", all, again)
		}
	})
	if n := newCounter().CountTo(100, strings.Repeat("word ", 1<<20)); n > 110 {
		t.Errorf("counted on to %d", n)
	}
}
