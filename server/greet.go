package server

import (
	"fmt"
	"io"
	"net"
	"path/filepath"

	"outcrop/identity"
)

// greet tells a person where the server is and what to type next. The
// credentials are shown on the first start only.
func (s *Server) greet(w io.Writer) {
	dir := s.config.DataDir
	fmt.Fprintf(w, "Outcrop is listening on %s\n", s.Endpoint())
	s.warnOpen(w)
	if s.first != nil {
		fmt.Fprintf(w, "\nThis is its first start. Account %s has one administrator, shown here once and kept in %s:\n\n", s.config.Account, filepath.Join(dir, "credentials"))
		ShowCredentials(w, s.first)
	}
	env := "outcrop env"
	if dir != DefaultDataDir {
		env += " --data " + dir
	}
	if s.config.TLS {
		if ca, err := filepath.Abs(filepath.Join(dir, CAFile)); err == nil {
			fmt.Fprintf(w, "\nMake Node trust it:          export NODE_EXTRA_CA_CERTS='%s'\n", ca)
		}
	}
	fmt.Fprintf(w, "\nPoint every AWS tool at it:  eval \"$(%s)\"\nThen try:                    aws bedrock list-inference-profiles\n", env)
}

// ShowCredentials prints new credentials for a person to keep.
func ShowCredentials(w io.Writer, b *identity.Bootstrapped) {
	fmt.Fprintf(w, "  access key id      %s\n", b.AccessKeyID)
	fmt.Fprintf(w, "  secret access key  %s\n", b.SecretAccessKey)
	fmt.Fprintf(w, "  Bedrock API key    %s\n", b.APIKey)
}

// warnOpen says who else can reach the server, since the line before names
// only what is reached from here.
func (s *Server) warnOpen(w io.Writer) {
	host, port, _ := net.SplitHostPort(s.addr.String())
	ip := net.ParseIP(host)
	if ip == nil || ip.IsLoopback() {
		return
	}
	where := "at " + host
	if ip.IsUnspecified() {
		where = "at every address of this machine"
	}
	fmt.Fprintf(w, "It can be reached from the network, %s, port %s", where, port)
	if !s.config.TLS {
		fmt.Fprint(w, ", and in the clear: --tls encrypts")
	}
	fmt.Fprintln(w, ".")
}
