package sqlite

import (
	"testing"

	"outcrop/identity"
	"outcrop/identity/identitytest"
)

func TestIdentities(t *testing.T) {
	identitytest.Run(t, func(t testing.TB) identity.Store { return openTest(t).Identities() })
}
