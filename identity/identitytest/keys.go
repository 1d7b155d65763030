package identitytest

import (
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
)

// runKeys holds a store to what identity.Keys and KeyLists promise beyond
// finding.
func runKeys(t *testing.T, open func(testing.TB) identity.Store) {
	for name, promise := range map[string]func(*testing.T, identity.Store){
		"a user's keys are listed, oldest first": keysOf,
		"a deactivated key works again":          activate,
		"an API key's secret is renewed":         renew,
		"the later use is kept":                  uses,
		"a user keeps its tags and policies":     rights,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
}

func keysOf(t *testing.T, s identity.Store) {
	b := full(1)
	older, olderAPI := accessKey(9, b.Users[0]), apiKey(9, b.Users[0])
	older.Created, olderAPI.Created = born.Add(-time.Hour), born.Add(-time.Hour)
	b.AccessKeys, b.APIKeys = append(b.AccessKeys, older), append(b.APIKeys, olderAPI)
	add(t, s, b)
	add(t, s, full(2))
	access, err := s.AccessKeysOf(t.Context(), b.Users[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, access, []identity.AccessKey{b.AccessKeys[1], b.AccessKeys[0]})
	api, err := s.APIKeysOf(t.Context(), b.Users[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, api, []identity.APIKey{b.APIKeys[1], b.APIKeys[0]})
	if none, err := s.AccessKeysOf(t.Context(), "AIDA"); err != nil || len(none) != 0 {
		t.Errorf("nobody has %v, %v", none, err)
	}
}

func activate(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	for _, id := range []string{b.AccessKeys[0].ID, b.APIKeys[0].ID} {
		if err := s.Deactivate(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := s.Activate(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if k, _, err := s.AccessKey(t.Context(), b.AccessKeys[0].ID); err != nil || !k.Active {
		t.Errorf("access key active = %v, %v", k.Active, err)
	}
	if k, _, err := s.APIKey(t.Context(), b.APIKeys[0].Alias); err != nil || !k.Active {
		t.Errorf("API key active = %v, %v", k.Active, err)
	}
	wantKind(t, s.Activate(t.Context(), "AKIA"), outcrop.NotFound)
}

func renew(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	digest := [32]byte{9, 0, 9}
	if err := s.Renew(t.Context(), b.APIKeys[0].ID, digest); err != nil {
		t.Fatal(err)
	}
	if k, _, err := s.APIKey(t.Context(), b.APIKeys[0].Alias); err != nil || k.Digest != digest {
		t.Errorf("digest %x, %v", k.Digest, err)
	}
	wantKind(t, s.Renew(t.Context(), b.AccessKeys[0].ID, digest), outcrop.NotFound)
}

func uses(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	id, user := b.AccessKeys[0].ID, b.Users[0].ID
	first, second := identity.Use{At: born, Service: "bedrock", Region: "us-east-1"}, identity.Use{At: born.Add(time.Hour), Service: "iam", Region: "eu-west-3"}
	for _, step := range []struct{ use, want identity.Use }{{first, first}, {second, second}, {first, second}} {
		if err := s.Used(t.Context(), map[string]identity.Use{id: step.use, user: step.use, "AKIAGONE": step.use}); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{id, user} {
			if got, err := s.LastUse(t.Context(), id); err != nil || got != step.want {
				t.Errorf("%s: %v, %v, want %v", id, got, err, step.want)
			}
		}
	}
	if got, err := s.LastUse(t.Context(), "AKIAGONE"); err != nil || got != (identity.Use{}) {
		t.Errorf("an unknown key was used: %v, %v", got, err)
	}
	if err := s.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got, err := s.LastUse(t.Context(), id); err != nil || got != (identity.Use{}) {
		t.Errorf("a removed key was used: %v, %v", got, err)
	}
}

func rights(t *testing.T, s identity.Store) {
	u := user(1)
	u.Path, u.Tags, u.Groups = "/a/b/", outcrop.Tags{"Team": "blue", "": ""}, []string{"AGPA1"}
	u.Rights = identity.Rights{Boundary: "arn:b", Attached: []outcrop.ARN{"arn:2", "arn:1"}, Inline: map[string]string{"p": "{\n}"}}
	add(t, s, identity.Batch{Users: []identity.User{u}})
	got, err := s.User(t.Context(), account, "user1")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, u)
}
