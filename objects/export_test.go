package objects

// Hasty makes f sync nothing to disk, for tests of many objects.
func Hasty(f *Folder) *Folder {
	f.hasty = true
	return f
}
