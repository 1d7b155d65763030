package server

import (
	"bufio"
	"bytes"
	"net"
	"strconv"
	"sync"
	"testing"

	"outcrop"
	"outcrop/internal/eventstream"
)

// The most allocations of a call that goes all the way to a server and back,
// as those in allocs_test.go.
const (
	mostPerCallSent     = 30 // Converse, forwarded to an upstream of kind bedrock: it is 24
	mostPerFrameFetched = 2  // ConverseStream likewise: hundredths of one
)

// A spring answers every request on its connections with the same bytes, and
// allocates nothing.
type spring struct {
	net.Listener
	mu     sync.Mutex
	answer []byte
	conns  sync.WaitGroup
}

func newSpring(t testing.TB) *spring {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &spring{Listener: l}
	s.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close() })
	return s
}

// startSpring starts a server before a spring that answers Converse.
func startSpring(t testing.TB) (*Server, *spring) {
	t.Helper()
	up := newSpring(t)
	s := start(t, Config{Upstreams: map[string]UpstreamConfig{"aws": {
		Kind: "bedrock", BaseURL: "http://" + up.Addr().String(), Regions: []outcrop.Region{"us-east-1"},
		Credentials: BedrockCredentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"},
	}}})
	up.says("application/json", []byte(`{"output":{"message":{"role":"assistant","content":[{"text":"four"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}`))
	return s, up
}

// says sets the answer.
func (s *spring) says(kind string, chunks ...[]byte) {
	b := []byte("HTTP/1.1 200 OK\r\nContent-Type: " + kind + "\r\nX-Amzn-Requestid: 0198\r\nTransfer-Encoding: chunked\r\n\r\n")
	for _, chunk := range append(chunks, nil) {
		b = append(strconv.AppendInt(b, int64(len(chunk)), 16), "\r\n"...)
		b = append(append(b, chunk...), "\r\n"...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = b
}

func (s *spring) serve(c net.Conn) {
	defer c.Close()
	length := []byte("Content-Length: ")
	for r := bufio.NewReader(c); ; {
		body := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
				break
			}
			if rest, ok := bytes.CutPrefix(line, length); ok {
				for _, digit := range rest {
					body = 10*body + int(digit-'0')
				}
			}
		}
		if _, err := r.Discard(body); err != nil {
			return
		}
		s.mu.Lock()
		_, err := c.Write(s.answer)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func TestCallsToAnUpstreamDoNotAllocateMore(t *testing.T) {
	if raced {
		t.Skip("what is used again is not, under the race detector")
	}
	s, up := startSpring(t)
	got := fewestAllocs(mostPerCallSent, s.calls(t, "converse"))
	if t.Logf("a call that is sent allocates %.0f times", got); got > mostPerCallSent {
		t.Errorf("a call that is sent allocates %.0f times, at most %d are agreed", got, mostPerCallSent)
	}
	got = allocsPerFrame(mostPerFrameFetched, func(n int) { up.says("application/vnd.amazon.eventstream", streamOf(n)...) }, s.calls(t, "converse-stream"))
	if t.Logf("%.1f hundredths of an allocation for a frame that is fetched", got); got > mostPerFrameFetched {
		t.Errorf("a frame that is fetched allocates %.1f hundredths of a time, at most %d are agreed", got, mostPerFrameFetched)
	}
}

// streamOf is an answer of n frames, each in a chunk of its own.
func streamOf(n int) (chunks [][]byte) {
	event := func(name, payload string) {
		chunks = append(chunks, eventstream.AppendFrame(nil, eventstream.EventHeaders(name, "application/json"), []byte(payload)))
	}
	event("messageStart", `{"role":"assistant"}`)
	for range n {
		event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"four"},"p":"ab"}`)
	}
	event("messageStop", `{"stopReason":"end_turn"}`)
	event("metadata", `{"metrics":{"latencyMs":1},"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}`)
	return chunks
}
