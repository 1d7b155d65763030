package eventstream

import (
	"encoding/binary"
	"iter"
	"time"
)

// The headers that every AWS stream uses, and values of :message-type.
const (
	MessageType   = ":message-type"
	EventType     = ":event-type"
	ContentType   = ":content-type"
	ExceptionType = ":exception-type"
	ErrorCode     = ":error-code"
	ErrorMessage  = ":error-message"

	Event     = "event"
	Exception = "exception"
	Error     = "error"
)

// Headers are a frame's headers as they stand on the wire. Build them once and
// use them for many frames.
type Headers []byte

// EventHeaders are those of a normal event, in the order seen on the wire.
func EventHeaders(eventType, contentType string) Headers {
	return Headers(nil).String(EventType, eventType).String(ContentType, contentType).String(MessageType, Event)
}

// ExceptionHeaders are those of a modelled exception, named as a member of the
// stream's union is: throttlingException.
func ExceptionHeaders(exceptionType, contentType string) Headers {
	return Headers(nil).String(ExceptionType, exceptionType).String(ContentType, contentType).String(MessageType, Exception)
}

// ErrorHeaders are those of an error that the service model does not have. It
// has no payload.
func ErrorHeaders(code, message string) Headers {
	return Headers(nil).String(ErrorCode, code).String(ErrorMessage, message).String(MessageType, Error)
}

// A Type is that of a header's value.
type Type uint8

// The types, by their number on the wire.
const (
	True Type = iota
	False
	Byte
	Short
	Int
	Long
	Bytes
	String
	Timestamp
	UUID
)

// fixedBytes are the sizes of values; Bytes and String have a length instead.
var fixedBytes = [...]int{True: 0, False: 0, Byte: 1, Short: 2, Int: 4, Long: 8, Bytes: -1, String: -1, Timestamp: 8, UUID: 16}

// Longest name and value that a header can say.
const (
	maxNameBytes  = 255
	maxValueBytes = 1<<15 - 1
)

// name begins a header. A longer name is cut: names are ours, not a client's.
func (h Headers) name(name string, t Type) Headers {
	name = name[:min(len(name), maxNameBytes)]
	return append(append(append(h, byte(len(name))), name...), byte(t))
}

// String adds a string, cut to the 32,767 bytes that a header can hold.
func (h Headers) String(name, value string) Headers {
	value = value[:min(len(value), maxValueBytes)]
	return append(binary.BigEndian.AppendUint16(h.name(name, String), uint16(len(value))), value...)
}

// Bytes adds bytes, cut to the 32,767 that a header can hold.
func (h Headers) Bytes(name string, value []byte) Headers {
	value = value[:min(len(value), maxValueBytes)]
	return append(binary.BigEndian.AppendUint16(h.name(name, Bytes), uint16(len(value))), value...)
}

// Bool adds a boolean.
func (h Headers) Bool(name string, value bool) Headers {
	if value {
		return h.name(name, True)
	}
	return h.name(name, False)
}

// Byte adds an 8-bit integer.
func (h Headers) Byte(name string, value int8) Headers {
	return append(h.name(name, Byte), byte(value))
}

// Short adds a 16-bit integer.
func (h Headers) Short(name string, value int16) Headers {
	return binary.BigEndian.AppendUint16(h.name(name, Short), uint16(value))
}

// Int adds a 32-bit integer.
func (h Headers) Int(name string, value int32) Headers {
	return binary.BigEndian.AppendUint32(h.name(name, Int), uint32(value))
}

// Long adds a 64-bit integer.
func (h Headers) Long(name string, value int64) Headers {
	return binary.BigEndian.AppendUint64(h.name(name, Long), uint64(value))
}

// Time adds a timestamp of millisecond precision.
func (h Headers) Time(name string, value time.Time) Headers {
	return binary.BigEndian.AppendUint64(h.name(name, Timestamp), uint64(value.UnixMilli()))
}

// UUID adds a UUID.
func (h Headers) UUID(name string, value [16]byte) Headers {
	return append(h.name(name, UUID), value[:]...)
}

// A Value is a header's value, still in wire form.
type Value struct {
	Type Type
	raw  []byte
}

// String is the text of a String, empty for any other type.
func (v Value) String() string {
	if v.Type != String {
		return ""
	}
	return string(v.raw)
}

// Bytes is the value on the wire, without its length.
func (v Value) Bytes() []byte { return v.raw }

// Bool says whether the value is True.
func (v Value) Bool() bool { return v.Type == True }

// Int is the value of any integer type, 0 otherwise.
func (v Value) Int() int64 {
	switch v.Type {
	case Byte:
		return int64(int8(v.raw[0]))
	case Short:
		return int64(int16(binary.BigEndian.Uint16(v.raw)))
	case Int:
		return int64(int32(binary.BigEndian.Uint32(v.raw)))
	case Long:
		return int64(binary.BigEndian.Uint64(v.raw))
	}
	return 0
}

// Time is the value of a Timestamp, the zero time otherwise.
func (v Value) Time() time.Time {
	if v.Type != Timestamp {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(v.raw))).UTC()
}

// UUID is the value of a UUID, zero otherwise.
func (v Value) UUID() (id [16]byte) {
	if v.Type == UUID {
		copy(id[:], v.raw)
	}
	return id
}

// Get finds the header of that name, the last if there are several, as AWS's
// SDKs do.
func (h Headers) Get(name string) (found Value, ok bool) {
	for len(h) > 0 {
		key, v, rest, sound := h.next()
		if !sound {
			break
		}
		if string(key) == name {
			found, ok = v, true
		}
		h = rest
	}
	return found, ok
}

// Is says whether a header is the text, without making a string of it.
func (h Headers) Is(name, text string) bool {
	v, ok := h.Get(name)
	return ok && v.Type == String && string(v.raw) == text
}

// Text is the text of the header of that name, empty if there is none.
func (h Headers) Text(name string) string {
	v, _ := h.Get(name)
	return v.String()
}

// All walks the headers in order.
func (h Headers) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for len(h) > 0 {
			key, v, rest, ok := h.next()
			if !ok || !yield(string(key), v) {
				return
			}
			h = rest
		}
	}
}

// next takes the first header off.
func (h Headers) next() (name []byte, v Value, rest Headers, ok bool) {
	if len(h) < 1 || h[0] == 0 || len(h) < 2+int(h[0]) {
		return nil, v, nil, false
	}
	n := 1 + int(h[0])
	name, v.Type, h = h[1:n], Type(h[n]), h[n+1:]
	if int(v.Type) >= len(fixedBytes) {
		return nil, v, nil, false
	}
	size := fixedBytes[v.Type]
	if size < 0 {
		if len(h) < 2 {
			return nil, v, nil, false
		}
		size, h = int(binary.BigEndian.Uint16(h)), h[2:]
	}
	if len(h) < size {
		return nil, v, nil, false
	}
	v.raw = h[:size:size]
	return name, v, h[size:], true
}

// check walks all headers once, so that readers need not doubt them.
func (h Headers) check() error {
	for n := 0; len(h) > 0; n++ {
		_, _, rest, ok := h.next()
		if !ok || n >= MaxHeaders {
			return ErrHeaders
		}
		h = rest
	}
	return nil
}
