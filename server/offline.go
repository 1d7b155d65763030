package server

import (
	"log/slog"
	"time"

	"outcrop/awsapi/runtimeapi"
	"outcrop/offline"
)

// openRuntime opens the invocations: those that a client waits for, and those
// in the background.
func (e *engines) openRuntime(c *Config, log *slog.Logger) {
	padding := c.Runtime.StreamPadding == nil || *c.Runtime.StreamPadding
	e.runtime = &runtimeapi.API{Gateway: e.gateway, Padding: padding}
	e.runtime.Offline = offline.New(offline.Options{
		Store: e.store.OfflineJobs(), Objects: e.objects, Invoke: e.runtime.Invoke, Now: time.Now, Log: log,
	})
}
