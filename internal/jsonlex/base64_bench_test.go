package jsonlex

import (
	"bytes"
	"testing"
)

func BenchmarkBase64(b *testing.B) {
	text := bytes.Repeat([]byte("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf"), 1<<20/40)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if !validBase64(text) {
			b.Fatal("not valid")
		}
	}
}
