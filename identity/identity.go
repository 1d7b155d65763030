// Package identity knows who may knock: accounts, users, their access keys
// and their Bedrock API keys.
package identity

import (
	"context"
	"regexp"
	"time"

	"outcrop"
)

// A User is an IAM user: a principal with credentials.
type User struct {
	ID      string // AIDA and 17 characters, as GetCallerIdentity shows it
	Account outcrop.AccountID
	Name    string // unique in its account, whatever the case
	Created time.Time
}

// ARN of the user.
func (u User) ARN() outcrop.ARN {
	return outcrop.ARNParts{Partition: "aws", Service: "iam", Account: u.Account, Resource: "user/" + u.Name}.ARN()
}

// An AccessKey signs requests. Its secret is sealed: SigV4 needs the secret
// itself to verify, so that it can be encrypted and not hashed.
type AccessKey struct {
	ID      string // AKIA and 16 characters
	UserID  string
	Sealed  Sealed
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

// A Batch is what comes into being together.
type Batch struct {
	Users      []User
	AccessKeys []AccessKey
	APIKeys    []APIKey
}

// A Store keeps users and keys. What is absent is outcrop.NotFound.
// Implementations are safe for concurrent use.
type Store interface {
	// Add writes all of b or nothing. It is outcrop.Conflict when an id, an
	// alias, or a name in its account is taken, and outcrop.NotFound when a
	// key's user is unknown.
	Add(ctx context.Context, b Batch) error
	User(ctx context.Context, account outcrop.AccountID, name string) (User, error)
	AccessKey(ctx context.Context, id string) (AccessKey, User, error)
	APIKey(ctx context.Context, alias string) (APIKey, User, error)
	// AccessKeys lists every key of every account, by id.
	AccessKeys(ctx context.Context) ([]AccessKey, error)
	// Reseal replaces a sealed secret unless it is no longer from.
	Reseal(ctx context.Context, id string, from, to Sealed) error
	// Deactivate keeps an access key or API key and stops it from working.
	Deactivate(ctx context.Context, id string) error
	// Remove forgets an access key or API key.
	Remove(ctx context.Context, id string) error
}

// What IAM accepts as names (iam service model), and lengths of secrets.
var (
	userNames   = regexp.MustCompile(`\A[\w+=,.@-]{1,64}\z`)
	accountIDs  = regexp.MustCompile(`\A[0-9]{12}\z`)
	accessKeyID = regexp.MustCompile(`\A\w{16,128}\z`)
)

const (
	maxAPIKeysPerUser = 2       // IAM's quota of service-specific credentials per service
	maxTokenBytes     = 8 << 10 // a short-term key carries a whole session token
	maxAliasBytes     = 128
)
