package iam

import (
	"fmt"
	"regexp"
	"strings"

	"outcrop"
)

// validate checks what the grammar does not.
func (p *Policy) validate() error {
	for _, check := range []func() error{p.checkDates, p.checkSids, p.checkPresence, p.checkResources, p.checkActions, p.checkPrincipals} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Policy) checkDates() error {
	for _, s := range p.Statements {
		for _, c := range s.Conditions {
			if op, _ := parseOperator(c.Operator); op.class != dates {
				continue
			}
			for _, v := range c.Values {
				if _, ok := parseDate(v); !ok {
					return p.Kind.malformed("The policy failed legacy parsing")
				}
			}
		}
	}
	return nil
}

func (p *Policy) checkSids() error {
	seen := map[string]bool{}
	for _, s := range p.Statements {
		if s.Sid != "" && seen[s.Sid] {
			return p.Kind.malformed("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.Sid] = true
	}
	return nil
}

// checkPresence: a statement says what, on what and, in a policy of a
// resource, for whom. A trust policy is its own resource.
func (p *Policy) checkPresence() error {
	trust := p.Kind == TrustPolicy
	for _, s := range p.Statements {
		switch {
		case len(s.Actions) == 0 && trust:
			return p.Kind.malformed("Missing required field Action")
		case len(s.Actions) == 0:
			return p.Kind.malformed("Policy statement must contain actions.")
		case trust && s.Resources != nil:
			return p.Kind.malformed("Has prohibited field Resource")
		case len(s.Resources) == 0 && !trust:
			return p.Kind.malformed("Policy statement must contain resources.")
		case len(s.Principals) == 0 && p.Kind.hasPrincipals():
			return p.Kind.malformed("Missing required field Principal")
		}
	}
	return nil
}

func (p *Policy) checkResources() error {
	for _, s := range p.Statements {
		for _, r := range s.Resources {
			if fault := resourceFault(r); fault != "" {
				return p.Kind.malformed(fault)
			}
		}
	}
	return nil
}

// iamResourceTypes are what follows the account in the ARN of an IAM resource,
// in the order of IAM's message.
var iamResourceTypes = []string{"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"}

// resourceFault is what IAM says of a resource that is no ARN, or empty.
func resourceFault(r string) string {
	if r == "*" {
		return ""
	}
	part := strings.SplitN(r, ":", arnParts)
	if len(part) == 1 {
		if strings.Trim(r, "*") == "" {
			return ""
		}
		return fmt.Sprintf("Resource %s must be in ARN format or \"*\".", r)
	}
	if !partitions.MatchString(part[1]) {
		return partitionFault(part)
	}
	if len(part) == 2 {
		return "Resource vendor must be fully qualified and cannot contain regexes."
	}
	if part[0] != "arn" || part[2] == "" || len(part) < arnParts && strings.Contains(r, "::") {
		return "The policy failed legacy parsing"
	}
	if part[2] == "iam" && len(part) == arnParts {
		return iamFault(r, part)
	}
	return ""
}

// partitions that are, and patterns of them: the AWS-managed policies of
// Bedrock say arn:*:kms:….
var partitions = regexp.MustCompile(`\A(aws(-cn|-us-gov|-eusc|-iso(-[a-z])?)?|[a-z?-]*\*[a-z*?-]*)\z`)

// partitionFault writes the parts that are missing as *.
func partitionFault(part []string) string {
	arn := "arn:" + part[1]
	for i := 2; i < arnParts; i++ {
		if i < len(part) && (part[i] != "" || i < len(part)-1) {
			arn += ":" + part[i]
		} else {
			arn += ":*"
		}
	}
	return fmt.Sprintf("Partition \"%s\" is not valid for resource \"%s\".", part[1], arn)
}

func iamFault(r string, part []string) string {
	if part[3] != "" && part[3] != "*" {
		return fmt.Sprintf("IAM resource %s cannot contain region information.", r)
	}
	kind := part[arnParts-1]
	if strings.ContainsAny(kind, "*?$") || kind == "root" || strings.HasPrefix(kind, "delegation-request/") {
		return ""
	}
	for _, t := range iamResourceTypes {
		if strings.HasPrefix(kind, t) {
			return ""
		}
	}
	return fmt.Sprintf("IAM resource path must either be \"*\" or start with %s.", strings.Join(iamResourceTypes, ", "))
}

var vendors = regexp.MustCompile(`\A[a-zA-Z0-9.*?-]+\z`)

func (p *Policy) checkActions() error {
	for _, s := range p.Statements {
		for _, a := range s.Actions {
			if fault := actionFault(a); fault != "" {
				return p.Kind.malformed(fault)
			}
			if p.Kind == TrustPolicy && !trustAction(a) {
				return p.Kind.malformed("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
	}
	return nil
}

func actionFault(a string) string {
	vendor, name, found := strings.Cut(a, ":")
	switch {
	case !found && strings.Trim(a, "*") == "" && a != "":
		return ""
	case !found:
		return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	case strings.Contains(name, ":"):
		return "Actions/Condition can contain only one colon."
	case !vendors.MatchString(vendor):
		return fmt.Sprintf("Vendor %s is not valid", vendor)
	}
	return ""
}

// trustAction: a trust policy is about sts only.
func trustAction(a string) bool {
	vendor, _, found := strings.Cut(strings.ToLower(a), ":")
	return !found || vendor == "sts"
}

// checkPrincipals looks at the form only: whether a principal exists is for
// its directory to say.
func (p *Policy) checkPrincipals() error {
	for _, s := range p.Statements {
		for _, who := range s.Principals {
			if !wellFormed(who) {
				return p.Kind.malformed(fmt.Sprintf("Invalid principal in policy: \"%s\":\"%s\"", who.Type, who.Value))
			}
		}
	}
	return nil
}

var accountIDs = regexp.MustCompile(`\A[0-9]{12}\z`)

// wellFormed: an AWS principal is *, an account, an ARN of IAM or STS, or the
// unique id that replaced an ARN when its user was deleted. There are no
// patterns of principals.
func wellFormed(who Principal) bool {
	if who.Value == "" {
		return false
	}
	if who.Value == "*" {
		return who.Type != "CanonicalUser"
	}
	if strings.ContainsAny(who.Value, "*?") {
		return false
	}
	if who.Type != "AWS" || accountIDs.MatchString(who.Value) {
		return true
	}
	arn, ok := outcrop.ParseARN(who.Value)
	if !ok {
		return !strings.Contains(who.Value, ":")
	}
	return arn.Resource != "" && arn.Region == "" && (arn.Service == "iam" || arn.Service == "sts") && accountIDs.MatchString(string(arn.Account))
}
