package server

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/plainhttp"
	"outcrop/ledger"
	"outcrop/sigv4"
)

// The most that a call takes of the heap, all of it: from a kept connection of
// HTTP/1.1 to a server and back, and its record on disk.
var mostOverHTTP = []struct {
	operation, kind string
	allocs, bytes   float64
}{
	{"converse", "bedrock", 20, 1500},
	{"converse", "openai", 28, 2000},
	{"converse-stream", "bedrock", 45, 3000},
}

// A caller has a connection to a server and says much the same over and over,
// as clients do. It allocates nothing.
type caller struct {
	net.Conn
	requests [4][]byte
	asked    int
	room     [64 << 10]byte
}

// caller connects to s with requests of 1 KB, each signed at another time.
func (s *Server) caller(t testing.TB, operation string) *caller {
	t.Helper()
	by := s.user(t, "ann-"+operation, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:Invoke*","Resource":"*"}]}`)
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &caller{Conn: conn}
	for i := range c.requests {
		c.requests[i] = s.said(t, by, operation, i)
	}
	return c
}

// said is the nth request, as bytes.
func (s *Server) said(t testing.TB, by sigv4.Credentials, operation string, n int) []byte {
	t.Helper()
	body := `{"messages":[{"role":"user","content":[{"text":"` + strings.Repeat("four", 220) + `"}]}],"inferenceConfig":{"maxTokens":100}}`
	hash := sigv4.PayloadHash([]byte(body))
	r := s.request(t, http.MethodPost, "/model/us.amazon.nova-lite-v1%3A0/"+operation, http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux#6.18 md/arch#x86_64 lang/python#3.13.0"},
		"Amz-Sdk-Invocation-Id": {fmt.Sprintf("a0a3ca5a-4cc3-4f2c-9b56-7e1a0e1f9f3%d", n)}, "Amz-Sdk-Request": {"attempt=1"}, "X-Amz-Content-Sha256": {hash},
	}, body)
	if err := sigv4.Sign(r, hash, by, sigv4.Scope{Region: testRegion, Service: "bedrock"}, time.Now().Add(-time.Duration(n)*time.Second)); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// call asks once and reads the answer to its end, which is that of a stream's
// last chunk, or of a JSON object.
func (c *caller) call(t testing.TB) {
	c.asked++
	if _, err := c.Write(c.requests[c.asked%len(c.requests)]); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; {
		read, err := c.Read(c.room[n:])
		if n += read; err != nil {
			t.Fatalf("%v after %q", err, c.room[:n])
		}
		head := bytes.Index(c.room[:n], []byte("\r\n\r\n"))
		if head < 0 {
			continue
		}
		if !bytes.HasPrefix(c.room[:n], []byte("HTTP/1.1 200 ")) {
			t.Fatalf("an answer of %q", c.room[:n])
		}
		if bytes.Contains(c.room[:head], []byte("chunked")) && bytes.HasSuffix(c.room[:n], []byte("\r\n0\r\n\r\n")) || c.room[n-1] == '}' && n > head+4 {
			return
		}
	}
}

// startOver starts a server before a spring that answers an operation.
func startOver(t testing.TB, operation, kind string) *caller {
	t.Helper()
	unspoiled(t)
	up := newSpring(t)
	config := UpstreamConfig{Kind: kind, BaseURL: "http://" + up.Addr().String(), Regions: []outcrop.Region{"us-east-1"}}
	switch {
	case kind == "openai":
		config.Models = map[outcrop.ModelID]outcrop.UpstreamModel{"amazon.nova-lite-v1:0": "small"}
		config.BaseURL += "/v1"
		config.Health.Path = checksOff
		up.says("application/json", []byte(`{"id":"c1","object":"chat.completion","created":1,"model":"small","choices":[{"index":0,"message":{"role":"assistant","content":"four"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`))
	case operation == "converse-stream":
		up.says("application/vnd.amazon.eventstream", streamOf(10)...)
	default:
		up.says("application/json", []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"four"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}`))
	}
	if kind == "bedrock" {
		config.Credentials = BedrockCredentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}
	}
	s := start(t, Config{Upstreams: map[string]UpstreamConfig{"up": config}})
	return s.caller(t, operation)
}

// unspoiled has memory used again, as it is outside of tests, for a server that
// is started later.
func unspoiled(t testing.TB) {
	records, requests := ledger.Spoil, plainhttp.Spoil
	ledger.Spoil, plainhttp.Spoil = nil, nil
	t.Cleanup(func() { ledger.Spoil, plainhttp.Spoil = records, requests })
}

// taken is what a call takes of the heap: the least of many small measurements,
// as what a server does beside its calls is in it, and what it has to make again
// because the machine is busy. It is measured again while it is more than most.
// Nothing is collected meanwhile, which would empty the pools.
func taken(mostAllocs, mostBytes float64, call func()) (allocs, size float64) {
	const calls, few, many = 20, 30, 300
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for i := 0; i < few || i < many && (allocs > mostAllocs || size > mostBytes); i++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			call()
		}
		runtime.ReadMemStats(&after)
		n, b := float64(after.Mallocs-before.Mallocs)/calls, float64(after.TotalAlloc-before.TotalAlloc)/calls
		if i == 0 {
			allocs, size = n, b
		}
		allocs, size = min(allocs, n), min(size, b)
	}
	return allocs, size
}

func TestCallsOverHTTPTakeNoMore(t *testing.T) {
	if raced {
		t.Skip("what is used again is not, under the race detector")
	}
	for _, most := range mostOverHTTP {
		t.Run(most.operation+" to "+most.kind, func(t *testing.T) {
			c := startOver(t, most.operation, most.kind)
			allocs, size := taken(most.allocs, most.bytes, func() { c.call(t) })
			if t.Logf("a call takes %.0f bytes in %.1f objects", size, allocs); allocs > most.allocs || size > most.bytes {
				t.Errorf("a call takes %.0f bytes in %.1f objects, at most %.0f in %.0f are agreed", size, allocs, most.bytes, most.allocs)
			}
		})
	}
}

// BenchmarkOverHTTP is a call as in TestCallsOverHTTPTakeNoMore, for profiles:
// -benchmem -memprofile FILE -memprofilerate 1.
func BenchmarkOverHTTP(b *testing.B) {
	for _, most := range mostOverHTTP {
		b.Run(most.operation+" to "+most.kind, func(b *testing.B) {
			c := startOver(b, most.operation, most.kind)
			for b.Loop() {
				c.call(b)
			}
		})
	}
}
