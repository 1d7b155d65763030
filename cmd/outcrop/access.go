package main

import (
	"fmt"

	"outcrop"
	"outcrop/access"
	"outcrop/identity"
	"outcrop/sigv4"
)

// An accessCommand speaks to the running server as its administrator.
type accessCommand struct {
	Data   string `help:"Data folder of the running server." default:"./outcrop-data" placeholder:"DIR"`
	Region string `help:"Region in which the profile is called (default: that of its ARN, else of the credentials)." placeholder:"REGION"`
}

// client speaks about a profile in the Region where it is called.
func (a *accessCommand) client(profile string) (*access.Client, error) {
	known, err := identity.ReadCredentials(a.Data)
	if err != nil {
		return nil, fmt.Errorf("%w\nStart the server first (outcrop serve), or name its data folder with --data", err)
	}
	if p, ok := outcrop.ParseARN(profile); ok && p.Region != "" {
		known.Region = p.Region
	}
	override((*string)(&known.Region), a.Region)
	trusting, err := clientFor(known.Endpoint, a.Data)
	if err != nil {
		return nil, err
	}
	return &access.Client{
		Endpoint: known.Endpoint, Region: known.Region, HTTP: trusting,
		Keys: sigv4.Credentials{AccessKey: known.AccessKeyID, Secret: known.SecretAccessKey},
	}, nil
}
