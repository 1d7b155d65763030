package plainhttp

import (
	"bufio"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const signed = "POST /model/arn%3Aaws%3Abedrock/converse?a=b HTTP/1.1\r\nHost: 127.0.0.1:4599\r\nContent-Type: application/json\r\nx-amz-date: 20261128T000000Z\r\n" +
	"Authorization:  AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00 \r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 5\r\n\r\n"

// FuzzParse: what is taken for plain means to net/http what it means here.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{signed, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET //a/../b?%zz HTTP/1.1\r\nhost: [::1]:80\r\nConnection: keep-alive\r\nX: \t a\tb \r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "GET / HTTP/1.1\n\r\n\r\n", "PUT /%41 HTTP/1.1\r\nHost:a\r\nContent-Length:00\r\nX-:\r\n\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, head string) {
		end := strings.Index(head, "\r\n\r\n")
		if end < 0 {
			return
		}
		head = head[:end+4]
		x, used := new(call), new(call)
		used.read([]byte(signed))
		text := []byte(head)
		plain := x.read(text)
		if used.prepare(t.Context()); used.read(text) != plain {
			t.Fatalf("%q is plain to new memory: %t, to used memory: %t", head, plain, !plain)
		}
		if !plain {
			return
		}
		for i := range text {
			text[i] = '!' // as a connection's buffer is used again
		}
		want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err != nil {
			t.Fatalf("%q is refused by net/http: %v", head, err)
		}
		for _, r := range []*http.Request{&x.request, &used.request} {
			if r.Method != want.Method || r.RequestURI != want.RequestURI || *r.URL != *want.URL || r.Host != want.Host || r.ContentLength != want.ContentLength || want.Close || len(want.TransferEncoding) > 0 || !maps.EqualFunc(r.Header, want.Header, slices.Equal) {
				t.Errorf("%q\nis   %+v\nwant %+v", head, r, want)
			}
		}
	})
}

func TestWhatIsNotPlain(t *testing.T) {
	var x call
	r := &x.request
	if !x.read([]byte(signed)) || r.Host != "127.0.0.1:4599" || r.ContentLength != 5 || len(r.Header["X-Two"]) != 2 || r.Header.Get("X-Amz-Date") == "" {
		t.Fatalf("%+v", r)
	}
	for name, change := range map[string][2]string{
		"another version":        {"HTTP/1.1", "HTTP/1.0"},
		"another method":         {"POST", "HEAD"},
		"an absolute target":     {"/model", "http://a/model"},
		"a fragment":             {"/model", "/#model"},
		"a space in the target":  {"/model", "/ model"},
		"no host":                {"Host:", "Hast:"},
		"two hosts":              {"X-Two: a", "Host: b"},
		"a strange host":         {"127.0.0.1:4599", "127.0.0.1/4599"},
		"two lengths":            {"X-Two: a", "Content-Length: 5"},
		"a list of lengths":      {"Length: 5", "Length: 5, 5"},
		"a length with a sign":   {"Length: 5", "Length: +5"},
		"a length beyond bounds": {"Length: 5", "Length: 1000000000000000"},
		"chunks":                 {"X-Two: a", "transfer-encoding: chunked"},
		"an expectation":         {"X-Two: a", "expect: 100-continue"},
		"an upgrade":             {"X-Two: a", "Upgrade: h2c"},
		"the connection's end":   {"X-Two: a", "connection: close"},
		"a folded line":          {"X-Two: a", "X-Two: a\r\n b"},
		"a lone newline":         {"X-Two: a", "X-Two: a\nb: c"},
		"a lone return":          {"X-Two: a", "X-Two: a\rb"},
		"a zero byte":            {"X-Two: a", "X-Two: a\x00"},
		"a space before a colon": {"X-Two: a", "X-Two : a"},
		"a line without colon":   {"X-Two: a", "X-Two"},
		"a line without name":    {"X-Two: a", ": a"},
		"a folded first line":    {"\r\nHost", "\r\n Host"},
	} {
		head := strings.Replace(signed, change[0], change[1], 1)
		for memory, x := range map[string]*call{"new": new(call), "used": &x} {
			if head == signed || x.read([]byte(head)) {
				t.Errorf("%s: %q is plain to %s memory", name, head, memory)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	var x call
	for head := []byte(signed); b.Loop(); {
		x.read(head)
	}
}
