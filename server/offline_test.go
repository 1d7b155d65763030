package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"outcrop"
	"outcrop/objects"
	"outcrop/sigv4"
)

// What a background invocation writes, its caller must be allowed to write:
// Outcrop's own hand reaches the buckets of every account.
func TestABackgroundInvocationWritesWhereItsCallerMay(t *testing.T) {
	s := start(t, Config{})
	const input = `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":10}}`
	const bedrock = `{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}`
	policy := func(more string) string { return `{"Version":"2012-10-17","Statement":[` + bedrock + more + `]}` }
	weak := s.user(t, "weak", policy(""))
	writer := s.user(t, "writer", policy(`,{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::ours/jobs/*"}`))
	for name, account := range map[string]string{"ours": string(testAccount), "theirs": "999999999999"} {
		if err := s.engines.folder.CreateBucket(objects.Bucket{Name: name, Account: outcrop.AccountID(account), Region: "us-east-1"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		by        sigv4.Credentials
		to, words string // of the refusal; none when allowed
	}{
		{weak, "ours/jobs", "not authorized to perform: s3:PutObject on resource: arn:aws:s3:::ours/jobs/*"},
		{writer, "ours/jobs", ""},
		{writer, "ours/jobs-of-others", "s3:PutObject"},
		{writer, "ours/jobsx/../jobs", "s3:PutObject"},
		{writer, "ours", "s3:PutObject"},
		{s.admin(), "ours", ""},
		{s.admin(), "theirs/jobs", "s3:PutObject"},
		{weak, "nobodys/jobs", "s3:PutObject"},
	} {
		body := fmt.Sprintf(`{"modelId":%q,"modelInput":%s,"outputDataConfig":{"s3OutputDataConfig":{"s3Uri":"s3://%s"}}}`, geoProfile, input, c.to)
		status, answer := send(t, s.signed(t, c.by, "bedrock", http.MethodPost, "/async-invoke", nil, body))
		if (status == 200) != (c.words == "") || !strings.Contains(answer, c.words) {
			t.Errorf("%s: %d %s, want %q", c.to, status, answer, c.words)
		}
	}
}
