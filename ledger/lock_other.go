//go:build !unix || solaris || aix

package ledger

import "os"

// tryLock relies on the operator where the system has no flock.
func tryLock(*os.File) error { return nil }

// syncDir relies on the file system's journal for names.
func syncDir(string) error { return nil }
