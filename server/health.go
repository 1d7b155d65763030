package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"outcrop/routing"
)

// Bounds of health.
const (
	healthFor  = 2 * time.Second // for the store to answer
	foldLateBy = time.Minute     // a fold that has not come to the end for so long is late
)

// A vital is one line of /readyz.
type vital struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Needed bool   `json:"needed"` // the server is not ready without it
	Detail string `json:"detail"`
}

// readiness looks at what the server needs to answer calls, and at what only
// its operator has to know of.
func (e *engines) readiness(ctx context.Context) []vital {
	ctx, cancel := context.WithTimeout(ctx, healthFor)
	defer cancel()
	stats := e.ledger.Stats()
	checks := []vital{
		verdict("ledger", true, e.ledger.Health(), fmt.Sprintf("%d invocations in flight, %d segments", stats.InFlight, stats.Segments)),
	}
	_, err := e.store.Usage().Watermark(ctx)
	checks = append(checks,
		verdict("store", true, err, fmt.Sprintf("%d records behind the ledger", stats.Durable-stats.Drained)),
		verdict("metrics fold", false, e.foldTrouble(), fmt.Sprintf("%d records behind the store", e.foldLag())),
		verdict("usage audit", false, e.watch.Health(), e.auditDetail()),
		e.logsReady(),
	)
	return append(checks, e.upstreamsReady())
}

// upstreamsReady says how many upstreams take calls. A server without one is up
// and answers calls with a 503 of its own, so that this alone does not take it
// out of service.
func (e *engines) upstreamsReady() vital {
	all := e.router.Statuses()
	up := 0
	for i := range all {
		if all[i].State == routing.Enabled {
			up++
		}
	}
	return vital{Name: "upstreams", OK: up > 0, Detail: fmt.Sprintf("%d of %d take calls", up, len(all))}
}

func verdict(name string, needed bool, err error, detail string) vital {
	if err != nil {
		return vital{Name: name, Needed: needed, Detail: err.Error()}
	}
	return vital{Name: name, OK: true, Needed: needed, Detail: detail}
}

// foldTrouble says why metrics are late; nil when they are not.
func (e *engines) foldTrouble() error {
	s := e.metrics.Stats()
	if s.Err != nil {
		return s.Err
	}
	if !s.Folded.IsZero() && time.Since(s.Folded) > foldLateBy {
		return fmt.Errorf("has not reached the end of the ledger since %s", s.Folded.UTC().Format(time.RFC3339))
	}
	return nil
}

// answersHealth answers the two questions that supervisors ask: is the process
// alive, and can it keep what it is asked to do. It says whether the request
// was one of them.
func (e *engines) answersHealth(w http.ResponseWriter, r *http.Request) bool {
	switch r.URL.Path {
	case "/healthz":
		fmt.Fprintln(w, "ok")
	case "/readyz":
		e.serveReady(w, r)
	default:
		return false
	}
	return true
}

func (e *engines) serveReady(w http.ResponseWriter, r *http.Request) {
	checks := e.readiness(r.Context())
	var missing []string
	for _, c := range checks {
		if c.Needed && !c.OK {
			missing = append(missing, c.Name+": "+c.Detail)
		}
	}
	status := http.StatusOK
	if len(missing) > 0 {
		status = http.StatusServiceUnavailable
	}
	if r.URL.Query().Has("verbose") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		_ = enc.Encode(map[string]any{"ready": len(missing) == 0, "checks": checks}) // a client that went away needs no answer
		return
	}
	if len(missing) > 0 {
		http.Error(w, "the server is not ready: "+strings.Join(missing, "; "), status)
		return
	}
	fmt.Fprintln(w, "ready")
}

// withHealth answers health and scrapes before AWS is asked. A signed request
// is AWS's, whatever its path.
func (e *engines) withHealth(next http.Handler, c *Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case e.answersHealth(w, r):
		case r.URL.Path == "/metrics" && !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") && !r.URL.Query().Has("X-Amz-Signature"):
			e.serveScrape(w, r, &c.Metrics, false)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
