package outcrop

import "time"

// A LaneID is the router's own number for an Upstream serving one model in one
// Region: the thing that has health, latency, room and a prompt cache.
type LaneID uint32

// A RouteAsk is what a call tells the router about itself.
type RouteAsk struct {
	Target    *Target
	Streaming bool
}

// A Prefix names the beginnings of a prompt that a model may hold in its
// cache. The zero value: none that is worth keeping together.
type Prefix struct {
	Root, Tip         uint64 // hash up to the end of the system text; up to the last cache point
	RootLife, TipLife time.Duration
}

// An AttemptReport is how one Attempt ended.
type AttemptReport struct {
	Err       error         // nil when it answered
	Gone      bool          // the client left, or another attempt won: nothing is known about the upstream
	FirstByte time.Duration // from the attempt's start to its first event, or to a whole answer; 0 when there was none
	Took      time.Duration
	Streaming bool
	Cached    Tokens // read from or written to a prompt cache
	Counted   bool   // the upstream says what its cache did
}
