package jsonlex

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// tree reads any value the way encoding/json does into an any, strings with str.
func tree(l *Lexer, str func(*Lexer) string) any {
	switch l.Peek() {
	case ObjectValue:
		m := map[string]any{}
		for l.Object(); l.Member(); {
			name := strings.Clone(l.Name())
			m[name] = tree(l, str)
		}
		return m
	case ListValue:
		list := []any{}
		for l.Array(); l.Element(); {
			list = append(list, tree(l, str))
		}
		return list
	case StringValue:
		return str(l)
	case BoolValue:
		return l.Bool()
	case NullValue:
		l.Null()
		return nil
	}
	return l.Float()
}

func parse(text []byte) (any, error) {
	var l Lexer
	l.Reset(text)
	v := tree(&l, (*Lexer).String)
	return v, l.Done()
}

// parseAndSpoil overwrites the text after reading it with Text.
func parseAndSpoil(text []byte) (any, error) {
	var l Lexer
	l.Reset(text)
	v := tree(&l, (*Lexer).Text)
	err := l.Done()
	for i := range text {
		text[i] = '!'
	}
	return v, err
}

func skip(text []byte) error {
	var l Lexer
	l.Reset(text)
	l.Skip()
	return l.Done()
}

var texts = []string{
	`{}`, `[]`, `""`, `0`, `-0`, `null`, `true`, `false`, ` { "a" : [ 1 , 2.5e-3 , "x" ] } `, "\t\r\n1\n",
	`{"a":{"b":[{"c":null},{}]},"d":[[],[[]]]}`, `{"a":1,"a":2}`, `"\u00e9\ud83d\ude00\n\/\b\f\r\t\"\\"`,
	`"\ud800"`, `"\ud800x"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\ud800\u0041"`, `{"\u0061":1}`, `"\uD83D\uDE00"`,
	`"12345678\n12345678\"1234567"`, `"ünïcödé 日本語 ﷽"`, `1e308`, `1E+2`, `-1.5e-7`, `123456789012345678901234567890`,
	// refused
	``, ` `, `{`, `}`, `[`, `]`, `,`, `:`, `"`, `"\`, `"\"`, `"\u`, `"\u12`, `"\u12"`, `"\u12g4"`, `"\x41"`, `"\U0041"`, "\"\n\"", "\"\x00\"", "\"12345678\x1f\"",
	`{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{,}`, `{a:1}`, `{1:1}`, `{"a":1]`, `[1,]`, `[,1]`, `[1 2]`, `[1}`, `[1,,2]`,
	`01`, `-`, `-a`, `+1`, `.5`, `1.`, `1.e1`, `1e`, `1e+`, `0x10`, `00`, `-01`, `1_000`, `NaN`, `Infinity`, `1 2`, `{} {}`, `{}x`, `nul`, `nulll`, `tru`, `True`, `falsey`, `'a'`, `// x`, "\ufeff{}", "{}\x00", "\v1", "\u00a01",
	`{"a":"b`, `{"a`, `{"a":tru}`, `[tru`, `[1e`, `["\`,
}

// Property: the lexer takes exactly the texts that encoding/json takes, and
// reads the same values, whether it skips or reads them.
func agrees(t *testing.T, text []byte) {
	if !utf8.Valid(text) {
		if skip(text) == nil {
			t.Errorf("invalid UTF-8 taken: %q", text)
		}
		return
	}
	if depth(text) > MaxDepth {
		return
	}
	valid := json.Valid(text)
	if err := skip(text); (err == nil) != valid {
		t.Fatalf("%q: Skip says %v, json.Valid says %v", text, err, valid)
	}
	var want any
	wantErr := json.Unmarshal(text, &want)
	got, err := parse(text)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: %v, encoding/json says %v", text, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q:\n got %#v\nwant %#v", text, got, want)
	}
	if kept, keptErr := parseAndSpoil(bytes.Clone(text)); !reflect.DeepEqual(keptErr, err) || err == nil && !reflect.DeepEqual(kept, want) {
		t.Fatalf("%q kept:\n got %#v, %v\nwant %#v, %v", text, kept, keptErr, want, err)
	}
	if err != nil {
		PathAt(text, err.(*Error).Offset) // must not loop or panic
	}
}

// depth is an upper bound of the nesting.
func depth(text []byte) int { return bytes.Count(text, []byte{'{'}) + bytes.Count(text, []byte{'['}) }

func TestAgreesWithEncodingJSON(t *testing.T) {
	for _, s := range texts {
		agrees(t, []byte(s))
	}
}

func FuzzLexer(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
	f.Fuzz(agrees)
}

// Property: a string is written as encoding/json writes it without HTML
// escaping, and read back as it was.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", `"\`, "<a href='x'>&", "\x00\x1f\x7f\b\f\n\r\t", "é日本😀", "\u2028\u2029", "a\xffb\xc3", "\xed\xa0\x80", "12345678\xe2\x80", "1234567\"12345678\\", "\ufffd"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			t.Fatal(err)
		}
		got := AppendString([]byte("x"), s)
		if want := "x" + strings.TrimSuffix(b.String(), "\n"); string(got) != want {
			t.Fatalf("%q: got %s want %s", s, got, want)
		}
		back, err := parse(got[1:])
		if err != nil || back != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("%q read back as %q, %v", s, back, err)
		}
	})
}

func TestFloatsAsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1e21, 1e20, 1e-6, 9.99e-7, 5e-324, math.MaxFloat64, 0.1, 100})).Draw(t, "f")
		if math.IsNaN(f) || math.IsInf(f, 0) {
			t.Skip()
		}
		want, _ := json.Marshal(f)
		if got := AppendFloat(nil, f); string(got) != string(want) {
			t.Fatalf("got %s want %s", got, want)
		}
	})
	for _, c := range []struct {
		f    float64
		want string
	}{{math.NaN(), `"NaN"`}, {math.Inf(1), `"Infinity"`}, {math.Inf(-1), `"-Infinity"`}} {
		if got := AppendFloat(nil, c.f); string(got) != c.want {
			t.Errorf("%v: got %s", c.f, got)
		}
	}
}

func TestInt(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int64
		ok   bool
	}{
		{"0", 0, true}, {"-0", 0, true}, {"-7", -7, true}, {"9223372036854775807", math.MaxInt64, true}, {"-9223372036854775808", math.MinInt64, true},
		{"9223372036854775808", 0, false}, {"1.0", 1, true}, {"1e2", 100, true}, {"1.5", 0, false}, {"1e300", 0, false}, {`"1"`, 0, false}, {"null", 0, false}, {"01", 0, false}, {"", 0, false},
	} {
		var l Lexer
		l.Reset([]byte(c.text))
		n := l.Int()
		if err := l.Done(); n != c.n && c.ok || (err == nil) != c.ok {
			t.Errorf("%q: %d, %v", c.text, n, err)
		}
	}
}

// Property: base64 is accepted exactly when encoding/base64 accepts it, with
// line breaks tolerated, and its text is kept.
func base64Agrees(t *testing.T, s string) {
	quoted := AppendString(nil, s)
	var l Lexer
	l.Reset(quoted)
	got := l.Base64()
	err := l.Done()
	want, wantErr := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(s))
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: %v, encoding/base64 says %v", s, err, wantErr)
	}
	if err == nil {
		back, err := base64.StdEncoding.AppendDecode(nil, got)
		if err != nil || !bytes.Equal(back, want) || got == nil {
			t.Fatalf("%q: kept as %q", s, got)
		}
	}
}

func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "QQ==", "QUI=", "QUJD", "QUJDREVGR0hJSktMTU5PUA==", "QQ", "Q===", "====", "QQ=A", "Q Q=", "+/+/", "-_-_", "QUJD\nQUJD\r\n", "\xff\xff\xff\xff", "QUJDREVG\x80R0h", "@[`{", "QUJD,./:"} {
		f.Add(s)
	}
	f.Fuzz(base64Agrees)
}

func TestBase64ByteByByte(t *testing.T) {
	for c := range 256 {
		for at := range 12 {
			b := []byte("QUJDREVGR0hJ")
			b[at] = byte(c)
			base64Agrees(t, string(b))
		}
	}
}

