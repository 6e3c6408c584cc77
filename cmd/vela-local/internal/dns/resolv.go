package dns

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"strings"
)

const resolvConf = "/etc/resolv.conf"

// Upstream returns the name servers that this machine uses, as host:port.
func Upstream() []string {
	var out []string
	for _, ip := range nameservers(resolvConf) {
		out = append(out, net.JoinHostPort(ip.String(), "53"))
	}
	return out
}

// Stubs returns the loopback addresses among them, such as systemd's: in a
// network namespace nobody answers there unless this package does.
func Stubs() []string {
	var out []string
	for _, ip := range nameservers(resolvConf) {
		if ip.IsLoopback() && ip.Is4() {
			out = append(out, ip.String())
		}
	}
	return out
}

func nameservers(path string) []netip.Addr {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var out []netip.Addr
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if ip, err := netip.ParseAddr(fields[1]); err == nil {
			out = append(out, ip)
		}
	}
	return out
}
