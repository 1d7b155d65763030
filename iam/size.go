package iam

import (
	"fmt"
	"unicode"

	"outcrop"
)

// A SizeQuota is how long policies may be in characters, white space not
// counted (AWS account quotas of IAM and STS), except for an SCP's, where
// Organizations counts all of it.
type SizeQuota int

// The quotas.
const (
	ManagedPolicyChars SizeQuota = 6144
	UserInlineChars    SizeQuota = 2048  // all inline policies of a user together
	GroupInlineChars   SizeQuota = 5120  // all inline policies of a group together
	RoleInlineChars    SizeQuota = 10240 // all inline policies of a role together
	TrustPolicyChars   SizeQuota = 2048
	SessionPolicyChars SizeQuota = 2048
	SCPChars           SizeQuota = 5120
)

// PolicyChars counts the characters of a policy that IAM's quotas count: all
// but white space.
func PolicyChars(text []byte) int {
	n := 0
	for _, r := range string(text) {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// CheckInlineSize holds all inline policies of one user, group or role, taken
// together, to its quota, with IAM's LimitExceeded. kind is "user", "group" or
// "role".
func CheckInlineSize(kind, name string, documents ...[]byte) error {
	quota := map[string]SizeQuota{"user": UserInlineChars, "group": GroupInlineChars, "role": RoleInlineChars}[kind]
	total := 0
	for _, d := range documents {
		total += PolicyChars(d)
	}
	if total <= int(quota) {
		return nil
	}
	return limitExceeded(fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s %s", quota, kind, name))
}

// checkSize holds one document to the quota of its kind.
func checkSize(text []byte, kind PolicyKind) error {
	switch kind {
	case ManagedPolicy:
		if PolicyChars(text) > int(ManagedPolicyChars) {
			return limitExceeded(fmt.Sprintf("Cannot exceed quota for PolicySize: %d", ManagedPolicyChars))
		}
	case TrustPolicy:
		if PolicyChars(text) > int(TrustPolicyChars) {
			return limitExceeded(fmt.Sprintf("Cannot exceed quota for ACLSizePerRole: %d", TrustPolicyChars))
		}
	case SessionPolicy:
		if PolicyChars(text) > int(SessionPolicyChars) {
			return outcrop.Errorf(outcrop.Invalid, "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to %d", SessionPolicyChars)
		}
	case ServiceControlPolicy, ResourceControlPolicy:
		if len([]rune(string(text))) > int(SCPChars) {
			e := outcrop.Errorf(outcrop.QuotaExceeded, "You have exceeded the maximum size of a policy: %d characters.", SCPChars)
			e.Code = "ConstraintViolationException"
			return e
		}
	}
	return nil
}

func limitExceeded(message string) error {
	e := outcrop.Errorf(outcrop.QuotaExceeded, "%s", message)
	e.Code = "LimitExceeded"
	return e
}
