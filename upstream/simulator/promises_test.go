package simulator_test

import (
	"testing"

	"outcrop/upstream/simulator"
	"outcrop/upstream/upstreamtest"
)

func TestPromises(t *testing.T) {
	upstreamtest.Run(t, func(testing.TB) upstreamtest.Upstream { return simulator.New(simulator.Options{}) })
}
