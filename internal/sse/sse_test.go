package sse

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// read collects the events of a stream.
func read(r io.Reader, longest, limit int) (events []string, err error) {
	s := Splitter{Longest: longest, Limit: limit, Each: func(data []byte) error {
		events = append(events, string(data))
		return nil
	}}
	_, err = io.Copy(&s, struct{ io.Reader }{r}) // as it comes
	return events, err
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"plain", "data: a\n\ndata: b\n\n", []string{"a", "b"}},
		{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"a", "b"}},
		{"CR", "data: a\r\rdata: b\r\r", []string{"a", "b"}},
		{"mixed", "data: a\r\n\ndata: b\n\r\n", []string{"a", "b"}},
		{"several lines", "data: a\ndata: b\ndata:c\n\n", []string{"a\nb\nc"}},
		{"comments", ": ping\n\n: ping\ndata: a\n: pong\n\n", []string{"a"}},
		{"other fields", "event: x\nid: 1\nretry: 5\ndata: a\n\n", []string{"a"}},
		{"no space", "data:a\n\n", []string{"a"}},
		{"one space only", "data:  a\n\n", []string{" a"}},
		{"empty data", "data\n\ndata:\n\n", []string{"", ""}},
		{"byte order mark", "\uFEFFdata: a\n\n", []string{"a"}},
		{"error field", "error: {}\n\n", []string{"{}"}},
		{"cut off event", "data: a\n\ndata: b\n", []string{"a"}},
		{"cut off line", "data: a\n\ndata: b", []string{"a"}},
		{"nothing", "", nil}, {"short", "d", nil}, {"empty lines", "\n\n\r\n\r", nil},
	} {
		for name, wrap := range readers {
			got, err := read(wrap(strings.NewReader(c.in)), 1<<10, 1<<20)
			if !slices.Equal(got, c.want) || err != nil {
				t.Errorf("%s, %s: %q and %v, want %q", c.name, name, got, err, c.want)
			}
		}
	}
}

var readers = map[string]func(io.Reader) io.Reader{
	"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
	"halves": iotest.HalfReader, "with the error": iotest.DataErrReader,
}

func TestEventBounds(t *testing.T) {
	for _, c := range []struct {
		name string
		in   io.Reader
		want error
	}{
		{"endless line", endless("x"), ErrEventTooLong},
		{"endless event", endless("data: abc\n"), ErrEventTooLong},
		{"endless comments", endless(": ping\n\n"), ErrStreamTooLong},
		{"endless events", endless("data: a\n\n"), ErrStreamTooLong},
		{"broken", io.MultiReader(strings.NewReader("data: a\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
	} {
		if _, err := read(c.in, 64<<10, 1<<20); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestASplitterStopsWhereItIsTold(t *testing.T) {
	seen := 0
	s := Splitter{Longest: 100, Limit: 100, Each: func([]byte) error {
		if seen++; seen == 2 {
			return io.ErrClosedPipe
		}
		return nil
	}}
	if n, err := s.Write([]byte("data: a\n\ndata: b\n\ndata: c\n\n")); n != 18 || !errors.Is(err, io.ErrClosedPipe) || seen != 2 {
		t.Errorf("%d bytes, %d events, %v", n, seen, err)
	}
}

// endless repeats s.
func endless(s string) io.Reader { return &repeater{s: s} }

type repeater struct {
	s  string
	at int
}

func (r *repeater) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r.s[r.at]
		r.at = (r.at + 1) % len(r.s)
	}
	return len(b), nil
}

// plainEvents is the standard's rule, written for clearness.
func plainEvents(in string) (events []string) {
	in = strings.TrimPrefix(in, "\uFEFF")
	in = strings.ReplaceAll(strings.ReplaceAll(in, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(in, "\n")
	var data []string
	for _, line := range lines[:len(lines)-1] {
		name, value, _ := strings.Cut(line, ":")
		switch {
		case line == "" && data != nil:
			events = append(events, strings.Join(data, "\n"))
			data = nil
		case name == "data" || name == "error":
			data = append(data, strings.TrimPrefix(value, " "))
		}
	}
	return events
}

// Property: however the bytes arrive, the events are those of the standard.
func checkEvents(t interface {
	Fatalf(string, ...any)
}, in string) {
	want := plainEvents(in)
	for name, wrap := range readers {
		got, err := read(wrap(strings.NewReader(in)), 1<<20, 1<<20)
		if !slices.Equal(got, want) || err != nil {
			t.Fatalf("%s: events of %q are %q (%v), want %q", name, in, got, err, want)
		}
	}
}

func TestEventsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{"data: ", "data", "error:", ":", "\n", "\r", "\r\n", "x", "é", "\uFEFF", "\n\n", " ", "event: e\n"}))
		checkEvents(t, strings.Join(parts.Draw(t, "parts"), ""))
	})
}

func FuzzEvents(f *testing.F) {
	f.Add("data: a\r\n\r\n: x\ndata\n\ndata:b\rdata: c\r\r")
	f.Add("\uFEFFerror: {\"message\":1}\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		if len(in) < 1<<16 {
			checkEvents(t, in)
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	event := []byte(`data: {"id":"bench","object":"chat.completion.chunk","model":"mock","choices":[{"index":0,"delta":{"content":"sixteen bytes..."},"finish_reason":null}]}` + "\n\n")
	s := Splitter{Longest: 1 << 20, Limit: 1 << 62, Each: func([]byte) error { return nil }}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Write(event); err != nil {
			b.Fatal(err)
		}
	}
}
