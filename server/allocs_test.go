package server

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"runtime/debug"
	"strings"
	"testing"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/internal/eventstream"
)

// The most allocations of a call on the hot paths, from the door to the record
// on disk, with an upstream that answers from memory. They may be lowered; who
// raises one says why in the commit.
const (
	mostPerCall  = 30 // Converse, forwarded as it came: it is 23
	mostPerFrame = 2  // ConverseStream, forwarded as it came: hundredths of one
)

// A stub forwards from memory.
type stub struct {
	gateway.Upstreams
	whole  gateway.Forwarded
	frames int
	frame  []byte
}

func (s *stub) Forwards(outcrop.Attempt, *gateway.Form) bool { return true }

func (s *stub) Forward(context.Context, outcrop.Attempt, *gateway.Form) (*gateway.Forwarded, error) {
	answer := s.whole
	return &answer, nil
}

func (s *stub) ForwardStream(context.Context, outcrop.Attempt, *gateway.Form) iter.Seq2[*gateway.Piece, error] {
	return func(yield func(*gateway.Piece, error) bool) {
		piece := gateway.Piece{Frame: s.frame, Seen: converse.Glimpse{Output: 4}}
		for range s.frames {
			if !yield(&piece, nil) {
				return
			}
		}
		yield(&gateway.Piece{Frame: s.frame, Last: true, Seen: converse.Glimpse{StopReason: "end_turn", Usage: &converse.TokenUsage{InputTokens: 1, OutputTokens: 2}}}, nil)
	}
}

// A deaf writer takes an answer and keeps its status.
type deaf struct {
	header http.Header
	status int
}

func (d *deaf) Header() http.Header         { return d.header }
func (d *deaf) Write(b []byte) (int, error) { return len(b), nil }
func (d *deaf) WriteHeader(status int)      { d.status = status }
func (d *deaf) Flush()                      {}

// calls makes a function that makes one call through the whole door, to be
// used by one goroutine at a time.
func (s *Server) calls(t *testing.T, operation string) func() {
	t.Helper()
	call := s.callsTo(t, operation)
	return func() {
		w := &deaf{header: http.Header{}}
		if call(w); w.status != 0 && w.status != http.StatusOK {
			t.Fatalf("%s: status %d", operation, w.status)
		}
	}
}

// callsTo makes a function that makes one call and answers into w, to be used
// by many.
func (s *Server) callsTo(t *testing.T, operation string) func(w http.ResponseWriter) {
	t.Helper()
	policy := strings.Builder{}
	for i := range 9 {
		fmt.Fprintf(&policy, `{"Effect":"Allow","Action":"bedrock:GetInferenceProfile","Resource":"arn:aws:bedrock:*:*:inference-profile/team%d"},`, i)
	}
	by := s.user(t, "ann-"+operation, `{"Version":"2012-10-17","Statement":[`+policy.String()+`{"Effect":"Allow","Action":"bedrock:Invoke*","Resource":"*"}]}`)
	const body = `{"messages":[{"role":"user","content":[{"text":"How many allocations is this?"}]}],"inferenceConfig":{"maxTokens":100}}`
	r := s.signed(t, by, "bedrock", http.MethodPost, "/model/us.amazon.nova-lite-v1%3A0/"+operation, http.Header{"Content-Type": {"application/json"}}, body)
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	return func(w http.ResponseWriter) {
		q := *r
		q.Body = io.NopCloser(strings.NewReader(body))
		s.plain.Handler.ServeHTTP(w, &q)
	}
}

func startStub(t *testing.T) (*Server, *stub) {
	t.Helper()
	s := start(t, Config{})
	frame := eventstream.AppendFrame(nil, eventstream.EventHeaders("contentBlockDelta", "application/json"), []byte(`{"contentBlockIndex":0,"delta":{"text":"four"},"p":"ab"}`))
	up := &stub{Upstreams: s.engines.gateway.Upstreams, frame: frame, whole: gateway.Forwarded{
		Body: []byte(`{"output":{}}`), Header: map[string]string{"Content-Type": "application/json"},
		Seen: converse.Glimpse{Message: true, StopReason: "end_turn", Output: 4, Usage: &converse.TokenUsage{InputTokens: 1, OutputTokens: 2, TotalTokens: 3}},
	}}
	s.engines.gateway.Upstreams = up
	return s, up
}

// fewestAllocs are a call's own: what the server does beside it on a busy
// machine is in none but the quietest of many small measurements. It is measured
// again while they are more than most. Nothing is collected meanwhile, which
// would empty the pools.
func fewestAllocs(most float64, call func()) float64 {
	const few, many = 5, 100
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	fewest := testing.AllocsPerRun(20, call)
	for i := 1; i < few || i < many && fewest > most; i++ {
		fewest = min(fewest, testing.AllocsPerRun(20, call))
	}
	return fewest
}

// allocsPerFrame are those of a stream's frames, in hundredths of one: what a
// call takes more when many are answered.
func allocsPerFrame(most float64, answer func(frames int), call func()) float64 {
	const few, many = 10, 1010
	answer(few)
	short := fewestAllocs(math.Inf(1), call)
	answer(many)
	long := fewestAllocs(short+most*(many-few)/100, call)
	return 100 * (long - short) / (many - few)
}

func TestCallsDoNotAllocateMore(t *testing.T) {
	if raced {
		t.Skip("what is used again is not, under the race detector")
	}
	s, up := startStub(t)
	if got := fewestAllocs(mostPerCall, s.calls(t, "converse")); got > mostPerCall {
		t.Errorf("a call allocates %.0f times, at most %d are agreed", got, mostPerCall)
	} else {
		t.Logf("a call allocates %.0f times", got)
	}
	got := allocsPerFrame(mostPerFrame, func(n int) { up.frames = n }, s.calls(t, "converse-stream"))
	if t.Logf("%.1f hundredths of an allocation for a frame", got); got > mostPerFrame {
		t.Errorf("a frame allocates %.1f hundredths of a time, at most %d are agreed", got, mostPerFrame)
	}
}
