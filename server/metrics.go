package server

import (
	"context"
	"log/slog"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/metricsapi"
	"outcrop/metrics"
)

// openMetrics starts the reader that makes CloudWatch's metrics.
func (e *engines) openMetrics(log *slog.Logger) {
	e.metrics = metrics.New(e.ledger, e.store.Metrics(), metrics.Rules{Legacy: e.legacy}, time.Now, log)
}

// legacy says whether a model is in the Legacy state.
func (e *engines) legacy(_ outcrop.Region, id outcrop.ModelID) bool {
	m, ok := e.anyModel(id)
	return ok && m.Lifecycle.Status == "LEGACY"
}

// runMetrics starts what works in the background; close waits for it.
func (e *engines) runMetrics(ctx context.Context) {
	e.running.Go(func() { e.metrics.Run(ctx) })
}

// refused counts a call that never reached the ledger.
func (e *engines) refused(who outcrop.Caller, target *outcrop.Target, err error) {
	e.metrics.Refused(who, target, awsapi.StatusOf(err))
}

func (e *engines) serveMetrics(mux *awsapi.Mux) {
	mux.Serve("cloudwatch", metricsapi.New(metricsapi.Config{Metrics: e.metrics, Now: time.Now}).Operations()...)
}
