package trail

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A clock is a time that tests move.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func open(t *testing.T, dir string, o Options) *Trail {
	t.Helper()
	if o.Account == "" {
		o.Account = "999999999999"
	}
	tr, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func closed(t *testing.T, tr *Trail) {
	t.Helper()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

// event is a call of the control plane, answered at a time.
func event(operation string, at time.Time) outcrop.AuditEvent {
	return outcrop.AuditEvent{
		Request: "11111111-2222-4333-8444-555555555555", Service: "bedrock", Source: "bedrock.amazonaws.com", Operation: operation, Admitted: true,
		Caller: outcrop.Caller{
			Account: "123456789012", Principal: "arn:aws:iam::123456789012:user/team/ann", UserID: "AIDAEXAMPLE", AccessKey: "AKIAIOSFODNN7EXAMPLE",
			Region: "us-east-1", Origin: outcrop.Origin{IP: "192.0.2.1", UserAgent: "aws-cli/2"},
		},
		Status: 200, Answered: at,
	}
}

// names are the trail's files, oldest first.
func names(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// lines are all lines of all files, oldest first.
func lines(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	for _, name := range names(t, dir) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			all = append(all, strings.TrimSuffix(string(line), "\n"))
		}
	}
	return all
}

func decode(t *testing.T, line string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return m
}

// recorded is what one event becomes.
func recorded(t *testing.T, o Options, e outcrop.AuditEvent) string {
	t.Helper()
	dir := t.TempDir()
	tr := open(t, dir, o)
	tr.Record(e)
	closed(t, tr)
	all := lines(t, dir)
	if len(all) != 1 {
		t.Fatalf("%d lines, want 1", len(all))
	}
	return all[0]
}

// A pipe is a mirror that takes nothing until it is drained.
type pipe struct {
	mu   sync.Mutex
	data []byte
	open chan struct{}
}

func newPipe() *pipe { return &pipe{open: make(chan struct{})} }

func (p *pipe) Write(b []byte) (int, error) {
	<-p.open
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data = append(p.data, b...)
	return len(b), nil
}

func (p *pipe) drain() { close(p.open) }

func (p *pipe) lines() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Count(p.data, []byte{'\n'})
}
