package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"outcrop"
	"outcrop/server/servertest"
	_ "outcrop/sqlite" // registers the driver
	"outcrop/upstream/upstreamtest"
)

// A world is the processes under measurement.
type world struct {
	dir         string
	mock, proxy *helper
	simulated   *gateway // Outcrop with the simulator
	fronting    *gateway // Outcrop in front of the mock
}

// A gateway is an Outcrop process and the profile that is invoked in it.
type gateway struct {
	*servertest.Server
	client  *servertest.Client
	profile outcrop.ARN
	stopped bool
}

// model is what both upstreams serve, by its Bedrock name.
const model = "amazon.nova-lite-v1:0"

func start(ctx context.Context, cpuprofile string) (w *world, err error) {
	w = new(world)
	if w.dir, err = os.MkdirTemp("", "outcrop-bench"); err != nil {
		return w, err
	}
	binary, err := servertest.Build(w.dir)
	if err != nil {
		return w, err
	}
	if w.mock, err = startHelper("mock", ""); err != nil {
		return w, err
	}
	if w.proxy, err = startHelper("proxy", w.mock.url()); err != nil {
		return w, err
	}
	const simulator = "upstreams: {simulator: {kind: simulator}}\n"
	if w.simulated, err = w.gateway(ctx, binary, "simulated", simulator); err != nil {
		return w, err
	}
	mock := fmt.Sprintf("upstreams: {mock: {kind: openai, baseURL: %q, models: {%q: mock}}}\n", w.mock.url()+"/v1", model)
	var env []string
	if cpuprofile != "" {
		if cpuprofile, err = filepath.Abs(cpuprofile); err != nil {
			return w, err
		}
		env = append(env, "OUTCROP_CPUPROFILE="+cpuprofile)
	}
	w.fronting, err = w.gateway(ctx, binary, "fronting", mock, env...)
	return w, err
}

func (w *world) gateway(ctx context.Context, binary, name, config string, env ...string) (g *gateway, err error) {
	g = new(gateway)
	if g.Server, err = servertest.Start(ctx, binary, filepath.Join(w.dir, name), config+"log: error\n", env...); err != nil {
		return nil, err
	}
	if g.client, err = g.Client(http.DefaultClient); err == nil {
		source := "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + model
		g.profile, err = g.client.CreateProfile(ctx, "bench", source, outcrop.Tags{"team": "bench"})
	}
	return g, err
}

// end ends what start started, by process.
func (w *world) end() error {
	var errs []error
	for _, g := range []*gateway{w.fronting, w.simulated} {
		if g != nil {
			errs = append(errs, g.stop())
		}
	}
	for _, h := range []*helper{w.proxy, w.mock} {
		if h != nil {
			errs = append(errs, h.end())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

func (g *gateway) stop() error {
	if g.stopped {
		return nil
	}
	g.stopped = true
	return g.Stop()
}

// count stops the gateways and holds what their ledgers have against what was
// answered, and the upstream's own count against both.
func (w *world) count(ctx context.Context, r *report) error {
	for _, g := range []*gateway{w.simulated, w.fronting} {
		if err := g.stop(); err != nil {
			return err
		}
		records, err := recordsIn(ctx, filepath.Join(g.DataDir, "outcrop.db"))
		if err != nil {
			return err
		}
		r.Records += records
	}
	var told upstreamtest.MockCount
	if err := getJSON(ctx, w.mock.url()+"/counts", &told); err != nil {
		return err
	}
	r.Upstream = told.Answers
	return nil
}

func recordsIn(ctx context.Context, file string) (n int64, err error) {
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, `SELECT count(DISTINCT invocation) FROM usage_records`).Scan(&n)
	return n, err
}

func getJSON(ctx context.Context, url string, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(out)
}

// A helper is this program in another role, in its own process.
type helper struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
}

func startHelper(role, to string) (*helper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	h := &helper{cmd: exec.Command(self, "-role", role, "-to", to)}
	h.cmd.Stderr = os.Stderr
	if h.stdin, err = h.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", role, err), h.end())
	}
	h.addr = strings.TrimSpace(line)
	return h, nil
}

func (h *helper) url() string { return "http://" + h.addr }

func (h *helper) end() error { return errors.Join(h.stdin.Close(), h.cmd.Wait()) }
