package trail

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"outcrop"
)

func TestFilesAreRotatedByAgeAndKeptByCount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "audit")
	at := &clock{noon}
	f := &files{dir: dir, opts: &Options{Now: at.read, KeepFiles: 3}}
	f.opts.complete()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		for range 2 {
			if _, err := f.write([]byte("{}\n")); err != nil {
				t.Fatal(err)
			}
			at.now = at.now.Add(12 * time.Hour)
		}
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	kept := names(t, dir)
	if len(kept) != 3 || filepath.Base(kept[2]) != "trail-20261130T120000Z.jsonl" || len(lines(t, dir)) != 6 {
		t.Errorf("kept %v", kept)
	}
	for _, name := range kept {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

// A full file makes room for the next, also in the same second and when the
// clock goes back: names only go up.
func TestFilesAreRotatedBySize(t *testing.T) {
	dir, at := t.TempDir(), &clock{noon}
	f := &files{dir: dir, opts: &Options{Now: at.read, MaxFileBytes: 10}}
	f.opts.complete()
	for range 5 {
		if _, err := f.write([]byte(`{"ten":"bytes"}` + "\n")); err != nil {
			t.Fatal(err)
		}
		at.now = at.now.Add(-time.Hour)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 5 || filepath.Base(got[4]) != "trail-20261121T120004Z.jsonl" {
		t.Errorf("%v", got)
	}
}

// A process that died in the middle of a line leaves it torn: it is skipped,
// and what follows stands on its own.
func TestATornLastLineIsSkipped(t *testing.T) {
	dir, at := t.TempDir(), &clock{noon}
	tr := open(t, dir, Options{Now: at.read})
	tr.Record(event("ListInferenceProfiles", noon))
	tr.Record(event("GetInferenceProfile", noon))
	closed(t, tr)
	name := names(t, dir)[0]
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < len(lines(t, dir)[1])+1; cut += 7 {
		if err := os.WriteFile(name, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		want := "ListInferenceProfiles"
		if cut == 1 { // all but the end of the line: it was whole
			want = "GetInferenceProfile"
		}
		tr := open(t, dir, Options{Now: at.read})
		if cut > 1 {
			if got := found(t, tr, outcrop.AuditQuery{}); len(got) != 1 || got[0].Name != want {
				t.Fatalf("cut %d: before the next line %v", cut, got)
			}
		}
		tr.Record(event("DeleteInferenceProfile", noon))
		closed(t, tr)
		got := found(t, tr, outcrop.AuditQuery{})
		if len(got) < 2 || got[0].Name != "DeleteInferenceProfile" || got[1].Name != want || len(names(t, dir)) != 1 {
			t.Fatalf("cut %d: %v in %v", cut, got, names(t, dir))
		}
	}
}

// full is a disk with room for some bytes only.
type full struct {
	room *int
	data *[]byte
}

func (f full) Write(b []byte) (int, error) {
	n := min(len(b), *f.room)
	*f.room -= n
	*f.data = append(*f.data, b[:n]...)
	if n < len(b) {
		return n, errors.New("no space left on device")
	}
	return n, nil
}

func (full) Sync() error  { return nil }
func (full) Close() error { return nil }

// Property: wherever the disk runs full, and whenever it has room again, every
// line is written once, whole and in order.
func TestAWriteGoesOnWhereItEnded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room, data := 0, []byte(nil)
		f := &files{open: full{&room, &data}, start: noon, opts: &Options{Now: func() time.Time { return noon }}}
		f.opts.complete()
		tr := &Trail{opts: *f.opts, files: f, wake: make(chan struct{}, 1)}
		var want strings.Builder
		var rest []byte
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			line := rapid.StringMatching(`\{[a-z]{0,20}\}`).Draw(t, "line") + "\n"
			tr.enqueue([]byte(line))
			want.WriteString(line)
			room += rapid.IntRange(0, 40).Draw(t, "room")
			rest, _ = tr.flush(rest)
		}
		room += 1 << 20
		if rest, err := tr.flush(rest); err != nil || len(rest) > 0 || string(data) != want.String() {
			t.Fatalf("wrote %q, want %q (rest %q, %v)", data, want.String(), rest, err)
		}
	})
}

