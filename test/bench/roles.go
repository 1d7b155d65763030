package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"

	"outcrop/upstream/upstreamtest"
)

// What the upstream answers, whatever it is asked.
const (
	framesPerStream = 100
	framePace       = time.Millisecond
	frameText       = "sixteen bytes..." // a mock's chunk of four tokens
	answerTokens    = 100
)

// mockUpstream is an OpenAI-compatible server that answers at once: some JSON,
// or 100 chunks a millisecond apart. GET /counts tells what it answered.
func mockUpstream() http.Handler {
	mock := &upstreamtest.MockOpenAI{Answer: func(q *upstreamtest.MockRequest) *upstreamtest.MockAnswer {
		a := &upstreamtest.MockAnswer{Text: strings.Repeat("four", answerTokens), Finish: "stop", Prompt: 256, Completion: answerTokens}
		if q.Stream {
			a.Text, a.Pace, a.Completion = strings.Repeat(frameText, framesPerStream), framePace, 4*framesPerStream
		}
		return a
	}}
	mock.CountOnlyTotals()
	mux := http.NewServeMux()
	mux.Handle("/v1/", mock)
	mux.HandleFunc("/counts", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(mock.Total()) // a benchmark that has gone does not count
	})
	return mux
}

// bareProxy is what everything is compared with: the standard library's
// reverse proxy, with as many idle connections as it can use.
func bareProxy(to string) (http.Handler, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 4 * connections, DisableCompression: true},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// An upstream this quick answers while the transport still looks for
		// the end of the request's body, which the server would close.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	}), nil
}

// serveRole serves until the benchmark closes our standard input, which it
// also does by dying.
func serveRole(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) // its end is all that matters
		l.Close()
	}()
	http.Serve(l, h) // ends when the listener closes
	return nil
}
