package server

import (
	"context"
	"log/slog"
	"time"

	"outcrop"
	"outcrop/awsapi/runtimeapi"
	"outcrop/iam"
	"outcrop/identity"
	"outcrop/objects"
	"outcrop/offline"
)

// openRuntime opens the invocations: those that a client waits for, and those
// in the background.
func (e *engines) openRuntime(c *Config, log *slog.Logger) {
	padding := c.Runtime.StreamPadding == nil || *c.Runtime.StreamPadding
	e.runtime = &runtimeapi.API{Gateway: e.gateway, Padding: padding, MayWrite: e.mayWrite}
	e.runtime.Offline = offline.New(offline.Options{
		Store: e.store.OfflineJobs(), Objects: e.objects, Invoke: e.runtime.Invoke, Now: time.Now, Log: log,
	})
}

// mayWrite asks for s3:PutObject as if the caller wrote the object: whatever is
// written in somebody's name needs that permission, and the bucket of another
// account that account's too. A bucket that is kept elsewhere has its own say
// when it is written to.
func (e *engines) mayWrite(ctx context.Context, who outcrop.Caller, bucket, key string) error {
	op, _ := iam.OperationOf("s3", "PutObject")
	t, _ := op.ResourceType("object")
	check := iam.Check{Action: op.Action, Resource: t.ARN(who.Region, "", bucket, key)}
	if e.objects.Of(bucket) != objects.Store(e.folder) {
		return e.identity.Authorize(ctx, who, check)
	}
	b, err := e.folder.Bucket(bucket)
	if err != nil && outcrop.KindOf(err) != outcrop.NotFound {
		return err
	}
	return e.identity.AuthorizeOn(ctx, who, identity.Resource{Account: b.Account, Policy: b.Policy}, check)
}
