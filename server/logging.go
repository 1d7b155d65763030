package server

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/logsapi"
	"outcrop/iam"
	"outcrop/identity"
	"outcrop/internal/strictyaml"
	"outcrop/logs"
	"outcrop/objects"
	"outcrop/telemetry/invocationlog"
)

// LoggingConfig turns the invocation logs. Where they go is each account's to
// say, by PutModelInvocationLoggingConfiguration.
type LoggingConfig struct {
	RedactFields   []string            `yaml:"redact_fields"`   // members of bodies and request metadata whose values are left out, by name
	RedactPatterns []string            `yaml:"redact_patterns"` // regular expressions (RE2); what matches in any text is left out
	Sample         string              `yaml:"sample"`          // share of the calls that is logged, such as 0.1; default all
	Key            string              `yaml:"key"`             // 32 bytes in base64, usually ${VAR}: log groups and what waits for delivery are encrypted on disk
	MaxWaiting     strictyaml.Whole    `yaml:"max_waiting_mb"`  // what may wait on disk for delivery; default 1024
	FlushLogs      strictyaml.Duration `yaml:"flush_logs"`      // how long a record may wait before it goes to its log group; default 1s
	FlushS3        strictyaml.Duration `yaml:"flush_s3"`        // before a log file is written; default 30s
}

func (c *LoggingConfig) check() error {
	if _, err := c.redaction(); err != nil {
		return err
	}
	_, err := c.seal()
	return err
}

func (c *LoggingConfig) redaction() (r invocationlog.Redaction, err error) {
	r.Fields = c.RedactFields
	for _, text := range c.RedactPatterns {
		p, err := regexp.Compile(text)
		if err != nil {
			return r, fmt.Errorf("invocation_logs.redact_patterns: %q is no regular expression: %w", text, err)
		}
		r.Patterns = append(r.Patterns, p)
	}
	if c.Sample != "" {
		if _, err := fmt.Sscanf(c.Sample, "%g", &r.Sample); err != nil || r.Sample <= 0 || r.Sample > 1 {
			return r, fmt.Errorf("invocation_logs.sample: %q must be more than 0 and at most 1", c.Sample)
		}
	}
	return r, nil
}

// seal is the cipher of the key, or nil without one.
func (c *LoggingConfig) seal() (cipher.AEAD, error) {
	if c.Key == "" {
		return nil, nil
	}
	key, err := base64.StdEncoding.DecodeString(c.Key)
	if err != nil || len(key) != 32 {
		return nil, errors.New("invocation_logs.key: it must be 32 bytes in base64 (head -c 32 /dev/urandom | base64)")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// logging is what the engines have of logs.
type logging struct {
	logs        *logs.Store
	invocations *invocationlog.Logger
}

// openLogging opens the log groups and what writes the invocation logs.
func (e *engines) openLogging(ctx context.Context, c *Config, log *slog.Logger) (err error) {
	seal, err := c.Logging.seal()
	if err != nil {
		return err
	}
	if e.logs, err = logs.Open(filepath.Join(c.DataDir, "logs"), logs.Options{Log: log, Seal: seal}); err != nil {
		return err
	}
	e.closers = append(e.closers, e.logs.Close)
	redaction, err := c.Logging.redaction()
	if err != nil {
		return err
	}
	e.invocations, err = invocationlog.Start(ctx, invocationlog.Options{
		Dir: filepath.Join(c.DataDir, "invocationlog"), Logs: e.logs, Objects: e.objects, Configs: e.store, Access: loggingAccess{e.identity, e.folder, e.objects},
		Counts: deliveries{e.metrics}, Log: log, Redaction: redaction, Seal: seal, MaxSpool: int64(c.Logging.MaxWaiting) << 20,
		FlushLogs: time.Duration(c.Logging.FlushLogs), FlushS3: time.Duration(c.Logging.FlushS3),
	})
	if err != nil {
		return err
	}
	e.closers = append(e.closers, e.closeInvocations)
	e.gateway.Exchanges = e.invocations
	return nil
}

// serveLogs mounts CloudWatch Logs.
func (e *engines) serveLogs(mux *awsapi.Mux) {
	mux.Serve("logs", logsapi.New(logsapi.Config{Logs: e.logs, Policy: e.identity, Now: time.Now, Log: e.log}).Operations()...)
}

// loggingAccess asks identity what Bedrock may do for an account's logs.
type loggingAccess struct {
	identity *identity.Directory
	folder   *objects.Folder
	stores   objects.Stores
}

func serviceFor(p invocationlog.Place) identity.Service {
	return identity.Service{
		Name: "bedrock.amazonaws.com", Account: p.Account, Region: p.Region,
		Source: outcrop.ARN(fmt.Sprintf("arn:%s:bedrock:%s:%s:logging-configuration", p.Region.Partition(), p.Region, p.Account)),
	}
}

// MayLog implements invocationlog.Access.
func (a loggingAccess) MayLog(ctx context.Context, p invocationlog.Place, role outcrop.ARN, group logs.GroupName, stream string) error {
	if role.Parts().Account != p.Account {
		return outcrop.Errorf(outcrop.Invalid, "The role %s is not in this account.", role)
	}
	var checks []iam.Check
	for _, name := range []string{"CreateLogStream", "PutLogEvents"} {
		op, _ := iam.OperationOf("logs", name)
		t, _ := op.ResourceType("log-stream")
		checks = append(checks, iam.Check{Action: op.Action, Resource: t.ARN(group.Region, group.Account, group.Name, stream)})
	}
	return a.identity.ServiceMayAs(ctx, serviceFor(p), role, checks...)
}

// MayPut implements invocationlog.Access. A bucket that is kept elsewhere is
// asked by writing to it.
func (a loggingAccess) MayPut(ctx context.Context, p invocationlog.Place, role outcrop.ARN, bucket, key string) error {
	if a.stores.Of(bucket) != objects.Store(a.folder) {
		return nil
	}
	b, err := a.folder.Bucket(bucket)
	if err != nil {
		return err
	}
	if b.Account != p.Account || b.Region != p.Region {
		return outcrop.Errorf(outcrop.Invalid, "The bucket %s is not in this account and Region.", bucket)
	}
	op, _ := iam.OperationOf("s3", "PutObject")
	t, _ := op.ResourceType("object")
	check := iam.Check{Action: op.Action, Resource: t.ARN(p.Region, p.Account, bucket, key)}
	on := identity.Resource{Account: b.Account, Policy: b.Policy}
	byPolicy := a.identity.ServiceMay(ctx, serviceFor(p), on, check)
	if byPolicy == nil || role == "" {
		return byPolicy
	}
	return a.identity.ServiceMayAs(ctx, serviceFor(p), role, check)
}