func TestRawKeepsText(t *testing.T) {
	var l Lexer
	l.Reset([]byte(`{"a": { "x" : [1, 2.50] } ,"b":1}`))
	l.Object()
	l.Member()
	if got := string(l.Raw()); got != `{ "x" : [1, 2.50] }` {
		t.Errorf("raw = %s", got)
	}
	l.Member()
	if l.Name() != "b" || l.Int() != 1 || l.Member() || l.Done() != nil {
		t.Error("what follows the raw value was not read")
	}
}

func TestDepthIsLimited(t *testing.T) {
	at := func(n int) error {
		return skip([]byte(strings.Repeat("[", n) + strings.Repeat("]", n)))
	}
	if err := at(MaxDepth); err != nil {
		t.Error(err)
	}
	if at(MaxDepth+1) == nil || skip(bytes.Repeat([]byte(`{"a":`), 1<<20)) == nil {
		t.Error("deep nesting taken")
	}
}

func TestPathAt(t *testing.T) {
	text := `{"messages":[{"role":"user"},{"role":"x","content":[{"a":1}, 7]}],"b":{"c\n":tru}}`
	for _, c := range []struct {
		at   string
		want []Step
	}{
		{`{"messages`, nil},
		{`{"role":"x`, []Step{{"messages", -1}, {"", 1}}},
		{`"x"`, []Step{{"messages", -1}, {"", 1}, {"role", -1}}},
		{`7]`, []Step{{"messages", -1}, {"", 1}, {"content", -1}, {"", 1}}},
		{`tru`, []Step{{"b", -1}, {"c\n", -1}}},
	} {
		if got := PathAt([]byte(text), strings.Index(text, c.at)); len(got)+len(c.want) > 0 && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v want %v", c.at, got, c.want)
		}
	}
}

func TestPathsAt(t *testing.T) {
	text := []byte(`{"a":[null,{"b":{}}],"c":1}`)
	at := func(s string) int { return bytes.Index(text, []byte(s)) }
	got := PathsAt(text, []int{at("1}"), 0, at("{}"), at("null"), at("null"), 3, 99})
	want := [][]Step{{{"c", -1}}, nil, {{"a", -1}, {"", 1}, {"b", -1}}, {{"a", -1}, {"", 0}}, {{"a", -1}, {"", 0}}, nil, nil}
	for i := range want {
		if len(got[i])+len(want[i]) > 0 && !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%d: got %v want %v", i, got[i], want[i])
		}
	}
}

