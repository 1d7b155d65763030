package cost_test

import (
	"testing"

	"outcrop/cost"
	"outcrop/cost/costtest"
)

func TestMemoryKeepsThePromisesOfAStore(t *testing.T) {
	costtest.Run(t, func(testing.TB) cost.Store { return costtest.NewMemory() })
}
