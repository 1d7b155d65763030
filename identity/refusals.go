package identity

import (
	"outcrop"
)

// unrecognized is AWS's answer for a key id it does not know or that is
// switched off; the two look alike from outside.
func unrecognized() *outcrop.Error {
	e := outcrop.Errorf(outcrop.Denied, "The security token included in the request is invalid.")
	e.Code = "UnrecognizedClientException"
	return e
}

// Answers seen for Bedrock API keys (reference/runtime-metering-billing.md §4.5).

func wrongPrefix() *outcrop.Error {
	return refused("Invalid API Key format: Must start with pre-defined prefix")
}

func badKey() *outcrop.Error {
	return refused("Authentication failed: Please make sure your API Key is valid.")
}

func expiredKey() *outcrop.Error { return refused("Bearer Token has expired") }

func refused(text string) *outcrop.Error {
	e := outcrop.Errorf(outcrop.Denied, "%s", text)
	e.Auth = true
	return e
}

// IAM's words for what management finds amiss.

func noSuchUser(name string) *outcrop.Error {
	e := outcrop.Errorf(outcrop.NotFound, "The user with name %s cannot be found.", name)
	e.Code = "NoSuchEntity"
	return e
}

func noSuchKey(id string) *outcrop.Error {
	e := outcrop.Errorf(outcrop.NotFound, "The Access Key with id %s cannot be found.", id)
	e.Code = "NoSuchEntity"
	return e
}

func userExists(name string) *outcrop.Error {
	e := outcrop.Errorf(outcrop.Conflict, "User with name %s already exists.", name)
	e.Code = "EntityAlreadyExists"
	return e
}

func badUserName() *outcrop.Error {
	e := outcrop.Errorf(outcrop.Invalid, "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
	e.Code = "ValidationError"
	return e
}

func tooManyAPIKeys() *outcrop.Error {
	e := outcrop.Errorf(outcrop.QuotaExceeded, "Cannot exceed quota for ServiceSpecificCredentialsPerUser: %d", maxAPIKeysPerUser)
	e.Code = "LimitExceeded"
	return e
}
