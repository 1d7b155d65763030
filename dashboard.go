package outcrop

import "time"

// A Dashboard is a page of charts that a client laid out; its body is the
// client's JSON.
type Dashboard struct {
	Account  AccountID
	Name     string
	Body     string
	Modified time.Time
	Tags     Tags
}
