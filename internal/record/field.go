package record

import (
	"encoding/binary"
	"errors"
)

// ErrField says that bytes are not a sequence of fields.
var ErrField = errors.New("malformed field")

// A field on disk is its tag and its length as uvarints, then its value. What
// is empty or zero is left out.

// AppendString adds a field of text.
func AppendString[S ~string](dst []byte, tag uint64, s S) []byte {
	if s == "" {
		return dst
	}
	dst = binary.AppendUvarint(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// AppendUint adds a number.
func AppendUint(dst []byte, tag, n uint64) []byte {
	if n == 0 {
		return dst
	}
	return putUint(dst, tag, n)
}

// AppendInt adds a number that may be negative.
func AppendInt(dst []byte, tag uint64, n int64) []byte {
	if n == 0 {
		return dst
	}
	return PutInt(dst, tag, n)
}

// PutInt is AppendInt for a number whose zero is not the same as none.
func PutInt(dst []byte, tag uint64, n int64) []byte {
	return putUint(dst, tag, uint64(n)<<1^uint64(n>>63)) // zigzag: small magnitudes stay short
}

func putUint(dst []byte, tag, n uint64) []byte {
	dst = binary.AppendUvarint(dst, tag)
	dst = append(dst, byte(uvarintBytes(n)))
	return binary.AppendUvarint(dst, n)
}

// AppendBool adds a truth.
func AppendBool(dst []byte, tag uint64, b bool) []byte {
	if !b {
		return dst
	}
	return AppendUint(dst, tag, 1)
}

// AppendNumbered adds one of several numbers that share a tag. Unlike the
// others it writes a zero too.
func AppendNumbered(dst []byte, tag, key, n uint64) []byte {
	dst = binary.AppendUvarint(dst, tag)
	dst = append(dst, byte(uvarintBytes(key)+uvarintBytes(n)))
	dst = binary.AppendUvarint(dst, key)
	return binary.AppendUvarint(dst, n)
}

// AppendPair adds one of several texts by key that share a tag, empty or not.
func AppendPair(dst []byte, tag uint64, key, value string) []byte {
	size := uvarintBytes(uint64(len(key))) + len(key) + len(value)
	dst = binary.AppendUvarint(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(size))
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	dst = append(dst, key...)
	return append(dst, value...)
}

func uvarintBytes(n uint64) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// A Field is one tag and its value, part of the buffer that was read.
type Field struct {
	Tag   uint64
	Value []byte
}

// Next splits the first field off b.
func Next(b []byte) (f Field, rest []byte, err error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 {
		return Field{}, nil, ErrField
	}
	size, m := binary.Uvarint(b[n:])
	if m <= 0 || size > uint64(len(b)-n-m) {
		return Field{}, nil, ErrField
	}
	b = b[n+m:]
	return Field{tag, b[:size:size]}, b[size:], nil
}

// Uint reads a number that AppendUint wrote.
func (f Field) Uint() (uint64, error) {
	n, size := binary.Uvarint(f.Value)
	if size <= 0 || size != len(f.Value) {
		return 0, ErrField
	}
	return n, nil
}

// Int reads a number that AppendInt wrote.
func (f Field) Int() (int64, error) {
	n, err := f.Uint()
	return int64(n>>1) ^ -int64(n&1), err
}

// Numbered reads what AppendNumbered wrote.
func (f Field) Numbered() (key, n uint64, err error) {
	key, size := binary.Uvarint(f.Value)
	if size <= 0 {
		return 0, 0, ErrField
	}
	n, err = Field{f.Tag, f.Value[size:]}.Uint()
	return key, n, err
}

// Pair reads what AppendPair wrote.
func (f Field) Pair() (key, value string, err error) {
	n, size := binary.Uvarint(f.Value)
	if size <= 0 || n > uint64(len(f.Value)-size) {
		return "", "", ErrField
	}
	rest := f.Value[size:]
	return string(rest[:n]), string(rest[n:]), nil
}
