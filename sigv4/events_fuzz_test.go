package sigv4

import (
	"testing"
	"time"
)

// Whatever comes as the next frame, it holds only with the signature that the
// secret makes, at a time near now; and one that does not hold changes nothing
// for the frame that does.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(":date"), []byte("payload"), []byte("signature"), int64(0), false)
	f.Add([]byte{}, []byte{}, []byte{}, int64(0), true)
	f.Add([]byte("h"), []byte("p"), make([]byte, 32), int64(400), true)
	f.Add([]byte("h"), []byte("p"), make([]byte, 32), int64(-400), true)
	f.Add([]byte("h"), []byte("p"), make([]byte, 1<<10), int64(1)<<40, false)
	f.Fuzz(func(t *testing.T, headers, payload, claimed []byte, seconds int64, right bool) {
		now := time.Date(2026, 11, 28, 23, 59, 0, 0, time.UTC)
		e, _ := beginEvents(t, now)
		twin, _ := beginEvents(t, now)
		seconds %= 1 << 40
		at := now.Add(time.Duration(seconds%1e6) * time.Second)
		want := twin.sign(at, headers, payload)
		if right {
			claimed = want
		}
		skewed := at.After(now.Add(ClockSkew)) || at.Before(now.Add(-ClockSkew))
		err := e.Verify(at, headers, payload, claimed, now)
		if should := string(claimed) == string(want) && !skewed; should != (err == nil) {
			t.Fatalf("at %s with the right signature %t: %v", at, right, err)
		}
		if err != nil {
			if err := e.Verify(now, headers, payload, twin.sign(now, headers, payload), now); err != nil {
				t.Fatalf("the right frame after a wrong one: %v", err)
			}
		}
	})
}
