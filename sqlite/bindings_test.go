package sqlite

import (
	"testing"

	"outcrop/profile"
	"outcrop/profile/profiletest"
)

func TestBindingStoreKeepsThePromises(t *testing.T) {
	t.Parallel()
	profiletest.RunBindings(t, func(t testing.TB) profile.BindingStore { return openTest(t) })
}
