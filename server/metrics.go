package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/metricsapi"
	"outcrop/metrics"
	"outcrop/metrics/alarm"
	"outcrop/pricing"
	"outcrop/telemetry/otel"
	"outcrop/telemetry/prom"
	"outcrop/telemetry/webhook"
)

// AlarmsConfig turns what CloudWatch's alarms do.
type AlarmsConfig struct {
	Webhooks   map[string]string `yaml:"webhooks"`    // URL for an action's ARN, such as that of an SNS topic
	DirectURLs *bool             `yaml:"direct_urls"` // an alarm may name the URL of a webhook as its action; default true
	Secret     string            `yaml:"secret"`      // signs notifications (HMAC-SHA256, header X-Outcrop-Signature); usually ${VAR}
}

func (c *AlarmsConfig) check() error {
	for arn, to := range c.Webhooks {
		u, err := url.Parse(to)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("alarms.webhooks: the webhook of %s must be an http or https URL", arn)
		}
	}
	return nil
}

// watching is what tells operators and clients how things go.
type watching struct {
	metrics *metrics.Metrics
	alarms  *alarm.Alarms
	prom    *prom.Metrics
	tracer  *otel.Tracer // nil for none
}

// openMetrics makes the reader that folds CloudWatch's metrics, and the alarms
// on them.
func (e *engines) openMetrics(c *Config, log *slog.Logger) {
	e.metrics = metrics.New(e.ledger.Follow(), e.store.Metrics(), metrics.Rules{Legacy: e.legacy, Window: e.window}, time.Now, log)
	sender := webhook.New(c.Alarms.Secret)
	e.alarms = alarm.New(e.store.Alarms(), e.metrics, sender, alarm.Settings{
		Webhooks: c.Alarms.Webhooks, DirectURLs: c.Alarms.DirectURLs == nil || *c.Alarms.DirectURLs,
	}, time.Now, log)
	e.closers = append(e.closers, sender.Close, e.alarms.Close)
	e.openReckoning(log)
}

// legacy says whether a model is in the Legacy state.
func (e *engines) legacy(_ outcrop.Region, id outcrop.ModelID) bool {
	m, ok := e.anyModel(id)
	return ok && m.Lifecycle.Status == "LEGACY"
}

// longWindow is that of a model whose own is not known to be longer than where
// its long requests begin: AWS offers it on request, as a beta.
const longWindow = 1_000_000

// window is the context window that a call belongs to, of a model whose long
// requests are apart: what its short ones may read, or all it can.
func (e *engines) window(r *outcrop.UsageRecord) string {
	over := e.prices.Current().LongOver(pricing.Query{Model: r.Model, Geography: r.Geography, Region: r.Region, At: r.Started})
	if over == 0 {
		return ""
	}
	if r.Usage.Input() <= over {
		return thousands(over)
	}
	if m, ok := e.anyModel(r.Model); ok && m.ContextWindow > over {
		return thousands(m.ContextWindow)
	}
	return thousands(longWindow)
}

// thousands writes a window as people say it: 200K, 1M.
func thousands(n outcrop.Tokens) string {
	if n >= 1_000_000 {
		return fmt.Sprintf("%dM", n/1_000_000)
	}
	return fmt.Sprintf("%dK", (n+999)/1000)
}

// runMetrics starts what works in the background; close waits for it.
func (e *engines) runMetrics(ctx context.Context) {
	e.running.Go(func() { e.metrics.Run(ctx, e.ledger.Filled) })
	e.running.Go(func() { e.alarms.Run(ctx) })
}

func (e *engines) serveMetrics(mux *awsapi.Mux) {
	mux.Serve("cloudwatch", metricsapi.New(metricsapi.Config{Metrics: e.metrics, Alarms: e.alarms, Dashboards: e.store, Now: time.Now}).Operations()...)
}
