package email_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// A mailServer speaks SMTP as far as a client needs it to send mail.
type mailServer struct {
	listener net.Listener
	tls      *tls.Config
	implicit bool // encrypted from the beginning
	plain    bool // offers no encryption
	refuse   string

	mu    sync.Mutex
	mails []string // "login, from, recipients" and the text
	done  sync.WaitGroup
}

func (s *mailServer) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.listener = l
	s.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.done.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.done.Wait()
	})
}

// serve is one conversation.
func (s *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if s.implicit {
		conn = tls.Server(conn, s.tls)
	}
	secure := s.implicit
	in := bufio.NewReader(conn)
	say := func(text string) { _, _ = fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 ready")
	var login, from string
	var to []string
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-hello")
			if !secure && !s.plain {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go on")
			conn = tls.Server(conn, s.tls)
			in, secure = bufio.NewReader(conn), true
		case "AUTH":
			_, token, _ := strings.Cut(rest, " ")
			decoded, _ := base64.StdEncoding.DecodeString(token)
			login = strings.ReplaceAll(strings.Trim(string(decoded), "\x00"), "\x00", ":")
			if s.refuse == "login" {
				say("535 wrong password")
				continue
			}
			say("235 welcome")
		case "MAIL":
			from = rest
			say("250 ok")
		case "RCPT":
			if s.refuse == "recipient" {
				say("550 nobody here")
				continue
			}
			to = append(to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(line)
			}
			s.mu.Lock()
			s.mails = append(s.mails, fmt.Sprintf("secure=%v %s %s %s\n%s", secure, login, from, to, text.String()))
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 what?")
		}
	}
}

func (s *mailServer) received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}
