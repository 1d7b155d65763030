package profile_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"
	"outcrop/catalog"
	"outcrop/internal/overlay/overlaytest"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

const (
	account  = outcrop.AccountID("111122223333")
	stranger = outcrop.AccountID("444455556666")
	region   = outcrop.Region("us-west-2")

	onDemand    = "openai.gpt-oss-120b-1:0" // listed in us-west-2, ON_DEMAND
	profileOnly = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	novaID      = "us.amazon.nova-lite-v1:0"
	novaARN     = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.amazon.nova-lite-v1:0"
	modelARN    = "arn:aws:bedrock:us-west-2::foundation-model/" + onDemand
	globalARN   = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/global.anthropic.claude-sonnet-4-6"

	badIdentifier = "The provided model identifier is invalid."
	elsewhere     = badIdentifier + " The ARN is of us-east-1 and the call is for us-west-2: choose us-east-1 in the client, or name a profile of us-west-2."
	badSource     = "copyFrom must be a valid inference profile model source ARN."
)

// A bench is Profiles over a memory store, a clock and a catalogue that the
// test turns.
type bench struct {
	*profile.Profiles
	*profiletest.Memory
	clock   time.Time
	catalog atomic.Pointer[catalog.Catalog]
	reads   atomic.Int64
}

// Profile counts the reads of single profiles.
func (b *bench) Profile(ctx context.Context, k profile.Key) (*outcrop.InferenceProfile, error) {
	b.reads.Add(1)
	return b.Memory.Profile(ctx, k)
}

func setUp(opts profile.Options) *bench {
	b := &bench{Memory: profiletest.NewMemory(), clock: time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC)}
	b.catalog.Store(catalog.Embedded())
	b.Profiles = profile.New(b, b.catalog.Load, func() time.Time { return b.clock }, opts)
	return b
}

// create makes a profile of source and fails the test when it cannot.
func (b *bench) create(t testing.TB, source string, tags ...profile.Tag) *outcrop.InferenceProfile {
	t.Helper()
	p, err := b.Create(t.Context(), request(source, tags...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func request(source string, tags ...profile.Tag) profile.CreateRequest {
	return profile.CreateRequest{Account: account, Region: region, Name: "myapp-01", CopyFrom: source, Tags: tags}
}

func (b *bench) resolve(t testing.TB, modelID string) (*outcrop.Target, error) {
	t.Helper()
	return b.Resolve(t.Context(), account, region, outcrop.ParseModelRef(modelID))
}

// overlaid is the embedded catalogue with one more file on top.
func overlaid(t testing.TB, yaml string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(overlaytest.Folder(t, "test.yaml", yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func someTags(n int) (tags []profile.Tag) {
	for i := range n {
		tags = append(tags, profile.Tag{Key: fmt.Sprintf("key-%02d", i), Value: "v"})
	}
	return tags
}

func regionsOf(ds []outcrop.Destination) (rs []outcrop.Region) {
	for _, d := range ds {
		rs = append(rs, d.Region)
	}
	return rs
}
