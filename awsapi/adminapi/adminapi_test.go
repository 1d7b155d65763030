package adminapi

import (
	"testing"
	"time"

	"outcrop"
	"outcrop/catalog"
	"outcrop/gateway"
	"outcrop/iam"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

const novaARN = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.amazon.nova-lite-v1:0"

var caller = outcrop.Caller{Account: "111122223333", Region: "us-west-2", Principal: "arn:aws:iam::111122223333:user/admin"}

// setUp is the service with one application profile.
func setUp(t *testing.T) (*API, *outcrop.InferenceProfile) {
	t.Helper()
	profiles := profile.New(profiletest.NewMemory(), catalog.Embedded, time.Now, profile.Options{})
	made, err := profiles.Create(t.Context(), profile.CreateRequest{Account: caller.Account, Region: caller.Region, Name: "chat", CopyFrom: novaARN})
	if err != nil {
		t.Fatal(err)
	}
	bindings, err := profile.OpenBindings(t.Context(), profiletest.NewMemoryBindings(), profiles, time.Now, profile.Binding{
		BindingKey: profile.BindingKey{Account: caller.Account, Region: caller.Region, ModelID: "from-file"}, Profile: made.ARN, Origin: "librechat.yaml:7",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &API{Bindings: bindings, Mistakes: new(gateway.Mistakes)}, made
}

func TestBindingsAreMadeShownAndRemoved(t *testing.T) {
	a, made := setUp(t)
	ann := string(outcrop.ARN("arn:aws:iam::111122223333:user/ann"))
	for _, principal := range []string{"", ann} {
		out, err := a.putModelBinding(t.Context(), caller, &PutModelBindingInput{ModelId: "gpt-house", ProfileArn: string(made.ARN), Principal: principal})
		if err != nil || out.Binding.ProfileArn != string(made.ARN) || out.Binding.Principal != principal || out.Binding.Created.IsZero() || out.Binding.Origin != "" {
			t.Fatalf("bound for %q: %+v, %v", principal, out, err)
		}
	}
	if got := a.listed(t, caller); len(got) != 3 || got[0].ModelId != "from-file" || got[0].Origin != "librechat.yaml:7" || got[1].Principal != "" || got[2].Principal != ann {
		t.Fatalf("listed %+v", got)
	}
	if _, err := a.deleteModelBinding(t.Context(), caller, &DeleteModelBindingInput{ModelId: "gpt-house", Principal: ann}); err != nil {
		t.Fatal(err)
	}
	if got := a.listed(t, caller); len(got) != 2 || got[1].Principal != "" {
		t.Errorf("listed %+v once Ann's is gone", got)
	}
	elsewhere, stranger := caller, caller
	elsewhere.Region, stranger.Account = "us-east-1", "444455556666"
	for _, who := range []outcrop.Caller{elsewhere, stranger} {
		if got := a.listed(t, who); len(got) != 0 {
			t.Errorf("%s in %s sees %+v", who.Account, who.Region, got)
		}
	}
}

func (a *API) listed(t *testing.T, who outcrop.Caller) []ModelBinding {
	t.Helper()
	out, err := a.listModelBindings(t.Context(), who, &ListModelBindingsInput{})
	if err != nil || out.Bindings == nil {
		t.Fatalf("list: %+v, %v", out, err)
	}
	return out.Bindings
}

func TestBindingsThatCannotBeAreRefused(t *testing.T) {
	a, made := setUp(t)
	for _, v := range []struct {
		name string
		in   PutModelBindingInput
		want outcrop.Kind
	}{
		{"a system-defined profile", PutModelBindingInput{ModelId: "m", ProfileArn: novaARN}, outcrop.Invalid},
		{"no such profile", PutModelBindingInput{ModelId: "m", ProfileArn: string(outcrop.ApplicationProfileARN(caller.Region, caller.Account, "zzzzzzzzzzzz"))}, outcrop.NotFound},
		{"a profile as the id", PutModelBindingInput{ModelId: string(made.ARN), ProfileArn: string(made.ARN)}, outcrop.Invalid},
		{"another account's principal", PutModelBindingInput{ModelId: "m", ProfileArn: string(made.ARN), Principal: "arn:aws:iam::444455556666:user/eve"}, outcrop.Invalid},
	} {
		if _, err := a.putModelBinding(t.Context(), caller, &v.in); outcrop.KindOf(err) != v.want {
			t.Errorf("%s: %v, want %v", v.name, err, v.want)
		}
	}
	if _, err := a.deleteModelBinding(t.Context(), caller, &DeleteModelBindingInput{ModelId: "m"}); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("unbind what is not bound: %v", err)
	}
	if _, err := a.deleteModelBinding(t.Context(), caller, &DeleteModelBindingInput{ModelId: "from-file"}); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("unbind what a file binds: %v", err)
	}
	if got := a.listed(t, caller); len(got) != 1 {
		t.Errorf("refusals left %+v", got)
	}
}

// To bind is asked about the profile that is billed, by its id as by its ARN.
func TestBindingAsksAboutTheProfile(t *testing.T) {
	a, made := setUp(t)
	op := iam.Operation{Action: "outcrop:PutModelBinding"}
	for _, name := range []string{string(made.ARN), made.ID} {
		got := a.onBind(t.Context(), caller, op, &PutModelBindingInput{ModelId: "m", ProfileArn: name})
		if len(got) != 1 || got[0].Action != op.Action || got[0].Resource != made.ARN {
			t.Errorf("%s: asked %+v, want about %s", name, got, made.ARN)
		}
	}
}
