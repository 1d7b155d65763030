package eventstream

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"pgregory.net/rapid"
)

const jsonType = "application/json"

// The golden vectors of reference/runtime-metering-billing.md §1.8.
var golden = []struct {
	headers Headers
	payload string
	frame   string
}{
	{EventHeaders("messageStart", jsonType), `{"p":"abcd","role":"assistant"}`,
		"00000081000000526cc176930b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070005" +
			"6576656e747b2270223a2261626364222c22726f6c65223a22617373697374616e74227df512a005"},
	{ExceptionHeaders("throttlingException", jsonType), `{"message":"Too many tokens, please wait before trying again."}`,
		"000000b0000000614f5086b30f3a657863657074696f6e2d747970650700137468726f74746c696e67457863657074696f6e0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070009" +
			"657863657074696f6e7b226d657373616765223a22546f6f206d616e7920746f6b656e732c20706c656173652077616974206265666f726520747279696e6720616761696e2e227df70ae57f"},
}

func TestGoldenVectors(t *testing.T) {
	for _, g := range golden {
		want, err := hex.DecodeString(g.frame)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendFrame(nil, g.headers, []byte(g.payload)); !bytes.Equal(got, want) {
			t.Errorf("got  %x\nwant %x", got, want)
		}
		m, rest, err := Decode(append(want, "next"...))
		if err != nil || string(rest) != "next" || string(m.Payload) != g.payload || !bytes.Equal(m.Headers, g.headers) {
			t.Errorf("decoded %q %q, rest %q, err %v", m.Headers, m.Payload, rest, err)
		}
	}
}

// sdkHeaders reads headers as the SDK represents them: one of each name.
func sdkHeaders(h Headers) (out sdk.Headers) {
	for name := range h.All() {
		v, _ := h.Get(name)
		out.Set(name, sdkValue(v))
	}
	return out
}

func sdkValue(v Value) sdk.Value {
	switch v.Type {
	case True, False:
		return sdk.BoolValue(v.Bool())
	case Byte:
		return sdk.Int8Value(v.Int())
	case Short:
		return sdk.Int16Value(v.Int())
	case Int:
		return sdk.Int32Value(v.Int())
	case Long:
		return sdk.Int64Value(v.Int())
	case Bytes:
		return sdk.BytesValue(v.Bytes())
	case String:
		return sdk.StringValue(v.String())
	case Timestamp:
		return sdk.TimestampValue(v.Time())
	}
	return sdk.UUIDValue(v.UUID())
}

func countHeaders(h Headers) (n int) {
	for range h.All() {
		n++
	}
	return n
}

