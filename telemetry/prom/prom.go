// Package prom counts invocations for Prometheus, with a bounded number of
// series, and shows how the server itself does.
package prom

import (
	"net/http"
	"sync"

	"outcrop"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Bounds of label values. What comes after them is counted under Other.
const (
	maxModels = 200 // values of model_id: models and profiles
	maxOthers = 50  // of each other label
)

// Other is the label value of all that is over a bound.
const Other = "other"

// Metrics are what a scrape shows. It is safe for concurrent use.
type Metrics struct {
	registry    *prometheus.Registry
	models      label
	regions     label
	upstreams   label
	accounts    label
	kept        kept
	invocations *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	tokens      *prometheus.CounterVec
	unpriced    *prometheus.CounterVec
	attempts    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	firstToken  *prometheus.HistogramVec
}

// seconds are the buckets of how long models take.
var seconds = []float64{.05, .1, .25, .5, 1, 2, 4, 8, 16, 32, 64, 128, 300}

// New makes Metrics. gauges are read at each scrape.
func New(gauges ...prometheus.Collector) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), models: newLabel(maxModels), regions: newLabel(maxOthers), upstreams: newLabel(maxOthers), accounts: newLabel(maxOthers)}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "outcrop", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "outcrop", Name: name, Help: help, Buckets: seconds}, []string{"model_id"})
	}
	m.invocations = counter("invocations_total", "Invocations that have a record in the ledger, by how they ended.", "account", "region", "model_id", "operation", "status")
	m.refusals = counter("refusals_total", "Calls turned away before they had a record: throttled, denied or invalid.", "account", "model_id", "status")
	m.tokens = counter("tokens_total", "Tokens by kind, as in the ledger.", "account", "model_id", "kind")
	m.unpriced = counter("tokens_without_price_total", "Tokens that no price is known for: their cost is unknown, not zero.", "account", "model_id", "kind")
	m.attempts = counter("upstream_invocations_total", "Invocations by the upstream and Region that answered last.", "upstream", "served_in", "status")
	m.duration = histogram("invocation_duration_seconds", "From receipt to the last token, of successful invocations.")
	m.firstToken = histogram("time_to_first_token_seconds", "From receipt to the first token, of successful streams.")
	m.registry.MustRegister(m.invocations, m.refusals, m.tokens, m.unpriced, m.attempts, m.duration, m.firstToken,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsScheduler)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(gauges...)
	return m
}

// statuses keeps the text of a status as its class, but for those that have a
// meaning of their own.
func statuses(code int) string {
	switch {
	case code == 429:
		return "throttled"
	case code == 499:
		return "hung_up"
	case code >= 500:
		return "server_error"
	case code >= 400:
		return "client_error"
	}
	return "ok"
}

// Settled counts an invocation whose record is on disk.
func (m *Metrics) Settled(r *outcrop.UsageRecord) {
	s := m.seriesOf(r)
	s.invocations.or(func() prometheus.Counter {
		return m.invocations.WithLabelValues(s.account, m.regions.of(string(r.Region)), s.model, string(r.Operation), s.status)
	}).Inc()
	if r.Upstream != "" {
		s.attempts.or(func() prometheus.Counter {
			return m.attempts.WithLabelValues(m.upstreams.of(r.Upstream), m.regions.of(string(r.ServedIn)), s.status)
		}).Inc()
	}
	for kind, n := range r.Usage.All() {
		s.tokens[kind].or(func() prometheus.Counter { return m.tokens.WithLabelValues(s.account, s.model, kind.String()) }).Add(float64(n))
		if _, priced := r.Quote.Rate(kind); !priced && n > 0 {
			s.unpriced[kind].or(func() prometheus.Counter { return m.unpriced.WithLabelValues(s.account, s.model, kind.String()) }).Add(float64(n))
		}
	}
	if r.Outcome.Status != http.StatusOK {
		return
	}
	s.duration.or(func() prometheus.Observer { return m.duration.WithLabelValues(s.model) }).Observe(r.Ended.Sub(r.Started).Seconds())
	if r.Operation.Streaming() && !r.FirstByte.IsZero() {
		s.firstToken.or(func() prometheus.Observer { return m.firstToken.WithLabelValues(s.model) }).Observe(r.FirstByte.Sub(r.Started).Seconds())
	}
}

// Refused counts a call that was turned away without a record.
func (m *Metrics) Refused(account outcrop.AccountID, model string, status int) {
	m.refusals.WithLabelValues(m.accounts.of(string(account)), m.models.of(model), statuses(status)).Inc()
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// A label keeps its first values, up to a limit.
type label struct {
	limit int
	seen  *sync.Map // string to nothing
	mu    *sync.Mutex
	n     *int
}

func newLabel(limit int) label { return label{limit, new(sync.Map), new(sync.Mutex), new(int)} }

// of is v, or Other for one that came too late.
func (l *label) of(v string) string {
	if v == "" {
		return "none"
	}
	if _, ok := l.seen.Load(v); ok {
		return v
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if *l.n >= l.limit {
		return Other
	}
	if _, had := l.seen.LoadOrStore(v, nil); !had {
		*l.n++
	}
	return v
}

// A Gauge is a number that is read when asked for.
func Gauge(name, help string, read func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "outcrop", Name: name, Help: help}, read)
}

// Counter is a Gauge that only grows.
func Counter(name, help string, read func() float64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "outcrop", Name: name, Help: help}, read)
}

// Histogram tells how long things take, of a kind that others measure.
func Histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "outcrop", Name: name, Help: help, Buckets: buckets})
}

// Counters are several that only grow, told apart by one label of few values.
func Counters(name, help, label string, read func() map[string]float64) prometheus.Collector {
	return &counters{prometheus.NewDesc("outcrop_"+name, help, []string{label}, nil), read}
}

type counters struct {
	desc *prometheus.Desc
	read func() map[string]float64
}

func (c *counters) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

func (c *counters) Collect(to chan<- prometheus.Metric) {
	for value, n := range c.read() {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, n, value)
	}
}
