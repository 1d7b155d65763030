//go:build !purego

package jsonlex

// quietSteps returns how many of so many steps of text come before the first
// that is not quiet.
//
//go:noescape
func quietSteps(text *byte, steps int) int
