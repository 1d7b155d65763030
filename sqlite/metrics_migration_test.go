package sqlite

import (
	"path/filepath"
	"testing"

	"outcrop/metrics"
)

// TestMetricsMove: what stood in three steps stands in one, and sums up to the
// same: minutes where there are any, 5 minutes and hours from before them.
func TestMetricsMove(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outcrop.db")
	db, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider(db.write)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 32); err != nil {
		t.Fatal(err)
	}
	const noon = 1795780800
	if _, err := db.write.Exec(`INSERT INTO metric_lanes (id, account, region, namespace, dimensions) VALUES (7, '1', 'us-east-1', 'Mine', '')`); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		step  metrics.Step
		start int64
		value float64
	}{
		{metrics.Minute, noon, 1}, {metrics.Minute, noon + 60, 2}, {metrics.Minute, noon + 3660, 4},
		{metrics.FiveMinutes, noon, 3}, {metrics.FiveMinutes, noon + 3600, 4}, {metrics.FiveMinutes, noon - 3600, 8},
		{metrics.Hour, noon, 3}, {metrics.Hour, noon + 3600, 4}, {metrics.Hour, noon - 3600, 8}, {metrics.Hour, noon - 7200, 16},
	} {
		var b metrics.Block
		b.At("x").Add(r.value)
		if _, err := db.write.Exec(`INSERT INTO metric_rows (lane, step, start, origin, block) VALUES (7, ?, ?, 1, ?)`, r.step, r.start, b.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.write.Exec(`INSERT INTO metric_names (lane, name, origin, last) VALUES (7, 'x', 1, ?)`, noon); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lanes, err := db.Metrics().Lanes(t.Context(), "", "", "")
	if err != nil || len(lanes) != 1 || lanes[0].Last["x"].Unix() != noon {
		t.Fatalf("lanes %v, %v", lanes, err)
	}
	for step, want := range []float64{7, 15, 31} {
		sum := 0.0
		for row, err := range db.Metrics().Rows(t.Context(), metrics.Reading{Lane: lanes[0].Lane, Step: metrics.Step(step), From: noon - 36000, To: noon + 36000}) {
			if err != nil {
				t.Fatal(err)
			}
			b, err := metrics.ReadBlock(row.Block)
			if err != nil {
				t.Fatal(err)
			}
			sum += b.Of("x").Sum
		}
		if sum != want {
			t.Errorf("step %d: %v, want %v", step, sum, want)
		}
	}
}

func FuzzPack(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendPacked(nil, 0, packed{3, []byte{1}}))
	f.Add([]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0, 0xff})
	f.Fuzz(func(t *testing.T, pack []byte) {
		list := []packed{}
		_ = unpack(minutesOfDay, 0, pack, func(start int64, block []byte) bool {
			list = append(list, packed{uint64(start / 60), block})
			return true
		})
		out, err := mergePack(nil, list)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := unpack(minutesOfDay, 0, out, func(int64, []byte) bool { n++; return true }); err != nil || n != len(list) {
			t.Fatalf("%d of %d blocks, %v", n, len(list), err)
		}
	})
}
