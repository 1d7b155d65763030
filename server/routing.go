package server

import (
	"time"

	"outcrop"
	"outcrop/routing"
)

// openRouter makes the router over the configured lanes.
func (e *engines) openRouter(c *Config, lanes []routing.Lane) *routing.Router {
	e.router = routing.New(routing.Options{
		Headroom: func(upstream string, _ outcrop.Destination) float64 { return e.quotas.Headroom(time.Now(), upstream) },
		Ejected: func(a *outcrop.Attempt, err error) {
			e.log.Warn("a lane fails and is left out for a while", "upstream", a.Upstream, "region", a.Destination.Region, "model", a.Destination.Model, "err", err)
		},
	})
	e.router.Use(lanes)
	return e.router
}
