package profile_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/catalog"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

func TestGetRefuses(t *testing.T) {
	b := setUp(profile.Options{})
	app := string(b.create(t, novaARN).ARN)
	for name, c := range map[string]struct {
		identifier string
		kind       outcrop.Kind
	}{
		"short id in a guide's ARN":      {"arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abc123", outcrop.NotFound},
		"short id":                       {"abc123", outcrop.NotFound},
		"id run together":                {"kmghfarxnyzcaws", outcrop.NotFound},
		"last character missing":         {app[:len(app)-1], outcrop.NotFound},
		"another account's":              {strings.Replace(app, "111122223333", string(stranger), 1), outcrop.NotFound},
		"another Region's":               {strings.Replace(app, "us-west-2", "us-east-1", 1), outcrop.NotFound},
		"profile of another geography":   {"eu.amazon.nova-lite-v1:0", outcrop.NotFound},
		"application id as system":       {strings.Replace(app, "application-", "", 1), outcrop.NotFound},
		"system id as application":       {strings.Replace(novaARN, ":inference", ":application-inference", 1), outcrop.NotFound},
		"unexpanded, within the pattern": {"us.no", outcrop.NotFound},
		"model ARN":                      {modelARN, outcrop.Invalid},
		"slash":                          {"a/b", outcrop.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Get(t.Context(), account, region, c.identifier)
			profiletest.Refused(t, err, c.kind, c.identifier)
			profiletest.Refused(t, b.Delete(t.Context(), account, region, c.identifier), c.kind, c.identifier)
		})
	}
}

func TestSystemProfilesStay(t *testing.T) {
	b := setUp(profile.Options{})
	for _, identifier := range []string{novaID, novaARN} {
		if p, err := b.Get(t.Context(), account, region, identifier); err != nil || p.Kind != outcrop.SystemDefined || string(p.ARN) != novaARN {
			t.Errorf("got %v, %v", p, err)
		}
		profiletest.Refused(t, b.Delete(t.Context(), account, region, identifier), outcrop.Invalid, "cannot be deleted")
	}
}

func TestDeleteByIDAndByARN(t *testing.T) {
	b := setUp(profile.Options{})
	for _, name := range []func(*outcrop.InferenceProfile) string{
		func(p *outcrop.InferenceProfile) string { return p.ID },
		func(p *outcrop.InferenceProfile) string { return string(p.ARN) },
	} {
		p := b.create(t, novaARN)
		if err := b.Delete(t.Context(), account, region, name(p)); err != nil {
			t.Error(err)
		}
		profiletest.Refused(t, b.Delete(t.Context(), account, region, name(p)), outcrop.NotFound, p.ID)
		_, err := b.Get(t.Context(), account, region, name(p))
		profiletest.Refused(t, err, outcrop.NotFound, p.ID)
	}
}

func ids(list []*outcrop.InferenceProfile) (ids []string) {
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return ids
}

