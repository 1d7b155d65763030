package main

import (
	"os"
	"strings"
	"testing"
)

const smaps = `00400000-02081000 r-xp 00000000 fe:00 10207705                           /bin/outcrop
Rss:               17284 kB
Anonymous:             0 kB
02081000-04769000 r--p 01c81000 fe:00 10207705                           /bin/outcrop
Anonymous:             0 kB
04769000-0476a000 r--p 04369000 fe:00 10207705                           /bin/outcrop
Anonymous:             4 kB
0476a000-048a7000 rw-p 0436a000 fe:00 10207705                           /bin/outcrop
Anonymous:             0 kB
7f0000000000-7f0000001000 r--p 00000000 fe:00 1                          /lib/libc.so.6
Anonymous:             0 kB
7f0000002000-7f0000003000 rw-p 00000000 00:00 0
Anonymous:             0 kB
`

// Only what is in the file as it is in memory may be given back.
func TestUnwritten(t *testing.T) {
	got := unwritten(strings.NewReader(smaps), "/bin/outcrop")
	want := []mapping{{0x400000, 0x2081000}, {0x2081000, 0x4769000}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("unwritten = %x, want %x", got, want)
	}
}

func TestTheProgramRunsOnWithoutItsPages(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip("no /proc here")
	}
	defer f.Close()
	if len(unwritten(f, self)) == 0 {
		t.Error("no mapping of the program was found")
	}
	for range 3 {
		if err := forgetProgram(); err != nil {
			t.Fatal(err)
		}
	}
}
