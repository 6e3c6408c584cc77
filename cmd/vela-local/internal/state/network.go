package state

import (
	"bufio"
	"encoding/hex"
	"hash/fnv"
	"net"
	"os"
	"strings"
)

// FirstSlot spreads installations over the slots, so that two of them on one
// machine rarely compete.
func (d Dir) FirstSlot() int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(d))
	return int(h.Sum32() % Slots)
}

// SlotInUse reports whether this machine has an address or a route in the
// slot's range.
func SlotInUse(slot int) bool {
	second := byte(100 + slot)
	in := func(ip net.IP) bool { ip = ip.To4(); return ip != nil && ip[0] == 10 && ip[1] == second }
	addrs, err := net.InterfaceAddrs()
	if err == nil {
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && in(n.IP) {
				return true
			}
		}
	}
	for _, ip := range routes() {
		if in(ip) {
			return true
		}
	}
	return false
}

// routes returns the destinations of the machine's IPv4 routes.
func routes() []net.IP {
	f, err := os.Open("/proc/net/route")
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []net.IP
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		b, err := hex.DecodeString(fields[1])
		if err != nil || len(b) != net.IPv4len {
			continue
		}
		out = append(out, net.IPv4(b[3], b[2], b[1], b[0])) // little endian
	}
	return out
}
