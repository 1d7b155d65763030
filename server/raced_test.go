//go:build race

package server

// raced says that the race detector watches, under which pools forget at random.
const raced = true
