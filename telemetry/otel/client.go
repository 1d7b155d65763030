package otel

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/proto"
)

// The waits between tries: the first, which doubles up to the last. Each is
// half to one and a half times as long, so that many who send do not do it at once.
const (
	firstWait = 500 * time.Millisecond
	lastWait  = 4 * time.Second
)

// A client sends spans to a collector by OTLP/HTTP. It is an otlptrace.Client of
// our own because otlptracehttp's configuration links gRPC.
type client struct {
	to      *url.URL
	header  http.Header
	secrets []string // what no error may tell
	zip     func(body []byte) bool
	http    *http.Client

	alive   context.Context // until Stop
	stop    context.CancelFunc
	patient context.Context // until hurry
	hurry   context.CancelFunc
}

// newClient makes a client of what is configured; the environment adds to it.
func newClient(c Config) (*client, error) {
	to, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, errors.New("the collector's URL cannot be read") // what it holds may be a secret
	}
	if to.Path == "" {
		to.Path = "/v1/traces"
	}
	env, err := readEnvironment(to.Scheme == "https")
	if err != nil {
		return nil, err
	}
	password, _ := to.User.Password()
	made := &client{to: to, header: http.Header{}, secrets: []string{password, to.RawQuery}, zip: env.zip(to), http: newHTTP(env.tls)}
	made.header.Set("User-Agent", strings.TrimSuffix("outcrop/"+c.Version, "/"))
	if err := errors.Join(made.always(env.headers), made.always(c.Headers)); err != nil {
		return nil, err
	}
	made.alive, made.stop = context.WithCancel(context.Background())
	made.patient, made.hurry = context.WithCancel(made.alive)
	return made, nil
}

// always has each request carry headers.
func (c *client) always(headers map[string]string) error {
	for name, value := range headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return fmt.Errorf("header %q cannot be sent", name)
		}
		c.header.Set(name, value)
		_, token, _ := strings.Cut(value, " ") // as in Bearer TOKEN
		c.secrets = append(c.secrets, value, token)
	}
	return nil
}

// Start does nothing: connections are made when there is something to send.
func (c *client) Start(context.Context) error { return nil }

// Stop ends what is being sent.
func (c *client) Stop(context.Context) error {
	c.stop()
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces sends a batch, again when the collector is away or asks for it,
// for as long as sendFor allows.
func (c *client) UploadTraces(ctx context.Context, spans []*tracev1.ResourceSpans) error {
	ctx, cancel := context.WithTimeout(ctx, sendFor)
	defer cancel()
	defer context.AfterFunc(c.alive, cancel)()
	// TracesData has the wire form of an ExportTraceServiceRequest, whose package
	// links gRPC: the only field of both is the first, resource_spans.
	text, err := proto.Marshal(&tracev1.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode spans: %w", err)
	}
	sent := c.body(text)
	for tries, wait := 1, firstWait; ; tries, wait = tries+1, min(2*wait, lastWait) {
		failed := c.post(ctx, sent)
		if failed == nil {
			return nil
		}
		if !failed.again || !c.pause(ctx, max(failed.after, jittered(wait))) {
			return fmt.Errorf("collector %s, try %d: %w", c.to.Host, tries, failed)
		}
	}
}

// pause waits, unless what comes after it would come too late.
func (c *client) pause(ctx context.Context, wait time.Duration) bool {
	if until, ok := ctx.Deadline(); ok && time.Until(until) <= wait {
		return false
	}
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
	case <-c.patient.Done():
	}
	return false
}

func jittered(wait time.Duration) time.Duration { return wait/2 + rand.N(wait) }
