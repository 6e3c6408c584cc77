package realnode

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/netns"
)

const (
	inside     = "eth0" // the node's end of the pair
	forwarding = "/proc/sys/net/ipv4/ip_forward"
	defaultMTU = 1500
)

// Connect makes the node's network namespace and the link to it.
func (n Node) Connect() error {
	if err := n.Disconnect(); err != nil {
		return err
	}
	if err := netns.Create(n.Tag()); err != nil {
		return err
	}
	if err := n.pair(); err != nil {
		return fmt.Errorf("link to node %q: %w", n.Name, err)
	}
	if err := n.Do(n.configureInside); err != nil {
		return fmt.Errorf("network of node %q: %w", n.Name, err)
	}
	if err := n.route(); err != nil {
		return fmt.Errorf("route to node %q: %w", n.Name, err)
	}
	return n.masquerade()
}

// pair makes the two interfaces and moves one into the namespace.
func (n Node) pair() error {
	ns, err := netns.Open(n.Tag())
	if err != nil {
		return err
	}
	defer ns.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = n.link(), mtu()
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: n.link() + "p"}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("add %s: %w", n.link(), err)
	}
	peer, err := netlink.LinkByName(n.link() + "p")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetNsFd(peer, int(ns.Fd())); err != nil {
		return err
	}
	return bringUp(n.link(), n.Cluster.LinkAddress(1))
}

func (n Node) configureInside() error {
	peer, err := netlink.LinkByName(n.link() + "p")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetName(peer, inside); err != nil {
		return err
	}
	if err := bringUp("lo", ""); err != nil {
		return err
	}
	if err := bringUp(inside, n.Cluster.LinkAddress(2)); err != nil {
		return err
	}
	gateway := net.ParseIP(n.Cluster.LinkAddress(1))
	if err := netlink.RouteAdd(&netlink.Route{Gw: gateway}); err != nil {
		return fmt.Errorf("default route: %w", err)
	}
	// This file is per namespace: the thread's own.
	return os.WriteFile(forwarding, []byte("1"), 0o644)
}

func bringUp(name, address string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if address != "" {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(address), Mask: net.CIDRMask(30, 32)}}
		if err := netlink.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("address %s on %s: %w", address, name, err)
		}
	}
	return netlink.LinkSetUp(link)
}

// route sends the cluster's pods and Services to the node.
func (n Node) route() error {
	_, all, err := net.ParseCIDR(n.Cluster.CIDR())
	if err != nil {
		return err
	}
	return netlink.RouteReplace(&netlink.Route{Dst: all, Gw: net.ParseIP(n.Cluster.LinkAddress(2))})
}

// masquerade lets pods reach what the host reaches: images, other clusters.
func (n Node) masquerade() error {
	if err := os.WriteFile(forwarding, []byte("1"), 0o644); err != nil {
		return fmt.Errorf("forwarding for node %q: %w", n.Name, err)
	}
	rules := fmt.Sprintf(`table ip %[1]s {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr %[2]s oifname != %[3]q masquerade
	}
}
`, n.Tag(), n.Cluster.CIDR(), n.link())
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("masquerading for node %q: %w: %s", n.Name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Disconnect undoes Connect; what is not there is fine.
func (n Node) Disconnect() error {
	var errs []error
	if link, err := netlink.LinkByName(n.link()); err == nil {
		errs = append(errs, netlink.LinkDel(link))
	}
	errs = append(errs, netns.Delete(n.Tag()))
	if _, err := exec.LookPath("nft"); err == nil {
		// The table may not exist: adding it first makes deleting it succeed.
		cmd := exec.Command("nft", "-f", "-")
		cmd.Stdin = strings.NewReader("table ip " + n.Tag() + "\ndelete table ip " + n.Tag() + "\n")
		errs = append(errs, cmd.Run())
	}
	return errors.Join(errs...)
}

// mtu is that of the interface towards the network, which pods' packets must
// fit too.
func mtu() int {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return defaultMTU
	}
	for _, r := range routes {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() {
			continue
		}
		if link, err := netlink.LinkByIndex(r.LinkIndex); err == nil {
			return link.Attrs().MTU
		}
	}
	return defaultMTU
}
