package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"
	"outcrop/gateway"
	"outcrop/internal/bodypool"
	"outcrop/internal/eventstream"
)

// An archive keeps every exchange, as invocation logs do for a while.
type archive struct {
	mu   sync.Mutex
	kept map[outcrop.InvocationID]*gateway.Exchange
}

func (a *archive) Wants(outcrop.AccountID, outcrop.Region) bool { return true }

func (a *archive) Finished(x *gateway.Exchange) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept[x.Record.Invocation] = x
}

// spoiled is what tells spoilt memory: so much of it is in no frame by chance,
// as one "!" or two are in a frame's checksums.
const spoiled = "!!!!"

// spoil has memory that is returned overwritten, and counts how often it is.
func spoil(t *testing.T) *atomic.Int64 {
	returned := new(atomic.Int64)
	bodypool.Spoil = func(b []byte) {
		returned.Add(1)
		for i := range b {
			b[i] = '!'
		}
	}
	t.Cleanup(func() { bodypool.Spoil = nil })
	return returned
}

// A picture's memory goes from call to call. Whoever read it after it was
// returned would send, record or log another's words: returned memory is
// spoiled here, and the server behind checks the signature over what it gets.
func TestNobodyReadsABodyThatWasReturned(t *testing.T) {
	returned := spoil(t)
	front, _ := startInFront(t, "us-east-1")
	log := &archive{kept: map[outcrop.InvocationID]*gateway.Exchange{}}
	front.engines.gateway.Exchanges = log
	var all sync.WaitGroup
	var answered atomic.Int64
	for who := range 6 {
		all.Go(func() {
			for n := range 10 {
				name := fmt.Sprintf("%d-%d", who, n)
				if front.picture(t, name, n%3, []int{10 << 10, 600, 20 << 10, 40 << 10, 1200}[n%5], n == who) {
					answered.Add(1)
				}
			}
		})
	}
	all.Wait()
	if returned.Load() < answered.Load() || answered.Load() < 40 {
		t.Errorf("%d were answered, %d bodies returned", answered.Load(), returned.Load())
	}
	for _, r := range records(t, front) {
		name := r.RequestMetadata["name"]
		if x := log.kept[r.Invocation]; x == nil || name == "" || x.Record.RequestMetadata["name"] != name || strings.Contains(x.Record.TierAsked, "!") || !strings.Contains(string(x.Request), "I am "+name+".") || bytes.Contains(x.Request, []byte(spoiled)) {
			t.Errorf("%s, recorded as %q: what was asked is lost", r.Invocation, name)
		} else if x.Forwarded != nil && !bytes.Contains(x.Forwarded, []byte("I am "+name)) {
			t.Errorf("%s was answered with %s", name, x.Forwarded)
		}
	}
}

