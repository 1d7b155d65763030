package tsv

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	var got []string
	err := Read("t.tsv", "# comment\n\na\tb\r\n1\t-\n# another\n2\tx,y\n", func(r Row) error {
		got = append(got, r.Get("a")+"|"+r.Get("b")+"|"+r.Get("absent")+"|"+strings.Join(r.List("b"), "+"))
		if (r.Line != 4) != (r.Get("a") == "2") {
			t.Errorf("row %s stands on line %d", r.Get("a"), r.Line)
		}
		return nil
	})
	if want := []string{"1|||", "2|x,y||x+y"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("rows %q, %v; want %q", got, err, want)
	}
}

func TestMistakesNameTheirLine(t *testing.T) {
	err := Read("t.tsv", "a\tb\n1\n", func(Row) error { return nil })
	if err == nil || err.Error() != "t.tsv:2: 1 cells for 2 columns" {
		t.Errorf("err = %v", err)
	}
	bad := errors.New("bad")
	err = Read("t.tsv", "a\n\n1\n", func(Row) error { return bad })
	if !errors.Is(err, bad) || !strings.HasPrefix(err.Error(), "t.tsv:3: ") {
		t.Errorf("err = %v", err)
	}
}

func TestTime(t *testing.T) {
	for cell, want := range map[string]string{
		"": "0001-01-01T00:00:00Z", "2026-11-21": "2026-11-21T00:00:00Z",
		"2026-11-21T10:00:00.5Z": "2026-11-21T10:00:00.5Z", "2026-11-21T10:00:00+02:00": "2026-11-21T08:00:00Z",
	} {
		if got, err := Time(cell); err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%q: %v, %v; want %s", cell, got, err, want)
		}
	}
	for _, cell := range []string{"soon", "2026-11-31", "2026-11-21T10:00:00", "21.11.2026"} {
		if got, err := Time(cell); err == nil {
			t.Errorf("%q: %v", cell, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a\tb\n1\t2\n")
	f.Fuzz(func(t *testing.T, text string) {
		_ = Read("t.tsv", text, func(r Row) error { // must not panic
			r.Get("a")
			r.List("b")
			return nil
		})
	})
}
