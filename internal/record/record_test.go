package record

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

const testSalt = 0x1234_5678_9abc_def0

// sealed lays out payloads as one commit at file offset off.
func sealed(off int64, payloads ...[]byte) []byte {
	var buf []byte
	for _, p := range payloads {
		buf = Append(buf, 1, p)
	}
	for at, seq := 0, uint64(1); at < len(buf); seq++ {
		at += Seal(buf[at:], testSalt, off+int64(at), uint32(off), seq)
	}
	return buf
}

func TestFramesComeBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payloads := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 100), 1, 10).Draw(t, "payloads")
		off := int64(rapid.IntRange(0, 1<<20).Draw(t, "off")) * Align
		buf, at := sealed(off, payloads...), 0
		for i, want := range payloads {
			f, err := Read(buf[at:], testSalt, off+int64(at))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Payload, want) || f.Seq != uint64(i+1) || f.Commit != uint32(off) || f.Bytes != Size(len(want)) {
				t.Fatalf("frame %d = %+v, want payload %x", i, f, want)
			}
			at += f.Bytes
		}
		if at != len(buf) {
			t.Fatalf("frames end at %d of %d", at, len(buf))
		}
	})
}

func TestAnyChangedBitIsNoticed(t *testing.T) {
	buf := sealed(64, []byte("a payload of some length"))
	for bit := range (HeaderBytes + 24) * 8 {
		damaged := bytes.Clone(buf)
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := Read(damaged, testSalt, 64); err == nil {
			t.Errorf("bit %d changed and nobody noticed", bit)
		}
	}
}

func TestAFrameOfAnotherPlaceOrFileIsNone(t *testing.T) {
	buf := sealed(64, []byte("payload"))
	if _, err := Read(buf, testSalt, 72); !errors.Is(err, ErrBad) {
		t.Errorf("at another place: %v", err)
	}
	if _, err := Read(buf, testSalt+1, 64); !errors.Is(err, ErrBad) {
		t.Errorf("in another file: %v", err)
	}
}

func TestWhatIsNoFrameSaysWhy(t *testing.T) {
	whole := sealed(0, []byte("payload"))
	for name, c := range map[string]struct {
		buf  []byte
		want error
	}{
		"nothing":         {nil, ErrShort},
		"zeros":           {make([]byte, 64), ErrEmpty},
		"half a header":   {whole[:10], ErrShort},
		"half a payload":  {whole[:HeaderBytes+2], ErrShort},
		"no type":         {append(make([]byte, 4), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), ErrBad},
		"a length beyond": {bytes.Repeat([]byte{0xff}, 64), ErrShort},
	} {
		if _, err := Read(c.buf, testSalt, 0); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestFindSkipsDamage(t *testing.T) {
	buf := sealed(64, []byte("first"), []byte("second"), []byte("third"))
	buf[HeaderBytes] ^= 1
	f, at, ok := Find(buf, testSalt, 64)
	if !ok || string(f.Payload) != "second" || at != Size(5) {
		t.Errorf("found %q at %d, %v", f.Payload, at, ok)
	}
	if _, _, ok := Find(make([]byte, 1<<16), testSalt, 64); ok {
		t.Error("found a frame in zeros")
	}
}

func TestFieldsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, u, i := rapid.StringN(1, -1, 1000).Draw(t, "s"), rapid.Uint64Min(1).Draw(t, "u"), rapid.Int64().Draw(t, "i")
		k, v := rapid.String().Draw(t, "k"), rapid.String().Draw(t, "v")
		b := PutInt(AppendUint(AppendString(nil, 1, s), 300, u), 3, i)
		b = AppendNumbered(AppendPair(b, 4, k, v), 5, u, uint64(i))
		for len(b) > 0 {
			f, rest, err := Next(b)
			if err != nil {
				t.Fatal(err)
			}
			b = rest
			ok := false
			switch f.Tag {
			case 1:
				ok = string(f.Value) == s
			case 300:
				n, err := f.Uint()
				ok = err == nil && n == u
			case 3:
				n, err := f.Int()
				ok = err == nil && n == i
			case 4:
				key, value, err := f.Pair()
				ok = err == nil && key == k && value == v
			case 5:
				key, n, err := f.Numbered()
				ok = err == nil && key == u && n == uint64(i)
			}
			if !ok {
				t.Fatalf("field %d = %x", f.Tag, f.Value)
			}
		}
	})
}

func FuzzNext(f *testing.F) {
	f.Add(AppendPair(AppendInt(AppendString(nil, 1, "text"), 2, -5), 3, "k", "v"))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			field, rest, err := Next(b)
			if err != nil {
				return
			}
			if len(rest) >= len(b) {
				t.Fatal("no progress")
			}
			b = rest
			_, _ = field.Uint()
			_, _ = field.Int()
			_, _, _ = field.Numbered()
			_, _, _ = field.Pair()
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(sealed(64, []byte("payload")), int64(64))
	f.Fuzz(func(t *testing.T, b []byte, off int64) {
		frame, err := Read(b, testSalt, off)
		if err == nil && (frame.Type == 0 || HeaderBytes+len(frame.Payload) > len(b)) {
			t.Fatalf("impossible frame %+v", frame)
		}
		if _, at, ok := Find(b, testSalt, off); ok && at%Align != 0 {
			t.Fatalf("found a frame at %d", at)
		}
	})
}
