package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Promise: one port answers TLS with HTTP/2 or HTTP/1.1, plain HTTP/1.1, and
// HTTP/2 with prior knowledge; it ends cleanly, and waits for nobody who has
// gone.
func TestOnePortSpeaksEverything(t *testing.T) {
	var said bytes.Buffer
	dir := t.TempDir()
	s, err := Start(t.Context(), Config{Listen: "127.0.0.1:0", DataDir: dir, TLS: true}, slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(filepath.Join(dir, CAFile))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("the CA's file holds no certificate")
	}
	address := s.Addr().String()
	for _, c := range []struct {
		name, scheme, want string
		protocols          func(*http.Protocols)
	}{
		{"TLS, h2", "https", "HTTP/2.0", func(p *http.Protocols) { p.SetHTTP2(true) }},
		{"TLS, http/1.1", "https", "HTTP/1.1", func(p *http.Protocols) { p.SetHTTP1(true) }},
		{"plain", "http", "HTTP/1.1", func(p *http.Protocols) { p.SetHTTP1(true) }},
		{"h2c with prior knowledge", "http", "HTTP/2.0", func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }},
	} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Protocols: new(http.Protocols)}
		c.protocols(transport.Protocols)
		res, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get(c.scheme + "://" + address + "/readyz")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		transport.CloseIdleConnections()
		if res.StatusCode != 200 || res.Proto != c.want {
			t.Errorf("%s: %s %s %s, want 200 by %s", c.name, res.Proto, res.Status, body, c.want)
		}
	}
	silent, err := net.Dial("tcp", address) // says nothing, and must hold up nobody
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if bytes.Contains(said.Bytes(), []byte("cut off")) {
		t.Errorf("the log says that calls were cut off:\n%s", said.String())
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}