// walk lists page by page.
func walk(t *testing.T, b *bench, req profile.ListRequest) (all []*outcrop.InferenceProfile) {
	t.Helper()
	for {
		page, next, err := b.List(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 && next != "" || req.Limit > 0 && len(page) > req.Limit {
			t.Fatalf("a page of %d, and more: %v", len(page), next != "")
		}
		all = append(all, page...)
		if req.NextToken = next; next == "" {
			return all
		}
	}
}

func TestListWithoutTypeIsSystemDefined(t *testing.T) {
	b := setUp(profile.Options{})
	app := b.create(t, novaARN)
	all, next, err := b.List(t.Context(), profile.ListRequest{Account: account, Region: region})
	if err != nil || next != "" { // guides look at the first page only
		t.Fatal(err, next)
	}
	if want := len(catalog.Embedded().SystemProfiles(region)); len(all) != want || want < 69 {
		t.Errorf("%d profiles, want %d", len(all), want)
	}
	for _, p := range all {
		if p.Kind != outcrop.SystemDefined || p.ARN != outcrop.SystemProfileARN(region, account, p.ID) {
			t.Errorf("listed %+v", p)
		}
	}
	if !slices.IsSortedFunc(all, func(p, q *outcrop.InferenceProfile) int { return p.UpdatedAt.Compare(q.UpdatedAt) }) {
		t.Error("not in AWS's order")
	}
	apps := walk(t, b, profile.ListRequest{Account: account, Region: region, Kind: outcrop.Application})
	if !slices.Equal(ids(apps), []string{app.ID}) {
		t.Errorf("applications = %v", ids(apps))
	}
	for _, limit := range []int{1, 7, len(all) - 1, len(all), len(all) + 1} {
		paged := walk(t, b, profile.ListRequest{Account: account, Region: region, Kind: outcrop.SystemDefined, Limit: limit})
		if !slices.Equal(ids(paged), ids(all)) {
			t.Errorf("pages of %d give %d profiles in another order", limit, len(paged))
		}
	}
}

func TestApplicationsAreListedInOrder(t *testing.T) {
	b := setUp(profile.Options{Quota: 5000})
	var want []string
	for i := range 1002 {
		b.clock = b.clock.Add(time.Duration(i%2) * time.Second) // two share each moment
		want = append(want, b.create(t, novaARN).ID)
	}
	for i := 1; i+1 < len(want); i += 2 { // made at the same time: by id
		slices.Sort(want[i : i+2])
	}
	req := profile.ListRequest{Account: account, Region: region, Kind: outcrop.Application}
	first, next, err := b.List(t.Context(), req)
	if err != nil || len(first) != 1000 || next == "" {
		t.Fatalf("first page of %d, next %q, %v", len(first), next, err)
	}
	if got := ids(walk(t, b, req)); !slices.Equal(got, want) {
		t.Error("not by creation and id")
	}
	req.Limit = 501 // divides the total: no empty page at the end
	if got := ids(walk(t, b, req)); !slices.Equal(got, want) {
		t.Error("pages of 501 differ")
	}
}

func TestTokensAreOfOneList(t *testing.T) {
	b := setUp(profile.Options{})
	for range 3 {
		b.create(t, novaARN)
	}
	apps := profile.ListRequest{Account: account, Region: region, Kind: outcrop.Application, Limit: 1}
	_, token, err := b.List(t.Context(), apps)
	if err != nil || token == "" || strings.ContainsAny(token, " \t\n") || len(token) > 2048 {
		t.Fatal(token, err)
	}
	with := func(change func(*profile.ListRequest)) profile.ListRequest {
		req := apps
		req.NextToken = token
		change(&req)
		return req
	}
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	raw[len(raw)-1] ^= 1
	for name, req := range map[string]profile.ListRequest{
		"another filter":  with(func(r *profile.ListRequest) { r.Kind = outcrop.SystemDefined }),
		"no filter":       with(func(r *profile.ListRequest) { r.Kind = "" }),
		"another account": with(func(r *profile.ListRequest) { r.Account = stranger }),
		"another Region":  with(func(r *profile.ListRequest) { r.Region = "us-east-1" }),
		"garbage":         with(func(r *profile.ListRequest) { r.NextToken = "garbage" }),
		"not base64":      with(func(r *profile.ListRequest) { r.NextToken = "???" }),
		"one bit off":     with(func(r *profile.ListRequest) { r.NextToken = base64.RawURLEncoding.EncodeToString(raw) }),
		"cut":             with(func(r *profile.ListRequest) { r.NextToken = token[:len(token)-2] }),
		"an id":           with(func(r *profile.ListRequest) { r.NextToken = novaID }),
	} {
		_, _, err := b.List(t.Context(), req)
		if profiletest.Refused(t, err, outcrop.Invalid, "nextToken"); t.Failed() {
			t.Fatal(name)
		}
	}
	if page, _, err := b.List(t.Context(), with(func(r *profile.ListRequest) { r.Limit = 2 })); err != nil || len(page) != 2 {
		t.Errorf("another page size: %d, %v", len(page), err)
	}
}

func TestASystemPageGoesOnAfterAReload(t *testing.T) {
	b := setUp(profile.Options{})
	req := profile.ListRequest{Account: account, Region: region}
	want := ids(walk(t, b, req))
	req.Limit = 20
	first, next, err := b.List(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Load("", catalog.WithoutRetired())
	if err != nil {
		t.Fatal(err)
	}
	b.catalog.Store(c)
	req.NextToken, req.Limit = next, 1000
	rest, _, err := b.List(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	kept := slices.DeleteFunc(want[20:], func(id string) bool { _, ok := c.SystemProfile(region, id); return !ok })
	if got := ids(rest); !slices.Equal(got, kept) {
		t.Errorf("after %d came %v\nwant %v", len(first), got, kept)
	}
}

func FuzzNextToken(f *testing.F) {
	b := setUp(profile.Options{})
	req := profile.ListRequest{Account: account, Region: region, Limit: 1}
	_, token, err := b.List(f.Context(), req)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{token, "", "AAAAAAAAAAAA", "\x00", strings.Repeat("A", 3000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		req := req
		req.NextToken = text
		page, _, err := b.List(t.Context(), req)
		if err != nil {
			profiletest.Refused(t, err, outcrop.Invalid, "nextToken")
		} else if len(page) > 1 {
			t.Error(fmt.Sprint(len(page), " on a page of 1"))
		}
	})
}
