package badinput

import (
	"io"
	"net"
	"sync"
)

// A door stands in front of a server. While it is shut nobody answers at its
// address, and what was connected is cut off.
type door struct {
	address, server string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
	wait     sync.WaitGroup
}

func newDoor(server string) (*door, error) {
	d := &door{address: "127.0.0.1:0", server: server}
	return d, d.open()
}

// open lets everybody through, at the same address as before.
func (d *door) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		return err
	}
	d.listener, d.address = l, l.Addr().String()
	d.wait.Go(func() { d.serve(l) })
	return nil
}

// shut returns when nobody is connected any more.
func (d *door) shut() {
	d.mu.Lock()
	if d.listener != nil {
		_ = d.listener.Close() // it ends serve, which is all that is wanted
		d.listener = nil
	}
	for _, c := range d.conns {
		_ = c.Close()
	}
	d.conns = nil
	d.mu.Unlock()
	d.wait.Wait()
}

func (d *door) serve(l net.Listener) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", d.server)
		if err != nil {
			_ = in.Close()
			continue
		}
		d.mu.Lock()
		if d.listener != l {
			_, _ = in.Close(), out.Close()
		}
		d.conns = append(d.conns, in, out)
		d.mu.Unlock()
		d.wait.Go(func() { pass(in, out) })
		d.wait.Go(func() { pass(out, in) })
	}
}

// pass copies until one side ends, and ends the other.
func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_, _ = to.Close(), from.Close()
}
