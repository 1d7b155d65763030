package logs

// Hasty are options of a store that syncs nothing to disk, for tests of many
// events.
func Hasty(o Options) Options {
	o.hasty = true
	return o
}
