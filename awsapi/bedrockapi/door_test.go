package bedrockapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/awsapitest"
	"outcrop/iam"
	"outcrop/identity"
)

// oneKey lets in whoever shows the test's API key.
type oneKey struct{}

func (oneKey) SecretForSession(context.Context, string, string) (identity.Key, error) {
	return identity.Key{}, errors.New("no access keys here")
}

func (oneKey) Touch(string, string, outcrop.Region) {}

func (oneKey) APIKey(_ context.Context, token string) (outcrop.Caller, error) {
	if token != "test" {
		return outcrop.Caller{}, errors.New("another key")
	}
	return caller, nil
}

// A door is the API behind the real wire.
type door struct{ *awsapi.Mux }

func openDoor() door {
	mux := awsapi.NewMux(awsapi.Options{
		Keys: oneKey{}, Policy: new(awsapitest.Anything), KnownRegion: func(outcrop.Region) bool { return true }, DefaultRegion: caller.Region,
		Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	mux.Serve("bedrock", setUp().Operations()...)
	return door{mux}
}

// send answers with status, error code and body.
func (d door) send(t *testing.T, method, target, body string) (status int, code, text string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer test")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	code, _, _ = strings.Cut(w.Header().Get("x-amzn-errortype"), ":")
	return w.Code, code, w.Body.String()
}

func (d door) want(t *testing.T, method, target, body string, status int, pattern string) string {
	t.Helper()
	got, code, text := d.send(t, method, target, body)
	if got != status || !regexp.MustCompile(pattern).MatchString(code+" "+text) {
		t.Errorf("%s %s: %d %s %s\nwant %d %s", method, target, got, code, text, status, pattern)
	}
	return text
}

// reference/control-plane.md §1.13, to the byte but for the id.
func TestShapesOnTheWire(t *testing.T) {
	d := openDoor()
	made := d.want(t, "POST", "/inference-profiles", `{"inferenceProfileName":"myapp-01","description":"Team A chat","clientRequestToken":"8d0c1c0e-1",
		"modelSource":{"copyFrom":"`+novaARN+`"},"tags":[{"key":"project","value":"app01"}]}`, http.StatusCreated,
		`^ {"inferenceProfileArn":"arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/[a-z0-9]{12}","status":"ACTIVE"}$`)
	var out struct{ InferenceProfileArn string }
	if err := json.Unmarshal([]byte(made), &out); err != nil {
		t.Fatal(err)
	}
	arn := out.InferenceProfileArn
	label := strings.ReplaceAll(url.PathEscape(arn), ":", "%3A")
	id := arn[strings.LastIndex(arn, "/")+1:]
	entry := `{"inferenceProfileName":"myapp-01","description":"Team A chat","createdAt":"2026-11-21T10:00:00.123456Z","updatedAt":"2026-11-21T10:00:00.123456Z",` +
		`"inferenceProfileArn":"` + arn + `","models":[{"modelArn":"arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"},` +
		`{"modelArn":"arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0"},{"modelArn":"arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-lite-v1:0"}],` +
		`"inferenceProfileId":"` + id + `","status":"ACTIVE","type":"APPLICATION"}`
	d.want(t, "GET", "/inference-profiles/"+label, "", 200, "^ "+regexp.QuoteMeta(entry)+"$")
	d.want(t, "GET", "/inference-profiles?type=APPLICATION", "", 200, "^ "+regexp.QuoteMeta(`{"inferenceProfileSummaries":[`+entry+`]}`)+"$")
	d.want(t, "POST", "/listTagsForResource", `{"resourceARN":"`+arn+`"}`, 200, `^ {"tags":\[{"key":"project","value":"app01"}]}$`)
	d.want(t, "POST", "/tagResource", `{"resourceARN":"`+arn+`","tags":[{"key":"stage","value":""}]}`, 200, `^ {}$`)
	d.want(t, "POST", "/untagResource", `{"resourceARN":"`+arn+`","tagKeys":["stage"]}`, 200, `^ {}$`)
	d.want(t, "DELETE", "/inference-profiles/"+label, "", 200, `^ {}$`)
	d.want(t, "DELETE", "/inference-profiles/"+label, "", 404, `^ResourceNotFoundException .*`+id)
	d.want(t, "GET", "/inference-profiles?type=APPLICATION", "", 200, `^ {"inferenceProfileSummaries":\[]}$`)
	d.want(t, "GET", "/foundation-model-availability/us."+url.PathEscape(sonnet), "", 200, `^ {"modelId":"`+sonnet+`","agreementAvailability":{"status":"AVAILABLE"}`)
}

// reference/control-plane.md §1.14, through the whole door.
func TestInputVectors(t *testing.T) {
	d := openDoor()
	profileOf := func(member string) string {
		return `{"modelSource":{"copyFrom":"` + novaARN + `"},` + member + `}`
	}
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	check := func(member string, ok bool) {
		t.Helper()
		status, pattern := http.StatusCreated, `^ {`
		if !ok {
			status, pattern = http.StatusBadRequest, `^ValidationException `
		}
		d.want(t, "POST", "/inference-profiles", profileOf(member), status, pattern)
	}
	for name, ok := range map[string]bool{
		"a": true, "Chat-App": true, "team_1": true, "a b": true, "a-": true, "LibreChat-us-anthropic-claude-3-7-sonnet-20250219-v1-0": true,
		"": false, "-a": false, "a--b": false, "a  b": false, "a.b": false, "a/b": false, "é": false, strings.Repeat("a", 65): false,
	} {
		check(`"inferenceProfileName":`+quote(name), ok)
	}
	for description, ok := range map[string]bool{
		"Cost center: 12.": true, "Custom inference profile for my application": true,
		"a, b": false, "(x)": false, " a": false, "": false, strings.Repeat("a", 201): false,
	} {
		check(`"inferenceProfileName":"a","description":`+quote(description), ok)
	}
	for token, ok := range map[string]bool{"8d0c1c0e-0000-4000-8000-000000000000": true, "a": true, "a-": false, "a_b": false, "": false} {
		check(`"inferenceProfileName":"a","clientRequestToken":`+quote(token), ok)
	}
	for _, source := range []string{novaID, "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/k3x09m2p7q1z", "arn:aws-eusc:bedrock:us-west-2::foundation-model/a.b", "arn:aws:bedrock:::foundation-model/" + openWeight} {
		d.want(t, "POST", "/inference-profiles", `{"inferenceProfileName":"a","modelSource":{"copyFrom":"`+source+`"}}`, 400, `^ValidationException .*copyFrom`)
	}
	for identifier, status := range map[string]int{
		novaID: 200, novaARN: 200, "k3x09m2p7q1z": 404, "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abc123": 404,
		"arn:aws:bedrock:us-west-2::foundation-model/" + openWeight: 400, "a/b": 400,
	} {
		d.want(t, "GET", "/inference-profiles/"+url.PathEscape(identifier), "", status, "")
	}
	tags, _ := json.Marshal(someTags(51))
	d.want(t, "POST", "/inference-profiles", profileOf(`"inferenceProfileName":"a","tags":`+string(tags)), 400, `^TooManyTagsException .*"resourceName":"a"`)
	d.want(t, "GET", "/inference-profiles?nextToken=garbage", "", 400, `^ValidationException .*nextToken`)
}

func someTags(n int) []map[string]string {
	tags := make([]map[string]string, n)
	for i := range tags {
		tags[i] = map[string]string{"key": "k" + strings.Repeat("x", i), "value": "v"}
	}
	return tags
}

// Promise: what is asked before an operation names the resource and its tags.
func TestPermissionsAreAskedOnTheResource(t *testing.T) {
	a := setUp()
	source := "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.amazon.nova-lite-v1:0"
	made, err := a.createInferenceProfile(t.Context(), caller, &CreateInferenceProfileInput{
		InferenceProfileName: "a", ModelSource: InferenceProfileModelSource{CopyFrom: &source}, Tags: []Tag{{"team", "blue"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := made.InferenceProfileArn
	_, id, _ := strings.Cut(arn, "/")
	op := iam.Operation{Action: "bedrock:X"}
	ask := func(checks []iam.Check) string {
		var b strings.Builder
		for _, c := range checks {
			fmt.Fprintf(&b, "%s on %s", c.Action, c.Resource)
			for _, key := range c.Context.Keys() {
				fmt.Fprintf(&b, " %s=%s", key, strings.Join(c.Context.Values(key), ","))
			}
			b.WriteByte('\n')
		}
		return b.String()
	}
	own := "bedrock:X on " + arn + " aws:resourcetag/team=blue\n"
	for _, c := range []struct{ name, got, want string }{
		{"get by id", ask(a.onGet(t.Context(), caller, op, &GetInferenceProfileInput{InferenceProfileIdentifier: id})), own},
		{"delete by ARN", ask(a.onDelete(t.Context(), caller, op, &DeleteInferenceProfileInput{InferenceProfileIdentifier: arn})), own},
		{"list tags", ask(a.onListTags(t.Context(), caller, op, &ListTagsForResourceInput{ResourceARN: arn})), own},
		{"untag", ask(a.onUntag(t.Context(), caller, op, &UntagResourceInput{ResourceARN: arn, TagKeys: []string{"x"}})),
			"bedrock:X on " + arn + " aws:resourcetag/team=blue aws:tagkeys=x\n"},
		{"get a system-defined profile", ask(a.onGet(t.Context(), caller, op, &GetInferenceProfileInput{InferenceProfileIdentifier: source})), "bedrock:X on " + source + "\n"},
		{"get what is not there", ask(a.onGet(t.Context(), caller, op, &GetInferenceProfileInput{InferenceProfileIdentifier: "abcdefghijkl"})),
			"bedrock:X on arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/abcdefghijkl\n"},
		{"model by id", ask(a.onModel(t.Context(), caller, op, &GetFoundationModelInput{ModelIdentifier: "amazon.nova-lite-v1:0"})),
			"bedrock:X on arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0\n"},
		{"create with tags", ask(a.onCreate(t.Context(), caller, op, &CreateInferenceProfileInput{ModelSource: InferenceProfileModelSource{CopyFrom: &source}, Tags: []Tag{{"k", "v"}}})),
			"bedrock:CreateInferenceProfile on arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/* aws:requestedregion=us-west-2 aws:requesttag/k=v aws:tagkeys=k\n" +
				"bedrock:CreateInferenceProfile on " + source + " aws:requestedregion=us-west-2 aws:requesttag/k=v aws:tagkeys=k\n" +
				"bedrock:TagResource on arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/* aws:requestedregion=us-west-2 aws:requesttag/k=v aws:tagkeys=k\n"},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %swant %s", c.name, c.got, c.want)
		}
	}
}
