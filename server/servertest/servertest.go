// Package servertest runs the real binary for tests and benchmarks, and signs
// requests to it.
package servertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"outcrop/identity"
)

// Limits of a server's start and end.
const (
	startTimeout  = time.Minute // the machine may be busy
	stopTimeout   = time.Minute
	maxOutputKept = 64 << 10 // bytes
)

// Build builds the command into dir and returns its path.
func Build(dir string) (string, error) {
	binary := filepath.Join(dir, "outcrop")
	if out, err := exec.Command("go", "build", "-o", binary, "outcrop/cmd/outcrop").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build outcrop: %w\n%s", err, out)
	}
	return binary, nil
}

// A Server is a running process. End it with Stop or Kill.
type Server struct {
	DataDir  string
	Endpoint string // such as http://127.0.0.1:4599

	cmd   *exec.Cmd
	out   output
	ended chan struct{} // closed once the process is gone
	err   error         // how it ended; read after ended
}

// Start starts binary on a data folder, on a free port, and returns once it is
// ready. config is a configuration file's text. env is added to ours.
func Start(ctx context.Context, binary, dataDir, config string, env ...string) (*Server, error) {
	file := filepath.Join(filepath.Dir(dataDir), filepath.Base(dataDir)+".yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	s := &Server{DataDir: dataDir, ended: make(chan struct{})}
	s.cmd = exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--data", dataDir, "--config", file)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.ready(ctx); err != nil {
		s.Kill()
		return nil, fmt.Errorf("start server: %w\n%s", err, s.Output())
	}
	return s, nil
}

var listening = regexp.MustCompile(`listening on (https?://\S+)\n`)

// ready waits until the server says where it listens and that it can work.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if m := listening.FindStringSubmatch(s.Output()); m != nil {
			s.Endpoint = m[1]
			if healthy(ctx, s.Endpoint+"/readyz") {
				return nil
			}
		}
		select {
		case <-s.ended:
			return fmt.Errorf("it ended: %w", s.err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func healthy(ctx context.Context, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close()) == nil && answer.StatusCode == http.StatusOK
}

// PID of the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Output is what the process wrote last.
func (s *Server) Output() string { return s.out.String() }

// Kill ends the process with SIGKILL and waits until it is gone.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.ended
}

// Stop ends the process as an operator would, and expects a clean exit.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		s.Kill()
		return errors.New("stop server: it did not end on SIGTERM")
	}
	if s.err != nil {
		return fmt.Errorf("stop server: %w\n%s", s.err, s.Output())
	}
	return nil
}

// Client is an administrator of the server's account.
func (s *Server) Client(h *http.Client) (*Client, error) {
	c, err := identity.ReadCredentials(s.DataDir)
	if err != nil {
		return nil, err
	}
	return newClient(s.Endpoint, c, h), nil
}

// output keeps the end of what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len()+len(b) > maxOutputKept {
		o.buf.Next(o.buf.Len() / 2)
	}
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
