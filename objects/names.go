package objects

import (
	"net"
	"regexp"
	"strings"
	"unicode/utf8"

	"outcrop"
)

// Limits of names. S3 allows 1024 bytes in all; the last is a file system's.
const (
	maxKeyBytes     = 1024
	maxSegmentBytes = 240 // of a key's part between slashes, as it is written on disk
)

var (
	bucketPattern = regexp.MustCompile(`\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z`)
	labelPattern  = regexp.MustCompile(`\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\z`)
)

// CheckBucket says what is wrong with a bucket's name, by S3's rules.
func CheckBucket(name string) error {
	ok := bucketPattern.MatchString(name) && net.ParseIP(name) == nil
	for label := range strings.SplitSeq(name, ".") {
		ok = ok && labelPattern.MatchString(label)
	}
	if ok {
		return nil
	}
	e := outcrop.Errorf(outcrop.Invalid, "The specified bucket is not valid: %.64q must have 3 to 63 of a-z, 0-9, '.' and '-', begin and end with a letter or digit, and be no IP address.", name)
	e.Code = "InvalidBucketName"
	return e
}

// checkKey says whether a key can be written.
func checkKey(key string) error {
	fault := ""
	switch {
	case key == "":
		fault = "it is empty"
	case len(key) > maxKeyBytes:
		fault = "it is longer than 1024 bytes"
	case !utf8.ValidString(key):
		fault = "it is not UTF-8"
	default:
		for segment := range strings.SplitSeq(key, "/") {
			if len(escapeSegment(segment)) > maxSegmentBytes {
				fault = "a part of it between slashes is longer than 240 bytes"
			}
		}
	}
	if fault == "" {
		return nil
	}
	e := outcrop.Errorf(outcrop.Invalid, "The key cannot be written: %s.", fault)
	e.Code = "KeyTooLongError"
	return e
}

// A key is a path on disk: each part between slashes a folder, the last a file.
// The file's name ends in "%", which no folder's does, so that the keys "a" and
// "a/b" can both be.
const fileMark = "%"

// emptySegment stands for a part without a character ("a//b", "a/").
const emptySegment = "%-"

// keyPath is the path of a key below its bucket's keys.
func keyPath(key string) string {
	parts := strings.Split(key, "/")
	for i, p := range parts {
		parts[i] = escapeSegment(p)
	}
	return strings.Join(parts, "/") + fileMark
}

func escapeSegment(s string) string {
	switch s {
	case "":
		return emptySegment
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c == '%' || c < ' ' || c == 0x7f || c == '\\' {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescapeSegment reads what escapeSegment wrote. ok is false for a name that
// is none of ours.
func unescapeSegment(name string) (s string, ok bool) {
	if name == emptySegment {
		return "", true
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		hi, lo := hexValue(name[i+1]), hexValue(name[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), true
}

func hexValue(c byte) int { return strings.IndexByte("0123456789ABCDEF", c) }
