// Package email is the provider package "vela/email": workflow steps send mail.
//
// A step sends a mail once: what it has sent is in its memory, so that it does not
// send it again when it is tried again because of something after the mail. Connections are
// always encrypted before a password is sent: from the beginning at port 465, and
// by STARTTLS everywhere else.
package email

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"strconv"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
)

//go:embed email.cue
var schema string

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/email", Text: schema} }

// Options are what the package needs for one run; without a Sender or a Memory
// nothing is offered.
type Options struct {
	Sender *Sender
	Memory provider.Memory // of the step
}

// New returns the package.
func New(o Options) provider.Package {
	p := provider.Package{Name: "email", Schema: schema}
	if o.Sender != nil && o.Memory != nil {
		p.Write = provider.Actions{"send": o.send}
	}
	return p
}

// A Dial opens a connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// A Sender sends mails. It is safe for concurrent use.
type Sender struct {
	dial Dial
	tls  *tls.Config
}

// NewSender returns a sender that connects through dial. config may add
// certificates to trust.
func NewSender(dial Dial, config *tls.Config) *Sender {
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &Sender{dial: dial, tls: config}
}

const (
	timeout     = 20 * time.Second // of one mail, all answers of the server together
	implicitTLS = 465
)

func (o Options) send(ctx context.Context, call provider.Call) (any, error) {
	var m message
	if err := provider.Decode(call.Params, &m); err != nil {
		return nil, fmt.Errorf("parameters of send: %w", err)
	}
	digest, err := m.digest()
	if err != nil {
		return nil, err
	}
	key := "sent " + call.Path
	if o.Memory.Recall(key) == digest {
		return nil, nil
	}
	if err := o.Sender.deliver(ctx, m, o.Memory.Now(), digest); err != nil {
		return nil, fmt.Errorf("send mail through %s: %w", m.server(), err)
	}
	o.Memory.Remember(key, digest)
	return nil, nil
}

func (s *Sender) deliver(ctx context.Context, m message, now time.Time, digest string) error {
	text, recipients, err := m.compose(now, digest)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := s.connect(ctx, m)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if m.From.Password != "" {
		if ok, _ := c.Extension("AUTH"); !ok {
			return errors.New("the server offers no way to log in")
		}
		if err := c.Auth(smtp.PlainAuth("", m.From.Address, m.From.Password, m.From.Host)); err != nil {
			return fmt.Errorf("log in: %w", err)
		}
	}
	if err := c.Mail(m.From.Address); err != nil {
		return fmt.Errorf("from %q: %w", m.From.Address, err)
	}
	for _, to := range recipients {
		if err := c.Rcpt(to); err != nil {
			return fmt.Errorf("to %q: %w", to, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil { // here the server takes the mail, or not
		return err
	}
	_ = c.Quit() // the mail is on its way
	return nil
}

// connect opens an encrypted connection.
func (s *Sender) connect(ctx context.Context, m message) (*smtp.Client, error) {
	conn, err := s.dial(ctx, "tcp", m.server())
	if err != nil {
		return nil, err
	}
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	config := s.tls.Clone()
	config.ServerName = m.From.Host
	if m.From.Port == implicitTLS {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, m.From.Host)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if m.From.Port == implicitTLS {
		return c, nil
	}
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return nil, errors.Join(errors.New("the server offers no encryption (STARTTLS), and a password must not be sent without it"), c.Close())
	}
	if err := c.StartTLS(config); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (m message) server() string { return net.JoinHostPort(m.From.Host, strconv.Itoa(m.From.Port)) }

// digest identifies what is sent to whom.
func (m message) digest() (string, error) {
	m.From.Password = ""
	b, err := json.Marshal(m)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}
