package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// How the garbage collector is paced (docs/decisions/0007-memory.md): it gets
// room when it works often, and gives it back when there is little to do.
const (
	paceEvery    = time.Second
	wantedCycles = 2        // more in a second, and it gets more room
	rareCycles   = 1        // fewer, and it gets less
	leastRoom    = 100      // percent of what lives, as GOGC counts; and what it may have however much lives
	mostRoom     = 400      // percent
	mostBytes    = 64 << 20 // that it may have beyond the least
)

// What lies free while little happens is given back now and then: Go's own way
// of it leaves several megabytes. It holds up what goes on for some
// milliseconds, so that it waits for a second in which hardly anything does.
const (
	spareBytes = 2 << 20
	spareEvery = 10 * time.Second
	quietBytes = 96 << 10 // allocated in a second: some fifty calls
)

// afterStart is when what only the start needed is given back.
const afterStart = 3 * time.Second

// tendMemory keeps memory small while ctx lasts, with a limit from the
// container and the collector paced, unless GOMEMLIMIT and GOGC say otherwise.
func tendMemory(ctx context.Context, log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit, ok := containerLimit(); ok {
			debug.SetMemoryLimit(limit)
		}
	}
	go func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(afterStart): // until then there is as much room as Go gives: what the start leaves behind says nothing about the load
		}
		paced := os.Getenv("GOGC") == ""
		if paced {
			debug.SetGCPercent(leastRoom)
		}
		debug.FreeOSMemory()
		if err := forgetProgram(); err != nil {
			log.Debug("memory of the start was not given back", "err", err)
		}
		if paced {
			p := pacer{room: leastRoom}
			p.run(ctx)
		}
	}()
}

// A pacer looks at the collector every second.
type pacer struct {
	room   int
	before collected
	gave   time.Time // back what was free
}

func (p *pacer) run(ctx context.Context) {
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	for p.before = collections(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := collections()
		if next := pace(p.room, now.cycles-p.before.cycles, now.live); next != p.room {
			p.room = next
			debug.SetGCPercent(p.room)
		}
		if spare(now.made-p.before.made, now.free, time.Since(p.gave)) {
			debug.FreeOSMemory()
			p.gave = time.Now()
		}
		p.before = now
	}
}

// pace says how much room the collector gets after a second with so many
// cycles, while so many bytes live. It is given at once and taken back slowly:
// load comes in waves.
func pace(room int, cycles, live uint64) int {
	most := min(mostRoom, max(leastRoom, int(100*mostBytes/max(live, 1))))
	switch {
	case cycles > wantedCycles:
		room = int(min(uint64(room)*cycles/wantedCycles, mostRoom))
	case cycles < rareCycles:
		room -= room / 16
	}
	return max(leastRoom, min(room, most))
}

// spare says whether to give back what is free, after a second in which so many
// bytes were made and so long after the last time: it costs a cycle of its own.
func spare(made, free uint64, since time.Duration) bool {
	return made < quietBytes && free > spareBytes && since >= spareEvery
}

type collected struct{ cycles, live, free, made uint64 }

func collections() collected {
	s := []metrics.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return collected{s[0].Value.Uint64(), s[1].Value.Uint64(), s[2].Value.Uint64(), s[3].Value.Uint64()}
}

// containerLimit is where the heap had better stop in a container whose memory
// is limited: the rest is for the program, the store and the stacks.
func containerLimit() (bytes int64, ok bool) {
	text, err := os.ReadFile("/sys/fs/cgroup/memory.max")
	if err != nil {
		return 0, false
	}
	most, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" when there is none
	return most / 5 * 4, err == nil
}
