package bedrockapi

import (
	"context"
	"testing"
	"time"

	"outcrop"
	"outcrop/catalog"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

const (
	novaID     = "us.amazon.nova-lite-v1:0"
	novaARN    = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.amazon.nova-lite-v1:0"
	sonnet     = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	openWeight = "openai.gpt-oss-120b-1:0"
)

var caller = outcrop.Caller{Account: "111122223333", Region: "us-west-2", Principal: "arn:aws:iam::111122223333:user/admin"}

// memory is an Access that forgets at exit.
type memory struct {
	agreements map[outcrop.ModelID]agreed
	forms      map[outcrop.AccountID][]byte
}

type agreed struct {
	active bool
	at     time.Time
}

func (m *memory) SetAgreement(_ context.Context, a outcrop.AccountID, id outcrop.ModelID, active bool, at time.Time) error {
	m.agreements[outcrop.ModelID(a)+"/"+id] = agreed{active, at}
	return nil
}

func (m *memory) Agreement(_ context.Context, a outcrop.AccountID, id outcrop.ModelID) (bool, time.Time, bool, error) {
	g, known := m.agreements[outcrop.ModelID(a)+"/"+id]
	return g.active, g.at, known, nil
}

func (m *memory) SetUseCase(_ context.Context, a outcrop.AccountID, form []byte) error {
	m.forms[a] = form
	return nil
}

func (m *memory) UseCase(_ context.Context, a outcrop.AccountID) ([]byte, error) {
	return m.forms[a], nil
}

// A desk is an API with a clock that the test turns.
type desk struct {
	*API
	clock time.Time
}

func setUp() *desk {
	d := &desk{clock: time.Date(2026, 11, 21, 10, 0, 0, 123456000, time.UTC)}
	now := func() time.Time { return d.clock }
	d.API = New(Config{
		Profiles: profile.New(profiletest.NewMemory(), catalog.Embedded, now, profile.Options{}),
		Catalog:  catalog.Embedded,
		Access:   &memory{map[outcrop.ModelID]agreed{}, map[outcrop.AccountID][]byte{}},
		Price: func(_ outcrop.Region, m outcrop.ModelID) (q outcrop.Quote) {
			if m == sonnet {
				q.Price = "test#1"
				q.Rates.Set(outcrop.InputTokens, 3_000_000)
				q.Rates.Set(outcrop.OutputTokens, 15_000_000)
			}
			return q
		},
		Now:            now,
		AgreementDelay: time.Minute,
	})
	return d
}

// call runs an operation as caller and fails the test when it fails.
func call[In, Out any](t testing.TB, op func(context.Context, outcrop.Caller, *In) (*Out, error), in *In) *Out {
	t.Helper()
	out, err := op(t.Context(), caller, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refused runs an operation that is to fail.
func refused[In, Out any](t testing.TB, kind outcrop.Kind, words string, op func(context.Context, outcrop.Caller, *In) (*Out, error), in *In) {
	t.Helper()
	_, err := op(t.Context(), caller, in)
	profiletest.Refused(t, err, kind, words)
}
