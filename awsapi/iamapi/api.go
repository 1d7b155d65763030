// Package iamapi answers the operations of IAM: users, groups, roles, policies
// and credentials.
package iamapi

import (
	"strings"
	"time"

	"outcrop"
	"outcrop/identity"
)

// Config is what the API answers from.
type Config struct {
	Identity *identity.Directory
	Now      func() time.Time
}

// An API is the IAM of all accounts.
type API struct{ Config }

// New makes an API.
func New(c Config) *API { return &API{c} }

// nothing is the answer of an operation that AWS answers without a result.
type nothing struct{}

// done is what operations return that only change something.
func done(err error) (*nothing, error) {
	if err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

// failure is an error whose code IAM's model has.
func failure(kind outcrop.Kind, code, format string, args ...any) error {
	e := outcrop.Errorf(kind, format, args...)
	e.Code = code
	return e
}

func invalidInput(format string, args ...any) error {
	return failure(outcrop.Invalid, "InvalidInput", format, args...)
}

func noSuchEntity(format string, args ...any) error {
	return failure(outcrop.NotFound, "NoSuchEntity", format, args...)
}

// userName is the user an operation is about: the one it names, else the one
// who asks.
func userName(who outcrop.Caller, named string) (string, error) {
	if named != "" {
		return named, nil
	}
	p := who.Principal.Parts()
	if p.ResourceType() != "user" {
		return "", failure(outcrop.Invalid, "ValidationError", "Must specify userName when calling with non-User credentials")
	}
	return nameOf(p), nil
}

// nameOf is the name at the end of an IAM ARN, behind its path.
func nameOf(p outcrop.ARNParts) string { return p.Resource[strings.LastIndexByte(p.Resource, '/')+1:] }

func ptr[T any](v T) *T { return &v }
