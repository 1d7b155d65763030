package bedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"outcrop/internal/tether"
	"outcrop/sigv4"
)

// Credentials say how calls are signed: with a Bedrock API key, with keys
// written here, with a profile of the shared configuration, or, when all is
// empty, with whatever the SDK's default chain finds.
type Credentials struct {
	Profile         string
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	APIKey          string // sent as bearer token
}

// Format prints nothing that is secret, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, c.describe()) }

// LogValue is what slog writes.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.describe()) }

func (c Credentials) describe() string {
	switch {
	case c.APIKey != "":
		return "a Bedrock API key"
	case c.AccessKeyID != "":
		return "access key " + c.AccessKeyID
	case c.Profile != "":
		return "profile " + c.Profile
	}
	return "the default chain of credentials"
}

var headerValue = regexp.MustCompile(`^[\x21-\x7e]*$`)

// Check refuses credentials that contradict themselves.
func (c Credentials) Check() error {
	ways := 0
	for _, given := range []bool{c.APIKey != "", c.AccessKeyID != "" || c.SecretAccessKey != "" || c.SessionToken != "", c.Profile != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("credentials: give one of apiKey, accessKeyId with secretAccessKey, or profile")
	case (c.AccessKeyID == "") != (c.SecretAccessKey == ""):
		return errors.New("credentials: accessKeyId and secretAccessKey come together")
	case c.SessionToken != "" && c.AccessKeyID == "":
		return errors.New("credentials: sessionToken needs accessKeyId and secretAccessKey")
	case !headerValue.MatchString(c.APIKey) || !headerValue.MatchString(c.AccessKeyID) || !headerValue.MatchString(c.SessionToken):
		return errors.New("credentials: a key holds characters that cannot be sent in a header")
	}
	return nil
}

// keys are where a call's signature comes from.
type keys interface {
	// now returns the keys to sign with; a bearer token instead when there is one.
	now(ctx context.Context) (by sigv4.Credentials, bearer string, err error)
	// refused tells that AWS did not take the access key of this id.
	refused(accessKey string)
}

func (c Credentials) open(ctx context.Context) (keys, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.APIKey != "" {
		return fixed{bearer: c.APIKey}, nil
	}
	if c.AccessKeyID != "" {
		return fixed{by: sigv4.Credentials{AccessKey: c.AccessKeyID, Secret: c.SecretAccessKey, SessionToken: c.SessionToken}}, nil
	}
	k := &chain{load: func(ctx context.Context) (retrieve, error) { return loadChain(ctx, c.Profile) }}
	return k, k.reload(ctx)
}

type fixed struct {
	by     sigv4.Credentials
	bearer string
}

func (f fixed) now(context.Context) (sigv4.Credentials, string, error) { return f.by, f.bearer, nil }
func (f fixed) refused(string)                                         {}

// retrieve returns cached credentials, refreshed before they expire.
type retrieve func(context.Context) (sigv4.Credentials, error)

// loadChain reads the SDK's configuration: environment, shared files, web
// identity, SSO, containers, IMDS. The SDK's own cache keeps what it finds and
// refreshes it five minutes before it expires.
func loadChain(ctx context.Context, profile string) (retrieve, error) {
	var options []func(*config.LoadOptions) error
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("read AWS configuration: %w", err)
	}
	return func(ctx context.Context) (sigv4.Credentials, error) {
		v, err := c.Credentials.Retrieve(ctx)
		return sigv4.Credentials{AccessKey: v.AccessKeyID, Secret: v.SecretAccessKey, SessionToken: v.SessionToken}, err
	}, nil
}

// reloadPause keeps keys that are refused again and again from having the
// chain read at every call.
const reloadPause = 5 * time.Second

// A chain is the SDK's, read anew when its keys are refused: keys written in a
// file have no time of expiry, yet operators rotate them.
type chain struct {
	load func(context.Context) (retrieve, error)

	mu       sync.Mutex
	retrieve retrieve
	loaded   time.Time
	bad      string // id of the access key that was refused last
}

func (c *chain) reload(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reloadLocked(ctx)
}

func (c *chain) reloadLocked(ctx context.Context) error {
	c.loaded = time.Now()
	r, err := c.load(ctx)
	if err == nil {
		c.retrieve = r
	}
	return err
}

func (c *chain) now(call context.Context) (sigv4.Credentials, string, error) {
	ctx := new(tether.Tether) // the SDK may keep it for longer than the call keeps its own
	ctx.Shadow(call)
	defer ctx.Cut(nil)
	by, err := c.current()(ctx)
	if err != nil || !c.stale(by) {
		return by, "", err
	}
	c.mu.Lock()
	if time.Since(c.loaded) >= reloadPause {
		err = c.reloadLocked(ctx)
	}
	again := c.retrieve
	c.mu.Unlock()
	if err != nil {
		return by, "", err
	}
	by, err = again(ctx)
	return by, "", err
}

func (c *chain) current() retrieve {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.retrieve
}

func (c *chain) stale(by sigv4.Credentials) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return by.AccessKey == c.bad
}

func (c *chain) refused(accessKey string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad = accessKey
}
