// Package port finds free TCP ports on loopback.
package port

import (
	"fmt"
	"net"
	"strconv"
)

// Free returns a port of 127.0.0.1 that nobody listens on right now.
func Free() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// Usable reports whether p can be listened on right now.
func Usable(p int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
