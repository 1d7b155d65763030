package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"outcrop"
	"outcrop/access"
	"outcrop/identity"
	"outcrop/server"
	"outcrop/sigv4"
)

// defaultData is where serve keeps its data when nobody says otherwise.
const defaultData = "./outcrop-data"

// A serverFlag names the running server that a command speaks to.
type serverFlag struct {
	Data string `help:"Data folder of the running server (default: ./outcrop-data; where that is none, the server of AWS_ENDPOINT_URL with the access key of the environment)." placeholder:"DIR"`
}

// A place is a running server, and the keys with which it is spoken to.
type place struct {
	endpoint string
	region   outcrop.Region
	keys     sigv4.Credentials
	caFile   string // of its certificate authority, where that is not the system's
}

// find reads the data folder, or the environment that outcrop env prints: the
// server may run on another machine, as somebody else.
func (s *serverFlag) find() (*place, error) {
	dir := cmp.Or(s.Data, defaultData)
	known, err := identity.ReadCredentials(dir)
	if err == nil {
		return &place{known.Endpoint, known.Region, sigv4.Credentials{AccessKey: known.AccessKeyID, Secret: known.SecretAccessKey}, filepath.Join(dir, server.CAFile)}, nil
	}
	if s.Data == "" && errors.Is(err, fs.ErrNotExist) {
		if p := placeOfEnvironment(); p != nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w\nStart the server first (outcrop serve), or name its data folder with --data; of a server elsewhere, set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", err)
}

func placeOfEnvironment() *place {
	p := place{
		endpoint: os.Getenv("AWS_ENDPOINT_URL"),
		region:   outcrop.Region(cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "us-east-1")),
		keys:     sigv4.Credentials{AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), Secret: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")},
		caFile:   os.Getenv("AWS_CA_BUNDLE"),
	}
	if p.endpoint == "" || p.keys.AccessKey == "" || p.keys.Secret == "" {
		return nil
	}
	return &p
}

// http trusts the place's certificate authority.
func (p *place) http() (*http.Client, error) { return clientFor(p.endpoint, p.caFile) }

// An accessCommand speaks to the running server as its administrator, or as
// whoever the environment's key is.
type accessCommand struct {
	serverFlag
	Region string `help:"Region in which the profile is called (default: that of its ARN, else of the credentials)." placeholder:"REGION"`
}

// client speaks about a profile in the Region where it is called.
func (a *accessCommand) client(profile string) (*access.Client, error) {
	there, err := a.find()
	if err != nil {
		return nil, err
	}
	if p, ok := outcrop.ParseARN(profile); ok && p.Region != "" {
		there.region = p.Region
	}
	override((*string)(&there.region), a.Region)
	trusting, err := there.http()
	if err != nil {
		return nil, err
	}
	return &access.Client{Endpoint: there.endpoint, Region: there.region, HTTP: trusting, Keys: there.keys}, nil
}
