package outcrop

import "strings"

// An ARN is an Amazon Resource Name as it appears on the wire.
type ARN string

// ARNParts are the six parts of an ARN. Resource keeps everything after the
// fifth colon and may contain colons and slashes itself.
type ARNParts struct {
	Partition, Service string
	Region             Region
	Account            AccountID
	Resource           string
}

// ParseARN splits s. ok is false unless s has six colon-separated parts and
// begins with "arn:".
func ParseARN(s string) (p ARNParts, ok bool) {
	part := strings.SplitN(s, ":", 6)
	if len(part) != 6 || part[0] != "arn" {
		return ARNParts{}, false
	}
	return ARNParts{part[1], part[2], Region(part[3]), AccountID(part[4]), part[5]}, true
}

// Parts splits a; an ill-formed ARN has empty parts.
func (a ARN) Parts() ARNParts {
	p, _ := ParseARN(string(a))
	return p
}

// ARN joins the parts again.
func (p ARNParts) ARN() ARN {
	return ARN("arn:" + p.Partition + ":" + p.Service + ":" + string(p.Region) + ":" + string(p.Account) + ":" + p.Resource)
}

// ResourceID is what follows the first slash of the resource:
// "us.amazon.nova-lite-v1:0" of "inference-profile/us.amazon.nova-lite-v1:0".
func (p ARNParts) ResourceID() string {
	_, id, _ := strings.Cut(p.Resource, "/")
	return id
}

// ResourceType is what precedes the first slash of the resource.
func (p ARNParts) ResourceType() string {
	t, _, _ := strings.Cut(p.Resource, "/")
	return t
}

// Partition of a Region: "aws", "aws-us-gov", "aws-cn" or "aws-eusc". A Region
// of the operator's own belongs to "aws".
func (r Region) Partition() string {
	switch {
	case strings.HasPrefix(string(r), "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(string(r), "cn-"):
		return "aws-cn"
	case strings.HasPrefix(string(r), "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}

// FoundationModelARN names a model in a Region. An empty Region is the
// Region-less form that global profiles list first.
func FoundationModelARN(partition string, r Region, id ModelID) ARN {
	return ARN("arn:" + partition + ":bedrock:" + string(r) + "::foundation-model/" + string(id))
}

// SystemProfileARN names a system-defined profile as account a sees it in r.
func SystemProfileARN(r Region, a AccountID, id string) ARN {
	return ARN("arn:" + r.Partition() + ":bedrock:" + string(r) + ":" + string(a) + ":inference-profile/" + id)
}

// ApplicationProfileARN names an application profile of account a in r.
func ApplicationProfileARN(r Region, a AccountID, id string) ARN {
	return ARN("arn:" + r.Partition() + ":bedrock:" + string(r) + ":" + string(a) + ":application-inference-profile/" + id)
}
