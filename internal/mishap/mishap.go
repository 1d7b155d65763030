// Package mishap makes errors of panics, for work that clients have begun and
// that runs beside their requests: there, a panic would end the process, and
// with it everybody's calls.
package mishap

import (
	"fmt"
	"runtime/debug"
)

// A Panic is what f panicked with, and where. It is for logs.
type Panic struct {
	Value any
	Stack string
}

// Error implements error.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v\n%s", p.Value, p.Stack) }

// Caught calls f. Its error is f's, or a *Panic.
func Caught(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{v, string(debug.Stack())}
		}
	}()
	return f()
}
