package identity

import (
	"fmt"
	"io"
	"log/slog"

	"outcrop"
)

// A Key is an access key ready to verify with, and whose it is. Region and
// Bearer of its Caller are the request's to fill.
type Key struct {
	Secret string `json:"-"`
	Caller outcrop.Caller
	Active bool // false beside an error: the key exists and may not be used
}

// NewAccessKey is an access key in the only moment its secret is shown.
type NewAccessKey struct {
	AccessKey
	Secret string `json:"-"`
}

// NewAPIKey is a Bedrock API key in the only moment its token is shown.
type NewAPIKey struct {
	APIKey
	Token string `json:"-"` // ABSK…, as AWS_BEARER_TOKEN_BEDROCK takes it
}

// Bootstrapped is the first administrator, with its secrets if they are new.
type Bootstrapped struct {
	User            User
	AccessKeyID     string
	SecretAccessKey string `json:"-"`
	APIKey          string `json:"-"`
}

// Types that hold a secret print their public part only, whatever the verb.

func (k Key) public() string          { return "access key " + k.Caller.AccessKey }
func (k NewAccessKey) public() string { return "access key " + k.ID }
func (k NewAPIKey) public() string    { return "API key " + k.ID }
func (b Bootstrapped) public() string { return "administrator " + string(b.User.ARN()) }
func (c Credentials) public() string  { return "credentials of access key " + c.AccessKeyID }

// Format implements fmt.Formatter.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.public()) }

// Format implements fmt.Formatter.
func (k NewAccessKey) Format(f fmt.State, _ rune) { io.WriteString(f, k.public()) }

// Format implements fmt.Formatter.
func (k NewAPIKey) Format(f fmt.State, _ rune) { io.WriteString(f, k.public()) }

// Format implements fmt.Formatter.
func (b Bootstrapped) Format(f fmt.State, _ rune) { io.WriteString(f, b.public()) }

// Format implements fmt.Formatter.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, c.public()) }

// LogValue implements slog.LogValuer.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.public()) }

// LogValue implements slog.LogValuer.
func (k NewAccessKey) LogValue() slog.Value { return slog.StringValue(k.public()) }

// LogValue implements slog.LogValuer.
func (k NewAPIKey) LogValue() slog.Value { return slog.StringValue(k.public()) }

// LogValue implements slog.LogValuer.
func (b Bootstrapped) LogValue() slog.Value { return slog.StringValue(b.public()) }

// LogValue implements slog.LogValuer.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.public()) }