// On a full disk requests go on; what the queue cannot hold is counted, and the
// first line after it says how much that was.
func TestAFullDiskCostsRecordsAndNoRequest(t *testing.T) {
	if _, err := os.Stat("/dev/full"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("there is no /dev/full")
	}
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, fileName(noon))); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		at := noon
		tr := open(t, dir, Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return at }})
		big := event("CreateInferenceProfile", noon)
		big.Input = map[string]any{"x": strings.Repeat("y, ", maxTreeBytes/4)}
		n := 0
		for ; tr.Lost() < 3; n++ {
			tr.Record(big)
		}
		tr.mu.Lock()
		queued := len(tr.queue) + tr.held
		tr.mu.Unlock()
		if queued > maxQueueBytes {
			t.Errorf("%d bytes are queued", queued)
		}
		time.Sleep(3 * retryInterval)
		mu.Lock()
		at = noon.Add(25 * time.Hour) // a new file, on a disk with room
		mu.Unlock()
		time.Sleep(3 * retryInterval)
		synctest.Wait()
		tr.Record(event("GetInferenceProfile", at))
		tr.Record(event("ListInferenceProfiles", at))
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
		if err := os.Remove(filepath.Join(dir, fileName(noon))); err != nil {
			t.Fatal(err)
		}
		all := lines(t, dir)
		if len(all) != n-3+2 {
			t.Fatalf("%d lines, want the %d that were queued and 2", len(all), n-3)
		}
		if gap := decode(t, all[len(all)-2])["gap"]; gap != 3.0 {
			t.Errorf("gap %v, want 3", gap)
		}
		if gap, has := decode(t, all[len(all)-1])["gap"]; has {
			t.Errorf("a second gap of %v", gap)
		}
	})
}

func TestRecordsThatComeTooLateAreCounted(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	closed(t, tr)
	tr.Record(event("ListInferenceProfiles", noon))
	if tr.Lost() != 1 || tr.Close() != nil {
		t.Errorf("lost %d", tr.Lost())
	}
}

// A mirror that nobody reads holds up neither requests nor, for long, the end.
func TestAStuckMirrorHoldsNothingUp(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		p := newPipe()
		tr, err := Open(dir, Options{Mirror: p})
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			tr.Record(event("ListInferenceProfiles", noon))
		}
		if err := tr.Close(); err == nil {
			t.Error("closed, though the mirror still holds lines")
		}
		p.drain()
		<-tr.done
		if got := p.lines(); got != 100 || len(lines(t, dir)) != 100 {
			t.Errorf("%d lines in the mirror, %d on disk", got, len(lines(t, dir)))
		}
	})
}

func TestManyWritersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	mirror := newPipe()
	mirror.drain()
	tr := open(t, dir, Options{Mirror: mirror, MaxFileBytes: 50 << 10})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				tr.Record(event("ListInferenceProfiles", time.Now()))
			}
		})
	}
	all.Wait()
	closed(t, tr)
	if got := lines(t, dir); len(got) != 1600 || tr.Lost() != 0 || mirror.lines() != 1600 {
		t.Errorf("%d lines, %d lost, %d mirrored", len(got), tr.Lost(), mirror.lines())
	}
	ids := map[string]bool{}
	for _, line := range lines(t, dir) {
		r, err := ReadLine([]byte(line))
		if err != nil || ids[r.ID] {
			t.Fatalf("%v: %s", err, line)
		}
		ids[r.ID] = true
	}
}

// What the writer holds counts towards the limit of the queue.
func TestTheQueueIsBoundedWhileTheDiskIsFull(t *testing.T) {
	room, data := 0, []byte(nil)
	f := &files{open: full{&room, &data}, start: noon, opts: &Options{Now: func() time.Time { return noon }}}
	f.opts.complete()
	tr := &Trail{opts: *f.opts, files: f, wake: make(chan struct{}, 1)}
	line := []byte("{" + strings.Repeat(" ", 1<<20) + "}\n")
	accepted := 0
	for range 10 {
		tr.enqueue(line)
		accepted++
	}
	rest, err := tr.flush(nil)
	if err == nil || len(rest) != accepted*len(line) {
		t.Fatalf("%d bytes are held, %v", len(rest), err)
	}
	for tr.Lost() == 0 {
		tr.enqueue(line)
		accepted++
	}
	if accepted--; accepted*len(line) > maxQueueBytes || (accepted+1)*len(line) <= maxQueueBytes {
		t.Errorf("%d bytes were accepted, the limit is %d", accepted*len(line), maxQueueBytes)
	}
}
