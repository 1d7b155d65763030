package ledger

import (
	"encoding/binary"
	"path/filepath"

	"outcrop/internal/record"
)

// CreateFile makes a file as segments are made, for the bare loop of the
// benchmark.
func CreateFile(path string, size int64) (File, error) {
	return (&folder{dir: filepath.Dir(path)}).Create(filepath.Base(path), size, nil)
}

// CheckFiles is Check of files.
var CheckFiles = check

// Reformat is the header of a segment, as another version would have it.
func Reformat(segment []byte, version uint32) []byte {
	b := segment[:headerBytes:headerBytes]
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[headerBytes-4:], record.Checksum(b[:headerBytes-4]))
	return b
}
