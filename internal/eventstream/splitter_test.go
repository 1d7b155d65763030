package eventstream

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// Property: a stream is the same frames, or ends in the same error, however it
// is cut and whoever reads it; and what is spoiled is noticed by both.
func TestASplitterFindsWhatADecoderReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		for _, payload := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 60), 0, 6).Draw(t, "payloads") {
			stream = AppendFrame(stream, EventHeaders("contentBlockDelta", jsonType), payload)
		}
		stream = stream[:rapid.IntRange(0, len(stream)).Draw(t, "end")]
		if at := rapid.IntRange(0, 2*len(stream)).Draw(t, "spoiled"); at < len(stream) {
			stream[at] ^= 0xff
		}
		var want, got [][]byte
		d := NewDecoder(bytes.NewReader(stream))
		_, wantErr := d.Next()
		for ; wantErr == nil; _, wantErr = d.Next() {
			want = append(want, bytes.Clone(d.Frame()))
		}
		s := Splitter{Each: func(frame []byte, m Message) error {
			if again, _, err := Decode(frame); err != nil || !bytes.Equal(again.Payload, m.Payload) || !bytes.Equal(again.Headers, m.Headers) {
				t.Errorf("%q was read as %q %q", frame, m.Headers, m.Payload)
			}
			got = append(got, bytes.Clone(frame))
			return nil
		}}
		var gotErr error
		for rest := stream; len(rest) > 0 && gotErr == nil; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			_, gotErr = s.Write(rest[:n])
			rest = rest[n:]
		}
		if gotErr == nil {
			gotErr = s.End()
		}
		if !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) || len(got) != len(want) || gotErr.Error() != wantErr.Error() {
			t.Fatalf("%d frames and %v, want %d and %v", len(got), gotErr, len(want), wantErr)
		}
	})
}

func TestASplitterStopsWhereItIsTold(t *testing.T) {
	frame := AppendFrame(nil, EventHeaders("contentBlockDelta", jsonType), []byte("{}"))
	seen := 0
	s := Splitter{Each: func([]byte, Message) error {
		if seen++; seen == 2 {
			return io.ErrClosedPipe
		}
		return nil
	}}
	if n, err := s.Write(bytes.Repeat(frame, 3)); n != 2*len(frame) || !errors.Is(err, io.ErrClosedPipe) || seen != 2 {
		t.Errorf("%d bytes, %d frames, %v", n, seen, err)
	}
}

// That headers were sound says nothing of other ones.
func TestASplitterChecksEveryOtherHeaders(t *testing.T) {
	good, bad := EventHeaders("contentBlockDelta", jsonType), Headers("\x01a\x0a")
	var seen int
	s := Splitter{Each: func(_ []byte, m Message) error {
		if m.Again != (seen > 0) {
			t.Errorf("frame %d: headers again: %t", seen, m.Again)
		}
		seen++
		return nil
	}}
	for range 3 {
		if _, err := s.Write(AppendFrame(nil, good, []byte("{}"))); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range []Headers{bad, append(append(Headers(nil), good...), bad...), good[:len(good)-1]} {
		if _, err := s.Write(AppendFrame(nil, h, []byte("{}"))); !errors.Is(err, ErrHeaders) || seen != 3 {
			t.Errorf("%q: %v, %d frames", h, err, seen)
		}
	}
	seen = 0
	if _, err := s.Write(AppendFrame(nil, good, []byte("{}"))); err != nil || seen != 1 {
		t.Errorf("%v, %d frames", err, seen)
	}
}

func BenchmarkSplit(b *testing.B) {
	frame := AppendFrame(nil, EventHeaders("contentBlockDelta", jsonType), []byte(`{"delta":{"text":"Hi"},"contentBlockIndex":0}`))
	for name, cut := range map[string]int{"whole": len(frame), "cut": 50} {
		b.Run(name, func(b *testing.B) {
			s := Splitter{Each: func([]byte, Message) error { return nil }}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Write(frame[:cut]); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Write(frame[cut:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
