package otel

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"outcrop/internal/loopback"
)

// worthZipping is the length in bytes from which gzip pays.
const worthZipping = 1 << 10

// An environment is what OpenTelemetry's variables say of how to send:
//
//	OTEL_EXPORTER_OTLP_HEADERS             name=value, with commas between; the configuration's win
//	OTEL_EXPORTER_OTLP_COMPRESSION         gzip or none; default: gzip when it pays
//	OTEL_EXPORTER_OTLP_CERTIFICATE         PEM file of the authorities that the collector's certificate may come from
//	OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE  PEM files that prove who sends
//	OTEL_EXPORTER_OTLP_CLIENT_KEY
//
// OTEL_EXPORTER_OTLP_TRACES_... come before them. Where spans go and how long
// that may take is not the environment's to say.
type environment struct {
	headers     map[string]string
	compression string
	tls         *tls.Config // nil for Go's own
}

const prefix, tracesPrefix = "OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_TRACES_"

// variable finds the variable that holds, and what it says.
func variable(name string) (full, value string) {
	for _, full = range []string{tracesPrefix + name, prefix + name} {
		if value = strings.TrimSpace(os.Getenv(full)); value != "" {
			break
		}
	}
	return full, value
}

func readEnvironment(https bool) (e environment, err error) {
	name, headers := variable("HEADERS")
	if e.headers, err = parseHeaders(headers); err != nil {
		return e, fmt.Errorf("%s: %w", name, err)
	}
	if name, e.compression = variable("COMPRESSION"); e.compression != "" && e.compression != "gzip" && e.compression != "none" {
		return e, fmt.Errorf("%s: %q is neither gzip nor none", name, e.compression)
	}
	if https {
		e.tls, err = readTLS()
	}
	return e, err
}

// parseHeaders reads pairs such as a=b,c=d%2Ce. Its errors tell no value.
func parseHeaders(text string) (map[string]string, error) {
	out := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if strings.TrimSpace(pair) == "" {
			continue
		}
		value, err := url.PathUnescape(value)
		if !ok || err != nil {
			return nil, errors.New("want name=value, with commas between, and values percent-encoded")
		}
		out[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return out, nil
}

func readTLS() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if name, file := variable("CERTIFICATE"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: %s holds no certificate in PEM", name, file)
		}
	}
	for _, prefix := range []string{tracesPrefix, prefix} {
		cert, key := os.Getenv(prefix+"CLIENT_CERTIFICATE"), os.Getenv(prefix+"CLIENT_KEY")
		if cert == "" && key == "" {
			continue
		}
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("%sCLIENT_CERTIFICATE and %[1]sCLIENT_KEY: %w", prefix, err)
		}
		c.Certificates = []tls.Certificate{pair}
		break
	}
	return c, nil
}

// zip decides what is zipped on its way to a collector. Bytes to this machine
// cost less than zipping them.
func (e environment) zip(to *url.URL) func(body []byte) bool {
	here := loopback.Host(to.Hostname())
	return func(body []byte) bool {
		return e.compression == "gzip" || e.compression == "" && !here && len(body) >= worthZipping
	}
}
