package profile_test

import (
	"testing"

	"outcrop/profile"
	"outcrop/profile/profiletest"
)

func TestMemoryKeepsThePromises(t *testing.T) {
	profiletest.Run(t, func(testing.TB) profile.Store { return profiletest.NewMemory() })
}
