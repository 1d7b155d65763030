package identity

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"outcrop"
)

// The AWS-managed policies, one file each, as AWS publishes them: the answer
// of `aws iam get-policy-version` for the version named inside. A file's place
// below managed/ is the policy's path. See managed/README.md for provenance.
//
//go:embed managed
var managedFiles embed.FS

// AdministratorAccess is the policy of administrators.
const AdministratorAccess outcrop.ARN = "arn:aws:iam::aws:policy/AdministratorAccess"

// AWSManagedPolicies are AWS's policies in order of name. The slice is shared.
func AWSManagedPolicies() []ManagedPolicy { return managed().list }

func awsManaged(arn outcrop.ARN) (ManagedPolicy, bool) {
	p, ok := managed().byARN[folded(string(arn))]
	return p, ok
}

type managedPolicies struct {
	list  []ManagedPolicy
	byARN map[string]ManagedPolicy
}

var managed = sync.OnceValue(func() managedPolicies {
	all := managedPolicies{byARN: map[string]ManagedPolicy{}}
	fs.WalkDir(managedFiles, "managed", func(name string, f fs.DirEntry, err error) error {
		if err != nil || f.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		p, err := readManaged(name)
		if err == nil { // TestAWSManagedPolicies holds every file to this
			all.list = append(all.list, p)
			all.byARN[folded(string(p.ARN()))] = p
		}
		return err
	})
	slices.SortFunc(all.list, func(a, b ManagedPolicy) int { return strings.Compare(folded(a.Name), folded(b.Name)) })
	return all
})

func readManaged(file string) (ManagedPolicy, error) {
	b, err := managedFiles.ReadFile(file)
	if err != nil {
		return ManagedPolicy{}, err
	}
	var x struct {
		Description   string
		PolicyID      string `json:"PolicyId"`
		PolicyVersion struct {
			CreateDate time.Time
			VersionID  string `json:"VersionId"`
			Document   json.RawMessage
		}
	}
	if err := json.Unmarshal(b, &x); err != nil {
		return ManagedPolicy{}, fmt.Errorf("read %s: %w", file, err)
	}
	v := PolicyVersion{ID: x.PolicyVersion.VersionID, Document: string(x.PolicyVersion.Document), Created: x.PolicyVersion.CreateDate}
	dir := strings.TrimPrefix(path.Dir(file), "managed")
	return ManagedPolicy{ID: managedID(path.Base(file)), Name: strings.TrimSuffix(path.Base(file), ".json"), Path: strings.TrimSuffix(dir, "/") + "/",
		Created: v.Created, Updated: v.Created, Default: v.ID, Latest: number(v.ID), Versions: []PolicyVersion{v}}, nil
}
