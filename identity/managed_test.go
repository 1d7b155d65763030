package identity_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
)

// TestAWSManagedPolicies holds every built-in policy to its shape, and to
// parse: Grants are made of it without asking again.
func TestAWSManagedPolicies(t *testing.T) {
	arns := map[outcrop.ARN]bool{}
	for _, p := range identity.AWSManagedPolicies() {
		arns[p.ARN()] = true
		if !strings.HasPrefix(p.ID, "ANPA") || len(p.ID) != 21 || !p.AWSManaged() || p.Created.IsZero() || p.Default == "" || p.Document() == "" {
			t.Errorf("%s: %+v", p.Name, p)
		}
		if _, err := iam.ParsePolicy([]byte(p.Document()), iam.IdentityPolicy); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
	files, err := filepath.Glob("managed/*.json")
	if deeper, _ := filepath.Glob("managed/*/*.json"); err != nil || len(files)+len(deeper) != len(arns) {
		t.Errorf("%d files, %d policies", len(files)+len(deeper), len(arns))
	}
	for _, name := range []string{"AmazonBedrockFullAccess", "AmazonBedrockLimitedAccess", "AmazonBedrockReadOnly", "AmazonBedrockMarketplaceAccess", "AmazonBedrockMantleInferenceAccess",
		"AdministratorAccess", "job-function/Billing", "AWSBillingReadOnlyAccess", "CloudWatchReadOnlyAccess", "CloudWatchLogsReadOnlyAccess", "IAMUserChangePassword"} {
		if !arns["arn:aws:iam::aws:policy/"+outcrop.ARN(name)] {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestAWSManagedPoliciesAreAsPublished compares with the published documents.
func TestAWSManagedPoliciesAreAsPublished(t *testing.T) {
	published, err := filepath.Glob("../../shared/testdata/managed-policies/*.json")
	if err != nil || len(published) == 0 {
		if os.Getenv("OUTCROP_NO_SKIP") == "1" {
			t.Fatal("the published policies are absent")
		}
		t.Skip("the published policies are absent")
	}
	byName := map[string]identity.ManagedPolicy{}
	for _, p := range identity.AWSManagedPolicies() {
		byName[p.Name] = p
	}
	for _, file := range published {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			PolicyVersion struct {
				VersionID string `json:"VersionId"`
				Document  any
			}
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		p := byName[strings.TrimSuffix(filepath.Base(file), ".json")]
		var got any
		if err := json.Unmarshal([]byte(p.Document()), &got); err != nil || !reflect.DeepEqual(got, want.PolicyVersion.Document) || p.Default != want.PolicyVersion.VersionID {
			t.Errorf("%s differs: %v", filepath.Base(file), err)
		}
	}
}

// TestReadOnlyCannotInvoke is the difference between two policies that
// operators mix up (control-plane.md §6.4).
func TestReadOnlyCannotInvoke(t *testing.T) {
	h := newHouse(t)
	who, ref := h.user(t, "alice"), identity.UserRef(account, "alice")
	for policy, want := range map[outcrop.ARN][2]bool{ // invoke, list tags
		"arn:aws:iam::aws:policy/AmazonBedrockReadOnly":      {false, true},
		"arn:aws:iam::aws:policy/AmazonBedrockLimitedAccess": {true, true},
		"arn:aws:iam::aws:policy/AmazonBedrockFullAccess":    {true, true},
		"arn:aws:iam::aws:policy/job-function/Billing":       {false, false},
	} {
		h.must(t)(h.AttachPolicy(t.Context(), ref, policy))
		if got := [2]bool{h.may(t, who, "bedrock:InvokeModel"), h.may(t, who, "bedrock:ListTagsForResource")}; got != want {
			t.Errorf("%s: %v, want %v", policy, got, want)
		}
		h.must(t)(h.DetachPolicy(t.Context(), ref, policy))
	}
}
