package routing

import (
	"sync"
	"time"

	"outcrop"
)

// A warmTable remembers which lanes hold which prefix, for as long as a model
// would. It is bounded: what would expire first makes room.
type warmTable struct {
	shards [warmShards]warmShard
}

const (
	warmShards = 64
	warmRows   = 256 // prefixes in a shard
	warmSearch = 8   // rows looked at for one prefix
	warmLanes  = 4   // lanes remembered for one prefix
)

type warmShard struct {
	mu   sync.Mutex
	rows []warmRow // made when first needed
}

// A warmRow is 72 bytes and has no pointers: the table costs the collector
// nothing.
type warmRow struct {
	hash  uint64
	lanes [warmLanes]outcrop.LaneID
	until [warmLanes]int64
}

func (t *warmTable) shard(hash uint64) *warmShard { return &t.shards[hash>>32%warmShards] }

// find returns the lanes that hold hash now.
func (t *warmTable) find(hash uint64, now int64) (lanes [warmLanes]outcrop.LaneID, ok bool) {
	s := t.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.row(hash)
	if row == nil {
		return lanes, false
	}
	for i, until := range row.until {
		if until > now {
			lanes[i], ok = row.lanes[i], true
		}
	}
	return lanes, ok
}

// warm notes that lane holds hash for life from now.
func (t *warmTable) warm(hash uint64, lane outcrop.LaneID, life time.Duration, now int64) {
	s := t.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = make([]warmRow, warmRows)
	}
	row := s.row(hash)
	if row == nil {
		row = s.oldest(hash)
		*row = warmRow{hash: hash}
	}
	row.hold(lane, now+int64(life))
}

func (s *warmShard) row(hash uint64) *warmRow {
	if s.rows == nil {
		return nil
	}
	for i := range uint64(warmSearch) {
		if r := &s.rows[(hash+i)%warmRows]; r.hash == hash {
			return r
		}
	}
	return nil
}

// oldest is the row near hash that is of least use.
func (s *warmShard) oldest(hash uint64) *warmRow {
	best := &s.rows[hash%warmRows]
	for i := range uint64(warmSearch) {
		if r := &s.rows[(hash+i)%warmRows]; r.last() < best.last() {
			best = r
		}
	}
	return best
}

func (r *warmRow) last() int64 { return max(r.until[0], r.until[1], r.until[2], r.until[3]) }

func (r *warmRow) hold(lane outcrop.LaneID, until int64) {
	place := 0
	for i := range r.lanes {
		if r.lanes[i] == lane {
			place = i
			break
		}
		if r.until[i] < r.until[place] {
			place = i
		}
	}
	r.lanes[place], r.until[place] = lane, until
}
