package server

import (
	"context"
	"fmt"
	"time"

	"outcrop/metrics"
	"outcrop/telemetry/invocationlog"
	"outcrop/telemetry/prom"

	"github.com/prometheus/client_golang/prometheus"
)

// deliveries counts in AWS/Bedrock what becomes of the invocation logs.
type deliveries struct{ metrics *metrics.Metrics }

// deliveryMetrics by Delivery: failure, success.
var deliveryMetrics = map[invocationlog.Delivery][2]string{
	invocationlog.ToCloudWatch: {metrics.LogsToCloudWatchFailed, metrics.LogsToCloudWatch},
	invocationlog.ToS3:         {metrics.LogsToS3Failed, metrics.LogsToS3},
	invocationlog.LargeData:    {metrics.LargeDataToS3Failed, metrics.LargeDataToS3},
}

// Delivered implements invocationlog.Counts. As on AWS the metrics have no
// dimensions.
func (d deliveries) Delivered(p invocationlog.Place, to invocationlog.Delivery, arrived bool, n int) {
	name := deliveryMetrics[to][0]
	if arrived {
		name = deliveryMetrics[to][1]
	}
	d.metrics.Count(metrics.Lane{Account: p.Account, Region: p.Region, Namespace: metrics.Namespace}, name, float64(n))
}

// closeInvocations delivers what it can, and has it counted on disk.
func (e *engines) closeInvocations() error {
	err := e.invocations.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := e.metrics.CatchUp(ctx); err != nil {
		e.log.Warn("the last deliveries of invocation logs were not counted", "err", err)
	}
	return err
}

// logGauges tell a scrape of the invocation logs.
func (e *engines) logGauges() []prometheus.Collector {
	return []prometheus.Collector{
		prom.Counters("invocation_logs_delivered_total", "Records of invocation logs that arrived since the start.", "destination", func() map[string]float64 {
			s := e.invocations.Stats()
			return map[string]float64{"cloudwatch": float64(s.ToLogs), "s3": float64(s.ToS3)}
		}),
		prom.Counters("invocation_logs_dropped_total", "Records of invocation logs that will not arrive, since the start.", "reason", func() map[string]float64 {
			dropped := map[string]float64{}
			for why, n := range e.invocations.Stats().Dropped {
				dropped[why] = float64(n)
			}
			return dropped
		}),
		prom.Counter("invocation_logs_sampled_out_total", "Invocations that sampling left out of the logs, since the start.", func() float64 { return float64(e.invocations.Stats().Sampled) }),
		prom.Counter("invocation_logs_failures_total", "Deliveries of invocation logs that failed and are tried again.", func() float64 { return float64(e.invocations.Stats().Failures) }),
		prom.Gauge("invocation_logs_waiting", "Records of invocation logs on disk that wait for delivery.", func() float64 { return float64(e.invocations.Stats().Waiting) }),
		prom.Gauge("invocation_logs_waiting_bytes", "What they take.", func() float64 { return float64(e.invocations.Stats().WaitingBytes) }),
	}
}

// lossHeals is how long after a loss of invocation logs the server's state
// tells of it. What was lost before stays in the metrics.
const lossHeals = 5 * time.Minute

// logsReady is the line of /readyz about invocation logs as they are now.
func (e *engines) logsReady() vital { return logsVital(e.invocations.Stats(), time.Now()) }

// logsVital says whether records are being lost. That is for the operator to
// know of; calls go on.
func logsVital(s invocationlog.Stats, now time.Time) vital {
	dropped := int64(0)
	for _, n := range s.Dropped {
		dropped += n
	}
	v := vital{Name: "invocation logs", OK: s.LastLost.IsZero() || now.Sub(s.LastLost) >= lossHeals,
		Detail: fmt.Sprintf("%d delivered, %d waiting, %d dropped since the start", s.ToLogs+s.ToS3, s.Waiting, dropped)}
	if !v.OK {
		v.Detail = fmt.Sprintf("records are being lost, last at %s: %s (%s)", s.LastLost.UTC().Format(time.RFC3339), s.LostWhy, v.Detail)
	}
	return v
}

// tellAudits puts each minute how the audit of usage stands into Outcrop's own
// namespace, for alarms of the account and Region that the configuration names.
func (e *engines) tellAudits(ctx context.Context, c *Config) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.tellAudit(metrics.Lane{Account: c.Account, Region: c.Region, Namespace: metrics.OwnNamespace})
		}
	}
}

func (e *engines) tellAudit(lane metrics.Lane) {
	s := e.watch.Stats()
	if s.Audits > 0 {
		e.metrics.Count(lane, metrics.UsageAuditDifferent, 1-e.auditEqual())
	}
	if s.Audits+s.Failed > 0 {
		failed := 0.0
		if s.Problem != nil {
			failed = 1
		}
		e.metrics.Count(lane, metrics.UsageAuditFailed, failed)
	}
}
