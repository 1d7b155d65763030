package otel

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A sent is a request that came to a collector, and what was in it.
type sent struct {
	*http.Request
	traces tracev1.TracesData
	length int
}

func received(t testing.TB, r *http.Request) *sent {
	got := &sent{Request: r}
	body, err := io.ReadAll(r.Body)
	got.length = len(body)
	if err == nil && r.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, err = io.ReadAll(z)
		}
	}
	if err == nil {
		err = proto.Unmarshal(body, &got.traces)
	}
	if err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("%s of %s: %v", r.Method, r.Header.Get("Content-Type"), err)
	}
	return got
}

// collector answers on a port of its own, and tells what came.
func collector(t testing.TB) (url string, came chan *sent) {
	came = make(chan *sent, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { came <- received(t, r) }))
	t.Cleanup(server.Close)
	return server.URL, came
}

// tee keeps what the SDK's exporter makes of spans, and sends it.
type tee struct {
	*client
	made []*tracev1.ResourceSpans
}

func (t *tee) UploadTraces(ctx context.Context, spans []*tracev1.ResourceSpans) error {
	t.made = append(t.made, spans...)
	return t.client.UploadTraces(ctx, spans)
}

func newTestClient(t testing.TB, c Config) *client {
	t.Helper()
	made, err := newClient(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Stop(context.Background()) })
	return made
}

func TestWhatIsSentIsWhatTheSDKMade(t *testing.T) {
	for _, zipped := range []string{"none", "gzip"} {
		t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", zipped)
		url, came := collector(t)
		through := &tee{client: newTestClient(t, Config{Endpoint: url, Headers: map[string]string{"X-Key": "k"}, Version: "1.2"})}
		exporter, err := otlptrace.New(t.Context(), through)
		if err != nil {
			t.Fatal(err)
		}
		tracer := newTracer(Config{Sample: 1}, exporter)
		for range 20 {
			invoke(tracer, parent)
		}
		if err := tracer.Close(); err != nil {
			t.Fatal(err)
		}
		got := <-came
		if len(through.made) == 0 || !proto.Equal(&got.traces, &tracev1.TracesData{ResourceSpans: through.made}) {
			t.Errorf("sent %v of %v", &got.traces, through.made)
		}
		if got.URL.Path != "/v1/traces" || got.Header.Get("X-Key") != "k" || got.UserAgent() != "outcrop/1.2" {
			t.Errorf("asked %s with %v", got.URL, got.Header)
		}
		if full := proto.Size(&got.traces); (got.length < full/2) != (zipped == "gzip") || int64(got.length) != got.ContentLength {
			t.Errorf("compression %s sends %d bytes (length %d) for %d", zipped, got.length, got.ContentLength, full)
		}
	}
}

func TestPathsAndConnections(t *testing.T) {
	from := map[string]bool{}
	url, came := collector(t)
	for path, want := range map[string]string{"": "/v1/traces", "/": "/", "/a/b?c=d": "/a/b?c=d", "?c=d": "/v1/traces?c=d"} {
		c := newTestClient(t, Config{Endpoint: strings.Replace(url, "//", "//user:pass@", 1) + path})
		for range 3 {
			if err := c.UploadTraces(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			got := <-came
			if user, pass, _ := got.BasicAuth(); got.URL.String() != want || user != "user" || pass != "pass" || got.UserAgent() != "outcrop" {
				t.Errorf("%q asks %s with %v", path, got.URL, got.Header)
			}
			from[got.RemoteAddr] = true
		}
	}
	if len(from) != 4 {
		t.Errorf("%d connections of four clients", len(from))
	}
}

// A script is a collector in memory: each try's answer in turn, the last one
// for ever.
type script struct {
	answers []func(*http.Request) (*http.Response, error)
	at      []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	next := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Now())
	return next(r)
}

func answers(status int, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		return w.Result(), nil
	}
}

