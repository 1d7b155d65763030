package mishap

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestCaught(t *testing.T) {
	if err := Caught(func() error { return io.EOF }); err != io.EOF {
		t.Error(err)
	}
	if err := Caught(func() error { return nil }); err != nil {
		t.Error(err)
	}
	var p *Panic
	err := Caught(func() error { panic("lost") })
	if !errors.As(err, &p) || p.Value != "lost" || !strings.Contains(err.Error(), "mishap.TestCaught") {
		t.Error(err)
	}
}
