package child

import (
	"context"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/dns"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/netns"
)

// serveNames answers the names that the real node's pods ask for, on the
// node's address, and where the machine has a stub resolver, on the stub's
// address in the node's namespace too: containerd asks there.
func serveNames(ctx context.Context, spec Spec, client kubernetes.Interface) error {
	records, err := dns.WatchServices(ctx, client)
	if err != nil {
		return err
	}
	server := dns.NewServer(records, dns.Upstream())
	group, ctx := errgroup.WithContext(ctx)
	for _, ip := range append([]string{spec.Cluster.LinkAddress(2)}, dns.Stubs()...) {
		packets, streams, err := listenInside(spec.NodeNetwork, net.JoinHostPort(ip, "53"))
		if err != nil {
			return fmt.Errorf("name server of cluster %q: %w", spec.Cluster.Name, err)
		}
		group.Go(func() error { return server.Serve(ctx, packets, streams) })
	}
	return group.Wait()
}

// listenInside opens sockets in a network namespace; they stay in it.
func listenInside(namespace, address string) (packets net.PacketConn, streams net.Listener, err error) {
	err = netns.Do(namespace, func() error {
		var err error
		if packets, err = net.ListenPacket("udp", address); err != nil {
			return err
		}
		if streams, err = net.Listen("tcp", address); err != nil {
			packets.Close()
		}
		return err
	})
	return packets, streams, err
}
