package realnode

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/pki"
)

// containerdTOML: own directories and socket, only what a kubelet needs. The
// OOM score is left alone because a machine without CAP_SYS_RESOURCE refuses
// to lower it and runc then fails with an error that says nothing of it.
var containerdTOML = template.Must(template.New("containerd").Parse(`version = 2
root = "{{.State}}/containerd"
state = "{{.Run}}/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
  address = "{{.Socket}}"
[ttrpc]
  address = "{{.Socket}}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{{.Pause}}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{{.Plugins}}"
    conf_dir = "{{.Run}}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{{.Snapshotter}}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`))

// object is a JSON object; the components read JSON as they do YAML.
type object = map[string]any

// Configure writes the files that containerd, kubelet and kube-proxy read.
func (n Node) Configure() error {
	for _, dir := range []string{n.file("cni"), n.file("containerd"), filepath.Join(n.state(), "kubelet"), filepath.Join(n.state(), "containerd")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("directories of node %q: %w", n.Name, err)
		}
	}
	err := errors.Join(n.writeContainerd(), n.writeCNI(), n.writeKubelet(), n.writeProxy(), n.writeCredentials())
	if err != nil {
		return fmt.Errorf("configuration of node %q: %w", n.Name, err)
	}
	return nil
}

func (n Node) writeContainerd() error {
	plugins, err := pluginDir()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(n.containerdConfig(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return containerdTOML.Execute(f, map[string]string{
		"State": n.state(), "Run": n.run(), "Socket": n.socket(),
		"Pause": PauseImage, "Plugins": plugins, "Snapshotter": n.snapshotter(),
	})
}

// writeCNI describes the pods' network: a bridge in the node's namespace. Port
// mappings need iptables, which the rest does not.
func (n Node) writeCNI() error {
	plugins := []object{{
		"type": "bridge", "bridge": "pods", "isGateway": true, "hairpinMode": true, "mtu": mtu(),
		"ipam": object{
			"type": "host-local", "dataDir": n.file("addresses"),
			"ranges": [][]object{{{"subnet": n.Cluster.PodCIDR()}}},
			"routes": []object{{"dst": "0.0.0.0/0"}},
		},
	}}
	if lookPath("iptables") == nil {
		plugins = append(plugins, object{"type": "portmap", "capabilities": object{"portMappings": true}})
	}
	return writeJSON(n.file("cni/10-pods.conflist"), object{"cniVersion": "0.4.0", "name": "pods", "plugins": plugins})
}

func (n Node) writeKubelet() error {
	return writeJSON(n.kubeletConfig(), object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"address": n.Cluster.LinkAddress(2), "port": kubeletPort, "readOnlyPort": 0,
		"tlsCertFile": n.pki("kubelet-server.crt"), "tlsPrivateKeyFile": n.pki("kubelet-server.key"),
		"authentication": object{
			"anonymous": object{"enabled": false},
			"webhook":   object{"enabled": true},
			"x509":      object{"clientCAFile": n.pki("ca.crt")},
		},
		"authorization":            object{"mode": "Webhook"},
		"containerRuntimeEndpoint": "unix://" + n.socket(),
		"cgroupDriver":             "cgroupfs",
		"cgroupRoot":               "/" + n.Tag(),
		"failCgroupV1":             false,
		"failSwapOn":               false,
		"enforceNodeAllocatable":   []string{},
		"clusterDomain":            "cluster.local",
		"clusterDNS":               []string{n.Cluster.LinkAddress(2)},
		"resolvConf":               resolvConf(),
		"evictionHard": object{
			"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%",
		},
		"imageGCHighThresholdPercent": 99,
		"imageGCLowThresholdPercent":  98,
		"podLogsDir":                  filepath.Join(n.state(), "logs"),
		"volumePluginDir":             filepath.Join(n.state(), "plugins"),
		"maxPods":                     500,
		"registryPullQPS":             0,
		"serializeImagePulls":         false,
	})
}

func (n Node) writeProxy() error {
	return writeJSON(n.proxyConfig(), object{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
		"clientConnection": object{"kubeconfig": n.file("proxy.kubeconfig")},
		"mode":             "nftables",
		"clusterCIDR":      n.Cluster.PodCIDR(),
		"hostnameOverride": n.Name,
		// Zeros leave the machine's connection tracking limits alone.
		"conntrack": object{"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
	})
}

func (n Node) pki(file string) string { return filepath.Join(n.Cluster.PKI(), file) }

func (n Node) writeCredentials() error {
	root, err := pki.LoadAuthority(n.Cluster.PKI(), "ca")
	if err != nil {
		return err
	}
	hosts := []string{n.Name, n.Cluster.LinkAddress(2)}
	if _, _, err := root.Issue(pki.Identity{File: "kubelet-server", Name: n.Name, Hosts: hosts}); err != nil {
		return err
	}
	kubelet := pki.Identity{File: "kubelet", Name: "system:node:" + n.Name, Groups: []string{"system:nodes"}}
	proxy := pki.Identity{File: "proxy", Name: "system:kube-proxy"}
	return errors.Join(
		n.Cluster.WriteKubeconfig(root, n.file("kubelet.kubeconfig"), n.forwarded(), kubelet),
		n.Cluster.WriteKubeconfig(root, n.file("proxy.kubeconfig"), n.forwarded(), proxy),
	)
}

// resolvConf prefers the file behind systemd's stub, which listens on a
// loopback address that pods do not have.
func resolvConf() string {
	const behindStub = "/run/systemd/resolve/resolv.conf"
	if _, err := os.Stat(behindStub); err == nil {
		return behindStub
	}
	return "/etc/resolv.conf"
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o600)
}
