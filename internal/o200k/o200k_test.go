package o200k

import (
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
	"中A文b", "ªºa", "\x1c x", strings.Repeat("a", 300), strings.Repeat("ab", 200), strings.Repeat("Ж", 100),
}

func library(t testing.TB) tokenizer.Codec {
	lib, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// likeOriginal leaves out what the module reads differently from the original
// tokenizer: bytes that are not UTF-8, and U+007F, which it does not count.
func likeOriginal(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x7f", "")
}

type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// same compares all tokens of s with the module's.
func same(t failer, lib tokenizer.Codec, s string) {
	t.Helper()
	s = likeOriginal(s)
	_, want, err := lib.Encode(s)
	if err != nil {
		return // the module's pattern engine gave up
	}
	var got []string
	for at := 0; at < len(s); {
		piece, start := s[at:at+Piece(s[at:])], 0
		Tokens(piece, func(end int) {
			got = append(got, piece[start:end])
			start = end
		})
		if start != len(piece) {
			t.Fatalf("tokens of %q end at %d", piece, start)
		}
		at += len(piece)
	}
	if strings.Join(got, "|") != strings.Join(want, "|") || Count(s) != len(want) {
		t.Fatalf("%q: %d tokens %q, want %q", s, Count(s), got, want)
	}
}

// Property: text is cut into the tokens that the module cuts it into.
func TestTokensAreTheVocabularys(t *testing.T) {
	lib := library(t)
	for _, s := range samples {
		same(t, lib, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(samples), rapid.String(),
			rapid.StringOf(rapid.RuneFrom([]rune("aZ'stLl 1\n\r\t/.,ſʼªǅé\u0301字あ한Жж٣\u00a0_-")))))
		same(t, lib, strings.Join(words.Draw(t, "words"), ""))
	})
}

// Every token of the vocabulary is here, at its place.
func TestRanks(t *testing.T) {
	lib, v := library(t), loaded()
	for rank := range uint(199_998) {
		token, err := lib.Decode([]uint{rank})
		if err != nil {
			t.Fatal(err)
		}
		if got := v.rank(token); got != uint32(rank) {
			t.Fatalf("rank of %q = %d, want %d", token, got, rank)
		}
	}
}

func TestBytesThatAreNotUTF8Count(t *testing.T) {
	for s, want := range map[string]int{"\x80": 1, "\xff\xfe": 2, "a\x7f": 2} {
		if got := Count(s); got != want {
			t.Errorf("Count(%q) = %d, want %d", s, got, want)
		}
	}
}

// A word of a quarter of a megabyte is cut, so that its parts fit into little memory.
func TestALongWordIsCountedInPieces(t *testing.T) {
	for _, letters := range []string{"qzxj", "字", "é!", " ", "\n", "\xff"} {
		word, pieces := strings.Repeat(letters, 1<<18/len(letters)), 0
		for at := 0; at < len(word); pieces++ {
			n := Piece(word[at:])
			if n < 1 || n > MaxPieceBytes {
				t.Fatalf("a piece of %d bytes", n)
			}
			if at += n; at < len(word) && letters != "\xff" && !utf8.RuneStart(word[at]) {
				t.Fatalf("%q: a rune is cut at %d", letters, at)
			}
		}
		whole, parts := Count(word), Count(word[:len(word)/16/len(letters)*len(letters)])
		if whole < parts*15 || whole > parts*17+2*pieces {
			t.Errorf("%q: %d tokens in all, %d in a sixteenth", letters, whole, parts)
		}
	}
}

// Property: words that are not cut are counted as ever, wherever they stand.
func TestWordsBeforeTheCutAreExact(t *testing.T) {
	lib := library(t)
	text := strings.Repeat("The quick brown fox isn't amused; 你好 12345!\n  ", 2*MaxPieceBytes/48)
	same(t, lib, text)
}

func FuzzTokens(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	lib := library(f)
	f.Fuzz(func(t *testing.T, s string) {
		Count(s) // whatever it is
		same(t, lib, s)
	})
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := load(packed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLongWord(b *testing.B) {
	word := strings.Repeat("qzxj", MaxPieceBytes/4)
	b.ReportAllocs()
	b.SetBytes(int64(len(word)))
	for b.Loop() {
		Count(word)
	}
}

func BenchmarkCount(b *testing.B) {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog; it isn't amused, is it? ", 60)[:4096]
	b.Run("module", func(b *testing.B) {
		lib := library(b)
		for b.Loop() {
			lib.Count(text)
		}
	})
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			Count(text)
		}
	})
}
