package sigv4

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// chunkedUpload is the example of AWS's documentation, "Signature Calculations
// for the Authorization Header: Transferring Payload in Multiple Chunks".
func chunkedUpload(t *testing.T) (*http.Request, *Signature, string) {
	t.Helper()
	r, err := http.NewRequest("PUT", "https://s3.amazonaws.com/examplebucket/chunkObject.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"x-amz-date": "20130524T000000Z", "x-amz-storage-class": "REDUCED_REDUNDANCY", "x-amz-content-sha256": StreamingSigned,
		"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": "66560", "Content-Length": "66824",
		"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	} {
		r.Header.Set(name, value)
	}
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	a := strings.Repeat("a", 65536)
	body := "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + a + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + a[:1024] + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
	return r, s, body
}

func TestChunkedUploadOfTheDocumentation(t *testing.T) {
	r, s, body := chunkedUpload(t)
	read := func(body string) (string, error) {
		p, err := new(Verifier).VerifyHead(s, r, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", s.Time)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Chunked() || p.Length() != 66560 {
			t.Fatalf("%v, %d", p.Chunked(), p.Length())
		}
		text, err := io.ReadAll(p.Body(strings.NewReader(body), http.Header{}))
		return string(text), err
	}
	if text, err := read(body); err != nil || text != strings.Repeat("a", 66560) {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	for name, changed := range map[string]string{
		"a byte changed":       strings.Replace(body, "aaaa\r\n400", "aaab\r\n400", 1),
		"chunks exchanged":     body[strings.Index(body, "400;"):strings.Index(body, "0;chunk-signature=b6")] + body[:strings.Index(body, "400;")] + body[strings.Index(body, "0;chunk-signature=b6"):],
		"the last one missing": body[:strings.Index(body, "0;chunk-signature=b6")],
		"cut":                  body[:1000],
		"another end":          strings.Replace(body, "0;chunk-signature=b6", "0;chunk-signature=b7", 1),
	} {
		if _, err := read(changed); err == nil {
			t.Errorf("%s: read to the end", name)
		}
	}
	if _, err := new(Verifier).VerifyHead(s, r, "another secret", s.Time); err == nil {
		t.Error("another secret's signature holds")
	}
	if _, err := new(Verifier).VerifyHead(s, r, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", s.Time.Add(time.Hour)); err == nil {
		t.Error("an hour later it holds")
	}
}

// Promise: whatever stands between chunks, reading ends, and never with more
// than was announced.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"), int64(5))
	f.Add([]byte("5\nhello\n0\n\n"), int64(5))
	f.Add([]byte("ffffffffffffffff\r\n"), int64(5))
	f.Add([]byte("0\r\n:\r\n"), int64(0))
	f.Add(bytes.Repeat([]byte("1\r\na\r\n"), 100), int64(100))
	f.Fuzz(func(t *testing.T, body []byte, length int64) {
		p := &Payload{claimed: StreamingUnsignedTrailer, decoded: length & 0xffff}
		trailer := http.Header{}
		text, err := io.ReadAll(p.Body(bytes.NewReader(body), trailer))
		if int64(len(text)) > p.decoded || err == nil && int64(len(text)) != p.decoded || len(trailer) > maxTrailers {
			t.Errorf("read %d bytes of %d with %d trailers: %v", len(text), p.decoded, len(trailer), err)
		}
		_ = fmt.Sprint(err)
	})
}
