package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/identity/sealing"
	"outcrop/sqlite"
)

// Reissue makes new credentials for the administrator of a stopped server
// whose own were lost, and keeps them in the data folder. The old access key
// and Bedrock API key stop working.
func Reissue(ctx context.Context, config Config) (b *identity.Bootstrapped, err error) {
	err = withDirectory(ctx, &config, func(d *identity.Directory) error {
		if err := revoke(ctx, d, config.Account); err != nil {
			return err
		}
		if b, err = d.Reissue(ctx, config.Account); err != nil {
			return err
		}
		endpoint := "http://" + config.Listen // the next start corrects it
		return identity.WriteCredentials(config.DataDir, b.Credentials(config.Region, endpoint))
	})
	return b, err
}

// RotateKey seals every secret of a stopped server with a new envelope key and
// forgets the old one. Temporary credentials end with it.
func RotateKey(ctx context.Context, config Config) error {
	return withDirectory(ctx, &config, func(d *identity.Directory) error { return d.RotateEnvelope(ctx) })
}

// withDirectory opens who there is in the data folder of a stopped server.
func withDirectory(ctx context.Context, config *Config, use func(*identity.Directory) error) error {
	if err := config.complete(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(config.DataDir, databaseFile)); err != nil {
		return errors.New("there is no server's data in " + config.DataDir + ": name its folder with --data")
	}
	return withStore(ctx, config, func(store *sqlite.DB) error {
		sealer, err := sealing.NewSealer(config.DataDir)
		if err != nil {
			return err
		}
		return use(identity.New(store.Identities(), sealer, time.Now))
	})
}

// withStore opens the store in the data folder of a stopped server, whose
// configuration is complete, and keeps servers out meanwhile.
func withStore(ctx context.Context, config *Config, use func(*sqlite.DB) error) (err error) {
	release, err := lock(config.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	store, err := sqlite.Open(ctx, filepath.Join(config.DataDir, databaseFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return use(store)
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
