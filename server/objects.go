package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/s3api"
	"outcrop/objects"
)

// ObjectsConfig says where buckets are. By default all are in the data folder,
// and the embedded S3 endpoint serves them. Buckets named under "buckets" are
// elsewhere: what Outcrop delivers and exports goes there.
type ObjectsConfig struct {
	Hosts   []string                     `yaml:"hosts"`   // names of this server, so that BUCKET.HOST addresses a bucket; localhost is always one
	Default *ObjectStoreConfig           `yaml:"default"` // where deliveries to any other bucket go; default the data folder
	Buckets map[string]ObjectStoreConfig `yaml:"buckets"` // by bucket
}

// ObjectStoreConfig is one store that speaks S3. Empty credentials are the AWS
// SDK's default chain.
type ObjectStoreConfig struct {
	Endpoint        string         `yaml:"endpoint"` // http://host:port; empty is AWS
	Region          outcrop.Region `yaml:"region"`   // default the server's
	Profile         string         `yaml:"profile"`
	AccessKeyID     string         `yaml:"accessKeyId"`
	SecretAccessKey string         `yaml:"secretAccessKey"` // usually ${VAR}
	SessionToken    string         `yaml:"sessionToken"`
	VirtualHost     bool           `yaml:"virtual_host"` // address buckets by host at an endpoint that is not AWS
}

func (c *ObjectsConfig) check() error {
	if c.Default != nil {
		if err := c.Default.check(); err != nil {
			return fmt.Errorf("objects.default: %w", err)
		}
	}
	for name, b := range c.Buckets {
		if err := errors.Join(objects.CheckBucket(name), b.check()); err != nil {
			return fmt.Errorf("objects.buckets.%s: %w", name, err)
		}
	}
	return nil
}

func (c *ObjectStoreConfig) check() error {
	switch {
	case c.Endpoint != "" && !strings.HasPrefix(c.Endpoint, "http://") && !strings.HasPrefix(c.Endpoint, "https://"):
		return fmt.Errorf("endpoint %q must begin with http:// or https://", c.Endpoint)
	case (c.AccessKeyID == "") != (c.SecretAccessKey == ""):
		return errors.New("accessKeyId and secretAccessKey belong together")
	case c.Profile != "" && c.AccessKeyID != "":
		return errors.New("profile and accessKeyId exclude each other")
	}
	return nil
}

// objectsDir is the folder of the embedded S3 endpoint in the data folder.
const objectsDir = "s3"

// openObjects opens the buckets, here and elsewhere.
func (e *engines) openObjects(ctx context.Context, c *Config) (err error) {
	if e.folder, err = objects.OpenFolder(filepath.Join(c.DataDir, objectsDir), time.Now); err != nil {
		return err
	}
	stores := objects.Stores{Default: e.folder, Buckets: map[string]objects.Store{}}
	if c.Objects.Default != nil {
		if stores.Default, err = c.Objects.Default.open(ctx, c.Region); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Objects.Buckets)) {
		b := c.Objects.Buckets[name]
		if stores.Buckets[name], err = b.open(ctx, c.Region); err != nil {
			return fmt.Errorf("objects.buckets.%s: %w", name, err)
		}
	}
	e.objects = stores
	return nil
}

func (c *ObjectStoreConfig) open(ctx context.Context, fallback outcrop.Region) (objects.Store, error) {
	setDefault(&c.Region, fallback)
	return objects.NewRemote(ctx, objects.RemoteConfig{
		Endpoint: c.Endpoint, Region: c.Region, Profile: c.Profile, AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey,
		SessionToken: c.SessionToken, PathStyle: c.Endpoint != "" && !c.VirtualHost,
	})
}

// serveObjects mounts the embedded S3 endpoint.
func (e *engines) serveObjects(mux *awsapi.Mux, c *Config) {
	mux.ServeStreamed("s3", s3api.New(s3api.Config{Folder: e.folder, Policy: e.identity, Hosts: c.Objects.Hosts, Now: time.Now}))
}
