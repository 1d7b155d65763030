package jsonlex

import (
	"bytes"
	"encoding/binary"
)

// Base64 reads a string that must be padded standard base64 and returns its
// text, never nil but after an error. Line breaks inside it are dropped.
func (l *Lexer) Base64() []byte {
	if l.peek() != '"' {
		l.mismatch(StringValue)
		return nil
	}
	start := l.pos
	rest := l.data[start+1:]
	if n := bytes.IndexByte(rest, '"'); n >= 0 && validBase64(rest[:n]) {
		l.pos = start + n + 2
		return rest[:n:n]
	}
	s := l.str() // there may be escapes, such as the \/ that PHP writes
	if l.err != nil {
		return nil
	}
	text := dropLineBreaks(s)
	if !validBase64(text) {
		l.Unfit(start, "string is not base64")
		return nil
	}
	return text
}

func dropLineBreaks(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != '\n' && s[i] != '\r' {
			out = append(out, s[i])
		}
	}
	return out
}

// validBase64 says whether b is padded standard base64.
func validBase64(b []byte) bool {
	if len(b)%4 != 0 {
		return false
	}
	for range 2 {
		if n := len(b); n > 0 && b[n-1] == '=' {
			b = b[:n-1]
		}
	}
	i := 0
	for ; i+32 <= len(b); i += 32 {
		four := b[i : i+32 : i+32]
		if notBase64(binary.LittleEndian.Uint64(four))|notBase64(binary.LittleEndian.Uint64(four[8:]))|
			notBase64(binary.LittleEndian.Uint64(four[16:]))|notBase64(binary.LittleEndian.Uint64(four[24:])) != 0 {
			return false
		}
	}
	for ; i < len(b); i++ {
		if notBase64(uint64(b[i]))&0xff != 0 {
			return false
		}
	}
	return true
}

// notBase64 has a bit set in each byte of x that is not in the alphabet. Adding
// to bytes below 0x80 cannot carry over, so eight are compared in one go.
func notBase64(x uint64) uint64 {
	low := x &^ highs
	letter := low | 0x20*ones
	isLetter := (letter + (0x80-'a')*ones) &^ (letter + (0x7f-'z')*ones)
	isDigit := (low + (0x80-'/')*ones) &^ (low + (0x7f-'9')*ones) // '/' comes right before '0'
	plus := low ^ '+'*ones
	isPlus := ^(plus + 0x7f*ones)
	return ^(isLetter|isDigit|isPlus)&highs | x&highs
}
