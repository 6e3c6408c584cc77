package realnode

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
)

// A Forwarder lets the node reach the API server on the host's loopback: it
// listens on the host's end of the link, where only the node and its pods can
// connect to, and passes bytes on. TLS stays end to end.
type Forwarder struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool
	wg     sync.WaitGroup
}

// Forward starts forwarding for the node, once it is connected.
func (n Node) Forward() (*Forwarder, error) {
	port := strconv.Itoa(n.Cluster.Port)
	return forward(net.JoinHostPort(n.Cluster.LinkAddress(1), port), net.JoinHostPort("127.0.0.1", port))
}

func forward(from, to string) (*Forwarder, error) {
	l, err := net.Listen("tcp", from)
	if err != nil {
		return nil, fmt.Errorf("forward the API server: %w", err)
	}
	f := &Forwarder{listener: l, target: to, open: map[net.Conn]bool{}}
	f.wg.Go(f.accept)
	return f, nil
}

// Close stops forwarding, open connections included.
func (f *Forwarder) Close() error {
	f.mu.Lock()
	f.closed = true
	err := f.listener.Close()
	for c := range f.open {
		c.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
	return err
}

func (f *Forwarder) accept() {
	for {
		in, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.wg.Go(func() { f.pass(in) })
	}
}

// pass copies both ways; the end of one direction ends both, as it does for an
// API server's client.
func (f *Forwarder) pass(in net.Conn) {
	out, err := net.Dial("tcp", f.target)
	if err != nil {
		in.Close()
		return
	}
	if !f.track(in, out) {
		return
	}
	defer f.untrack(in, out)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, in); out.Close() })
	both.Go(func() { _, _ = io.Copy(in, out); in.Close() })
	both.Wait()
}

func (f *Forwarder) track(conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		if f.closed {
			c.Close()
			continue
		}
		f.open[c] = true
	}
	return !f.closed
}

func (f *Forwarder) untrack(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(f.open, c)
	}
}
