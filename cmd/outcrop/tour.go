package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"

	"outcrop/internal/sdkhttp"
	"outcrop/tour"
)

type tourCommand struct {
	serverFlag
	Model string `help:"System-defined profile to copy (default ${tourModel})." placeholder:"ID"`
	Keep  bool   `help:"Leave the tour's profile behind."`
}

// Run plays the tour as the server's administrator, or as whoever the
// environment's key is.
func (t *tourCommand) Run(ctx context.Context) error {
	there, err := t.find()
	if err != nil {
		return err
	}
	client, err := there.http()
	if err != nil {
		return err
	}
	return tour.Run(ctx, tour.Options{
		Endpoint: there.endpoint, Region: string(there.region), AccessKeyID: there.keys.AccessKey, SecretAccessKey: there.keys.Secret, SessionToken: there.keys.SessionToken,
		HTTP: client, Model: t.Model, Keep: t.Keep, Out: os.Stdout,
	})
}

// clientFor trusts the authority of caFile where the endpoint is TLS; without
// a file, those of the system.
func clientFor(endpoint, caFile string) (*http.Client, error) {
	if !strings.HasPrefix(endpoint, "https:") || caFile == "" {
		return &http.Client{Transport: sdkhttp.Patient(http.DefaultTransport)}, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: sdkhttp.Patient(transport)}, nil
}
