package converse

import "encoding/base64"

// Base64 is a blob as it travels in JSON: standard base64 text. Most backends
// want the same text, so it is decoded only where bytes are really needed.
type Base64 []byte

// Encode64 is the Base64 of b.
func Encode64(b []byte) Base64 {
	return base64.StdEncoding.AppendEncode(nil, b)
}

// Bytes decodes b.
func (b Base64) Bytes() ([]byte, error) {
	return base64.StdEncoding.AppendDecode(nil, b)
}

// Len is the number of bytes that b stands for.
func (b Base64) Len() int {
	n := len(b) / 4 * 3
	for i := len(b) - 1; i >= 0 && i >= len(b)-2 && b[i] == '='; i-- {
		n--
	}
	return n
}
