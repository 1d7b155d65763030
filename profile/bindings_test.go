package profile_test

import (
	"testing"
	"time"

	"outcrop"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

func TestMemoryBindingsKeepThePromises(t *testing.T) {
	profiletest.RunBindings(t, func(testing.TB) profile.BindingStore { return profiletest.NewMemoryBindings() })
}

const (
	ann   = outcrop.ARN("arn:aws:iam::111122223333:user/ann")
	coder = outcrop.ARN("arn:aws:iam::111122223333:role/coder")
)

func bindings(t *testing.T, b *bench, fixed ...profile.Binding) *profile.Bindings {
	t.Helper()
	all, err := profile.OpenBindings(t.Context(), profiletest.NewMemoryBindings(), b.Profiles, time.Now, fixed...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func key(model string, who outcrop.ARN) profile.BindingKey {
	return profile.BindingKey{Account: account, Region: region, ModelID: model, Principal: who}
}

func bind(t *testing.T, all *profile.Bindings, k profile.BindingKey, to outcrop.ARN) {
	t.Helper()
	if _, err := all.Bind(t.Context(), k, string(to)); err != nil {
		t.Fatal(err)
	}
}

// The nearest binding wins: the principal's, its role's, the account's.
func TestTheNearestBindingWins(t *testing.T) {
	b := setUp(profile.Options{})
	all := bindings(t, b)
	wide, hers, roles := b.create(t, novaARN).ARN, b.create(t, novaARN).ARN, b.create(t, novaARN).ARN
	bind(t, all, key("sonnet", ""), wide)
	bind(t, all, key("sonnet", ann), hers)
	bind(t, all, key("sonnet", coder), roles)
	session := &outcrop.Caller{Account: account, Region: region, Principal: "arn:aws:sts::111122223333:assumed-role/coder/s", Session: &outcrop.Session{Role: coder}}
	for _, v := range []struct {
		name  string
		who   *outcrop.Caller
		model string
		want  outcrop.ARN
	}{
		{"her own", &outcrop.Caller{Account: account, Region: region, Principal: ann}, "sonnet", hers},
		{"the role's", session, "sonnet", roles},
		{"the account's", &outcrop.Caller{Account: account, Region: region, Principal: "arn:aws:iam::111122223333:user/bob"}, "sonnet", wide},
		{"another id", &outcrop.Caller{Account: account, Region: region, Principal: ann}, "Sonnet", ""},
		{"another account", &outcrop.Caller{Account: stranger, Region: region}, "sonnet", ""},
		{"another Region", &outcrop.Caller{Account: account, Region: "eu-west-1"}, "sonnet", ""},
		{"an ARN that is a profile", &outcrop.Caller{Account: account, Region: region}, string(wide), ""},
	} {
		got, ok := all.Bound(v.who, outcrop.ParseModelRef(v.model))
		if got.Text != string(v.want) || ok != (v.want != "") {
			t.Errorf("%s: bound to %q, %v; want %q", v.name, got.Text, ok, v.want)
		}
	}
	if err := all.Unbind(t.Context(), key("sonnet", ann)); err != nil {
		t.Fatal(err)
	}
	if got, _ := all.Bound(&outcrop.Caller{Account: account, Region: region, Principal: ann}, outcrop.ParseModelRef("sonnet")); got.Text != string(wide) {
		t.Errorf("unbound, and bound to %q; want the account's", got.Text)
	}
}

func TestBindingsThatCannotBe(t *testing.T) {
	b := setUp(profile.Options{})
	arn := string(b.create(t, novaARN).ARN)
	all := bindings(t, b, profile.Binding{BindingKey: key("from-file", ""), Profile: outcrop.ARN(arn), Origin: "librechat.yaml"})
	for _, v := range []struct {
		key     profile.BindingKey
		profile string
		kind    outcrop.Kind
		words   string
	}{
		{key("x", ""), novaARN, outcrop.Invalid, "is system-defined"},
		{key("x", ""), string(outcrop.ApplicationProfileARN(region, account, "zzzzzzzzzzzz")), outcrop.NotFound, "was not found in us-west-2"},
		{key("x", ""), string(outcrop.ApplicationProfileARN("eu-west-1", account, "zzzzzzzzzzzz")), outcrop.NotFound, "was not found"},
		{key(arn, ""), arn, outcrop.Invalid, "is itself an application profile"},
		{key("x", "arn:aws:iam::444455556666:user/eve"), arn, outcrop.Invalid, "is of another account"},
	} {
		_, err := all.Bind(t.Context(), v.key, v.profile)
		profiletest.Refused(t, err, v.kind, v.words)
	}
	profiletest.Refused(t, all.Unbind(t.Context(), key("nobody", "")), outcrop.NotFound, "is not bound for the account in us-west-2")
	profiletest.Refused(t, all.Unbind(t.Context(), key("from-file", "")), outcrop.Invalid, "was read from librechat.yaml")
	if list := all.List(account, region); len(list) != 1 || list[0].Origin != "librechat.yaml" {
		t.Errorf("listed %+v, want the file's only", list)
	}
}

func BenchmarkBound(b *testing.B) {
	bench := setUp(profile.Options{})
	arn := bench.create(b, novaARN).ARN
	all, err := profile.OpenBindings(b.Context(), profiletest.NewMemoryBindings(), bench.Profiles, time.Now, profile.Binding{BindingKey: key("sonnet", ""), Profile: arn})
	if err != nil {
		b.Fatal(err)
	}
	who, ref := &outcrop.Caller{Account: account, Region: region, Principal: ann}, outcrop.ParseModelRef("sonnet")
	b.ReportAllocs()
	for b.Loop() {
		all.Bound(who, ref)
	}
}
