// Package loopback says which hosts are this very machine: what may be spoken
// to without TLS, and is not worth zipping for.
package loopback

import "net/netip"

// Host says whether a URL's host name, without a port or brackets, is this
// machine's by itself: no name is looked up.
func Host(name string) bool {
	ip, _ := netip.ParseAddr(name) // the zero address is nobody's
	return name == "localhost" || ip.Unmap().IsLoopback()
}
