// Package server introduces the engines and edges to each other, starts them,
// and ends them in order.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"outcrop/identity"
	"outcrop/internal/plainhttp"
)

// Limits of a connection.
const (
	headerTimeout  = 15 * time.Second
	idleTimeout    = 3 * time.Minute
	maxHeaderBytes = 64 << 10
	maxH2Streams   = 1000 // per connection
)

// A Server is the whole product, started.
type Server struct {
	config  Config
	log     *slog.Logger
	engines *engines
	http    *http.Server           // HTTP/2, TLS, and what is odd in HTTP/1.1
	plain   *plainhttp.Server      // all other HTTP/1.1
	first   *identity.Bootstrapped // credentials, on the first start only
	errs    chan error
	addr    net.Addr
	release func() error // lock of the data folder
}

// Start opens the data folder, starts every engine and listens. Close it.
func Start(ctx context.Context, config Config, log *slog.Logger) (*Server, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	release, err := lock(config.DataDir)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, log: log, release: release, errs: make(chan error, 3)}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	listener, err := net.Listen("tcp", s.config.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen: %w: stop what listens there, or name another address with --listen", err)
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.addr = listener.Addr()
	if s.engines, s.first, err = open(ctx, &s.config, s.Endpoint(), s.log); err != nil {
		return errors.Join(err, listener.Close())
	}
	handler := s.engines.handler(&s.config, s.log)
	s.http = newHTTPServer(handler, s.log)
	s.plain = &plainhttp.Server{Handler: handler, HeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, Patience: patience, Log: s.log}
	if !s.config.TLS {
		s.servePlain(listener)
		return nil
	}
	config, err := tlsConfig(s.config.DataDir, s.config.Listen, time.Now())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	plain, secure := split(listener, config)
	s.servePlain(plain)
	s.serve(s.http, secure)
	return nil
}

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	srv := &http.Server{
		Handler:           patiently(h, patience),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxH2Streams},
		Protocols:         new(http.Protocols),
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(true)
	srv.Protocols.SetUnencryptedHTTP2(true) // the JavaScript SDK's Bedrock client speaks h2c with prior knowledge
	return srv
}

// servePlain answers plain requests itself and leaves the rest to net/http.
func (s *Server) servePlain(l net.Listener) {
	rest := newHandoff(l)
	s.plain.Rest = rest.give
	s.serve(s.plain, l)
	s.serve(s.http, rest)
}

func (s *Server) serve(server interface{ Serve(net.Listener) error }, l net.Listener) {
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.errs <- fmt.Errorf("serve %s: %w", l.Addr(), err)
			return
		}
		s.errs <- nil
	}()
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Endpoint is the URL that AWS clients are pointed at.
func (s *Server) Endpoint() string {
	scheme := "http"
	if s.config.TLS {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(s.addr.String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// FirstStart holds the credentials that were just made, or nil: they are shown
// once.
func (s *Server) FirstStart() *identity.Bootstrapped { return s.first }

// Wait returns when ctx ends or the server fails.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.errs:
		return err
	}
}

// Close lets open streams finish for the configured time, then ends every
// engine in the reverse order of their start.
func (s *Server) Close() error {
	var errs []error
	if s.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.config.Drain))
		defer cancel()
		switch err := s.shutdown(ctx); {
		case errors.Is(err, context.DeadlineExceeded):
			s.log.Warn("open calls were cut off after the drain time", "drain", time.Duration(s.config.Drain))
			errs = append(errs, s.plain.Close(), s.http.Close())
		default:
			errs = append(errs, err)
		}
	}
	if s.engines != nil {
		errs = append(errs, s.engines.close())
	}
	return errors.Join(append(errs, s.release())...)
}

// shutdown takes no more calls and waits for those that are open.
func (s *Server) shutdown(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.plain.Shutdown(ctx) }()
	err := s.http.Shutdown(ctx)
	return cmp.Or(<-ended, err)
}

// Run serves until ctx ends, telling on out where and with which credentials.
func Run(ctx context.Context, config Config, log *slog.Logger, out io.Writer) error {
	s, err := Start(ctx, config, log)
	if err != nil {
		return err
	}
	s.greet(out)
	err = s.Wait(ctx)
	log.Info("shutting down")
	return errors.Join(err, s.Close())
}

// lock keeps a second server out of the data folder.
func lock(dir string) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("the data folder %s is in use by another outcrop: stop it, or name another folder with --data", dir)
	}
	return f.Close, nil
}
