package identity

import (
	"fmt"
	"strings"

	"outcrop"
)

// unrecognized is AWS's answer for a key id it does not know or that is
// switched off; the two look alike from outside.
func unrecognized() *outcrop.Error {
	return coded(outcrop.Denied, "UnrecognizedClientException", "The security token included in the request is invalid.")
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

// IAM's codes for what management finds amiss (errors of the iam service
// model). The sentences are those seen in answers of IAM.

func coded(kind outcrop.Kind, code, format string, args ...any) *outcrop.Error {
	e := outcrop.Errorf(kind, format, args...)
	e.Code = code
	return e
}

func noSuch(format string, args ...any) *outcrop.Error {
	return coded(outcrop.NotFound, "NoSuchEntity", format, args...)
}

func clash(code, format string, args ...any) *outcrop.Error {
	return coded(outcrop.Clash, code, format, args...)
}

func deleteConflict(text string) *outcrop.Error { return clash("DeleteConflict", "%s", text) }

func limit(format string, args ...any) *outcrop.Error { return clash("LimitExceeded", format, args...) }

func quota(name string, limit int) *outcrop.Error {
	return clash("LimitExceeded", "Cannot exceed quota for %s: %d", name, limit)
}

func concurrent() *outcrop.Error {
	return clash("ConcurrentModification", "The request was rejected because multiple requests to change this object were submitted simultaneously. Wait a few minutes and submit your request again.")
}

func invalidInput(format string, args ...any) *outcrop.Error {
	return coded(outcrop.Invalid, "InvalidInput", format, args...)
}

func validation(format string, args ...any) *outcrop.Error {
	return coded(outcrop.Invalid, "ValidationError", format, args...)
}

// constraint is how the services word a value outside its model.
func constraint(value any, field, rule string) *outcrop.Error {
	return validation("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, field, rule)
}

func denied(format string, args ...any) *outcrop.Error {
	return coded(outcrop.Denied, "AccessDenied", format, args...)
}

func notFound(kind, name string) *outcrop.Error {
	return noSuch("The %s with name %s cannot be found.", kind, name)
}

func noSuchKey(id string) *outcrop.Error {
	return noSuch("The Access Key with id %s cannot be found.", id)
}

func noInline(who Ref, name string) *outcrop.Error {
	return noSuch("The %s policy with name %s cannot be found.", who.Kind, name)
}

func notAttachable(policy outcrop.ARN) *outcrop.Error {
	return noSuch("Policy %s does not exist or is not attachable.", policy)
}

func alreadyExists(kind, name string) *outcrop.Error {
	return clash("EntityAlreadyExists", "%s with name %s already exists.", kind, name)
}

func badName(field string) *outcrop.Error {
	return validation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", field)
}

func badPath() *outcrop.Error {
	return validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
}

func protectedRole(name string) *outcrop.Error {
	return coded(outcrop.Invalid, "UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", name)
}

func tooManyAPIKeys() *outcrop.Error {
	return quota("ServiceSpecificCredentialsPerUser", maxAPIKeysPerUser)
}

func title(k EntityKind) string { return strings.ToUpper(string(k[:1])) + string(k[1:]) }

// The organisation's answers (errors of the organizations service model). Its
// clients tell them apart by code; all are 400 on the wire.

func orgError(kind outcrop.Kind, code, format string, args ...any) *outcrop.Error {
	return coded(kind, code, "%s", fmt.Sprintf(format, args...))
}

func orgNotFound(code, what string) *outcrop.Error {
	return orgError(outcrop.NotFound, code, "You specified %s that doesn't exist.", what)
}

func orgInput(format string, args ...any) *outcrop.Error {
	return orgError(outcrop.Invalid, "InvalidInputException", format, args...)
}

func orgLimit(format string, args ...any) *outcrop.Error {
	return orgError(outcrop.Conflict, "ConstraintViolationException", format, args...)
}

func noBoundary(policy outcrop.ARN) *outcrop.Error {
	return noSuch("Scope ARN: %s does not exist or is not attachable.", policy)
}
