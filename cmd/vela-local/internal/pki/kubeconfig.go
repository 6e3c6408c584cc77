package pki

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A Kubeconfig is a client's way into one cluster.
type Kubeconfig struct {
	Cluster string // also the name of the context and the user
	Server  string
	CA      []byte
	Cert    []byte
	Key     []byte
}

// Write stores k at path, readable by its owner only.
func (k Kubeconfig) Write(path string) error {
	cfg := clientcmdapi.NewConfig()
	cfg.Clusters[k.Cluster] = &clientcmdapi.Cluster{Server: k.Server, CertificateAuthorityData: k.CA}
	cfg.AuthInfos[k.Cluster] = &clientcmdapi.AuthInfo{ClientCertificateData: k.Cert, ClientKeyData: k.Key}
	cfg.Contexts[k.Cluster] = &clientcmdapi.Context{Cluster: k.Cluster, AuthInfo: k.Cluster}
	cfg.CurrentContext = k.Cluster
	data, err := clientcmd.Write(*cfg)
	if err != nil {
		return fmt.Errorf("encode kubeconfig of %q: %w", k.Cluster, err)
	}
	return writeFile(path, data, 0o600)
}
