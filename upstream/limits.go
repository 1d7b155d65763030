package upstream

import "time"

// Limits bound the calls to a server. What is zero stands for its default.
type Limits struct {
	ConnectTimeout   time.Duration // default 5 s
	FirstByteTimeout time.Duration // until a streamed answer begins; default 2 min
	IdleTimeout      time.Duration // between two pieces of a stream; default 1 min
	Timeout          time.Duration // for a whole answer that is not streamed; default 10 min
	MaxIdleConns     int           // kept open for reuse; default 256
}

// Complete fills in the defaults.
func (l *Limits) Complete() {
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&l.ConnectTimeout, 5 * time.Second}, {&l.FirstByteTimeout, 2 * time.Minute},
		{&l.IdleTimeout, time.Minute}, {&l.Timeout, 10 * time.Minute},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if l.MaxIdleConns <= 0 {
		l.MaxIdleConns = 256
	}
}
