package identity

import (
	"context"
	"errors"
	"slices"
	"strings"

	"outcrop"
	"outcrop/iam"
)

// Documents are parsed when they are written, so that a malformed one is
// refused there, and again when a caller's policies are gathered.

func goodIdentityPolicy(document string) error { return goodText(document, iam.IdentityPolicy) }
func goodManagedPolicy(document string) error  { return goodText(document, iam.ManagedPolicy) }
func goodTrust(document string) error          { return goodText(document, iam.TrustPolicy) }
func goodSCP(document string) error            { return goodText(document, iam.ServiceControlPolicy) }

func goodText(document string, kind iam.PolicyKind) error {
	if len(document) > MaxPolicyDocumentBytes {
		return validation("1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: Member must have length less than or equal to %d", MaxPolicyDocumentBytes)
	}
	_, err := iam.ParsePolicy([]byte(document), kind)
	return inIAMStatus(err)
}

// inIAMStatus gives a quota's refusal the status that IAM has for it, 409.
func inIAMStatus(err error) error {
	var e *outcrop.Error
	if errors.As(err, &e) && e.Code == "LimitExceeded" {
		e.Kind = outcrop.Clash
	}
	return err
}

// goodInline holds all inline policies of who together to their quota.
func goodInline(who Ref, inline map[string]string) error {
	var documents [][]byte
	for _, text := range inline {
		documents = append(documents, []byte(text))
	}
	return inIAMStatus(iam.CheckInlineSize(string(who.Kind), who.Name, documents...))
}

// compile parses a document once, however many principals it serves: texts
// never change, so what is remembered is never wrong. name is what a Reason
// calls the policy.
func (d *Directory) compile(ctx context.Context, name, document string, kind iam.PolicyKind) (*iam.Policy, error) {
	key := strings.Join([]string{string(rune('0' + kind)), name, document}, "\x00")
	return d.texts.get(ctx, key, func(context.Context, string) (*iam.Policy, error) {
		p, err := iam.ParsePolicy([]byte(document), kind)
		if err != nil {
			return nil, wrap("compile policy "+name, err)
		}
		p.Name = name
		return p, nil
	})
}

// compileRights compiles what is attached to an entity, inline policies last.
func (d *Directory) compileRights(ctx context.Context, account outcrop.AccountID, r Rights) ([]*iam.Policy, error) {
	var out []*iam.Policy
	for _, arn := range r.Attached {
		p, err := d.compileManaged(ctx, account, arn, iam.IdentityPolicy)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	for _, name := range sortedKeys(r.Inline) {
		p, err := d.compile(ctx, name, r.Inline[name], iam.IdentityPolicy)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// compileManaged takes a managed policy's default version. Size and version
// were checked when it was written, and AWS's own are longer: IdentityPolicy
// checks neither.
func (d *Directory) compileManaged(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, kind iam.PolicyKind) (*iam.Policy, error) {
	p, err := d.policyNamed(ctx, account, arn)
	if err != nil {
		return nil, wrap("find policy", err)
	}
	return d.compile(ctx, string(p.ARN()), p.Document(), kind)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