func refuses(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTriesAndWaits(t *testing.T) {
	busy, ok := answers(503), answers(200)
	for name, c := range map[string]struct {
		answers     []func(*http.Request) (*http.Response, error)
		tries       int
		least, most time.Duration // between the first and the last try
		taken       bool
	}{
		"at once":                 {[]func(*http.Request) (*http.Response, error){ok}, 1, 0, 0, true},
		"any 2xx":                 {[]func(*http.Request) (*http.Response, error){answers(202)}, 1, 0, 0, true},
		"waits grow":              {[]func(*http.Request) (*http.Response, error){busy, answers(502), answers(504), ok}, 4, 1750 * time.Millisecond, 5250 * time.Millisecond, true},
		"away for a moment":       {[]func(*http.Request) (*http.Response, error){refuses, ok}, 2, firstWait / 2, firstWait * 3 / 2, true},
		"Retry-After":             {[]func(*http.Request) (*http.Response, error){answers(429, "Retry-After", "3"), ok}, 2, 3 * time.Second, 3 * time.Second, true},
		"Retry-After, a date":     {[]func(*http.Request) (*http.Response, error){answers(429, "Retry-After", "Sat, 01 Jan 2000 00:00:04 GMT"), ok}, 2, 4 * time.Second, 4 * time.Second, true},
		"Retry-After, gone by":    {[]func(*http.Request) (*http.Response, error){answers(429, "Retry-After", "Sat, 01 Jan 1990 00:00:04 GMT"), ok}, 2, firstWait / 2, firstWait * 3 / 2, true},
		"Retry-After, too late":   {[]func(*http.Request) (*http.Response, error){answers(429, "Retry-After", "60"), ok}, 1, 0, 0, false},
		"Retry-After, of a crash": {[]func(*http.Request) (*http.Response, error){answers(500, "Retry-After", "1"), ok}, 1, 0, 0, false},
		"a mistake":               {[]func(*http.Request) (*http.Response, error){answers(400), ok}, 1, 0, 0, false},
		"a redirect":              {[]func(*http.Request) (*http.Response, error){answers(307, "Location", "http://elsewhere.test/"), ok}, 1, 0, 0, false},
		"always busy":             {[]func(*http.Request) (*http.Response, error){busy}, 5, 3750 * time.Millisecond, sendFor, false},
		"hangs":                   {[]func(*http.Request) (*http.Response, error){hangs}, 1, 0, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				collector := &script{answers: c.answers}
				client := newTestClient(t, Config{Endpoint: "http://collector.test"})
				client.http.Transport = collector
				begun := time.Now()
				err := client.UploadTraces(t.Context(), nil)
				spread := collector.at[len(collector.at)-1].Sub(begun)
				if n := len(collector.at); n != c.tries && (name != "always busy" || n < 4 || n > 7) || spread < c.least || spread > c.most || (err == nil) != c.taken {
					t.Errorf("%d tries in %v: %v", n, spread, err)
				}
				if took := time.Since(begun); took > sendFor {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestShutdownWhileItTriesAgainEndsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		most   time.Duration
	}{"refuses": {refuses, 0}, "busy": {answers(503, "Retry-After", "4"), 0}, "hangs": {hangs, shutdownFor}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which also waits for what Close leaves behind
				tracer, err := New(t.Context(), Config{Endpoint: "http://collector.test", Sample: 1}, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				collector := &script{answers: []func(*http.Request) (*http.Response, error){c.answer}}
				tracer.client.http.Transport = collector
				invoke(tracer, "")
				time.Sleep(sdktrace.DefaultScheduleDelay*time.Millisecond + firstWait/4) // the batch is on its way
				invoke(tracer, "")
				begun := time.Now()
				if err := tracer.Close(); err != nil && name != "hangs" {
					t.Error(err)
				}
				if took := time.Since(begun); took > c.most {
					t.Errorf("it took %v", took)
				}
				synctest.Wait()
				if name != "hangs" && len(collector.at) != 2 {
					t.Errorf("%d tries; the one before, and one of what waited", len(collector.at))
				}
			})
		})
	}
}
