package cluster

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Types of credentials, the values of the credential type label.
const (
	CredentialToken       = "ServiceAccountToken"
	CredentialCertificate = "X509Certificate"
	CredentialDynamic     = "Dynamic" // never used: it means running a program
)

// ReasonCredential is the reason of errors about a credential Secret.
const ReasonCredential = "InvalidClusterCredential"

// Keys of a credential Secret. The server name is ours; other tools ignore it.
const (
	keyEndpoint   = "endpoint"
	keyCA         = "ca.crt"
	keyOldCA      = "ca"
	keyCert       = "tls.crt"
	keyKey        = "tls.key"
	keyToken      = "token"
	keyProxy      = "proxy-url"
	keyServerName = "tls-server-name"
)

// annotationUID remembers which cluster it is, whatever its address and name.
const annotationUID = "cluster.core.oam.dev/cluster-uid"

// A credential is how to reach one member.
type credential struct {
	Endpoint   string
	CA         []byte
	Cert, Key  []byte
	Token      string
	Proxy      string
	ServerName string
}

// credentialOf reads a credential Secret.
func credentialOf(s *corev1.Secret) (credential, error) {
	cred := credential{
		Endpoint:   string(s.Data[keyEndpoint]),
		CA:         s.Data[keyCA],
		Proxy:      string(s.Data[keyProxy]),
		ServerName: string(s.Data[keyServerName]),
	}
	if len(cred.CA) == 0 {
		cred.CA = s.Data[keyOldCA]
	}
	kind := s.Labels[oam.LabelClusterCredentialType]
	switch kind {
	case CredentialToken:
		cred.Token = string(s.Data[keyToken])
	case CredentialCertificate:
		cred.Cert, cred.Key = s.Data[keyCert], s.Data[keyKey]
	}
	if err := cred.check(kind); err != nil {
		return credential{}, fault.Because(ReasonCredential, fmt.Errorf("credential of cluster %q: %w", s.Name, err))
	}
	return cred, nil
}

// check says what is missing, in the words of the Secret.
func (c credential) check(kind string) error {
	if err := checkURL(keyEndpoint, c.Endpoint, "https"); err != nil {
		return err
	}
	if c.Proxy != "" {
		if err := checkURL(keyProxy, c.Proxy, "http", "https", "socks5"); err != nil {
			return err
		}
	}
	switch kind {
	case CredentialToken:
		if c.Token == "" {
			return fmt.Errorf("key %q is empty", keyToken)
		}
	case CredentialCertificate:
		if len(c.Cert) == 0 || len(c.Key) == 0 {
			return fmt.Errorf("keys %q and %q are both needed", keyCert, keyKey)
		}
	case CredentialDynamic:
		return errors.New("type Dynamic runs a program for each login and is not supported; join with a token or a client certificate")
	default:
		return fmt.Errorf("type %q is unknown, expected %s or %s", kind, CredentialToken, CredentialCertificate)
	}
	return nil
}

// checkURL never repeats the value: a URL may hold a password.
func checkURL(name, value string, schemes ...string) error {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%s is not a URL", name)
	}
	for _, s := range schemes {
		if u.Scheme == s {
			return nil
		}
	}
	return fmt.Errorf("%s starts with %q, expected one of %q", name, u.Scheme, schemes)
}

// config returns the credential as a client takes it.
func (c credential) config() (*rest.Config, error) {
	cfg := &rest.Config{
		Host:        c.Endpoint,
		BearerToken: c.Token,
		TLSClientConfig: rest.TLSClientConfig{
			CAData: c.CA, CertData: c.Cert, KeyData: c.Key, ServerName: c.ServerName,
		},
	}
	if c.Proxy != "" {
		proxy, err := url.Parse(c.Proxy)
		if err != nil {
			return nil, fmt.Errorf("%s is not a URL", keyProxy)
		}
		cfg.Proxy = http.ProxyURL(proxy)
	}
	return cfg, nil
}

// secret returns the credential as it is stored.
func (c credential) secret(namespace string, o JoinOptions, uid string) *corev1.Secret {
	s := &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: o.Name,
			Labels:      map[string]string{},
			Annotations: map[string]string{annotationUID: uid},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{keyEndpoint: []byte(c.Endpoint)},
	}
	maps.Copy(s.Labels, o.Labels)
	s.Labels[oam.LabelClusterCredentialType] = CredentialCertificate
	s.Labels[oam.LabelClusterEndpointType] = "Const"
	if o.Alias != "" {
		s.Annotations[oam.AnnotationClusterAlias] = o.Alias
	}
	if c.Token != "" {
		s.Labels[oam.LabelClusterCredentialType] = CredentialToken
		s.Data[keyToken] = []byte(c.Token)
	} else {
		s.Data[keyCert], s.Data[keyKey] = c.Cert, c.Key
	}
	for key, value := range map[string][]byte{
		keyCA: c.CA, keyProxy: []byte(c.Proxy), keyServerName: []byte(c.ServerName),
	} {
		if len(value) > 0 {
			s.Data[key] = value
		}
	}
	return s
}
