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

	_ "outcrop/sqlite" // registers the driver
)

// A world is the processes under measurement.
type world struct {
	dir, binary string
	mock, proxy *helper
	nginx       *helper  // nil when it is not installed
	busy        *gateway // under saturated load
	quiet       *gateway // under a fixed rate, and with many open streams
}

func start(ctx context.Context) (w *world, err error) {
	w = new(world)
	if w.dir, err = os.MkdirTemp("", "outcrop-bench"); err != nil {
		return w, err
	}
	if w.binary, err = build(ctx, w.dir); err != nil {
		return w, err
	}
	if w.mock, err = startHelper("mock", ""); err != nil {
		return w, err
	}
	if w.proxy, err = startHelper("proxy", w.mock.url()); err != nil {
		return w, err
	}
	w.nginx, err = startNginx(w.dir, w.mock.addr)
	return w, err
}

// build builds the binary as it is released: stripped.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "outcrop")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "outcrop/cmd/outcrop").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build outcrop: %w\n%s", err, out)
	}
	return binary, nil
}

// end ends what start started, by process.
func (w *world) end() error {
	var errs []error
	for _, g := range []*gateway{w.busy, w.quiet} {
		if g != nil {
			errs = append(errs, g.stop())
		}
	}
	for _, h := range []*helper{w.proxy, w.nginx, w.mock} {
		if h != nil {
			errs = append(errs, h.end())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

// count stops the gateways and counts what their ledgers have.
func (w *world) count(ctx context.Context) (records int64, err error) {
	for _, g := range []*gateway{w.busy, w.quiet} {
		if g == nil {
			continue
		}
		if err := g.stop(); err != nil {
			return 0, err
		}
		n, err := recordsIn(ctx, filepath.Join(g.DataDir, "outcrop.db"))
		if err != nil {
			return 0, err
		}
		records += n
	}
	return records, nil
}

// recordsIn counts the answers in a ledger's store.
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
	if out == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// A helper is a process beside Outcrop: this program in another role, or nginx.
type helper struct {
	cmd   *exec.Cmd
	stdin io.Closer // its end ends us in another role; nil for nginx
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

func (h *helper) end() error {
	if h.stdin == nil {
		return errors.Join(quit(h.cmd.Process), h.cmd.Wait())
	}
	return errors.Join(h.stdin.Close(), h.cmd.Wait())
}
