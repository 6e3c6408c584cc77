// Package pki makes the certificates, keys and kubeconfigs of one embedded
// cluster.
//
// Every cluster has its own authorities, created once and kept in its
// directory; nothing is shared between clusters and nothing is fixed in the
// code. The package writes files and knows nothing about the processes that
// read them.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityYears = 10
	leafYears      = 5
	serialBits     = 120
)

// An Authority signs certificates. It is not safe for concurrent use.
type Authority struct {
	dir  string
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// An Identity says who a certificate speaks for and under which names.
type Identity struct {
	File   string // file name without extension
	Name   string // common name: the user
	Groups []string
	Hosts  []string // IP addresses and DNS names; empty for a client
}

// LoadAuthority reads the authority name from dir, or creates it there.
func LoadAuthority(dir, name string) (*Authority, error) {
	a := &Authority{dir: dir, name: name}
	err := a.load()
	if errors.Is(err, fs.ErrNotExist) {
		err = a.create()
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority %q: %w", name, err)
	}
	return a, nil
}

// File returns the path of the authority's certificate.
func (a *Authority) File() string { return filepath.Join(a.dir, a.name+".crt") }

// PEM returns the authority's certificate.
func (a *Authority) PEM() []byte { return encode("CERTIFICATE", a.cert.Raw) }

func (a *Authority) keyFile() string { return filepath.Join(a.dir, a.name+".key") }

func (a *Authority) load() error {
	crt, err := readPEM(a.File())
	if err != nil {
		return err
	}
	key, err := readPEM(a.keyFile())
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(crt); err != nil {
		return err
	}
	a.key, err = x509.ParseECPrivateKey(key)
	return err
}

func (a *Authority) create() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t, err := template(pkix.Name{CommonName: a.name}, authorityYears)
	if err != nil {
		return err
	}
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	a.key = key
	if err := writeKey(a.keyFile(), key); err != nil {
		return err
	}
	return writeFile(a.File(), encode("CERTIFICATE", der), 0o644)
}

// Issue writes id.File.crt and id.File.key, valid for clients and servers.
// Existing files are replaced: hosts and ports may have changed.
func (a *Authority) Issue(id Identity) (crt, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("issue %q: %w", id.File, err)
	}
	t, err := template(pkix.Name{CommonName: id.Name, Organization: id.Groups}, leafYears)
	if err != nil {
		return nil, nil, fmt.Errorf("issue %q: %w", id.File, err)
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	for _, h := range id.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &k.PublicKey, a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("issue %q: %w", id.File, err)
	}
	base := filepath.Join(a.dir, id.File)
	if err := writeKey(base+".key", k); err != nil {
		return nil, nil, fmt.Errorf("issue %q: %w", id.File, err)
	}
	crt = encode("CERTIFICATE", der)
	if err := writeFile(base+".crt", crt, 0o644); err != nil {
		return nil, nil, fmt.Errorf("issue %q: %w", id.File, err)
	}
	kb, err := x509.MarshalECPrivateKey(k)
	return crt, encode("EC PRIVATE KEY", kb), err
}

// EnsureSigner writes the key pair that signs service account tokens, once:
// a new pair would void every token already given out.
func EnsureSigner(dir string) error {
	private, public := filepath.Join(dir, "sa.key"), filepath.Join(dir, "sa.pub")
	if _, err := os.Stat(public); err == nil {
		return nil
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	pb, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	if err := writeKey(private, k); err != nil {
		return fmt.Errorf("service account key: %w", err)
	}
	return writeFile(public, encode("PUBLIC KEY", pb), 0o644)
}

func template(subject pkix.Name, years int) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(years, 0, 0),
	}, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func readPEM(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", path)
	}
	return block.Bytes, nil
}

func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writeFile(path, encode("EC PRIVATE KEY", der), 0o600)
}

// writeFile replaces path in one step, so that a crash leaves the old file or
// the new one, never half of one.
func writeFile(path string, data []byte, mode os.FileMode) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, mode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
