package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/gateway"
	"outcrop/telemetry/otel"
	"outcrop/telemetry/prom"

	"github.com/prometheus/client_golang/prometheus"
)

// MetricsConfig turns who may read /metrics, which Prometheus scrapes. Without
// a token and a listener of its own, only this machine may.
type MetricsConfig struct {
	Listen string `yaml:"listen"` // address that serves /metrics, /healthz and /readyz alone, to whoever can reach it; default none
	Token  string `yaml:"token"`  // asked for as a bearer token on every address; usually ${VAR}
}

// TracesConfig turns where traces go: to an OTLP/HTTP collector, or nowhere.
type TracesConfig struct {
	Endpoint string            `yaml:"endpoint"` // such as http://127.0.0.1:4318; default none
	Headers  map[string]string `yaml:"headers"`  // of each request, such as a key
	Sample   *float64          `yaml:"sample"`   // part of the traces begun here that is kept, 0 to 1; default 1. Clients' traces follow their choice
}

func (c *MetricsConfig) check() error {
	if c.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("metrics.listen: %q is not HOST:PORT", c.Listen)
	}
	return nil
}

func (c *TracesConfig) check() error {
	if c.Endpoint != "" {
		if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("traces.endpoint must be the http or https URL of an OTLP/HTTP collector")
		}
	}
	if c.Sample != nil && (*c.Sample < 0 || *c.Sample > 1) {
		return fmt.Errorf("traces.sample: %v is not between 0 and 1", *c.Sample)
	}
	return nil
}

// observe has each invocation told to Prometheus and to traces.
func (e *engines) observe(ctx context.Context, c *Config, log *slog.Logger) error {
	e.prom = prom.New(slices.Concat(e.gauges(), e.logGauges(), e.disk.collectors())...)
	if c.Traces.Endpoint != "" {
		sample := 1.0
		if c.Traces.Sample != nil {
			sample = *c.Traces.Sample
		}
		version := ""
		if info, ok := debug.ReadBuildInfo(); ok {
			version = info.Main.Version
		}
		tracer, err := otel.New(ctx, otel.Config{Endpoint: c.Traces.Endpoint, Headers: c.Traces.Headers, Sample: sample, Version: version}, log)
		if err != nil {
			return err
		}
		e.tracer = tracer
		e.closers = append(e.closers, tracer.Close)
		e.gateway.Trace = tracer.Attempt
	}
	e.gateway.Ledger = observed{e.gateway.Ledger, e}
	return e.listenMetrics(c, log)
}

// observed tells of each record once it is on disk.
type observed struct {
	gateway.Ledger
	e *engines
}

func (o observed) Settle(ctx context.Context, r outcrop.UsageRecord) error {
	err := o.Ledger.Settle(ctx, r)
	if err == nil {
		o.e.prom.Settled(&r)
	}
	o.e.tracer.Settled(ctx, &r)
	return err
}

// refused counts a call that never reached the ledger.
func (e *engines) refused(who outcrop.Caller, target *outcrop.Target, err error) {
	if errors.Is(err, context.Canceled) {
		return // the client went away
	}
	status, model := awsapi.StatusOf(err), ""
	if target != nil {
		model = target.MetricID()
	}
	e.metrics.Refused(who, target, status)
	e.prom.Refused(who.Account, model, status)
}

