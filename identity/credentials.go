package identity

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"outcrop"
	"outcrop/internal/privatefile"
)

// CredentialsFile is the administrator's shared-credentials file in the data
// folder. AWS_SHARED_CREDENTIALS_FILE may point at it.
const (
	CredentialsFile     = "credentials"
	maxCredentialsBytes = 64 << 10
)

// Credentials are what a client needs to reach this server. `outcrop env`
// prints them as environment variables.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string `json:"-"`
	Region          outcrop.Region
	Endpoint        string // such as http://127.0.0.1:4599
	APIKey          string `json:"-"` // AWS_BEARER_TOKEN_BEDROCK
}

// Credentials of a new administrator, for clients in region at endpoint.
func (b *Bootstrapped) Credentials(region outcrop.Region, endpoint string) Credentials {
	return Credentials{AccessKeyID: b.AccessKeyID, SecretAccessKey: b.SecretAccessKey, Region: region, Endpoint: endpoint, APIKey: b.APIKey}
}

// A setting is one line of the file. AWS tools read the keys they know and
// pass over outcrop_api_key.
type setting struct {
	key   string
	value *string
}

func (c *Credentials) settings() []setting {
	return []setting{
		{"aws_access_key_id", &c.AccessKeyID},
		{"aws_secret_access_key", &c.SecretAccessKey},
		{"region", (*string)(&c.Region)},
		{"endpoint_url", &c.Endpoint},
		{"outcrop_api_key", &c.APIKey},
	}
}

// WriteCredentials replaces the file in dir.
func WriteCredentials(dir string, c Credentials) error {
	var b strings.Builder
	b.WriteString("# Keys of this Outcrop's administrator. Keep this file to yourself.\n[default]\n")
	for _, s := range c.settings() {
		if strings.ContainsAny(*s.value, "\r\n") {
			return fmt.Errorf("write credentials: %s has a line break", s.key)
		}
		if *s.value != "" {
			fmt.Fprintf(&b, "%s = %s\n", s.key, *s.value)
		}
	}
	return privatefile.Write(filepath.Join(dir, CredentialsFile), []byte(b.String()), os.Rename)
}

// ReadCredentials reads the file in dir. It is fs.ErrNotExist when the server
// has never been started there.
func ReadCredentials(dir string) (Credentials, error) {
	file, err := privatefile.Read(filepath.Join(dir, CredentialsFile), maxCredentialsBytes)
	if err != nil {
		return Credentials{}, fmt.Errorf("read credentials: %w", err)
	}
	var c Credentials
	section := ""
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[] \t")
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && section == "default" {
			c.set(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return Credentials{}, errors.New("read credentials: the section [default] lacks an access key")
	}
	return c, nil
}

func (c *Credentials) set(key, value string) {
	for _, s := range c.settings() {
		if s.key == key {
			*s.value = value
		}
	}
}
