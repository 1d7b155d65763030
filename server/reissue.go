package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/sqlite"
)

// Reissue makes new credentials for the administrator of a stopped server
// whose own were lost, and keeps them in the data folder. The old access key
// and Bedrock API key stop working.
func Reissue(ctx context.Context, config Config) (b *identity.Bootstrapped, err error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(config.DataDir, databaseFile)); err != nil {
		return nil, errors.New("there is no server's data in " + config.DataDir + ": name its folder with --data")
	}
	release, err := lock(config.DataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	store, err := sqlite.Open(ctx, filepath.Join(config.DataDir, databaseFile))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	sealer, err := identity.OpenSealer(config.DataDir)
	if err != nil {
		return nil, err
	}
	directory := identity.New(store.Identities(), sealer, time.Now)
	if err := revoke(ctx, directory, config.Account); err != nil {
		return nil, err
	}
	if b, err = directory.Reissue(ctx, config.Account); err != nil {
		return nil, err
	}
	endpoint := "http://" + config.Listen // the next start corrects it
	return b, identity.WriteCredentials(config.DataDir, b.Credentials(config.Region, endpoint))
}

// revoke deletes every key of the administrator: what is lost may be in other
// hands.
func revoke(ctx context.Context, d *identity.Directory, account outcrop.AccountID) error {
	keys, err := d.ListAccessKeys(ctx, account, identity.AdminName)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := d.DeleteAccessKey(ctx, account, identity.AdminName, k.ID); err != nil {
			return err
		}
	}
	credentials, err := d.ServiceCredentials(ctx, account, identity.AdminName, "")
	if err != nil {
		return err
	}
	for _, k := range credentials {
		if err := d.DeleteServiceCredential(ctx, account, identity.AdminName, k.ID); err != nil {
			return err
		}
	}
	return nil
}