// Property: unescaped strings stay what they were when more are read after
// them: the arena they share is only ever appended to.
func TestArena(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.StringN(0, 400, 3000), 0, 40).Draw(t, "strings")
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var l Lexer
		l.Reset(text)
		got := []string{}
		for l.Array(); l.Element(); {
			got = append(got, l.String())
		}
		if err := l.Done(); err != nil {
			t.Fatal(err)
		}
		var std []string
		if err := json.Unmarshal(text, &std); err != nil {
			t.Fatal(err)
		}
		if len(std) > 0 && !reflect.DeepEqual(got, std) {
			t.Fatalf("got %q want %q", got, std)
		}
	})
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	for _, c := range []struct {
		text string
		want Error
	}{
		{`["a\x"]`, Error{Kind: Syntax, Offset: 4, Message: "unexpected 'x' in a string escape"}},
		{`["a\u12"]`, Error{Kind: Syntax, Offset: 4, Message: "unexpected 'u' in a string escape"}},
		{`["a\`, Error{Kind: Syntax, Offset: 4, Message: "unexpected end of JSON in a string escape"}},
		{`[1,]`, Error{Kind: Syntax, Offset: 3, Message: "unexpected ']' after a comma"}},
		{`{} 1`, Error{Kind: Trailing, Offset: 3, Message: "unexpected '1' after the top-level value"}},
		{"[\"\xff\"]", Error{Kind: NotUTF8, Offset: 2, Message: "invalid UTF-8"}},
		{strings.Repeat("[", 600), Error{Kind: TooDeep, Offset: MaxDepth, Message: "nested too deeply"}},
	} {
		if got := skip([]byte(c.text)); !reflect.DeepEqual(got, &c.want) {
			t.Errorf("%.20s: %#v, want %#v", c.text, got, c.want)
		}
	}
	var l Lexer
	l.Reset([]byte(` 1.5 ,`))
	if start, n := l.Offset(), l.Raw(); start != 1 || string(n) != "1.5" || l.End() != 4 {
		t.Errorf("%s from %d to %d", n, start, l.End())
	}
}

// An error must stop every loop, so that a caller may ask only at the end.
func TestErrorSticks(t *testing.T) {
	var l Lexer
	l.Reset([]byte(`[1,2,x,4]`))
	n := 0
	for l.Array(); l.Element(); n++ {
		l.Int()
	}
	if n != 3 || l.Done() == nil || l.Element() || l.Member() || l.Int() != 0 || l.Raw() != nil || !l.Failed() {
		t.Errorf("%d elements, err %v", n, l.Done())
	}
}

// Property: a byte beyond ASCII is found wherever it stands.
func TestASCII(t *testing.T) {
	for n := range 70 {
		b := bytes.Repeat([]byte{'a'}, n)
		if !ASCII(string(b)) {
			t.Errorf("%d plain bytes are not ASCII", n)
		}
		for i := range b {
			b[i] = 0x80
			if ASCII(string(b)) {
				t.Errorf("byte %d of %d was missed", i, n)
			}
			b[i] = 'a'
		}
	}
}

// Property: the first byte that a string cannot simply hold is found wherever
// it stands, whatever follows, and no other is taken for one.
func TestPlainFindsTheFirst(t *testing.T) {
	for n := range 200 {
		b := bytes.Repeat([]byte{'a'}, n)
		for i := range b {
			for c := range 256 {
				b[i] = byte(c)
				want := i
				if c >= ' ' && c != '"' && c != '\\' {
					want = n - 1
				}
				b[n-1] = '"'
				if got := plain(b, 0); got != want {
					t.Errorf("%#x at %d of %d: the end is found at %d", c, i, n, got)
				}
				b[i], b[n-1] = 'a', 'a'
			}
		}
	}
}

// Property: a step is quiet when each byte in it is, whichever it is.
func TestQuietSteps(t *testing.T) {
	b := bytes.Repeat([]byte{'a'}, 3*stepBytes)
	for i := range b {
		for c := range 256 {
			b[i] = byte(c)
			want := 3
			if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
				want = i / stepBytes
			}
			if got := quietSteps(&b[0], 3); got != want {
				t.Errorf("with %#x at %d, %d steps are quiet", c, i, got)
			}
		}
		b[i] = '~'
	}
}

// Property: long texts are valid UTF-8 here when they are to the standard
// library, and end where strings of them end, whatever is quiet in them.
func TestLongTexts(t *testing.T) {
	parts := []string{"a", "a", "é", "€", "\U0001f600", "\x80", "\xe2\x82", "\xf0\x9f", `"`, `\`, "\n"}
	rapid.Check(t, func(t *rapid.T) {
		var b []byte
		for range rapid.IntRange(0, 6).Draw(t, "parts") {
			part := rapid.SampledFrom(parts).Draw(t, "part")
			times := rapid.OneOf(rapid.IntRange(1, 3), rapid.IntRange(1, 3*leastQuiet)).Draw(t, "times")
			b = append(b, strings.Repeat(part, times)...)
		}
		l := Lexer{data: b}
		if got, want := l.survey(), utf8.Valid(b); got != want {
			t.Errorf("valid: %v, not %v", got, want)
		}
		for i := 0; i < len(b); i += 1 + i/20 {
			if got, want := l.plainFrom(i), plain(b, i); got != want {
				t.Errorf("from %d on it is plain up to %d, not %d; quiet from %d to %d", i, got, want, l.quietFrom, l.quietTo)
			}
		}
	})
}

// A megabyte of picture in a body with some text, as it is read.
func BenchmarkPicture(b *testing.B) {
	picture := bytes.Repeat([]byte("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf"), 1<<20/40)
	for name, text := range map[string]string{"after ASCII": "What is this?", "after lines": "What\\nis\\nthis?", "after other letters": "Was zeigt das für ein Bild?"} {
		b.Run(name, func(b *testing.B) {
			body := []byte(`{"text":"` + text + `","data":"` + string(picture) + `"}`)
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if skip(body) != nil {
					b.Fatal("no JSON")
				}
			}
		})
	}
}
