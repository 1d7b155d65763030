package ledger

import (
	"errors"
	"testing"
)

// The next segment is made in peace at a low rate, and as fast as the disk can
// when it would otherwise be waited for.
func TestTheSpareIsMadeAsFastAsItIsNeeded(t *testing.T) {
	const size, bit = 16 << 20, 256 << 10
	for name, c := range map[string]struct {
		done, used int64 // of the spare; of the active segment since it was half full
		failed     error
		want       bool
	}{
		"500 calls a second":         {bit, 300 << 10 * 6 / 1000, nil, true},
		"6,000 calls a second":       {bit, 3600 << 10 * 6 / 1000, nil, true},
		"60,000 calls a second":      {bit, 36 << 20 * 6 / 1000, nil, false},
		"fast, and well ahead":       {size - bit, size / 8, nil, true},
		"it is waited for":           {size - bit, size / 2, nil, false},
		"the active one cannot last": {size - bit, 0, errors.New("input/output error"), false},
	} {
		l := &Ledger{segs: []*segment{{size: size, end: size/2 + c.used}}, failed: c.failed}
		if got := l.ahead(c.done); got != c.want {
			t.Errorf("%s: rests %t, want %t", name, got, c.want)
		}
	}
	if new(Ledger).ahead(size) {
		t.Error("rests before the first segment")
	}
}

func TestAFileIsMadeBitByBit(t *testing.T) {
	const bit, size = 256 << 10, 1<<20 + 8
	files, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	asked := int64(0)
	f, err := files.Create("spare", size, func(done int64) bool {
		if asked++; done != asked*bit {
			t.Errorf("%d bytes are done after %d bits", done, asked)
		}
		return asked%2 == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := f.Size(); n != size || err != nil || asked != size/bit+1 {
		t.Errorf("%d bytes, %v, in %d bits", n, err, asked)
	}
}
