// Package identity knows who may knock and what they were given: accounts,
// users, groups, roles, their keys and policies, and the organisation above.
package identity

import (
	"time"

	"outcrop"
	"outcrop/identity/sealing"
)

// Rights are what decides how much a user, group or role may do.
type Rights struct {
	Boundary outcrop.ARN       `json:"boundary,omitempty"` // permissions boundary; empty when there is none
	Attached []outcrop.ARN     `json:"attached,omitempty"` // managed policies, in order of attachment
	Inline   map[string]string `json:"inline,omitempty"`   // documents of inline policies by name
}

// A User is an IAM user: a principal with credentials.
type User struct {
	ID      string // AIDA and 17 characters, as GetCallerIdentity shows it
	Account outcrop.AccountID
	Name    string    // unique in its account, whatever the case
	Path    string    // such as /division/; empty is /
	Created time.Time // whole seconds
	Tags    outcrop.Tags
	Groups  []string // ids of its groups
	Rights
}

// ARN of the user.
func (u User) ARN() outcrop.ARN { return iamARN(u.Account, "user", u.Path, u.Name) }

// A Group gives its policies to its members.
type Group struct {
	ID      string // AGPA and 17 characters
	Account outcrop.AccountID
	Name    string
	Path    string
	Created time.Time
	Rights
}

// ARN of the group.
func (g Group) ARN() outcrop.ARN { return iamARN(g.Account, "group", g.Path, g.Name) }

// A Role is assumed by those whom its trust policy admits.
type Role struct {
	ID            string // AROA and 17 characters
	Account       outcrop.AccountID
	Name          string
	Path          string
	Created       time.Time
	Description   string
	Trust         string        // the document that says who may assume it
	MaxSession    time.Duration // MinSessionDuration to MaxSessionDuration
	ServiceLinked bool          // AWS's own: SCPs pass it over and nobody edits it
	Tags          outcrop.Tags
	Rights
}

// ARN of the role.
func (r Role) ARN() outcrop.ARN { return iamARN(r.Account, "role", r.Path, r.Name) }

// A ManagedPolicy is a policy of its own that principals share.
type ManagedPolicy struct {
	ID          string            // ANPA and 17 characters
	Account     outcrop.AccountID // empty when it is AWS's
	Name        string
	Path        string
	Description string
	Created     time.Time
	Updated     time.Time // when the latest version or default was set
	Default     string    // such as v1
	Latest      int       // number of the newest version there ever was
	Versions    []PolicyVersion
	Tags        outcrop.Tags
}

// A PolicyVersion is one text of a managed policy.
type PolicyVersion struct {
	ID       string // such as v1
	Document string
	Created  time.Time
}

// AWSManaged says whether the policy is one of AWS's.
func (p ManagedPolicy) AWSManaged() bool { return p.Account == "" }

// ARN of the policy.
func (p ManagedPolicy) ARN() outcrop.ARN {
	account := p.Account
	if p.AWSManaged() {
		account = "aws"
	}
	return iamARN(account, "policy", p.Path, p.Name)
}

// Version finds a version by its id.
func (p ManagedPolicy) Version(id string) (PolicyVersion, bool) {
	for _, v := range p.Versions {
		if v.ID == id {
			return v, true
		}
	}
	return PolicyVersion{}, false
}

// Document is the text of the default version.
func (p ManagedPolicy) Document() string {
	v, _ := p.Version(p.Default)
	return v.Document
}

// A Provider is an OpenID Connect issuer that an account trusts.
type Provider struct {
	Account     outcrop.AccountID
	URL         string // as given, with its https://
	ClientIDs   []string
	Thumbprints []string // 40 hexadecimal digits each
	Created     time.Time
	Tags        outcrop.Tags
}

// ARN of the provider: its URL without the scheme.
func (p Provider) ARN() outcrop.ARN {
	return iamARN(p.Account, "oidc-provider", "/", withoutScheme(p.URL))
}

// An AccessKey signs requests. Its secret is sealed: SigV4 needs the secret
// itself to verify, so that it can be encrypted and not hashed.
type AccessKey struct {
	ID      string // AKIA and 16 characters
	UserID  string
	Sealed  sealing.Sealed
	Active  bool
	Created time.Time
}

// An APIKey is a long-term Bedrock API key, a service-specific credential in
// IAM's words. Only the digest of its secret is kept.
type APIKey struct {
	ID      string // ACCA and 17 characters
	UserID  string
	Alias   string // such as admin-at-123456789012; unique
	Digest  [32]byte
	Active  bool
	Created time.Time
	Expires time.Time // zero when it does not
}

// iamARN puts a path and name behind a kind: user/division/alice.
func iamARN(account outcrop.AccountID, kind, path, name string) outcrop.ARN {
	if path == "" {
		path = "/"
	}
	return outcrop.ARNParts{Partition: "aws", Service: "iam", Account: account, Resource: kind + path + name}.ARN()
}
