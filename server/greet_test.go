package server

import (
	"net"
	"strings"
	"testing"
)

// Whoever opens the server to the network reads so, and what to do about it.
func TestTheGreetingSaysWhoCanReachTheServer(t *testing.T) {
	for _, c := range []struct {
		address string
		tls     bool
		want    string
	}{
		{"127.0.0.1:4599", false, ""},
		{"[::1]:4599", false, ""},
		{"0.0.0.0:4599", false, "It can be reached from the network, at every address of this machine, port 4599, and in the clear: --tls encrypts.\n"},
		{"[::]:4599", true, "It can be reached from the network, at every address of this machine, port 4599.\n"},
		{"192.0.2.7:80", false, "It can be reached from the network, at 192.0.2.7, port 80, and in the clear: --tls encrypts.\n"},
	} {
		at, err := net.ResolveTCPAddr("tcp", c.address)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		(&Server{addr: at, config: Config{TLS: c.tls}}).warnOpen(&b)
		if b.String() != c.want {
			t.Errorf("%s: %q, want %q", c.address, &b, c.want)
		}
	}
}
