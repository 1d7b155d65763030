package memo

import (
	"errors"
	"testing"
)

func TestAMemoWorksOnceAndIsBounded(t *testing.T) {
	var m Memo[int, int]
	worked := 0
	double := func(k int) (int, error) {
		if worked++; k < 0 {
			return 0, errors.New("negative")
		}
		return 2 * k, nil
	}
	for range 3 {
		for k := range maxMemo + 10 {
			if v, err := m.Get(k, double); v != 2*k || err != nil {
				t.Fatalf("%d is %d, %v", k, v, err)
			}
		}
	}
	if want := maxMemo + 3*10; worked != want {
		t.Errorf("worked %d times, want %d", worked, want)
	}
	for range 2 {
		if _, err := m.Get(-1, double); err == nil {
			t.Error("an error was forgotten")
		}
	}
	if n := len(*m.all.Load()); n != maxMemo {
		t.Errorf("%d are kept, want %d", n, maxMemo)
	}
	if n := testing.AllocsPerRun(10, func() { m.Get(7, double) }); n != 0 {
		t.Errorf("asking allocates %.0f times", n)
	}
}
