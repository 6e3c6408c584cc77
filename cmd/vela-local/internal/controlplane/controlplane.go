// Package controlplane runs the control plane of one embedded cluster inside
// this process: kube-apiserver and, when asked, kube-controller-manager and
// kube-scheduler.
//
// One process runs one cluster at most with controllers: the controller
// manager registers its informers process-wide. The store, the nodes and the
// supervision of the process belong to other packages.
package controlplane

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/pki"
)

// A Cluster describes one control plane. It is plain data, so that the
// supervisor can hand it to a child process as JSON.
type Cluster struct {
	Name string `json:"name"`
	Dir  string `json:"dir"`
	// Port is the API server's, on loopback only.
	Port int `json:"port"`
	// Slot is unique per machine; it picks the cluster's addresses.
	Slot int `json:"slot"`
	// Store is the etcd endpoint.
	Store string `json:"store"`
	// Controllers adds the controller manager, Scheduler the scheduler.
	Controllers bool `json:"controllers"`
	Scheduler   bool `json:"scheduler"`
	// Advertise is the address under which pods reach the API server; empty
	// when no pod runs for real.
	Advertise string `json:"advertise,omitempty"`
}

// Server returns the URL of the API server.
func (c Cluster) Server() string { return "https://" + c.address() }

func (c Cluster) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)) }

// Kubeconfig returns the path of the administrator's kubeconfig.
func (c Cluster) Kubeconfig() string { return filepath.Join(c.Dir, "kubeconfig") }

// CIDR is the range of all addresses of this cluster.
func (c Cluster) CIDR() string { return fmt.Sprintf("10.%d.0.0/16", c.second()) }

// ServiceCIDR is the range of Service addresses, distinct per cluster so that
// the host can route to all of them.
func (c Cluster) ServiceCIDR() string { return fmt.Sprintf("10.%d.0.0/17", c.second()) }

// PodCIDR is the range of Pod addresses.
func (c Cluster) PodCIDR() string { return fmt.Sprintf("10.%d.128.0/18", c.second()) }

// LinkAddress returns an address of the link between the host and the node:
// 1 is the host's, 2 the node's.
func (c Cluster) LinkAddress(end int) string { return fmt.Sprintf("10.%d.192.%d", c.second(), end) }

// second is the second byte of every address of this cluster.
func (c Cluster) second() int { return 100 + c.Slot }

// PKI is the directory of certificates and keys.
func (c Cluster) PKI() string { return filepath.Join(c.Dir, "pki") }

func (c Cluster) pki(file string) string { return filepath.Join(c.PKI(), file) }

// Prepare creates what the components read: certificates, keys, kubeconfigs.
// Authorities and the token signer are kept when they exist.
func (c Cluster) Prepare() error {
	if err := mkdirPrivate(c.PKI()); err != nil {
		return err
	}
	root, err := pki.LoadAuthority(c.PKI(), "ca")
	if err != nil {
		return err
	}
	front, err := pki.LoadAuthority(c.PKI(), "front-proxy-ca")
	if err != nil {
		return err
	}
	if err := pki.EnsureSigner(c.PKI()); err != nil {
		return err
	}
	if _, _, err := front.Issue(pki.Identity{File: "front-proxy-client", Name: "front-proxy-client"}); err != nil {
		return err
	}
	for _, id := range c.identities() {
		if _, _, err := root.Issue(id); err != nil {
			return err
		}
	}
	return c.kubeconfigs(root)
}

func (c Cluster) identities() []pki.Identity {
	hosts := []string{
		"127.0.0.1", "localhost", fmt.Sprintf("10.%d.0.1", c.second()),
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	if c.Advertise != "" {
		hosts = append(hosts, c.Advertise)
	}
	return []pki.Identity{
		{File: "apiserver", Name: "kube-apiserver", Hosts: hosts},
		{File: "kubelet-client", Name: "kube-apiserver-kubelet-client", Groups: []string{"system:masters"}},
	}
}

func (c Cluster) kubeconfigs(root *pki.Authority) error {
	users := []struct {
		path string
		id   pki.Identity
	}{
		{c.Kubeconfig(), pki.Identity{File: "admin", Name: "vela-local-admin", Groups: []string{"system:masters"}}},
		{c.pki("scheduler.kubeconfig"), pki.Identity{File: "scheduler", Name: "system:kube-scheduler"}},
	}
	for _, u := range users {
		if err := c.WriteKubeconfig(root, u.path, c.Server(), u.id); err != nil {
			return err
		}
	}
	return nil
}

// WriteKubeconfig issues a certificate for id and stores a kubeconfig that
// uses it against server.
func (c Cluster) WriteKubeconfig(root *pki.Authority, path, server string, id pki.Identity) error {
	crt, key, err := root.Issue(id)
	if err != nil {
		return err
	}
	return pki.Kubeconfig{Cluster: c.Name, Server: server, CA: root.PEM(), Cert: crt, Key: key}.Write(path)
}

// Run starts the components and calls ready once the API server answers
// readyz. It returns when ctx ends or a component fails.
func Run(ctx context.Context, c Cluster, ready func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 3)
	start := func(name string, run func(context.Context, []string) error, args []string) {
		go func() {
			err := run(ctx, args)
			if err == nil && ctx.Err() == nil {
				err = fmt.Errorf("stopped by itself")
			}
			if err != nil {
				err = fmt.Errorf("%s of cluster %q: %w", name, c.Name, err)
			}
			done <- err
		}()
	}
	running := 1
	start("kube-apiserver", runAPIServer, c.apiserverArgs())
	if err := waitReady(ctx, c, done); err != nil {
		return err
	}
	if c.Controllers {
		running++
		start("kube-controller-manager", runControllers, c.controllerArgs())
	}
	if c.Scheduler {
		running++
		start("kube-scheduler", runScheduler, c.schedulerArgs())
	}
	if err := ready(); err != nil {
		return err
	}
	err := <-done
	cancel()
	for range running - 1 {
		<-done
	}
	return err
}
