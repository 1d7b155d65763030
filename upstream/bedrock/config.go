package bedrock

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	"outcrop"
	"outcrop/catalog"
	"outcrop/upstream"
)

// Config is everything about an account's Regions. The zero value calls AWS
// with the SDK's default chain of credentials.
type Config struct {
	BaseURL     string // {region} stands for the Destination's; default https://bedrock-runtime.{region}.amazonaws.com
	Credentials Credentials
	CAFile      string // PEM certificates to trust beside the system's

	// Models says what models are called there, such as the ARN of a profile
	// of the operator's; {region} stands for the Destination's. It is the
	// operator's word, so it may name a profile that crosses more Regions than
	// the caller's. A model that is not named is called by its own id where it
	// answers on demand, and elsewhere through a system-defined profile that
	// keeps inside the caller's Destinations.
	Models map[outcrop.ModelID]string
	// Forms says which models are spoken to through InvokeModel instead of
	// Converse: native is the form that the model's id names, and the name of a
	// family (native.FamilyNames) is that family's. Models that are mapped to an
	// imported model are without being named, because those have no Converse
	// operation; converse is for an exception.
	Forms map[outcrop.ModelID]string
	// Catalog tells which models answer on demand and which profiles there
	// are. Nil: every model is called by its own id.
	Catalog func() *catalog.Catalog

	upstream.Limits
}

const maxCABytes = 1 << 20 // of CAFile

const regionMark = "{region}"

// complete fills in defaults and refuses what cannot work.
func (c *Config) complete() error {
	c.Limits.Complete()
	for id, name := range c.Models {
		if len(name) > maxNameBytes || !calledName.MatchString(strings.ReplaceAll(name, regionMark, "us-east-1")) {
			return fmt.Errorf("the model %s of a bedrock upstream is mapped to %q, which is neither a model id nor an ARN", id, name)
		}
	}
	return c.checkBase()
}

// What AWS takes for a modelId, loosely
// (reference/runtime-metering-billing.md §1.4).
var calledName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`)

const maxNameBytes = 2048

func (c *Config) checkBase() error {
	if c.BaseURL == "" {
		return nil
	}
	u, err := upstream.ParseBase("bedrock", strings.ReplaceAll(c.BaseURL, regionMark, "us-east-1"))
	if err == nil && u.RawQuery != "" {
		return fmt.Errorf("the base URL of a bedrock upstream must not have a query")
	}
	return err
}

var plainRegion = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// address is the URL of an operation. The model's name is encoded as AWS's own
// clients encode it, colons and slashes too
// (reference/runtime-metering-billing.md §1.5).
func (c *Config) address(o operationOf) (string, error) {
	r := o.region
	if !plainRegion.MatchString(string(r)) {
		return "", fmt.Errorf("%q is no name of a Region", r)
	}
	base := c.BaseURL
	if base == "" {
		base = "https://bedrock-runtime." + regionMark + ".amazonaws.com"
		if strings.HasPrefix(string(r), "cn-") {
			base += ".cn"
		}
	}
	base = strings.TrimRight(strings.ReplaceAll(base, regionMark, string(r)), "/")
	name := strings.ReplaceAll(url.PathEscape(o.model), ":", "%3A")
	return base + "/model/" + name + "/" + o.operation, nil
}

// trusted are the system's certificates and those of a file; nil when there is
// none.
func trusted(name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxCABytes {
		return nil, fmt.Errorf("caFile %s is longer than %d bytes", name, maxCABytes)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read caFile: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("caFile %s holds no certificate in PEM", name)
	}
	return roots, nil
}
