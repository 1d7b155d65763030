package conform

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrock"

	"outcrop/server"
)

// What an operator can turn shows on the wire. The checks describe the
// defaults, which are AWS's; these are the other positions.
func TestSwitches(t *testing.T) {
	unpadded := false
	s := open(t, serve(t, server.Config{
		Profiles: server.ProfilesConfig{PerRegion: 3, UniqueNames: true},
		Runtime:  server.RuntimeConfig{AcceptBareProfileID: true, StreamPadding: &unpadded},
	}))
	ctx := t.Context()
	shared, err := s.profile(ctx)
	if err != nil {
		t.Fatal(err)
	}

	name := runName()
	_, _, err = s.createBoth(ctx, s.tokened(name, runName()), s.tokened(name, runName()), nothingBetween)
	if err := sdkRefusal(err, "ConflictException"); err != nil {
		t.Errorf("unique names: %v", err)
	}
	if _, err := s.create(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = s.expect(ctx, createAsk(createBody("")), refused(400, "ServiceQuotaExceededException", "L-40EC9882"))
	if err != nil {
		t.Errorf("a fourth profile: %v", err)
	}

	_, err = s.expect(ctx, modelAsk("converse", shared.id, hello), answer{status: 200, members: converseMembers})
	if err != nil {
		t.Errorf("bare profile id: %v", err)
	}
	_, frames, err := s.stream(ctx, modelAsk("converse-stream", "{%profile}", hello))
	if err != nil {
		t.Fatal(err)
	}
	var reason skipped
	if err := padded(frames); !errors.As(err, &reason) {
		t.Errorf("padding is off, and there is some: %v", err)
	}
}

// Property: a profile that was deleted makes room under the quota.
func TestQuotaIsOfLivingProfiles(t *testing.T) {
	s := open(t, serve(t, server.Config{Profiles: server.ProfilesConfig{PerRegion: 1}}))
	for range 3 {
		p, err := s.create(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.control.DeleteInferenceProfile(t.Context(), &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &p.arn}); err != nil {
			t.Fatal(err)
		}
	}
}
