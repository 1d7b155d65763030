//go:build !amd64 || purego

package jsonlex

import (
	"encoding/binary"
	"unsafe"
)

func quietSteps(text *byte, steps int) int {
	b := unsafe.Slice(text, steps*stepBytes)
	for i := 0; i < len(b); i += 32 {
		four := b[i : i+32 : i+32]
		w, x := binary.LittleEndian.Uint64(four), binary.LittleEndian.Uint64(four[8:])
		y, z := binary.LittleEndian.Uint64(four[16:]), binary.LittleEndian.Uint64(four[24:])
		if (w|x|y|z)&highs|unplain(w)|unplain(x)|unplain(y)|unplain(z) != 0 {
			return i / stepBytes
		}
	}
	return steps
}
