package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"outcrop/identity"
	"outcrop/internal/sdkhttp"
	"outcrop/server"
	"outcrop/tour"
)

type tourCommand struct {
	Data  string `help:"Data folder of the running server." default:"./outcrop-data" placeholder:"DIR"`
	Model string `help:"System-defined profile to copy (default ${tourModel})." placeholder:"ID"`
	Keep  bool   `help:"Leave the tour's profile behind."`
}

// Run plays the tour as the server's administrator.
func (t *tourCommand) Run(ctx context.Context) error {
	c, err := identity.ReadCredentials(t.Data)
	if err != nil {
		return fmt.Errorf("%w\nStart the server first (outcrop serve), or name its data folder with --data", err)
	}
	client, err := clientFor(c.Endpoint, t.Data)
	if err != nil {
		return err
	}
	return tour.Run(ctx, tour.Options{
		Endpoint: c.Endpoint, Region: string(c.Region), AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
		HTTP: client, Model: t.Model, Keep: t.Keep, Out: os.Stdout,
	})
}

// clientFor trusts the data folder's own CA where the endpoint is TLS.
func clientFor(endpoint, data string) (*http.Client, error) {
	if !strings.HasPrefix(endpoint, "https:") {
		return &http.Client{Transport: sdkhttp.Patient(http.DefaultTransport)}, nil
	}
	pem, err := os.ReadFile(filepath.Join(data, server.CAFile))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", server.CAFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: sdkhttp.Patient(transport)}, nil
}
