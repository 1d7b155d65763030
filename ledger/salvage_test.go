package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// A header that cannot be read is made anew. The frames behind it are read all
// the same as long as their salt is known; otherwise they are lost, as far as
// the store does not have them, and nothing else is.
func TestSalvageOfAHeader(t *testing.T) {
	for _, hurt := range []struct {
		name  string
		bytes []int64
		kept  bool
	}{
		{"magic", []int64{3}, true},
		{"version", []int64{8}, true},
		{"number and first", []int64{16, 24}, true},
		{"end of the one before", []int64{32}, true},
		{"checksum", []int64{60}, true},
		{"first record, too", []int64{3, 100}, true},
		{"salt", []int64{41}, false},
		{"all", upTo(512), false},
	} {
		for _, which := range []string{"first", "middle", "last", "two"} {
			for _, drained := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/drained=%t", hurt.name, which, drained), func(t *testing.T) {
					inBubble(t, neverDrained, func(b *bed) { salvageHeader(b, which, drained, hurt.bytes, hurt.kept) })
				})
			}
		}
	}
}

func salvageHeader(b *bed, which string, drained bool, bytes []int64, kept bool) {
	const n = 60
	for i := 1; i <= n; i++ {
		b.settle(i)
	}
	if drained {
		drain(b)
	}
	b.disk.Kill()
	_ = b.Close()
	b.disk.Revive()
	hit, lost := wound(b, which, bytes, kept)
	_, err := ledger.Start("", b.store, ledger.Options{Files: b.disk})
	var damage *ledger.DamageError
	if !errors.As(err, &damage) || damage.Offset != 0 {
		b.Fatalf("start = %v, want a DamageError at byte 0", err)
	}
	before := b.disk.Bytes(hit)
	checkNames(b, hit, kept)
	for range 2 { // the second finds it mended
		b.begin(ledger.Options{Salvage: true, DrainEvery: neverDrained.DrainEvery})
		b.disk.Kill()
		_ = b.Close()
		b.disk.Revive()
	}
	if got := b.disk.Bytes(hit + ".damaged"); string(got) != string(before) {
		b.Errorf("%s.damaged is not as the file was", hit)
	}
	b.begin(ledger.Options{})
	b.settle(n + 1)
	list := b.records()
	seen := map[outcrop.InvocationID]bool{}
	for i, r := range list {
		if seen[r.Invocation] || i > 0 && r.Seq <= list[i-1].Seq {
			b.Errorf("record %d of %s is there again", r.Seq, r.Invocation)
		}
		seen[r.Invocation] = true
	}
	for i := 1; i <= n+1; i++ {
		if id := ledgertest.Record(i).Invocation; !seen[id] && (drained || !lost[outcrop.Seq(i)]) {
			b.Errorf("record %d is lost", i)
		}
	}
	if !drained && !kept && len(list) != n+1-len(lost) {
		b.Errorf("%d records, want %d without the %d lost", len(list), n+1-len(lost), len(lost))
	}
}

// drain gives the store what the log has. The log keeps its segments: the
// process dies before it can delete them.
func drain(b *bed) {
	found, err := ledger.CheckFiles(b.disk)
	if err != nil {
		b.Fatal(err)
	}
	var list []outcrop.UsageRecord
	for i := 1; i <= int(found[len(found)-1].Last); i++ {
		r := ledgertest.Record(i)
		r.Seq = outcrop.Seq(i)
		list = append(list, r)
	}
	if err := b.store.Append(b.Context(), list, list[len(list)-1].Seq); err != nil {
		b.Fatal(err)
	}
}

// wound damages headers. It returns one of the segments, and which records
// cannot be read any more.
func wound(b *bed, which string, bytes []int64, kept bool) (name string, lost map[outcrop.Seq]bool) {
	found, err := ledger.CheckFiles(b.disk)
	if err != nil || len(found) < 5 {
		b.Fatalf("%d segments, %v", len(found), err)
	}
	last := len(found) - 1
	for found[last].Records == 0 {
		last--
	}
	at := map[string][]int{"first": {0}, "middle": {2}, "last": {last}, "two": {2, 3}}[which]
	lost = map[outcrop.Seq]bool{}
	for _, i := range at {
		f := found[i]
		for _, off := range bytes {
			b.disk.Damage(f.Segment, off)
		}
		for seq := f.First; seq <= f.Last; seq++ {
			if !kept || slices.Contains(bytes, 100) && seq == f.First {
				lost[seq] = true
			}
		}
	}
	return found[at[0]].Segment, lost
}

