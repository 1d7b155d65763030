package profiletest

import (
	"errors"
	"strings"
	"testing"

	"outcrop"
)

// Refused checks that err is one for the client, of the given kind and with
// the given words, and returns it.
func Refused(t testing.TB, err error, kind outcrop.Kind, words string) *outcrop.Error {
	t.Helper()
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Message, words) {
		t.Errorf("err = %v, want kind %d with %q", err, kind, words)
		return &outcrop.Error{}
	}
	return e
}
