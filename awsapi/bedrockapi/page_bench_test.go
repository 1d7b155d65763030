package bedrockapi

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi/model"
	"outcrop/awsapi/wire"
	"outcrop/profile"
)

// A page of a thousand profiles, from what the engine gives to what goes out.
func BenchmarkPage(b *testing.B) {
	op := model.Load("bedrock").Operation("ListInferenceProfiles")
	page := make([]*outcrop.InferenceProfile, profile.MaxPage)
	for i := range page {
		id := fmt.Sprintf("%012d", i)
		page[i] = &outcrop.InferenceProfile{ID: id, Name: "page-" + id, Kind: outcrop.Application, ARN: outcrop.ApplicationProfileARN("us-east-1", "111122223333", id),
			Models:    []outcrop.ARN{"arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-lite-v1:0", "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0"},
			CreatedAt: time.Unix(1_790_000_000, 123_456_000), UpdatedAt: time.Unix(1_790_000_000, 123_456_000)}
	}
	b.ReportAllocs()
	for b.Loop() {
		out := pageOf(page, "")
		w := wire.Response{Header: http.Header{}}
		if err := (wire.RESTJSON{}).Encode(op, wire.Answer(out), &w); err != nil || len(w.Body) < 100_000 {
			b.Fatal(len(w.Body), err)
		}
		w.Release()
	}
}
