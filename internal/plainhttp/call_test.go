package plainhttp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Property: a call in memory that was used before has nothing of the one
// before, neither in the request nor in the answer, whether clients say much
// or little, hang up, or the handler panics; and the context of each call ends
// with it and stays ended.
func TestACallInUsedMemoryIsItsOwn(t *testing.T) {
	var mu sync.Mutex
	var over []context.Context
	_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.(interface{ Free() }).Free()
			return
		}
		said := r.URL.Query().Get("say")
		fields := len(said) % 4
		if string(body) != said || r.Header.Get("X-Say") != said || len(r.Header["X-More"]) != fields || len(r.Header) > 5 {
			t.Errorf("%s came as %q with %v", r.URL, body, r.Header)
		}
		if err := r.Context().Err(); err != nil && fields != 3 {
			t.Errorf("%s began with %v", said, err)
		}
		mu.Lock()
		over = append(over, r.Context())
		mu.Unlock()
		if len(w.Header()) > 0 {
			t.Errorf("%s has an answer that says %v already", said, w.Header())
		}
		w.Header().Set("X-Said-"+fmt.Sprint(fields), said)
		w.(interface{ Free() }).Free()
		if fields == 2 && len(said)%3 == 0 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, said)
	}, nil)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() { sayALot(t, addr, i) })
	}
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	for _, ctx := range over {
		select {
		case <-ctx.Done(): // soon after the client has its answer
		case <-time.After(5 * time.Second):
			t.Fatal("a context goes on after its call")
		}
		if ctx.Err() != context.Canceled {
			t.Fatalf("a context ended with %v", ctx.Err())
		}
	}
	if len(over) < 600 {
		t.Errorf("%d calls", len(over))
	}
}

func sayALot(t *testing.T, addr string, who int) {
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	for n := range 150 {
		said := fmt.Sprint(who, "-", n*n*n)
		fields := len(said) % 4
		ctx, hangUp := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "POST", "http://"+addr+"/?say="+said, nil)
		r.RequestURI, r.Body, r.ContentLength = "", io.NopCloser(strings.NewReader(said)), int64(len(said))
		r.Header.Set("X-Say", said)
		for range fields {
			r.Header.Add("X-More", said)
		}
		if fields == 3 && n%5 == 0 {
			go hangUp()
		}
		res, err := transport.RoundTrip(r)
		if err == nil {
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err == nil && (string(got) != said || res.Header.Get("X-Said-"+fmt.Sprint(fields)) != said) {
				t.Errorf("%s was answered %q with %v", said, got, res.Header)
			}
			for other := range 4 {
				if other != fields && res.Header.Get("X-Said-"+fmt.Sprint(other)) != "" {
					t.Errorf("%s was answered with another's %v", said, res.Header)
				}
			}
		}
		hangUp()
	}
}

// What a handler has freed is spoiled when it has returned, not before, and
// what it has not freed never is.
func TestWhatIsFreedIsSpoiledInTime(t *testing.T) {
	spoiled := make(chan *http.Request, 1)
	Spoil = func(r *http.Request, answered http.Header) {
		r.Method = "SPOILED"
		answered.Set("X-Spoiled", "yes")
		spoiled <- r
	}
	t.Cleanup(func() { Spoil = nil })
	var kept *http.Request
	_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if kept = r; r.URL.Path == "/freed" {
			w.(interface{ Free() }).Free()
		}
		if r.Method != "POST" || len(w.Header()) > 0 {
			t.Errorf("%s with %v", r.Method, w.Header())
		}
	}, nil)
	tell(t, addr, post("/freed", "abc"))
	if r := <-spoiled; r != kept {
		t.Error("another request was spoiled")
	}
	tell(t, addr, post("/", "abc"))
	if len(spoiled) > 0 || kept.Method != "POST" {
		t.Error("a request was spoiled that nobody freed")
	}
}
