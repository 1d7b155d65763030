package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/curapi"
	"outcrop/awsapi/exportsapi"
	"outcrop/cost/cur"
	"outcrop/objects"
)

// exportsRegion is the one Region that data exports and reports have.
const exportsRegion = outcrop.Region("us-east-1")

// openExports starts what delivers bills into buckets.
func (e *engines) openExports(c *Config, log *slog.Logger) error {
	scratch := filepath.Join(c.DataDir, "exports")
	if err := os.RemoveAll(scratch); err != nil { // what a process that died was making
		return fmt.Errorf("clear unfinished exports: %w", err)
	}
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return fmt.Errorf("make exports folder: %w", err)
	}
	e.exports = cur.New(e.store.Exports(), e.costs, e.objects, cur.Options{
		Region: exportsRegion, Settings: &e.costs.Settings, Scratch: scratch, Every: time.Duration(c.Billing.ExportEvery), Now: time.Now, Log: log,
		Words: cur.Words{Account: e.costs.AccountName, Location: e.regionName, Model: e.modelName},
	})
	return nil
}

// regionName is where a Region is, in words.
func (e *engines) regionName(r outcrop.Region) string {
	if info, ok := e.catalog.Current().Region(r); ok && info.Name != "" {
		return info.Name
	}
	return string(r)
}

func (e *engines) modelName(id outcrop.ModelID) string {
	if m, ok := e.anyModel(id); ok {
		return m.Name
	}
	return string(id)
}

// serveExports answers for both forms of exports.
func (e *engines) serveExports(mux *awsapi.Mux) {
	mux.Serve("bcm-data-exports", (&exportsapi.API{Exports: e.exports, Bucket: e.exportBucket}).Operations()...)
	mux.Serve("cur", (&curapi.API{Exports: e.exports, Bucket: e.exportBucket}).Operations()...)
}

// exportBucket says why an account cannot deliver into a bucket: it has to be
// there, and its own. Of buckets elsewhere only a delivery can tell.
func (e *engines) exportBucket(_ context.Context, who outcrop.Caller, name string) error {
	if e.objects.Of(name) != objects.Store(e.folder) {
		return nil
	}
	b, err := e.folder.Bucket(name)
	switch {
	case err != nil:
		return outcrop.Errorf(outcrop.Invalid, "S3 bucket %s does not exist. Make it first: aws s3 mb s3://%s", name, name)
	case b.Account != who.Account:
		return outcrop.Errorf(outcrop.Invalid, "S3 bucket permission validation failed: the bucket %s belongs to another account.", name)
	}
	return nil
}
