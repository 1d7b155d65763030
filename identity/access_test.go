package identity_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
)

// wantAnswer holds an error to IAM's code, status and words.
func wantAnswer(t testing.TB, err error, code string, status int, text string) {
	t.Helper()
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Code != code || e.Kind.Status() != status || !strings.Contains(e.Message, text) {
		t.Errorf("error %#v, want %s %d %q", err, code, status, text)
	}
}

// TestWords: what IAM says when it refuses.
func TestWords(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	h.user(t, "alice")
	h.role(t, "app")
	_, err := h.CreateGroup(ctx, account, "team", "")
	ok(err)
	p := h.policy(t, "p", allow("*"))
	alice, team, app := identity.UserRef(account, "alice"), identity.GroupRef(account, "team"), identity.RoleRef(account, "app")
	gone := outcrop.ARN("arn:aws:iam::123456789012:policy/gone")
	second := func(_ any, err error) error { return err }
	role := func(s identity.RoleSpec) error { _, err := h.CreateRole(ctx, account, s); return err }
	for name, c := range map[string]struct {
		err    error
		code   string
		status int
		text   string
	}{
		"no user":            {second(h.User(ctx, account, "bob")), "NoSuchEntity", 404, "The user with name bob cannot be found."},
		"no role":            {second(h.Role(ctx, account, "bob")), "NoSuchEntity", 404, "The role with name bob cannot be found."},
		"no group":           {second(h.Group(ctx, account, "bob")), "NoSuchEntity", 404, "The group with name bob cannot be found."},
		"no policy":          {second(h.Policy(ctx, account, gone)), "NoSuchEntity", 404, "Policy " + string(gone) + " was not found."},
		"another's policy":   {second(h.Policy(ctx, "210987654321", p)), "NoSuchEntity", 404, "was not found."},
		"no version":         {second(h.PolicyVersion(ctx, account, p, "v9")), "NoSuchEntity", 404, "version v9 does not exist"},
		"attach no policy":   {h.AttachPolicy(ctx, alice, gone), "NoSuchEntity", 404, "does not exist or is not attachable."},
		"detach no policy":   {h.DetachPolicy(ctx, alice, p), "NoSuchEntity", 404, "was not found."},
		"no boundary":        {h.SetBoundary(ctx, app, gone), "NoSuchEntity", 404, "does not exist or is not attachable"},
		"no inline of user":  {second(h.InlinePolicy(ctx, alice, "x")), "NoSuchEntity", 404, "The user policy with name x cannot be found."},
		"no inline of group": {h.DeleteInlinePolicy(ctx, team, "x"), "NoSuchEntity", 404, "The group policy with name x cannot be found."},
		"no inline of role":  {h.DeleteInlinePolicy(ctx, app, "x"), "NoSuchEntity", 404, "The role policy with name x cannot be found."},
		"no key":             {h.DeleteAccessKey(ctx, account, "alice", "AKIAX"), "NoSuchEntity", 404, "The Access Key with id AKIAX cannot be found."},
		"user twice":         {second(h.CreateUser(ctx, account, "ALICE")), "EntityAlreadyExists", 409, "User with name ALICE already exists."},
		"group twice":        {second(h.CreateGroup(ctx, account, "Team", "/x/")), "EntityAlreadyExists", 409, "Group with name Team already exists."},
		"role twice":         {role(identity.RoleSpec{Name: "APP", Trust: trust}), "EntityAlreadyExists", 409, "Role with name APP already exists."},
		"policy twice":       {second(h.CreatePolicy(ctx, account, identity.PolicySpec{Name: "P", Path: "/x/", Document: allow("*")})), "EntityAlreadyExists", 409, "A policy called P already exists. Duplicate names are not allowed."},
		"a bad policy":       {second(h.CreatePolicy(ctx, account, identity.PolicySpec{Name: "q", Document: "{}"})), "MalformedPolicyDocument", 400, "Syntax errors in policy."},
		"a huge policy":      {second(h.CreatePolicy(ctx, account, identity.PolicySpec{Name: "q", Document: allow("s3:" + strings.Repeat("a", 6144))})), "LimitExceeded", 409, "Cannot exceed quota for PolicySize: 6144"},
		"a huge inline":      {h.PutInlinePolicy(ctx, alice, "q", allow("s3:"+strings.Repeat("a", 2048))), "LimitExceeded", 409, "Maximum policy size of 2048 bytes exceeded for user alice"},
		"a trust policy":     {role(identity.RoleSpec{Name: "r", Trust: allow("*")}), "MalformedPolicyDocument", 400, ""},
		"a short session":    {role(identity.RoleSpec{Name: "r", Trust: trust, MaxSession: time.Minute}), "ValidationError", 400, "Value '60' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600"},
		"a long session":     {role(identity.RoleSpec{Name: "r", Trust: trust, MaxSession: 13 * time.Hour}), "ValidationError", 400, "less than or equal to 43200"},
		"a bad path":         {role(identity.RoleSpec{Name: "r", Path: "x", Trust: trust}), "ValidationError", 400, "path"},
		"a bad name":         {role(identity.RoleSpec{Name: "a b", Trust: trust}), "ValidationError", 400, "roleName"},
		"a system tag":       {h.SetTags(ctx, alice, outcrop.Tags{"aws:x": ""}), "InvalidInput", 400, "System tags"},
		"tags of one name":   {h.SetTags(ctx, alice, outcrop.Tags{"x": "", "X": ""}), "InvalidInput", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		"too many tags":      {h.SetTags(ctx, alice, manyTags(51)), "LimitExceeded", 409, "TagsPerResource: 50"},
		"tags of a group":    {h.SetTags(ctx, team, outcrop.Tags{"x": ""}), "InvalidInput", 400, ""},
		"AWS's own policy":   {h.DeletePolicy(ctx, account, identity.AdministratorAccess), "AccessDenied", 403, ""},
		"a bad marker":       {third(h.ListUsers(ctx, account, "", identity.Page{Marker: "%%"})), "ValidationError", 400, "Invalid Marker."},
		"another service":    {second(h.CreateServiceCredential(ctx, account, "alice", "codecommit.amazonaws.com", 0)), "NotSupportedService", 404, ""},
	} {
		t.Run(name, func(t *testing.T) { wantAnswer(t, c.err, c.code, c.status, c.text) })
	}
}

func third[A, B any](_ A, _ B, err error) error { return err }

func manyTags(n int) outcrop.Tags {
	tags := outcrop.Tags{}
	for i := range n {
		tags[fmt.Sprint("k", i)] = ""
	}
	return tags
}

// TestDeleteConflicts: nothing goes while something hangs on it, and goes
// once nothing does.
func TestDeleteConflicts(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	h.user(t, "alice")
	p := h.policy(t, "p", allow("*"))
	alice := identity.UserRef(account, "alice")
	_, err := h.CreateGroup(ctx, account, "team", "")
	ok(err)
	key, err := h.CreateAccessKey(ctx, account, "alice")
	ok(err)
	api, err := h.CreateServiceCredential(ctx, account, "alice", identity.ServiceName, 1)
	ok(err)
	ok(or(h.AttachPolicy(ctx, alice, p), h.PutInlinePolicy(ctx, alice, "in", allow("*")), h.AddToGroup(ctx, account, "team", "alice")))
	wantAnswer(t, h.DeleteGroup(ctx, account, "team"), "DeleteConflict", 409, "must remove users from group first")
	wantAnswer(t, h.DeletePolicy(ctx, account, p), "DeleteConflict", 409, "Cannot delete a policy attached to entities.")
	for _, step := range []struct {
		text string
		undo func() error
	}{
		{"must delete access keys first", func() error { return h.DeleteAccessKey(ctx, account, "alice", key.ID) }},
		{"must delete service specific credentials first", func() error { return h.DeleteServiceCredential(ctx, account, "alice", api.ID) }},
		{"must remove users from group first", func() error { return h.RemoveFromGroup(ctx, account, "team", "alice") }},
		{"must detach all policies first", func() error { return h.DetachPolicy(ctx, alice, p) }},
		{"must delete policies first", func() error { return h.DeleteInlinePolicy(ctx, alice, "in") }},
	} {
		wantAnswer(t, h.DeleteUser(ctx, account, "alice"), "DeleteConflict", 409, step.text)
		ok(step.undo())
	}
	ok(h.DeleteUser(ctx, account, "alice"))
	ok(h.DeleteGroup(ctx, account, "team"))

	r, _ := h.role(t, "app")
	ok(h.SetBoundary(ctx, identity.RoleRef(account, r.Name), p))
	wantAnswer(t, h.DeletePolicy(ctx, account, p), "DeleteConflict", 409, "attached")
	ok(h.AttachPolicy(ctx, identity.RoleRef(account, r.Name), p))
	wantAnswer(t, h.DeleteRole(ctx, account, "app"), "DeleteConflict", 409, "must detach all policies first")
	ok(or(h.DetachPolicy(ctx, identity.RoleRef(account, r.Name), p), h.DeleteRole(ctx, account, "app")))
	_, err = h.CreatePolicyVersion(ctx, account, p, allow("s3:*"), false)
	ok(err)
	wantAnswer(t, h.DeletePolicy(ctx, account, p), "DeleteConflict", 409, "more than one version")
	wantAnswer(t, h.DeletePolicyVersion(ctx, account, p, "v1"), "DeleteConflict", 409, "Cannot delete the default version of a policy.")
	ok(or(h.DeletePolicyVersion(ctx, account, p, "v2"), h.DeletePolicy(ctx, account, p)))
}

func TestQuotas(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	h.user(t, "alice")
	alice := identity.UserRef(account, "alice")
	for i := range 12 {
		p := h.policy(t, fmt.Sprint("p", i), allow("*"))
		_, err := h.CreateGroup(ctx, account, fmt.Sprint("g", i), "")
		ok(err)
		attach, join := h.AttachPolicy(ctx, alice, p), h.AddToGroup(ctx, account, fmt.Sprint("g", i), "alice")
		if i < 10 {
			ok(or(attach, join, h.AttachPolicy(ctx, alice, p))) // twice is once
			continue
		}
		wantAnswer(t, attach, "LimitExceeded", 409, "Cannot exceed quota for PoliciesPerUser: 10")
		wantAnswer(t, join, "LimitExceeded", 409, "Cannot exceed quota for GroupsPerUser: 10")
	}
	for range 2 {
		_, err := h.CreateAccessKey(ctx, account, "alice")
		ok(err)
		_, err = h.CreateServiceCredential(ctx, account, "alice", identity.ServiceName, 0)
		ok(err)
	}
	_, err := h.CreateAccessKey(ctx, account, "alice")
	wantAnswer(t, err, "LimitExceeded", 409, "Cannot exceed quota for AccessKeysPerUser: 2")
	_, err = h.CreateServiceCredential(ctx, account, "alice", identity.ServiceName, 0)
	wantAnswer(t, err, "LimitExceeded", 409, "ServiceSpecificCredentialsPerUser: 2")
	p := h.policy(t, "versions", allow("*"))
	for range 4 {
		_, err := h.CreatePolicyVersion(ctx, account, p, allow("*"), true)
		ok(err)
	}
	_, err = h.CreatePolicyVersion(ctx, account, p, allow("*"), true)
	wantAnswer(t, err, "LimitExceeded", 409, "A managed policy can have up to 5 versions.")
	ok(h.DeletePolicyVersion(ctx, account, p, "v3"))
	v, err := h.CreatePolicyVersion(ctx, account, p, allow("*"), false)
	if err != nil || v.ID != "v6" {
		t.Errorf("version %s, %v: numbers are not used again", v.ID, err)
	}
	got, err := h.Policy(ctx, account, p)
	ok(err)
	var ids []string
	for _, v := range got.VersionsNewestFirst() {
		ids = append(ids, v.ID)
	}
	if fmt.Sprint(ids) != "[v6 v5 v4 v2 v1]" || got.Default != "v5" {
		t.Errorf("versions %v, default %s", ids, got.Default)
	}
}

// TestRename: a renamed user keeps id, keys and policies, and its requests
// carry the new ARN at once.
func TestRename(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	who := h.user(t, "alice")
	h.user(t, "bob")
	ok(h.AttachPolicy(ctx, identity.UserRef(account, "alice"), identity.AdministratorAccess))
	k, err := h.CreateAccessKey(ctx, account, "alice")
	ok(err)
	token, err := h.CreateServiceCredential(ctx, account, "alice", identity.ServiceName, 0)
	ok(err)
	_, err = h.SecretFor(ctx, k.ID)
	ok(err)
	wantAnswer(t, h.RenameUser(ctx, account, "alice", "BOB", ""), "EntityAlreadyExists", 409, "User with name BOB already exists.")
	ok(h.RenameUser(ctx, account, "alice", "Alice", "/eng/"))
	ok(h.RenameUser(ctx, account, "ALICE", "carol", ""))
	found, err := h.SecretFor(ctx, k.ID)
	if err != nil || found.Caller.Principal != "arn:aws:iam::123456789012:user/eng/carol" || found.Caller.UserID != who.UserID {
		t.Errorf("%v, %v", found.Caller, err)
	}
	if caller, err := h.APIKey(ctx, token.Token); err != nil || caller.Principal != found.Caller.Principal {
		t.Errorf("%v, %v", caller, err)
	}
	if !h.may(t, found.Caller, "x:y") {
		t.Error("the policies were lost")
	}
	_, err = h.User(ctx, account, "alice")
	wantAnswer(t, err, "NoSuchEntity", 404, "")
	h.user(t, "alice") // another one; carol's API key still has the alias
	for range 2 {
		_, err = h.CreateServiceCredential(ctx, account, "alice", identity.ServiceName, 0)
		ok(err)
	}
}

func TestServiceCredentials(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	h.user(t, "alice")
	k, err := h.CreateServiceCredential(ctx, account, "alice", identity.ServiceName, 1)
	ok(err)
	works := func(token, when, want string) {
		t.Helper()
		_, err := h.APIKey(ctx, token)
		if got := fmt.Sprint(err); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	works(k.Token, "new", "<nil>")
	ok(h.SetServiceCredentialActive(ctx, account, "alice", k.ID, false))
	works(k.Token, "inactive", badKey)
	ok(h.SetServiceCredentialActive(ctx, account, "alice", k.ID, true))
	works(k.Token, "active again", "<nil>")
	fresh, err := h.ResetServiceCredential(ctx, account, "alice", k.ID)
	ok(err)
	works(k.Token, "reset", badKey)
	works(fresh.Token, "the new secret", "<nil>")
	if fresh.ID != k.ID || fresh.Token == k.Token {
		t.Error("not the same credential with another secret")
	}
	h.now = h.now.Add(24 * time.Hour)
	works(fresh.Token, "a day later", "Bearer Token has expired")
	list, err := h.ServiceCredentials(ctx, account, "ALICE", identity.ServiceName)
	if err != nil || len(list) != 1 || list[0].Status(h.now) != "Expired" {
		t.Errorf("%v, %v", list, err)
	}
	wantAnswer(t, h.SetServiceCredentialActive(ctx, account, "alice", k.ID, true), "InvalidInput", 400, "expired")
	ok(h.DeleteServiceCredential(ctx, account, "alice", k.ID))
	works(fresh.Token, "deleted", badKey)
	for _, days := range []int{-1, 36601} {
		_, err := h.CreateServiceCredential(ctx, account, "alice", identity.ServiceName, days)
		wantAnswer(t, err, "ValidationError", 400, "credentialAgeDays")
	}
	h.user(t, "bob")
	wantAnswer(t, h.DeleteServiceCredential(ctx, account, "bob", k.ID), "NoSuchEntity", 404, "")
}

func TestAccessKeys(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	h.user(t, "alice")
	h.user(t, "bob")
	k, err := h.CreateAccessKey(ctx, account, "alice")
	ok(err)
	for _, active := range []bool{false, true} {
		ok(h.SetAccessKeyActive(ctx, account, "alice", k.ID, active))
		if found, err := h.SecretFor(ctx, k.ID); found.Active != active || (err == nil) != active {
			t.Errorf("active %v: %v, %v", active, found.Active, err)
		}
	}
	wantAnswer(t, h.DeleteAccessKey(ctx, account, "bob", k.ID), "NoSuchEntity", 404, "")
	u, err := h.AccessKeyOwner(ctx, k.ID)
	if err != nil || u.Name != "alice" {
		t.Errorf("owner %v, %v", u, err)
	}
	if use, err := h.LastUse(ctx, k.ID); err != nil || use != (identity.Use{}) {
		t.Errorf("never used: %v, %v", use, err)
	}
	h.Touch(k.ID, "bedrock", "us-east-1")
	want := identity.Use{At: start, Service: "bedrock", Region: "us-east-1"}
	for _, flush := range []bool{false, true, true} {
		if flush {
			ok(h.Flush(ctx))
		}
		if use, err := h.LastUse(ctx, k.ID); err != nil || use != want {
			t.Errorf("flushed %v: %v, %v", flush, use, err)
		}
	}
	if use, err := h.store.LastUse(ctx, k.ID); err != nil || use != want {
		t.Errorf("in the store: %v, %v", use, err)
	}
	ok(h.DeleteAccessKey(ctx, account, "alice", k.ID))
	_, err = h.SecretFor(ctx, k.ID)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

// TestPagesStayInPlace: what is added and deleted between two pages neither
// hides nor repeats what was there all along.
func TestPagesStayInPlace(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	for i := range 10 {
		_, err := h.CreateUserWith(ctx, account, identity.UserSpec{Name: fmt.Sprintf("User%d", i), Path: []string{"/a/", "/b/"}[i%2]})
		ok(err)
	}
	var seen []string
	p := identity.Page{Max: 2}
	for {
		users, next, err := h.ListUsers(ctx, account, "/a", p)
		ok(err)
		for _, u := range users {
			seen = append(seen, u.Name)
		}
		if p.Marker = next; next == "" {
			break
		}
		if len(seen) == 2 {
			ok(h.DeleteUser(ctx, account, "user0"))
			_, err := h.CreateUserWith(ctx, account, identity.UserSpec{Name: "Aaron", Path: "/a/"})
			ok(err)
		}
	}
	if fmt.Sprint(seen) != "[User0 User2 User4 User6 User8]" {
		t.Errorf("seen %v", seen)
	}
}

// TestTenThousandUsers lists and pages a large account through the Directory.
func TestTenThousandUsers(t *testing.T) {
	h := newHouse(t)
	const n = 10_000
	var b identity.Batch
	for i := range n {
		b.Users = append(b.Users, identity.User{ID: fmt.Sprintf("AIDA%05d", i), Account: account, Name: fmt.Sprintf("user%05d", i), Path: "/", Rights: identity.Rights{Attached: []outcrop.ARN{identity.AdministratorAccess}}})
	}
	h.must(t)(h.store.Add(t.Context(), b))
	seen, p := 0, identity.Page{Max: 1000}
	for {
		users, next, err := h.ListUsers(t.Context(), account, "/", p)
		h.must(t)(err)
		for _, u := range users {
			if u.Name != fmt.Sprintf("user%05d", seen) {
				t.Fatalf("%s is number %d", u.Name, seen)
			}
			seen++
		}
		if p.Marker = next; next == "" {
			break
		}
	}
	if seen != n {
		t.Errorf("%d listed", seen)
	}
	if c, err := h.PolicyCounts(t.Context(), account, identity.AdministratorAccess); err != nil || c.Attached != n {
		t.Errorf("attached to %d, %v", c.Attached, err)
	}
	for i := range 200 { // their policies are one, compiled once
		if !h.may(t, outcrop.Caller{Account: account, UserID: b.Users[i].ID, Principal: b.Users[i].ARN()}, "x:y") {
			t.Fatal(i)
		}
	}
}

func TestEntitiesForPolicy(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	h.user(t, "alice")
	h.role(t, "app")
	_, err := h.CreateGroup(ctx, account, "team", "")
	ok(err)
	_, err = h.CreateUser(ctx, "210987654321", "stranger")
	ok(err)
	aws := outcrop.ARN("arn:aws:iam::aws:policy/AmazonBedrockReadOnly")
	ok(or(h.AttachPolicy(ctx, identity.UserRef(account, "alice"), aws), h.AttachPolicy(ctx, identity.GroupRef(account, "team"), aws),
		h.SetBoundary(ctx, identity.RoleRef(account, "app"), aws), h.AttachPolicy(ctx, identity.UserRef("210987654321", "stranger"), aws)))
	for _, c := range []struct {
		f    identity.EntityFilter
		want string
	}{
		{identity.EntityFilter{}, "1 1 1"},
		{identity.EntityFilter{Usage: identity.AsPermissions}, "1 1 0"},
		{identity.EntityFilter{Usage: identity.AsBoundary}, "0 0 1"},
		{identity.EntityFilter{Kind: identity.UserEntity}, "1 0 0"},
		{identity.EntityFilter{PathPrefix: "/app/"}, "0 0 1"},
	} {
		e, next, err := h.EntitiesForPolicy(ctx, account, aws, c.f, identity.Page{})
		if got := fmt.Sprint(len(e.Users), len(e.Groups), len(e.Roles)); err != nil || next != "" || got != c.want {
			t.Errorf("%+v: %s, want %s (%v)", c.f, got, c.want, err)
		}
	}
	list, _, err := h.ListPolicies(ctx, account, identity.PolicyFilter{OnlyAttached: true}, identity.Page{})
	if err != nil || len(list) != 1 || list[0].ARN() != aws {
		t.Errorf("attached %v, %v", list, err)
	}
	h.policy(t, "Own", allow("*"))
	for scope, want := range map[identity.PolicyScope]int{"": len(identity.AWSManagedPolicies()) + 1, identity.AWSPolicies: len(identity.AWSManagedPolicies()), identity.LocalPolicies: 1} {
		if list, _, err := h.ListPolicies(ctx, account, identity.PolicyFilter{Scope: scope}, identity.Page{Max: 1000}); err != nil || len(list) != want {
			t.Errorf("scope %q: %d, want %d, %v", scope, len(list), want, err)
		}
	}
	attached, _, err := h.AttachedPolicies(ctx, identity.UserRef(account, "alice"), "/", identity.Page{})
	if err != nil || len(attached) != 1 || attached[0] != (identity.AttachedPolicy{Name: "AmazonBedrockReadOnly", ARN: aws}) {
		t.Errorf("%v, %v", attached, err)
	}
}

func TestTagsOfPrincipals(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	who, ref := h.user(t, "alice"), identity.UserRef(account, "alice")
	ok(h.SetTags(ctx, ref, outcrop.Tags{"Team": "blue", "tier": "1"}))
	ok(h.SetTags(ctx, ref, outcrop.Tags{"team": "red"})) // the same key
	g, err := h.PoliciesOf(ctx, who)
	ok(err)
	if fmt.Sprint(g.Tags) != "map[team:red tier:1]" || g.UserName != "alice" {
		t.Errorf("tags %v of %q", g.Tags, g.UserName)
	}
	ok(h.RemoveTags(ctx, ref, []string{"TIER", "never"}))
	if g, err := h.PoliciesOf(ctx, who); err != nil || fmt.Sprint(g.Tags) != "map[team:red]" {
		t.Errorf("tags %v, %v", g.Tags, err)
	}
}

func TestServiceLinkedRole(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	_, err := h.CreateRole(ctx, account, identity.RoleSpec{Name: "AWSServiceRoleForX", Path: "/aws-service-role/x.amazonaws.com/", Trust: trust, ServiceLinked: true})
	ok(err)
	ref := identity.RoleRef(account, "AWSServiceRoleForX")
	for _, err := range []error{h.DeleteRole(ctx, account, ref.Name), h.AttachPolicy(ctx, ref, identity.AdministratorAccess), h.SetTrust(ctx, account, ref.Name, trust), h.SetTags(ctx, ref, outcrop.Tags{"a": "b"})} {
		wantAnswer(t, err, "UnmodifiableEntity", 400, "protected role 'AWSServiceRoleForX'")
	}
	ok(h.DeleteServiceLinkedRole(ctx, account, ref.Name))
}

func TestProviders(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	const url = "https://token.actions.githubusercontent.com"
	print := strings.Repeat("a1", 20)
	p, err := h.CreateProvider(ctx, account, identity.Provider{URL: url, ClientIDs: []string{"sts.amazonaws.com"}, Thumbprints: []string{print}})
	ok(err)
	if p.ARN() != "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" {
		t.Error(p.ARN())
	}
	_, err = h.CreateProvider(ctx, account, identity.Provider{URL: url})
	wantAnswer(t, err, "EntityAlreadyExists", 409, "Provider with url "+url+" already exists.")
	ok(or(h.AddClientID(ctx, account, p.ARN(), "x"), h.AddClientID(ctx, account, p.ARN(), "x"), h.RemoveClientID(ctx, account, p.ARN(), "sts.amazonaws.com"),
		h.SetThumbprints(ctx, account, p.ARN(), nil), h.SetProviderTags(ctx, account, p.ARN(), outcrop.Tags{"a": "b"})))
	got, err := h.ProviderFor(ctx, account, url)
	if err != nil || !slices.Equal(got.ClientIDs, []string{"x"}) || len(got.Thumbprints) != 0 || got.Tags["a"] != "b" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "ftp://x", "http://example.com", "https://", "https://x?y=1", "https://u:p@x", "https://x#f"} {
		_, err := h.CreateProvider(ctx, account, identity.Provider{URL: bad})
		wantAnswer(t, err, "InvalidInput", 400, "")
	}
	if _, err := h.CreateProvider(ctx, account, identity.Provider{URL: "http://127.0.0.1:8080/realm"}); err != nil {
		t.Error(err)
	}
	ok(or(h.DeleteProvider(ctx, account, p.ARN()), h.DeleteProvider(ctx, account, p.ARN()))) // idempotent
	_, err = h.Provider(ctx, account, p.ARN())
	wantAnswer(t, err, "NoSuchEntity", 404, "OpenIDConnect Provider not found for arn")
}
