package sqlite

import (
	"testing"

	"outcrop/cost"
	"outcrop/cost/costtest"
)

func TestCostsKeepThePromisesOfAStore(t *testing.T) {
	costtest.Run(t, func(t testing.TB) cost.Store { return openTest(t).Costs() })
}
