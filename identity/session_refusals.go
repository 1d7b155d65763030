package identity

import (
	"errors"
	"fmt"

	"outcrop"
	"outcrop/internal/textform"
)

// sessionNames are what STS accepts for RoleSessionName and SourceIdentity.
var sessionNames = textform.Of(`[\w+=,.@-]*`, 2, 64)

// ErrSessionExpired is the cause of a refusal that is only about time: the
// session was genuine and is over.
var ErrSessionExpired = errors.New("session expired")

// expiredSession is what AWS's front layer says; STS and IAM call the code
// ExpiredToken.
func expiredSession() *outcrop.Error {
	e := refused("The security token included in the request is expired")
	e.Code = "ExpiredTokenException"
	return e.Because(ErrSessionExpired)
}

// packedTooLarge has two wordings: with policies, and with tags alone.
func packedTooLarge(policies bool, percent int) *outcrop.Error {
	text := fmt.Sprintf("Packed size of session tags consumes %d%% of allotted space.", percent)
	if policies {
		text = fmt.Sprintf("Packed policy consumes %d%% of allotted space, please use smaller policy.", percent)
	}
	return coded(outcrop.Invalid, "PackedPolicyTooLarge", "%s", text)
}

func invalidParameter(text string) *outcrop.Error {
	return coded(outcrop.Invalid, "InvalidParameterValue", "%s", text)
}

// DuplicateSessionTags refuses session tags whose keys differ in case at most.
func DuplicateSessionTags() error {
	return invalidParameter("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
}

// notFederated does not tell whether the role exists.
func notFederated() *outcrop.Error {
	return denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
}
