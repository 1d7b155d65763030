// Package notify brings messages to their subscribers: as JSON to a webhook,
// or by e-mail.
package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"strings"
	"time"

	"outcrop"
	"outcrop/budget"
)

// SMTP is the mail server to hand messages to. An empty Address is none.
type SMTP struct {
	Address        string // host:port
	From           string
	User, Password string // empty for a server that asks for none; told over TLS alone
	TLS            bool   // from the first byte (port 465); else STARTTLS where the server offers it
	CAFile         string // PEM file of authorities to trust the server by; empty for the system's
}

// A Notifier sends messages. It is safe for concurrent use.
type Notifier struct {
	mail SMTP
	http *http.Client
}

const timeout = 15 * time.Second

// New makes a Notifier. It follows no redirects: a webhook is where it says.
func New(mail SMTP) *Notifier {
	return &Notifier{mail: mail, http: &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Send implements budget.Sender. An SNS topic is AWS's own: its messages are in
// the log only.
func (n *Notifier) Send(ctx context.Context, d budget.Delivery) error {
	switch {
	case d.Subscriber.Type == "EMAIL":
		return n.email(ctx, d)
	case strings.HasPrefix(d.Subscriber.Address, "arn:"):
		return nil
	}
	return n.webhook(ctx, d)
}

// webhook posts the facts with the text, in the form that chat services show.
func (n *Notifier) webhook(ctx context.Context, d budget.Delivery) error {
	if len(d.Body) > 0 {
		return n.post(ctx, d.Subscriber.Address, d.Body)
	}
	body, err := json.Marshal(struct {
		Subject string `json:"subject"`
		Text    string `json:"text"`
		budget.Facts
		Start time.Time `json:"periodStart"`
		End   time.Time `json:"periodEnd"`
	}{d.Subject, d.Text, d.Facts, d.Facts.Start, d.Facts.End})
	if err != nil {
		return err
	}
	return n.post(ctx, d.Subscriber.Address, body)
}

func (n *Notifier) post(ctx context.Context, address string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return hide(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "outcrop")
	answer, err := n.http.Do(r)
	if err != nil {
		return hide(err)
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answered %s", answer.Status)
	}
	return nil
}

// hide keeps a webhook's address, which is often a secret, out of the log.
func hide(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if op := (*net.OpError)(nil); errors.As(inner, &op) {
			return fmt.Errorf("the webhook cannot be reached: %w", op.Err)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the webhook did not answer in time")
	}
	return errors.New("the webhook cannot be reached")
}

func (n *Notifier) email(ctx context.Context, d budget.Delivery) error {
	if n.mail.Address == "" {
		return outcrop.Errorf(outcrop.Unavailable, "no mail server is configured: set budgets.smtp")
	}
	c, err := n.dial(ctx)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	defer c.Close()
	if err := n.submit(c, d); err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	return c.Quit()
}

func (n *Notifier) dial(ctx context.Context) (*smtp.Client, error) {
	host, _, err := net.SplitHostPort(n.mail.Address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", n.mail.Address)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(timeout))
	trust, err := n.mail.trust(host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if n.mail.TLS {
		conn = tls.Client(conn, trust)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := n.mail.secure(c, trust, host); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// trust is how the server has to prove who it is. The file is read anew each
// time, so that an authority may be exchanged.
func (m *SMTP) trust(host string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if m.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(m.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read budgets.smtp.caFile: %w", err)
	}
	if config.RootCAs = x509.NewCertPool(); !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("budgets.smtp.caFile: %s holds no certificate", m.CAFile)
	}
	return config, nil
}

// secure begins TLS where the server offers it, and logs in. A password never
// goes over an open connection.
func (m *SMTP) secure(c *smtp.Client, trust *tls.Config, host string) error {
	if ok, _ := c.Extension("STARTTLS"); ok && !m.TLS {
		if err := c.StartTLS(trust); err != nil {
			return err
		}
	}
	if m.User == "" {
		return nil
	}
	if _, secure := c.TLSConnectionState(); !secure {
		return errors.New("it offers no STARTTLS, so the password is not told: set budgets.smtp.tls for a port that speaks TLS from the first byte, or leave user and password out")
	}
	return c.Auth(smtp.PlainAuth("", m.User, m.Password, host))
}

func (n *Notifier) submit(c *smtp.Client, d budget.Delivery) error {
	if err := c.Mail(n.mail.From); err != nil {
		return err
	}
	if err := c.Rcpt(d.Subscriber.Address); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	head := "From: " + n.mail.From + "\r\nTo: " + d.Subscriber.Address + "\r\nSubject: " + mime.QEncoding.Encode("utf-8", d.Subject) +
		"\r\nDate: " + time.Now().UTC().Format(time.RFC1123Z) + "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
	if _, err := io.WriteString(w, head+strings.ReplaceAll(d.Text, "\n", "\r\n")+"\r\n"); err != nil {
		return err
	}
	return w.Close()
}
