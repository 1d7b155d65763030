//go:build !amd64 || purego

package bodyhash

func compress(_, _ *[8]uint32, _, _ *byte, _ int) { panic("bodyhash: not capable") }

func capable() bool { return false }
