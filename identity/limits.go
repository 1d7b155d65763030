package identity

import (
	"regexp"
	"time"

	"outcrop/internal/textform"
)

// IAM's quotas (IAM user guide, "IAM and AWS STS quotas"; the defaults).
const (
	MaxAccessKeysPerUser         = 2
	MaxGroupsPerUser             = 10
	MaxGroupsPerAccount          = 300
	MaxRolesPerAccount           = 1000
	MaxPoliciesPerAccount        = 1500
	MaxProvidersPerAccount       = 100
	MaxAttachedPolicies          = 10 // per user, group or role
	MaxPolicyVersions            = 5
	MaxTagsPerEntity             = 50
	MaxClientIDsPerProvider      = 100
	MaxThumbprintsPerProvider    = 5
	MaxPolicyDocumentBytes       = 131072 // whatever the kind (iam service model)
	MaxUsersPerAccount           = 100000 // AWS stops at 5000; one installation serves all its workloads from one account
	MinSessionDuration           = time.Hour
	MaxSessionDuration           = 12 * time.Hour
	MaxCredentialAgeDays         = 36600
	MaxServiceCredentialsPerUser = maxAPIKeysPerUser
)

// Quotas of AWS Organizations.
const (
	MaxSCPsPerTarget  = 5
	MaxSCPs           = 1000
	MaxUnitDepth      = 5
	MaxUnits          = 1000
	MaxAccounts       = 1000
	MinSCPsPerTarget  = 1 // a root, unit or account keeps at least one
	maxOrgNameRunes   = 128
	maxSCPDescription = 512
)

const (
	maxAPIKeysPerUser = 2       // IAM's quota of service-specific credentials per service
	maxTokenBytes     = 8 << 10 // a short-term key carries a whole session token
	maxAliasBytes     = 128
	maxAliasTries     = 20 // names that renamed users may still hold
)

// What IAM accepts (iam and organizations service models).
var (
	userNames    = textform.Of(`[\w+=,.@-]*`, 1, 64)  // of users and roles
	groupNames   = textform.Of(`[\w+=,.@-]*`, 1, 128) // of groups and policies
	paths        = textform.Of(`/([!-~]+/)?`, 1, 512)
	policyPaths  = regexp.MustCompile(`\A((/[A-Za-z0-9.,+@=_-]+)*)/\z`)
	descriptions = textform.Of(`[\t\n\r -~\x{A1}-\x{FF}]*`, 0, 1000)
	thumbprints  = textform.Of(`[0-9a-fA-F]*`, 40, 40)
	aliases      = regexp.MustCompile(`\A[a-z0-9](-?[a-z0-9]){2,62}\z`)
	accountIDs   = textform.Of(`[0-9]*`, 12, 12)
	accessKeyID  = textform.Of(`\w*`, 16, 128)
	emails       = regexp.MustCompile(`\A[^\s@]+@[^\s@]+\.[^\s@]+\z`)
)
