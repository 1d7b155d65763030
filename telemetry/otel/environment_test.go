package otel

import (
	"crypto/tls"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHeadersOfTheEnvironment(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", " x-key = a%2Cb%20c ,,x-team=blue=1,X-Both=env")
	c := newTestClient(t, Config{Endpoint: "http://collector.test", Headers: map[string]string{"x-both": "file"}})
	for name, want := range map[string]string{"X-Key": "a,b c", "X-Team": "blue=1", "X-Both": "file"} {
		if got := c.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-only=1")
	if c = newTestClient(t, Config{Endpoint: "http://collector.test"}); c.header.Get("X-Only") != "1" || c.header.Get("X-Key") != "" {
		t.Errorf("headers %v; those of traces come before the others", c.header)
	}
}

func TestAnEnvironmentThatIsWrongNamesTheVariable(t *testing.T) {
	cert, key, _ := identity(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []map[string]string{
		{"TRACES_HEADERS": "s3cret"}, {"HEADERS": "x=%zzs3cret"}, {"HEADERS": "x y=s3cret"}, {"HEADERS": "x=s3cret%0ax"}, {"COMPRESSION": "zstd"}, {"TRACES_COMPRESSION": "gzipp"},
		{"CERTIFICATE": empty}, {"TRACES_CERTIFICATE": empty + "s"}, {"CLIENT_CERTIFICATE": cert}, {"TRACES_CLIENT_KEY": key},
		{"CLIENT_CERTIFICATE": key, "CLIENT_KEY": cert}, {"TRACES_CLIENT_CERTIFICATE": cert, "CLIENT_KEY": key},
	} {
		t.Run("", func(t *testing.T) {
			for name, value := range c {
				t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
			}
			_, err := newClient(Config{Endpoint: "https://collector.test"})
			if err == nil || strings.Contains(err.Error(), "s3cret") {
				t.Fatalf("%v: %v", c, err)
			}
			if !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_") && !strings.Contains(err.Error(), `header "x`) {
				t.Errorf("%v: %v does not say what is wrong", c, err)
			}
			if _, err := newClient(Config{Endpoint: "http://collector.test"}); err != nil && (c["HEADERS"]+c["TRACES_HEADERS"]+c["COMPRESSION"]+c["TRACES_COMPRESSION"] == "") {
				t.Errorf("%v: without TLS: %v", c, err)
			}
		})
	}
}

func TestClientCertificatesOfTracesComeFirst(t *testing.T) {
	cert, key, _ := identity(t)
	own, ownKey, made := identity(t)
	for name, value := range map[string]string{"CLIENT_CERTIFICATE": cert, "CLIENT_KEY": key, "TRACES_CLIENT_CERTIFICATE": own, "TRACES_CLIENT_KEY": ownKey} {
		t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
	}
	e, err := readEnvironment(true)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.tls.Certificates) != 1 || !e.tls.Certificates[0].Leaf.Equal(made) || e.tls.MinVersion != tls.VersionTLS12 || e.tls.RootCAs != nil {
		t.Errorf("TLS is %+v", e.tls)
	}
}

func TestWhenGzipPays(t *testing.T) {
	for _, c := range []struct {
		compression, to string
		length          int
		want            bool
	}{
		{"", "https://collector.test", worthZipping, true}, {"", "https://collector.test", worthZipping - 1, false},
		{"", "http://127.0.0.1:4318", 1 << 20, false}, {"", "http://[::1]:4318", 1 << 20, false}, {"", "http://localhost:4318", 1 << 20, false}, {"", "http://10.0.0.7:4318", 1 << 20, true},
		{"gzip", "http://localhost:4318", 1, true}, {"none", "https://collector.test", 1 << 20, false},
	} {
		to, err := url.Parse(c.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := (environment{compression: c.compression}).zip(to)(make([]byte, c.length)); got != c.want {
			t.Errorf("%q to %s, %d bytes: %t", c.compression, c.to, c.length, got)
		}
	}
}
