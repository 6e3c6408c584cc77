package simnode

import (
	"net/netip"
	"sync"
)

// addresses hands out pod addresses. It is safe for concurrent use.
type addresses struct {
	prefix netip.Prefix

	mu    sync.Mutex
	next  netip.Addr
	inUse map[netip.Addr]bool
	byPod map[string]netip.Addr
}

func newAddresses(prefix netip.Prefix) *addresses {
	return &addresses{
		prefix: prefix.Masked(),
		next:   prefix.Masked().Addr().Next(),
		inUse:  map[netip.Addr]bool{},
		byPod:  map[string]netip.Addr{},
	}
}

// take returns the address of a pod: the same one when it asks again because
// its status could not be written. An exhausted range gives "".
func (a *addresses) take(pod string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if addr, ok := a.byPod[pod]; ok {
		return addr.String()
	}
	for first := a.next; ; {
		addr := a.next
		a.next = a.next.Next()
		if !a.prefix.Contains(a.next) {
			a.next = a.prefix.Addr().Next()
		}
		if !a.inUse[addr] {
			a.inUse[addr], a.byPod[pod] = true, addr
			return addr.String()
		}
		if a.next == first {
			return ""
		}
	}
}

// reserve marks an address that a pod has from before.
func (a *addresses) reserve(ip string) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.inUse[addr] = true
}

// release gives the address of a pod that is gone back.
func (a *addresses) release(pod, ip string) {
	addr, err := netip.ParseAddr(ip)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		addr = a.byPod[pod]
	}
	delete(a.inUse, addr)
	delete(a.byPod, pod)
}
