package controlplane

import (
	"fmt"
	"os"
	"strings"
)

// unneeded are the API groups nothing here uses; each costs memory and start
// time. Generally available groups stay on.
const unneeded = "api/alpha=false,api/beta=false,flowcontrol.apiserver.k8s.io/v1=false"

func mkdirPrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cluster directory: %w", err)
	}
	return nil
}

// apiserverArgs are the flags of kube-apiserver: loopback only, own
// certificates, no second compactor on the shared store.
func (c Cluster) apiserverArgs() []string {
	args := []string{
		"--etcd-servers=" + c.Store,
		"--etcd-prefix=/" + c.Name + "/registry",
		"--etcd-compaction-interval=0",
		"--etcd-count-metric-poll-period=0",
		"--etcd-db-metric-poll-interval=0",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.Port),
		"--tls-cert-file=" + c.pki("apiserver.crt"),
		"--tls-private-key-file=" + c.pki("apiserver.key"),
		"--client-ca-file=" + c.pki("ca.crt"),
		"--kubelet-client-certificate=" + c.pki("kubelet-client.crt"),
		"--kubelet-client-key=" + c.pki("kubelet-client.key"),
		"--kubelet-certificate-authority=" + c.pki("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP,Hostname",
		"--requestheader-client-ca-file=" + c.pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + c.pki("front-proxy-client.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.pki("sa.pub"),
		"--service-account-signing-key-file=" + c.pki("sa.key"),
		"--service-cluster-ip-range=" + c.ServiceCIDR(),
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		"--anonymous-auth=false",
		"--profiling=false",
		"--enable-priority-and-fairness=false",
		"--cert-dir=" + c.PKI(),
		"--event-ttl=1h",
		"--shutdown-delay-duration=0s",
		"--runtime-config=" + unneeded,
	}
	if c.Advertise == "" {
		args = append(args, "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none")
	} else {
		args = append(args, "--advertise-address="+c.Advertise)
	}
	if !c.Controllers {
		// Without its controller no ServiceAccount "default" ever appears.
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	return args
}

// controllers lists what a delivery target needs; cloud, certificate and
// volume attachment controllers are left out.
func controllers() string {
	return strings.Join([]string{
		"clusterrole-aggregation-controller", "cronjob-controller", "daemonset-controller",
		"deployment-controller", "disruption-controller", "endpoints-controller",
		"endpointslice-controller", "garbage-collector-controller",
		"horizontal-pod-autoscaler-controller", "job-controller", "namespace-controller",
		"node-lifecycle-controller", "persistentvolume-binder-controller",
		"persistentvolumeclaim-protection-controller", "pod-garbage-collector-controller",
		"replicaset-controller", "resourcequota-controller",
		"root-ca-certificate-publisher-controller", "serviceaccount-controller",
		"serviceaccount-token-controller", "statefulset-controller",
		"taint-eviction-controller", "ttl-after-finished-controller",
	}, ",")
}

func (c Cluster) controllerArgs() []string {
	return []string{
		"--kubeconfig=" + c.Kubeconfig(),
		"--controllers=" + controllers(),
		"--leader-elect=false",
		"--secure-port=0",
		"--use-service-account-credentials=false",
		"--profiling=false",
		"--service-account-private-key-file=" + c.pki("sa.key"),
		"--root-ca-file=" + c.pki("ca.crt"),
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--node-monitor-grace-period=40s",
	}
}

func (c Cluster) schedulerArgs() []string {
	kubeconfig := c.pki("scheduler.kubeconfig")
	return []string{
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--leader-elect=false",
		"--secure-port=0",
		"--profiling=false",
		"--kube-api-qps=200",
		"--kube-api-burst=400",
	}
}
