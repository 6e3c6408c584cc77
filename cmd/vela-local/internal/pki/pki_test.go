package pki

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
)

func authority(t *testing.T, dir string) *Authority {
	t.Helper()
	a, err := LoadAuthority(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnAuthorityIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	first := authority(t, dir)
	if diff := cmp.Diff(string(first.PEM()), string(authority(t, dir).PEM())); diff != "" {
		t.Errorf("loading again made another authority (-first +second):\n%s", diff)
	}
	if err := os.WriteFile(first.File(), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadAuthority(dir, "ca"); err == nil || !strings.Contains(err.Error(), "ca.crt holds no PEM block") {
		t.Errorf("a broken certificate: error = %v, want one that names the file", err)
	}
}

func TestIssue(t *testing.T) {
	dir := t.TempDir()
	a := authority(t, dir)
	crt, _, err := a.Issue(Identity{File: "server", Name: "me", Groups: []string{"us"}, Hosts: []string{"127.0.0.1", "here.local"}})
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(crt)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	for _, host := range []string{"127.0.0.1", "here.local"} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: host}); err != nil {
			t.Errorf("certificate for %s: %v", host, err)
		}
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, DNSName: "elsewhere"}); err == nil {
		t.Error("the certificate is good for any host")
	}
	if diff := cmp.Diff([]string{"us"}, cert.Subject.Organization); diff != "" {
		t.Errorf("groups mismatch (-want +got):\n%s", diff)
	}
	other := authority(t, t.TempDir())
	strangers := x509.NewCertPool()
	strangers.AppendCertsFromPEM(other.PEM())
	if _, err := cert.Verify(x509.VerifyOptions{Roots: strangers}); err == nil {
		t.Error("two installations trust each other's certificates")
	}
}

func TestSecretsAreForTheirOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	a := authority(t, dir)
	crt, key, err := a.Issue(Identity{File: "admin", Name: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "kubeconfig")
	k := Kubeconfig{Cluster: "hub", Server: "https://127.0.0.1:1", CA: a.PEM(), Cert: crt, Key: key}
	if err := k.Write(path); err != nil {
		t.Fatal(err)
	}
	if err := EnsureSigner(dir); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"ca.key", "admin.key", "sa.key", "kubeconfig"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", file, info.Mode().Perm())
		}
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Host != "https://127.0.0.1:1" || string(cfg.KeyData) != string(key) {
		t.Errorf("kubeconfig leads to %s with another key", cfg.Host)
	}
}

func TestTheSignerIsMadeOnce(t *testing.T) {
	dir := t.TempDir()
	read := func() string {
		if err := EnsureSigner(dir); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "sa.key"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if first, second := read(), read(); first != second {
		t.Error("a second start voids the tokens of the first")
	}
}
