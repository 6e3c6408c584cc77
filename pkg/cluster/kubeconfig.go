package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// ReasonKubeconfig is the reason of errors about a kubeconfig file.
const ReasonKubeconfig = "InvalidKubeconfig"

// ContextOf returns the name of the context that a join would use by default,
// from which commands derive the name of the cluster.
func ContextOf(path string) (string, error) {
	kc, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return "", fault.Invalid(ReasonKubeconfig, fmt.Errorf("read kubeconfig: %w", err), fault.In(path, 0))
	}
	return kc.CurrentContext, nil
}

// credentialFrom takes one context of a kubeconfig file as a credential that can
// be stored: nothing in it may need a program or a file at the time of use.
func credentialFrom(path, context string) (credential, error) {
	kc, err := clientcmd.LoadFromFile(path)
	if err != nil {
		return credential{}, fault.Invalid(ReasonKubeconfig, fmt.Errorf("read kubeconfig: %w", err), fault.In(path, 0))
	}
	cred, err := pick(kc, context, filepath.Dir(path))
	if err != nil {
		return credential{}, fault.With(err, fault.In(path, 0))
	}
	return cred, nil
}

func pick(kc *api.Config, context, dir string) (credential, error) {
	name := cmp.Or(context, kc.CurrentContext)
	ctx := kc.Contexts[name]
	switch {
	case name == "":
		return credential{}, invalid("current-context", errors.New("no context is chosen"), "name one with --context")
	case ctx == nil:
		return credential{}, invalid("contexts", fmt.Errorf("there is no context %q, only %q", name, sortedNames(kc.Contexts)), "")
	}
	server, user := kc.Clusters[ctx.Cluster], kc.AuthInfos[ctx.AuthInfo]
	at := fmt.Sprintf("contexts[%s].context", name)
	if server == nil {
		return credential{}, invalid(at+".cluster", fmt.Errorf("there is no cluster %q, only %q", ctx.Cluster, sortedNames(kc.Clusters)), "")
	}
	if user == nil {
		return credential{}, invalid(at+".user", fmt.Errorf("there is no user %q, only %q", ctx.AuthInfo, sortedNames(kc.AuthInfos)), "")
	}
	if err := errors.Join(checkUser(ctx.AuthInfo, user), checkServer(ctx.Cluster, server)); err != nil {
		return credential{}, err
	}
	return extract(server, user, dir)
}

// checkUser refuses every way to log in that cannot be stored.
func checkUser(name string, u *api.AuthInfo) error {
	const hint = "use a kubeconfig with a service account token or a client certificate"
	at := fmt.Sprintf("users[%s].user.", name)
	var errs []error
	refuse := func(field, why string) {
		errs = append(errs, invalid(at+field, errors.New(why), hint))
	}
	if u.Exec != nil {
		refuse("exec", fmt.Sprintf("runs the program %q for each login; the control plane runs no programs of a kubeconfig", u.Exec.Command))
	}
	if u.AuthProvider != nil {
		refuse("auth-provider", fmt.Sprintf("needs the login plugin %q, which the control plane does not have", u.AuthProvider.Name))
	}
	if u.Username != "" || u.Password != "" {
		refuse("username", "is a password login, which Kubernetes does not support any more")
	}
	if u.Impersonate != "" || len(u.ImpersonateGroups) > 0 || u.ImpersonateUID != "" || len(u.ImpersonateUserExtra) > 0 {
		refuse("as", "impersonates somebody; the control plane impersonates the users of Applications itself")
	}
	if u.TokenFile != "" && u.Token == "" {
		refuse("tokenFile", "names a file whose content is replaced from time to time; the copy would expire")
	}
	if len(errs) == 0 && u.Token == "" && len(u.ClientCertificateData) == 0 && u.ClientCertificate == "" {
		refuse("token", "there is no credential")
	}
	return errors.Join(errs...)
}

func checkServer(name string, s *api.Cluster) error {
	at := fmt.Sprintf("clusters[%s].cluster.", name)
	if s.InsecureSkipTLSVerify {
		return invalid(at+"insecure-skip-tls-verify", errors.New("would send the credential to whoever answers"),
			"set certificate-authority-data instead")
	}
	if err := checkURL("it", s.Server, "https"); err != nil {
		return invalid(at+"server", err, "")
	}
	return nil
}

// extract reads what the kubeconfig only points to.
func extract(s *api.Cluster, u *api.AuthInfo, dir string) (credential, error) {
	cred := credential{
		Endpoint: s.Server, Proxy: s.ProxyURL, ServerName: s.TLSServerName,
		CA: s.CertificateAuthorityData, Token: u.Token,
	}
	files := []struct {
		to   *[]byte
		path string
	}{{&cred.CA, s.CertificateAuthority}}
	if cred.Token == "" {
		cred.Cert, cred.Key = u.ClientCertificateData, u.ClientKeyData
		files = append(files, []struct {
			to   *[]byte
			path string
		}{{&cred.Cert, u.ClientCertificate}, {&cred.Key, u.ClientKey}}...)
	}
	for _, f := range files {
		if len(*f.to) > 0 || f.path == "" {
			continue
		}
		if !filepath.IsAbs(f.path) {
			f.path = filepath.Join(dir, f.path)
		}
		data, err := os.ReadFile(f.path)
		if err != nil {
			return credential{}, fault.Invalid(ReasonKubeconfig, fmt.Errorf("read what the kubeconfig names: %w", err))
		}
		*f.to = data
	}
	kind := CredentialCertificate
	if cred.Token != "" {
		kind = CredentialToken
	}
	if err := cred.check(kind); err != nil {
		return credential{}, fault.Invalid(ReasonKubeconfig, err)
	}
	return cred, nil
}

func invalid(path string, err error, hint string) error {
	opts := []fault.Option{fault.At(path)}
	if hint != "" {
		opts = append(opts, fault.Hint("%s", hint))
	}
	return fault.Invalid(ReasonKubeconfig, err, opts...)
}

func sortedNames[T any](m map[string]T) string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
