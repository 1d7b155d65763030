package invocationlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"

	"outcrop"
	"outcrop/logs"
)

// Access says whether Bedrock may deliver. The error names what is missing.
type Access interface {
	// MayLog asks whether Bedrock may assume the role and write the stream.
	MayLog(ctx context.Context, p Place, role outcrop.ARN, group logs.GroupName, stream string) error
	// MayPut asks whether Bedrock, with the role's permissions when there is a
	// role, or by the bucket's policy, may write a key; the bucket is the
	// account's own, in its Region.
	MayPut(ctx context.Context, p Place, role outcrop.ARN, bucket, key string) error
}

// marker is the object that shows that Bedrock may write.
const marker = "amazon-bedrock-logs-permission-check"

// SetLogging checks a configuration as Bedrock does, by trying it, and keeps
// it in place of an earlier one.
func (l *Logger) SetLogging(ctx context.Context, p Place, c outcrop.InvocationLogging) error {
	if err := l.probe(ctx, p, &c); err != nil {
		return err
	}
	return l.save(ctx, p, &c)
}

// DeleteLogging turns logging off.
func (l *Logger) DeleteLogging(ctx context.Context, p Place) error { return l.save(ctx, p, nil) }

// Logging is the configuration of a place.
func (l *Logger) Logging(p Place) (outcrop.InvocationLogging, bool) {
	c, ok := (*l.configs.Load())[p]
	return c, ok
}

func (l *Logger) save(ctx context.Context, p Place, c *outcrop.InvocationLogging) error {
	l.saving.Lock()
	defer l.saving.Unlock()
	if err := l.o.Configs.SaveInvocationLogging(ctx, p.Account, p.Region, c); err != nil {
		return fmt.Errorf("save logging configuration: %w", err)
	}
	all := maps.Clone(*l.configs.Load())
	if delete(all, p); c != nil {
		all[p] = *c
	}
	l.configs.Store(&all)
	return nil
}

func (l *Logger) probe(ctx context.Context, p Place, c *outcrop.InvocationLogging) error {
	if c.LogGroup != "" {
		if err := l.probeGroup(ctx, p, c); err != nil {
			return refuse("Failed to validate permissions for log group: %s, with role: %s. Verify the IAM role permissions are correct. %s", c.LogGroup, c.Role, err)
		}
	}
	for _, b := range []struct {
		bucket outcrop.Bucket
		role   outcrop.ARN
		below  string
	}{{c.LargeData, c.Role, "data/"}, {c.Bucket, "", ""}} {
		if b.bucket.Name == "" {
			continue
		}
		key := b.bucket.Key(fmt.Sprintf("AWSLogs/%s/BedrockModelInvocationLogs/%s%s", p.Account, b.below, marker))
		if err := l.probeBucket(ctx, p, b.role, b.bucket.Name, key); err != nil {
			return refuse("Failed to validate permissions for S3 bucket: %s. Verify the bucket exists in this account and Region and lets Bedrock write to it. %s", b.bucket.Name, err)
		}
	}
	return nil
}

func (l *Logger) probeGroup(ctx context.Context, p Place, c *outcrop.InvocationLogging) error {
	name := logs.GroupName{Account: p.Account, Region: p.Region, Name: c.LogGroup}
	if _, err := l.o.Logs.Group(name); err != nil {
		return told(err)
	}
	if l.o.Access == nil {
		return nil
	}
	return told(l.o.Access.MayLog(ctx, p, c.Role, name, LogStream))
}

func (l *Logger) probeBucket(ctx context.Context, p Place, role outcrop.ARN, bucket, key string) error {
	if l.o.Access != nil {
		if err := l.o.Access.MayPut(ctx, p, role, bucket, key); err != nil {
			return told(err)
		}
	}
	return told(l.o.Objects.Put(ctx, bucket, key, "application/octet-stream", bytes.NewReader(nil)))
}

// told is what the client may read of err.
func told(err error) error {
	var e *outcrop.Error
	if errors.As(err, &e) {
		return errors.New(e.Message)
	}
	return err
}

func refuse(format string, args ...any) error {
	return outcrop.Errorf(outcrop.Invalid, format, args...)
}