var genHeaders = rapid.Custom(func(t *rapid.T) Headers {
	var h Headers
	for range rapid.IntRange(0, 8).Draw(t, "count") {
		name := rapid.StringN(1, 20, 255).Draw(t, "name")
		switch Type(rapid.IntRange(0, 9).Draw(t, "type")) {
		case True, False:
			h = h.Bool(name, rapid.Bool().Draw(t, "bool"))
		case Byte:
			h = h.Byte(name, rapid.Int8().Draw(t, "byte"))
		case Short:
			h = h.Short(name, rapid.Int16().Draw(t, "short"))
		case Int:
			h = h.Int(name, rapid.Int32().Draw(t, "int"))
		case Long:
			h = h.Long(name, rapid.Int64().Draw(t, "long"))
		case Bytes:
			h = h.Bytes(name, rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		case String:
			h = h.String(name, rapid.String().Draw(t, "string"))
		case Timestamp:
			h = h.Time(name, time.UnixMilli(rapid.Int64Range(-1<<40, 1<<42).Draw(t, "time")))
		case UUID:
			h = h.UUID(name, [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid")))
		}
	}
	return h
})

// Property: the SDK reads what we write, to the same headers and payload, and
// writes the same bytes for them.
func TestSDKAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, payload := genHeaders.Draw(t, "headers"), rapid.SliceOf(rapid.Byte()).Draw(t, "payload")
		frame := AppendFrame(nil, h, payload)
		theirs, err := sdk.NewDecoder().Decode(bytes.NewReader(frame), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := sdkHeaders(h); len(want)+len(theirs.Headers) > 0 && !reflect.DeepEqual(theirs.Headers, want) {
			t.Fatalf("the SDK read %v, want %v", theirs.Headers, want)
		}
		if !bytes.Equal(theirs.Payload, payload) {
			t.Fatalf("the SDK read payload %q, want %q", theirs.Payload, payload)
		}
		if len(theirs.Headers) != countHeaders(h) {
			return // the SDK does not keep what has the same name
		}
		var buf bytes.Buffer
		if err := sdk.NewEncoder().Encode(&buf, theirs); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(buf.Bytes(), frame) {
			t.Fatalf("the SDK wrote %x, we %x", buf.Bytes(), frame)
		}
		m, rest, err := Decode(frame)
		if err != nil || len(rest) != 0 || !bytes.Equal(m.Headers, h) || !bytes.Equal(m.Payload, payload) {
			t.Fatalf("we read %v %q, %v", m, rest, err)
		}
	})
}

// Property: nothing on the wire makes the decoder misbehave; what it takes, the
// SDK takes too and reads alike, and encoding it again gives the same bytes.
func FuzzDecode(f *testing.F) {
	for _, g := range golden {
		f.Add(AppendFrame(nil, g.headers, []byte(g.payload)))
	}
	f.Add(AppendFrame(nil, nil, nil))
	f.Add(AppendFrame(nil, ErrorHeaders("a", "b"), nil))
	all := Headers(nil).Bool("t", true).Bool("f", false).Byte("b", -1).Short("s", -2).Int("i", -3).Long("l", -4).Bytes("y", []byte{1}).String("z", "x").Time("d", time.UnixMilli(5)).UUID("u", [16]byte{6})
	f.Add(AppendFrame(nil, all, []byte("{}")))
	f.Add(AppendFrame(nil, Headers("\x00\x00"), nil))
	f.Add(AppendFrame(nil, Headers("\x01a\x0a"), nil))
	f.Add(AppendFrame(nil, Headers("\x01a\x07\x00\x09x"), nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for range 2 { // first as given, then with sound checksums
			m, rest, err := Decode(b)
			if err == nil {
				agree(t, b[:len(b)-len(rest)], m)
			}
			if len(b) >= overheadBytes {
				n := len(b) - overheadBytes
				b = AppendFrame(nil, b[preludeBytes:preludeBytes+n/2], b[preludeBytes+n/2:preludeBytes+n])
			}
		}
	})
}

func agree(t *testing.T, frame []byte, m Message) {
	if got := AppendFrame(nil, m.Headers, m.Payload); !bytes.Equal(got, frame) {
		t.Fatalf("written again as %x, was %x", got, frame)
	}
	theirs, err := sdk.NewDecoder().Decode(bytes.NewReader(frame), nil)
	if err != nil {
		t.Fatalf("%x: the SDK says %v", frame, err)
	}
	if want := sdkHeaders(m.Headers); len(want)+len(theirs.Headers) > 0 && !reflect.DeepEqual(theirs.Headers, want) || !bytes.Equal(theirs.Payload, m.Payload) {
		t.Fatalf("%x: the SDK read %v %q, we %v %q", frame, theirs.Headers, theirs.Payload, want, m.Payload)
	}
}

func TestEveryByteIsGuarded(t *testing.T) {
	frame := AppendFrame(nil, EventHeaders("chunk", jsonType), []byte(`{"bytes":"e30="}`))
	for i := range frame {
		for bit := range 8 {
			frame[i] ^= 1 << bit
			if _, _, err := Decode(frame); err == nil {
				t.Errorf("bit %d of byte %d may flip", bit, i)
			}
			frame[i] ^= 1 << bit
		}
	}
	for n := range frame {
		if _, _, err := Decode(frame[:n]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: %v", n, len(frame), err)
		}
	}
}

func TestLimits(t *testing.T) {
	many := Headers(nil)
	for range MaxHeaders + 1 {
		many = many.Bool("x", true)
	}
	for _, c := range []struct {
		name  string
		frame []byte
		want  error
	}{
		{"too many headers", AppendFrame(nil, many, nil), ErrHeaders},
		{"headers too long", AppendFrame(nil, make(Headers, MaxHeadersBytes+1), nil), ErrLength},
		{"frame too long", AppendFrame(nil, nil, make([]byte, MaxFrameBytes-overheadBytes+1)), ErrLength},
		{"empty name", AppendFrame(nil, Headers{0, 0}, nil), ErrHeaders},
		{"unknown type", AppendFrame(nil, Headers{1, 'a', 10}, nil), ErrHeaders},
		{"no type", AppendFrame(nil, Headers{1, 'a'}, nil), ErrHeaders},
		{"string cut short", AppendFrame(nil, Headers{1, 'a', 7, 0, 2, 'x'}, nil), ErrHeaders},
		{"length cut short", AppendFrame(nil, Headers{1, 'a', 7, 0}, nil), ErrHeaders},
		{"long cut short", AppendFrame(nil, Headers{1, 'a', 5, 0}, nil), ErrHeaders},
	} {
		if _, _, err := Decode(c.frame); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := NewDecoder(bytes.NewReader(c.frame)).Next(); !errors.Is(err, c.want) {
			t.Errorf("%s, streamed: %v", c.name, err)
		}
	}
	if _, _, err := Decode(AppendFrame(nil, nil, make([]byte, MaxFrameBytes-overheadBytes))); err != nil {
		t.Errorf("the longest frame: %v", err)
	}
	long := Headers(nil).String(strings.Repeat("n", 300), strings.Repeat("v", 1<<16)).Bytes("b", make([]byte, 1<<16))
	if long.check() != nil || len(long.Text(strings.Repeat("n", 255))) != maxValueBytes {
		t.Error("long names and values are not cut")
	}
}

func TestDecoderReadsAStream(t *testing.T) {
	var stream []byte
	for i, g := range golden {
		stream = AppendFrame(stream, g.headers, []byte(g.payload))
		stream = AppendFrame(stream, EventHeaders("big", jsonType), bytes.Repeat([]byte{byte(i)}, 300<<10))
	}
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream))} {
		d := NewDecoder(r)
		for i, g := range golden {
			m, err := d.Next()
			if err != nil || string(m.Payload) != g.payload {
				t.Fatalf("%s: %v %v", name, m, err)
			}
			if m, err = d.Next(); err != nil || len(m.Payload) != 300<<10 || m.Payload[99] != byte(i) || m.Headers.Text(EventType) != "big" {
				t.Fatalf("%s: %d bytes, %v", name, len(m.Payload), err)
			}
		}
		if _, err := d.Next(); err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, cut := range []int{1, 11, 12, 13, 100} {
		if _, err := NewDecoder(bytes.NewReader(stream[:cut])).Next(); err != io.ErrUnexpectedEOF {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	broken := errors.New("broken")
	if _, err := NewDecoder(io.MultiReader(bytes.NewReader(stream[:50]), iotest.ErrReader(broken))).Next(); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
}

// A length that nothing follows must not cost its memory.
func TestMemoryFollowsArrival(t *testing.T) {
	frame := AppendFrame(nil, nil, make([]byte, MaxFrameBytes-overheadBytes))
	d := NewDecoder(bytes.NewReader(frame[:100]))
	if _, err := d.Next(); err != io.ErrUnexpectedEOF || cap(d.buf) > 2*readStepBytes {
		t.Errorf("err %v, %d bytes held", err, cap(d.buf))
	}
}

func TestHeaderValues(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	h := Headers(nil).Bool("t", true).Bool("f", false).Byte("b", -1).Short("s", -2).Int("i", -3).Long("l", -4).Bytes("y", []byte{1}).String("z", "first").Time("d", at).UUID("u", [16]byte{6}).String("z", "x")
	get := func(name string) Value { v, _ := h.Get(name); return v }
	if !get("t").Bool() || get("f").Bool() || get("b").Int() != -1 || get("s").Int() != -2 || get("i").Int() != -3 || get("l").Int() != -4 ||
		get("y").Bytes()[0] != 1 || get("z").String() != "x" || get("d").Time() != at || get("u").UUID() != [16]byte{6} {
		t.Error("a value was read wrongly")
	}
	if v := get("z"); v.Int() != 0 || !v.Time().IsZero() || v.UUID() != [16]byte{} || get("i").String() != "" {
		t.Error("a value was read as another type")
	}
	if _, ok := h.Get("none"); ok || Headers("\x05").Text("x") != "" {
		t.Error("a header was found that is not there")
	}
	for range h.All() {
		break
	}
}

func TestErrorHeaders(t *testing.T) {
	h := ErrorHeaders("InternalFailure", "sorry")
	if h.Text(MessageType) != Error || h.Text(ErrorCode) != "InternalFailure" || h.Text(ErrorMessage) != "sorry" {
		t.Errorf("headers %q", h)
	}
}

func TestFramesCostNoAllocation(t *testing.T) {
	h, payload, dst := EventHeaders("contentBlockDelta", jsonType), []byte(`{"delta":{"text":"Hi"},"contentBlockIndex":0}`), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { dst = AppendFrame(dst[:0], h, payload) }); n != 0 {
		t.Errorf("%v allocations to write a frame", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		m, _, err := Decode(dst)
		if v, ok := m.Headers.Get(EventType); err != nil || !ok || v.Type != String {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations to read a frame", n)
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	h, payload, dst := EventHeaders("contentBlockDelta", jsonType), []byte(`{"delta":{"text":"Hi"},"contentBlockIndex":0}`), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendFrame(dst[:0], h, payload)
	}
}

func BenchmarkDecode(b *testing.B) {
	frame := AppendFrame(nil, EventHeaders("contentBlockDelta", jsonType), []byte(`{"delta":{"text":"Hi"},"contentBlockIndex":0}`))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}
