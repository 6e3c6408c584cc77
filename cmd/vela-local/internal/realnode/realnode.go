// Package realnode runs pods for real: one node per cluster, made of kubelet,
// kube-proxy and containerd in a network namespace of its own, so that several
// nodes share one machine without sharing service rules, ports or bridges.
//
// The host reaches pods and Services through a pair of virtual interfaces; the
// node reaches its API server, which listens on loopback only, through a
// forwarder on the host's end of that pair. The package prepares, describes
// the processes for the supervisor to run, and cleans up; it needs root.
package realnode

import (
	"fmt"
	"path/filepath"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/netns"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

const (
	runDir = "/run/vela-local"
	// longStateDir is used for installations whose own path is too long for
	// the sockets that a kubelet keeps below its directory.
	longStateDir = "/var/lib/vela-local"
	maxStatePath = 50
	// PauseImage is the image of every pod's sandbox; HelloImage is the demo
	// that the examples deploy. Both are built with this program.
	PauseImage = "docker.io/vela/pause:1.0"
	HelloImage = "docker.io/vela/hello:1.0"

	kubeletPort = 10250
)

// A Node is the real node of one cluster.
type Node struct {
	Name    string
	Cluster controlplane.Cluster
	// Owner is the installation.
	Owner state.Dir
	// Self is the path of this binary, which is kubelet and kube-proxy too.
	Self string
	// Images is the directory of image archives to import.
	Images string
	// Log returns the log file of a process.
	Log func(name string) string
}

// Tag names what belongs to this node machine-wide: namespace and cgroup.
func (n Node) Tag() string { return tagPrefix(n.Owner) + n.Cluster.Name }

func tagPrefix(owner state.Dir) string { return "vela-local-" + owner.ID() + "-" }

// link is the name of the host's end of the interface pair; the slot keeps it
// unique and short enough for the kernel.
func (n Node) link() string { return fmt.Sprintf("vela%d", n.Cluster.Slot) }

// run is for sockets and what does not outlive the node.
func (n Node) run() string { return filepath.Join(runDir, n.Owner.ID(), n.Cluster.Name) }

// state is for images, volumes and logs of pods.
func (n Node) state() string { return stateDir(n.Owner, n.Cluster.Name) }

func stateDir(owner state.Dir, cluster string) string {
	dir := filepath.Join(owner.Cluster(cluster), "node")
	if len(dir) <= maxStatePath {
		return dir
	}
	return filepath.Join(longStateDir, owner.ID(), cluster)
}

func (n Node) socket() string           { return filepath.Join(n.run(), "containerd.sock") }
func (n Node) file(name string) string  { return filepath.Join(n.run(), name) }
func (n Node) kubeletConfig() string    { return n.file("kubelet.json") }
func (n Node) proxyConfig() string      { return n.file("proxy.json") }
func (n Node) containerdConfig() string { return n.file("containerd.toml") }
func (n Node) forwarded() string {
	return fmt.Sprintf("https://%s:%d", n.Cluster.LinkAddress(1), n.Cluster.Port)
}

// Containerd describes the container runtime's process.
func (n Node) Containerd() process.Spec {
	return n.spec("containerd", "containerd", "--config", n.containerdConfig())
}

// Kubelet describes the kubelet's process.
func (n Node) Kubelet() process.Spec {
	return n.spec("kubelet", n.Self, "kubelet",
		"--config="+n.kubeletConfig(),
		"--kubeconfig="+n.file("kubelet.kubeconfig"),
		"--hostname-override="+n.Name,
		"--node-ip="+n.Cluster.LinkAddress(2),
		"--root-dir="+filepath.Join(n.state(), "kubelet"),
		"--cert-dir="+n.run(),
	)
}

// Proxy describes kube-proxy's process.
func (n Node) Proxy() process.Spec {
	return n.spec("kube-proxy", n.Self, "kube-proxy", "--config="+n.proxyConfig())
}

func (n Node) spec(role string, args ...string) process.Spec {
	name := n.Cluster.Name + "-" + role
	return process.Spec{
		Name: name,
		Args: append([]string{n.Self, "enter", n.Tag(), "--"}, args...),
		Env:  []string{process.Mark(n.Owner.String())},
		Log:  n.Log(name),
	}
}

// Do calls f in the node's network namespace.
func (n Node) Do(f func() error) error { return netns.Do(n.Tag(), f) }
