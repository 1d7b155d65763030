//go:build !linux

package ledger

import "os"

// syncData waits for content and metadata: what every system offers.
func syncData(f *os.File) error { return f.Sync() }
