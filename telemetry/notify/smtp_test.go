package notify

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority makes a certificate for 127.0.0.1 that signs itself, and its file.
func authority(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// A post is a mail server that wants TLS and a password, as RFC 5321, 3207 and
// 4954 say. It keeps what it was told, and whether that was in the open.
type post struct {
	certificate    tls.Certificate
	starttls, full bool // offers STARTTLS; speaks TLS from the first byte
	user, password string
	told           chan []string // of one connection; lines in the open begin with "open: "
}

func (p *post) listen(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.told = make(chan []string, 8)
	done := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(10 * time.Second))
			p.talk(c)
		}
	}()
	return l.Addr().String()
}

func (p *post) talk(c net.Conn) {
	var told []string
	defer func() {
		c.Close()
		p.told <- told
	}()
	secure, known, data := p.full, false, false
	if secure {
		c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.certificate}})
	}
	in := bufio.NewReader(c)
	say := func(line string) { fmt.Fprint(c, line+"\r\n") }
	say("220 post")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if !secure {
			line = "open: " + line
		}
		told = append(told, line)
		verb, rest, _ := strings.Cut(strings.TrimPrefix(line, "open: "), " ")
		switch {
		case data && line == ".":
			data = false
			say("250 taken")
		case data:
		case verb == "EHLO" && p.starttls && !secure:
			say("250-post\r\n250-STARTTLS\r\n250 AUTH PLAIN")
		case verb == "EHLO":
			say("250-post\r\n250 AUTH PLAIN")
		case verb == "STARTTLS":
			say("220 go on")
			c, secure = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.certificate}}), true
			in = bufio.NewReader(c)
		case verb == "AUTH":
			word, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if known = string(word) == "\x00"+p.user+"\x00"+p.password; known {
				say("235 welcome")
			} else {
				say("535 5.7.8 who are you")
			}
		case (verb == "MAIL" || verb == "RCPT") && !known:
			say("530 5.7.0 log in first")
		case verb == "DATA":
			data = true
			say("354 go on")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestAMailGoesOverTLSWithAPassword(t *testing.T) {
	certificate, ca := authority(t)
	for name, full := range map[string]bool{"STARTTLS": false, "TLS from the first byte": true} {
		t.Run(name, func(t *testing.T) {
			p := &post{certificate: certificate, starttls: !full, full: full, user: "outcrop", password: "correct horse"}
			mail := SMTP{Address: p.listen(t), From: "outcrop@example.com", User: "outcrop", Password: "correct horse", TLS: full, CAFile: ca}
			if err := New(mail).Send(t.Context(), message("EMAIL", "ann@example.com")); err != nil {
				t.Fatal(err)
			}
			all := strings.Join(<-p.told, "\n")
			for _, want := range []string{"\nAUTH PLAIN ", "\nMAIL FROM:<outcrop@example.com>", "\nRCPT TO:<ann@example.com>", "\nSubject: Budget team-a", "\nBudget team-a: 9 of 10.", "\nQUIT"} {
				if !strings.Contains("\n"+all, want) {
					t.Errorf("%q lacks %q", all, want)
				}
			}
		})
	}
}

func TestAPasswordIsToldToNobodyElse(t *testing.T) {
	certificate, ca := authority(t)
	_, other := authority(t)
	for name, c := range map[string]struct {
		starttls bool
		ca, want string
	}{
		"no TLS":              {false, ca, "offers no STARTTLS"},
		"another's authority": {true, other, "certificate"},
		"the system's":        {true, "", "certificate"},
		"no file":             {true, filepath.Join(t.TempDir(), "none"), "budgets.smtp.caFile"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &post{certificate: certificate, starttls: c.starttls, user: "outcrop", password: "secret"}
			mail := SMTP{Address: p.listen(t), From: "outcrop@example.com", User: "outcrop", Password: "secret", CAFile: c.ca}
			err := New(mail).Send(t.Context(), message("EMAIL", "ann@example.com"))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("err = %v, want it to say %q", err, c.want)
			}
			if all := strings.Join(<-p.told, "\n"); strings.Contains(all, "AUTH") || strings.Contains(all, "MAIL") {
				t.Errorf("the server was told %q", all)
			}
		})
	}
}

func TestAWrongPasswordIsTheServersWord(t *testing.T) {
	certificate, ca := authority(t)
	p := &post{certificate: certificate, starttls: true, user: "outcrop", password: "right"}
	mail := SMTP{Address: p.listen(t), From: "outcrop@example.com", User: "outcrop", Password: "wrong", CAFile: ca}
	if err := New(mail).Send(t.Context(), message("EMAIL", "ann@example.com")); err == nil || !strings.Contains(err.Error(), "who are you") {
		t.Errorf("err = %v", err)
	}
}
