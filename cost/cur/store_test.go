package cur_test

import (
	"testing"

	"outcrop/cost/cur"
	"outcrop/cost/curtest"
)

func TestMemoryKeepsThePromisesOfAStore(t *testing.T) {
	curtest.Run(t, func(testing.TB) cur.Store { return cur.NewMemory() })
}
