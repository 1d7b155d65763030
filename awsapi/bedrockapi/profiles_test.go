package bedrockapi

import (
	"reflect"
	"testing"

	"outcrop"
	"outcrop/catalog"
)

func create(t *testing.T, d *desk, tags ...Tag) string {
	t.Helper()
	out := call(t, d.createInferenceProfile, &CreateInferenceProfileInput{
		InferenceProfileName: "myapp-01", Description: "Team A chat", Tags: tags,
		ModelSource: InferenceProfileModelSource{CopyFrom: new(novaARN)},
	})
	if out.Status != "ACTIVE" {
		t.Errorf("status = %q", out.Status)
	}
	return out.InferenceProfileArn
}

// What Terraform does (reference/control-plane.md §1.12).
func TestTheLifeOfAProfile(t *testing.T) {
	d := setUp()
	arn := create(t, d, Tag{"project", "app01"})
	got := call(t, d.getInferenceProfile, &GetInferenceProfileInput{InferenceProfileIdentifier: arn})
	id := got.InferenceProfileId
	want := &GetInferenceProfileOutput{
		InferenceProfileName: "myapp-01", Description: "Team A chat", CreatedAt: d.clock, UpdatedAt: d.clock,
		InferenceProfileArn: arn, InferenceProfileId: id, Status: "ACTIVE", Type: "APPLICATION",
		Models: []InferenceProfileModel{
			{"arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"},
			{"arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0"},
			{"arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-lite-v1:0"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	tags := call(t, d.listTagsForResource, &ListTagsForResourceInput{ResourceARN: arn}).Tags
	if !reflect.DeepEqual(tags, []Tag{{"project", "app01"}}) {
		t.Errorf("tags = %v", tags)
	}
	call(t, d.deleteInferenceProfile, &DeleteInferenceProfileInput{InferenceProfileIdentifier: id})
	refused(t, outcrop.NotFound, id, d.deleteInferenceProfile, &DeleteInferenceProfileInput{InferenceProfileIdentifier: id})
	refused(t, outcrop.NotFound, arn, d.getInferenceProfile, &GetInferenceProfileInput{InferenceProfileIdentifier: arn})
	refused(t, outcrop.NotFound, arn, d.listTagsForResource, &ListTagsForResourceInput{ResourceARN: arn})
}

func TestCreateWithoutSource(t *testing.T) {
	refused(t, outcrop.Invalid, "copyFrom", setUp().createInferenceProfile, &CreateInferenceProfileInput{InferenceProfileName: "a"})
}

func TestListByType(t *testing.T) {
	d := setUp()
	arn := create(t, d)
	system := len(catalog.Embedded().SystemProfiles(caller.Region))
	for filter, want := range map[string]int{"": system, "SYSTEM_DEFINED": system, "APPLICATION": 1} {
		out := call(t, d.listInferenceProfiles, &ListInferenceProfilesInput{TypeEquals: filter})
		if len(out.InferenceProfileSummaries) != want || out.NextToken != "" {
			t.Errorf("type %q: %d profiles, next %q; want %d on one page", filter, len(out.InferenceProfileSummaries), out.NextToken, want)
		}
		for _, s := range out.InferenceProfileSummaries {
			if filter == "APPLICATION" && s.InferenceProfileArn != arn || s.Status != "ACTIVE" || len(s.Models) == 0 {
				t.Errorf("listed %+v", s)
			}
		}
	}
	page := call(t, d.listInferenceProfiles, &ListInferenceProfilesInput{MaxResults: new(int64(5))})
	rest := call(t, d.listInferenceProfiles, &ListInferenceProfilesInput{NextToken: page.NextToken})
	if n := len(page.InferenceProfileSummaries) + len(rest.InferenceProfileSummaries); n != system || len(page.InferenceProfileSummaries) != 5 {
		t.Errorf("two pages hold %d of %d", n, system)
	}
	refused(t, outcrop.Invalid, "nextToken", d.listInferenceProfiles, &ListInferenceProfilesInput{TypeEquals: "APPLICATION", NextToken: page.NextToken})
	empty, err := d.listInferenceProfiles(t.Context(), outcrop.Caller{Account: "999988887777", Region: "us-west-2"}, &ListInferenceProfilesInput{TypeEquals: "APPLICATION"})
	if err != nil || empty.InferenceProfileSummaries == nil || len(empty.InferenceProfileSummaries) != 0 {
		t.Errorf("nobody's list = %+v, %v", empty, err)
	}
}

// Seed 004, commands 8 to 12.
func TestTheTagsOfTheGuide(t *testing.T) {
	d := setUp()
	arn := create(t, d)
	tag := func(tags ...Tag) { call(t, d.tagResource, &TagResourceInput{ResourceARN: arn, Tags: tags}) }
	want := func(want ...Tag) {
		t.Helper()
		if got := call(t, d.listTagsForResource, &ListTagsForResourceInput{ResourceARN: arn}).Tags; !reflect.DeepEqual(got, append([]Tag{}, want...)) {
			t.Errorf("tags = %v, want %v", got, want)
		}
	}
	want()
	tag(Tag{"project", "app01"}, Tag{"stage", "test"})
	want(Tag{"project", "app01"}, Tag{"stage", "test"})
	tag(Tag{"stage", "uat"})
	want(Tag{"project", "app01"}, Tag{"stage", "uat"})
	call(t, d.untagResource, &UntagResourceInput{ResourceARN: arn, TagKeys: []string{"key=project", "stage"}})
	want(Tag{"project", "app01"})
	refused(t, outcrop.Invalid, "only AWS", d.tagResource, &TagResourceInput{ResourceARN: arn, Tags: []Tag{{"aws:a", "b"}}})
	refused(t, outcrop.NotFound, "gone", d.untagResource, &UntagResourceInput{ResourceARN: "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/gone"})
}