// checkNames has a check name the header, without changing anything.
func checkNames(b *bed, segment string, kept bool) {
	before := b.disk.Bytes(segment)
	found, err := ledger.CheckFiles(b.disk)
	if err != nil {
		b.Fatal(err)
	}
	i := slices.IndexFunc(found, func(f ledger.Finding) bool { return f.Segment == segment })
	if d := found[i].Damage; len(d) == 0 || d[0].From != 0 || (found[i].Records > 0) != kept || !kept && !d[0].Unknown && d[0].Lost == 0 {
		b.Errorf("found %+v", found[i])
	}
	if string(b.disk.Bytes(segment)) != string(before) {
		b.Errorf("a check changed %s", segment)
	}
}

// noRoom is a disk that takes a copy of what is damaged, and then no new
// segment.
type noRoom struct{ ledger.Files }

func (d noRoom) Create(name string, size int64, rest func(int64) bool) (ledger.File, error) {
	if name == "spare" {
		return nil, errors.New("no space left")
	}
	return d.Files.Create(name, size, rest)
}

// A salvage that finds no room leaves everything as it was, to be tried again.
func TestSalvageWithoutRoomChangesNothing(t *testing.T) {
	inBubble(t, neverDrained, func(b *bed) {
		logOf(b, 60)
		name, lost := wound(b, "middle", upTo(512), false)
		before := string(b.disk.Bytes(name))
		if _, err := ledger.Start("", b.store, ledger.Options{Files: noRoom{b.disk}, Salvage: true}); err == nil || !strings.Contains(err.Error(), "no space left") {
			b.Errorf("start = %v", err)
		}
		if string(b.disk.Bytes(name)) != before {
			b.Error("the damaged file was changed")
		}
		b.begin(ledger.Options{Salvage: true})
		if n := len(b.records()); n != 60-len(lost) {
			b.Errorf("%d records, want 60 without the %d lost", n, len(lost))
		}
	})
}

func upTo(n int64) (list []int64) {
	for i := range n {
		list = append(list, i)
	}
	return list
}

// What a newer version wrote is not damaged, and no salvage may touch it.
func TestASegmentOfAnotherFormatIsNotSalvaged(t *testing.T) {
	inBubble(t, neverDrained, func(b *bed) {
		logOf(b, 40)
		name := b.disk.Names()[1]
		f, err := b.disk.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.WriteAt(ledger.Reformat(b.disk.Bytes(name), 2), 0); err != nil {
			b.Fatal(err)
		}
		before := b.disk.Bytes(name)
		for _, salvage := range []bool{false, true} {
			_, err := ledger.Start("", b.store, ledger.Options{Files: b.disk, Salvage: salvage})
			if err == nil || !strings.Contains(err.Error(), "format 2") {
				b.Errorf("salvage %t: start = %v", salvage, err)
			}
		}
		if string(b.disk.Bytes(name)) != string(before) {
			b.Error("it was changed")
		}
	})
}

// Each salvage keeps what it found, beside what those before it kept, and as it
// was before it mended the first of two places.
func TestSalvageKeepsEveryCopy(t *testing.T) {
	inBubble(t, neverDrained, func(b *bed) {
		logOf(b, 40)
		name := b.disk.Names()[0]
		var originals []string
		for _, places := range [][]int64{{100, 2000}, {3}} {
			for _, off := range places {
				b.disk.Damage(name, off)
			}
			originals = append(originals, string(b.disk.Bytes(name)))
			b.begin(ledger.Options{Salvage: true, DrainEvery: neverDrained.DrainEvery})
			b.disk.Kill()
			_ = b.Close()
			b.disk.Revive()
		}
		for i, copied := range []string{name + ".damaged", name + ".damaged.2"} {
			if string(b.disk.Bytes(copied)) != originals[i] {
				b.Errorf("%s is not what was found", copied)
			}
		}
		b.begin(ledger.Options{})
	})
}
