// Package dns answers names of Services for the pods of one real node, and
// passes every other question on to the machine's own name servers.
//
// It knows what Kubernetes specifies for A and SRV records of Services,
// headless ones and the pods behind them included. Simulated pods ask nothing,
// so simulated nodes have no DNS.
package dns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	ttl = 5 // seconds; Services come and go while people watch
	// maxUDP is what a client without extensions accepts.
	maxUDP      = 512
	maxPacket   = 64 << 10
	askTimeout  = 3 * time.Second
	idleTimeout = 10 * time.Second
)

// A Server answers questions. Make one with NewServer.
type Server struct {
	records  Records
	upstream []string // host:port of the machine's name servers
	wg       sync.WaitGroup
}

// Records knows the names of one cluster.
type Records interface {
	// Lookup returns the answers to q. known is false for a name of the
	// cluster that does not exist; ours is false for all other names.
	Lookup(q dnsmessage.Question) (answers []dnsmessage.Resource, known, ours bool)
}

// NewServer returns a server that asks upstream (host:port) what records does
// not know.
func NewServer(records Records, upstream []string) *Server {
	return &Server{records: records, upstream: upstream}
}

// Serve answers on the sockets until ctx is done, and closes them.
func (s *Server) Serve(ctx context.Context, packets net.PacketConn, streams net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		packets.Close()
		streams.Close()
	})
	defer stop()
	errs := make(chan error, 2)
	go func() { errs <- s.servePackets(ctx, packets) }()
	go func() { errs <- s.serveStreams(ctx, streams) }()
	err := errors.Join(<-errs, <-errs)
	s.wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *Server) servePackets(ctx context.Context, conn net.PacketConn) error {
	for {
		buf := make([]byte, maxUDP)
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return fmt.Errorf("answer names: %w", err)
		}
		s.wg.Go(func() {
			if answer := s.answer(ctx, "udp", buf[:n]); answer != nil {
				_, _ = conn.WriteTo(answer, from) // a lost answer is asked for again
			}
		})
	}
}

func (s *Server) serveStreams(ctx context.Context, l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return fmt.Errorf("answer names: %w", err)
		}
		s.wg.Go(func() {
			defer conn.Close()
			for s.answerStream(ctx, conn) == nil {
			}
		})
	}
}

func (s *Server) answerStream(ctx context.Context, conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
		return err
	}
	question, err := readStream(conn)
	if err != nil {
		return err
	}
	return writeStream(conn, s.answer(ctx, "tcp", question))
}

// answer returns the answer to a packed question, nil to one that makes no
// sense.
func (s *Server) answer(ctx context.Context, network string, packed []byte) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(packed)
	if err != nil || header.Response {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	answers, known, ours := s.records.Lookup(q)
	if !ours {
		return s.ask(ctx, network, packed, header, q)
	}
	code := dnsmessage.RCodeSuccess
	if !known {
		code = dnsmessage.RCodeNameError
	}
	reply := pack(header, q, code, answers)
	if network == "udp" && len(reply) > maxUDP {
		header.Truncated = true // the client asks again over TCP
		reply = pack(header, q, code, nil)
	}
	return reply
}

func pack(header dnsmessage.Header, q dnsmessage.Question, code dnsmessage.RCode, answers []dnsmessage.Resource) []byte {
	m := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: header.ID, Response: true, Authoritative: true, Truncated: header.Truncated,
			RecursionDesired: header.RecursionDesired, RecursionAvailable: true, RCode: code,
		},
		Questions: []dnsmessage.Question{q},
		Answers:   answers,
	}
	packed, err := m.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// ask passes a question on as it is, to one name server after the other.
func (s *Server) ask(ctx context.Context, network string, packed []byte, header dnsmessage.Header, q dnsmessage.Question) []byte {
	for _, server := range s.upstream {
		if answer, err := exchange(ctx, network, server, packed); err == nil {
			return answer
		}
	}
	return pack(header, q, dnsmessage.RCodeServerFailure, nil)
}

func exchange(ctx context.Context, network, server string, packed []byte) ([]byte, error) {
	conn, err := (&net.Dialer{Timeout: askTimeout}).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(askTimeout)); err != nil {
		return nil, err
	}
	if network == "tcp" {
		if err := writeStream(conn, packed); err != nil {
			return nil, err
		}
		return readStream(conn)
	}
	if _, err := conn.Write(packed); err != nil {
		return nil, err
	}
	buf := make([]byte, maxPacket)
	n, err := conn.Read(buf)
	return buf[:n], err
}

// Over TCP a message follows its length in two bytes.
func readStream(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, int(length[0])<<8|int(length[1]))
	_, err := io.ReadFull(r, buf)
	return buf, err
}

func writeStream(w io.Writer, packed []byte) error {
	if len(packed) == 0 || len(packed) >= maxPacket {
		return errors.New("no message that can be sent")
	}
	_, err := w.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
	return err
}