// gauges are read at each scrape.
func (e *engines) gauges() []prometheus.Collector {
	up := func(err error) float64 {
		if err != nil {
			return 0
		}
		return 1
	}
	return []prometheus.Collector{
		prom.Gauge("ledger_healthy", "1 while the ledger can write and the store takes what it writes.", func() float64 { return up(e.ledger.Health()) }),
		prom.Counter("ledger_opened_total", "Invocations opened since the start.", func() float64 { return float64(e.ledger.Stats().Opened) }),
		prom.Counter("ledger_settled_total", "Records settled since the start.", func() float64 { return float64(e.ledger.Stats().Settled) }),
		prom.Counter("ledger_recovered_total", "Records settled at the start for a process that died.", func() float64 { return float64(e.ledger.Stats().Recovered) }),
		prom.Counter("ledger_commits_total", "Writes that were synced since the start.", func() float64 { return float64(e.ledger.Stats().Commits) }),
		prom.Counter("usage_audits_total", "Audits of usage that came to a verdict since the start.", func() float64 { return float64(e.watch.Stats().Audits) }),
		prom.Counter("usage_audits_different_total", "Audits of usage that found counts that differ, since the start.", func() float64 { return float64(e.watch.Stats().Differs) }),
		prom.Counter("usage_audits_failed_total", "Audits of usage that came to no verdict since the start.", func() float64 { return float64(e.watch.Stats().Failed) }),
		prom.Gauge("usage_audit_equal", "1 unless the newest audit of usage found counts that differ.", e.auditEqual),
		prom.Gauge("calls_without_client", "Upstreams that are listened to for clients that have gone.", func() float64 { return float64(e.gateway.Hangup.Listening()) }),
		prom.Gauge("ledger_in_flight", "Invocations open or waiting for the disk.", func() float64 { return float64(e.ledger.Stats().InFlight) }),
		prom.Gauge("ledger_segments", "Segment files on disk.", func() float64 { return float64(e.ledger.Stats().Segments) }),
		prom.Gauge("ledger_store_lag_records", "Records on disk that the store does not have yet.", func() float64 { s := e.ledger.Stats(); return float64(s.Durable - s.Drained) }),
		prom.Gauge("metrics_fold_lag_records", "Records of the store that metrics have not folded yet.", func() float64 { return float64(e.foldLag()) }),
		prom.Counter("metrics_dropped_samples_total", "Refusals that were not counted because the store was away too long.", func() float64 { return float64(e.metrics.Stats().Dropped) }),
	}
}

// foldLag is how many records of the store metrics have yet to fold.
func (e *engines) foldLag() uint64 {
	drained, folded := e.ledger.Stats().Drained, e.metrics.Stats().Watermark
	if folded >= drained {
		return 0
	}
	return uint64(drained - folded)
}

// serveScrape answers /metrics to those who may read it.
func (e *engines) serveScrape(w http.ResponseWriter, r *http.Request, c *MetricsConfig, open bool) {
	switch {
	case c.Token != "":
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(c.Token)) != 1 {
			http.Error(w, "/metrics wants the bearer token that metrics.token sets", http.StatusUnauthorized)
			return
		}
	case !open && !local(r):
		http.Error(w, "/metrics is for this machine alone: set metrics.token or metrics.listen to let others read it", http.StatusForbidden)
		return
	}
	e.prom.Handler().ServeHTTP(w, r)
}

// local says whether a request comes from this machine, and not through a proxy
// on it.
func local(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

// listenMetrics serves scrapes and health on an address of their own.
func (e *engines) listenMetrics(c *Config, log *slog.Logger) error {
	if c.Metrics.Listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", c.Metrics.Listen)
	if err != nil {
		return fmt.Errorf("metrics.listen: %w", err)
	}
	srv := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !e.answersHealth(w, r) {
			if r.URL.Path == "/metrics" {
				e.serveScrape(w, r, &c.Metrics, true)
				return
			}
			http.NotFound(w, r)
		}
	}), log)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served on their own address", "err", err)
		}
	})
	log.Info("metrics are served", "address", l.Addr().String())
	e.closers = append(e.closers, func() error {
		err := srv.Close()
		serving.Wait()
		return err
	})
	return nil
}

// traced begins a span for each request to a model.
func (e *engines) traced(next http.Handler) http.Handler {
	if e.tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/model/") {
			next.ServeHTTP(w, r)
			return
		}
		r, done := e.tracer.Request(r)
		defer done()
		next.ServeHTTP(w, r)
	})
}