// picture sends n bytes in one of three operations, and says whether it was
// answered in full. One that is hasty leaves early.
func (s *Server) picture(t *testing.T, name string, which, n int, hasty bool) bool {
	said := "I am " + name + ". " + strings.Repeat("p", n)
	converse, err := json.Marshal(map[string]any{
		"messages":        []any{map[string]any{"role": "user", "content": []any{map[string]any{"text": said}}}},
		"requestMetadata": map[string]string{"name": name}, "inferenceConfig": map[string]int{"maxTokens": 200}, "serviceTier": map[string]string{"type": "flex"},
	})
	if err != nil {
		t.Error(err)
	}
	native := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":200,"messages":[{"role":"user","content":"` + said + `"}]}`
	operation, body, header := "converse", string(converse), jsonHeader()
	switch which {
	case 1:
		operation = "converse-stream"
	case 2:
		operation, body = "invoke", native
		header.Set("X-Amzn-Bedrock-Request-Metadata", `{"name":"`+name+`"}`)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if hasty {
		time.AfterFunc(2*time.Millisecond, cancel)
	}
	res, err := http.DefaultClient.Do(s.signed(t, s.admin(), "bedrock", "POST", "/model/us."+claude+"/"+operation, header, body).WithContext(ctx))
	if hasty && err != nil {
		return false
	} else if err != nil {
		t.Error(err)
		return false
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if hasty && err != nil {
		return false
	}
	if err != nil || res.StatusCode != 200 || which == 0 && !bytes.Contains(answer, []byte("I am "+name)) || bytes.Contains(answer, []byte(spoiled)) {
		t.Errorf("%s: %d %s %v", name, res.StatusCode, answer, err)
	}
	return err == nil
}

// An answer that is passed on lies in memory that is used again, too.
func TestAnswersThatArePassedOnAreEachTheirOwn(t *testing.T) {
	front, _ := startInFront(t, "us-east-1")
	var all sync.WaitGroup
	for who := range 8 {
		all.Go(func() {
			for n := range 25 {
				front.picture(t, fmt.Sprintf("%d-%d", who, n), 0, 10<<(n%8), false)
			}
		})
	}
	all.Wait()
}

// And so does all that a stream is made of, on both sides: whoever leaves early,
// those who stay hear their own words to the end, and each is recorded once.
func TestStreamsThatArePassedOnAreEachTheirOwn(t *testing.T) {
	front, _ := startInFront(t, "us-east-1")
	var all sync.WaitGroup
	var heard atomic.Int64
	for who := range 8 {
		all.Go(func() {
			for n := range 20 {
				if front.heard(t, fmt.Sprintf("%d-%d", who, n), 10<<(n%8), n%5 == who%5) {
					heard.Add(1)
				}
			}
		})
	}
	all.Wait()
	if heard.Load() < 128 {
		t.Errorf("%d streams were heard to their end", heard.Load())
	}
	named := map[string]int{}
	for _, r := range records(t, front) {
		if named[r.RequestMetadata["name"]]++; !r.Outcome.HungUp && (r.Outcome.Status != 200 || r.Outcome.StopReason != "end_turn") {
			t.Errorf("%s ended as %+v", r.RequestMetadata["name"], r.Outcome)
		}
	}
	for name, n := range named {
		if n != 1 || name == "" {
			t.Errorf("%s was recorded %d times", name, n)
		}
	}
}

// heard says n bytes and listens to the stream that answers, and says whether
// it came to its end. One that is hasty leaves early.
func (s *Server) heard(t *testing.T, name string, n int, hasty bool) bool {
	body := `{"messages":[{"role":"user","content":[{"text":"I am ` + name + ". " + strings.Repeat("p", n) + `"}]}],"requestMetadata":{"name":"` + name + `"}}`
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	if hasty {
		time.AfterFunc(time.Duration(n%7)*time.Millisecond, leave)
	}
	res, err := http.DefaultClient.Do(s.signed(t, s.admin(), "bedrock", "POST", "/model/us."+claude+"/converse-stream", jsonHeader(), body).WithContext(ctx))
	if err != nil {
		if !hasty {
			t.Error(err)
		}
		return false
	}
	defer res.Body.Close()
	text, last := "", ""
	for frames := eventstream.NewDecoder(res.Body); ; {
		m, err := frames.Next()
		if err != nil {
			if (err != io.EOF || last != "metadata" || !strings.Contains(text, "I am "+name+".") || strings.Count(text, "I am ") != 2) && !hasty {
				t.Errorf("%s heard %.300q, then %s and %v", name, text, last, err)
			}
			return err == io.EOF && last == "metadata"
		}
		var event struct{ Delta struct{ Text string } }
		if err := json.Unmarshal(m.Payload, &event); err != nil {
			t.Errorf("%s heard %q: %v", name, m.Payload, err)
		}
		text += event.Delta.Text
		last = m.Headers.Text(eventstream.EventType)
	}
}

// An answer that was not passed on as it came may be made of parts of the
// request. It goes out before the memory does, and what keeps it keeps that.
func TestAnAnswerMadeOfTheRequestIsWhole(t *testing.T) {
	returned := spoil(t)
	s := start(t, Config{})
	log := &archive{kept: map[outcrop.InvocationID]*gateway.Exchange{}}
	ask := func(n int) {
		returned.Store(0)
		var all sync.WaitGroup
		for range n {
			all.Go(func() { s.picture(t, "x", 0, 20<<10, false) })
		}
		all.Wait()
	}
	if ask(8); returned.Load() < 8 {
		t.Errorf("%d of 8 bodies were returned", returned.Load())
	}
	s.engines.gateway.Exchanges = log
	if ask(8); returned.Load() != 0 {
		t.Errorf("%d bodies were returned although their answers are kept", returned.Load())
	}
	for _, x := range log.kept {
		if said := string(x.Response.AppendJSON(nil)); !strings.Contains(said, "I am x") || strings.Contains(said, spoiled) {
			t.Errorf("kept: %.200s", said)
		}
	}
}
