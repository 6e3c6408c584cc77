// Package certs makes the certificates that the API server trusts when it asks the
// admission webhooks: an authority of our own and a certificate for the server,
// renewed long before they end. It only computes; package webhook keeps them in a
// Secret that all replicas share.
package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// How long certificates are good. Each is replaced when a third is left.
const (
	AuthorityLife = 10 * 365 * 24 * time.Hour
	ServerLife    = 365 * 24 * time.Hour
)

// skew lets clocks differ.
const skew = 5 * time.Minute

// A Set is what the replicas share, each as PEM. The zero value has nothing.
type Set struct {
	// Bundle are the authorities that clients trust: the one that signs, and those
	// before it while they are good.
	Bundle       []byte
	AuthorityKey []byte
	Cert, Key    []byte
}

// Renew returns a Set that serves hosts, and when to look again. It is have itself
// while nothing needs to change.
func Renew(have Set, hosts []string, now time.Time) (next Set, again time.Time, err error) {
	bundle := authorities(have.Bundle, now)
	ca, caKey := signer(bundle, have.AuthorityKey)
	next = have
	if ca == nil || now.After(due(ca)) {
		if ca, caKey, next.AuthorityKey, err = newAuthority(now); err != nil {
			return Set{}, time.Time{}, err
		}
		bundle = append([]*x509.Certificate{ca}, bundle...)
		next.Cert = nil
	}
	next.Bundle = encode(bundle)
	server := serving(next.Cert, next.Key, ca, hosts)
	if server == nil || now.After(due(server)) {
		if server, next.Cert, next.Key, err = newServer(ca, caKey, hosts, now); err != nil {
			return Set{}, time.Time{}, err
		}
	}
	again = due(server)
	if authority := due(ca); authority.Before(again) {
		again = authority
	}
	return next, again, nil
}

// Equal reports whether two sets have the same content.
func (s Set) Equal(o Set) bool {
	return bytes.Equal(s.Bundle, o.Bundle) && bytes.Equal(s.AuthorityKey, o.AuthorityKey) &&
		bytes.Equal(s.Cert, o.Cert) && bytes.Equal(s.Key, o.Key)
}

// TLS returns the certificate of the server.
func (s Set) TLS() (*tls.Certificate, error) {
	c, err := tls.X509KeyPair(s.Cert, s.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate of the webhooks: %w", err)
	}
	return &c, nil
}

// due is when a certificate is to be replaced.
func due(c *x509.Certificate) time.Time {
	return c.NotAfter.Add(-c.NotAfter.Sub(c.NotBefore) / 3)
}

// authorities reads the ones that are still good.
func authorities(bundle []byte, now time.Time) []*x509.Certificate {
	var out []*x509.Certificate
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && now.Before(c.NotAfter) {
			out = append(out, c)
		}
	}
	return out
}

// signer finds the authority that a key belongs to.
func signer(bundle []*x509.Certificate, key []byte) (*x509.Certificate, *ecdsa.PrivateKey) {
	k := decodeKey(key)
	if k == nil {
		return nil, nil
	}
	for _, c := range bundle {
		if k.PublicKey.Equal(c.PublicKey) {
			return c, k
		}
	}
	return nil, nil
}

// serving returns the certificate when ca signed it for all hosts.
func serving(cert, key []byte, ca *x509.Certificate, hosts []string) *x509.Certificate {
	block, _ := pem.Decode(cert)
	k := decodeKey(key)
	if block == nil || k == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !k.PublicKey.Equal(c.PublicKey) || c.CheckSignatureFrom(ca) != nil {
		return nil
	}
	if slices.ContainsFunc(hosts, func(h string) bool { return c.VerifyHostname(h) != nil }) {
		return nil
	}
	return c
}

func newAuthority(now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, []byte, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "vela-core webhooks"},
		NotBefore: now.Add(-skew), NotAfter: now.Add(AuthorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	cert, _, err := sign(template, template, key, key)
	return cert, key, keyPEM, err
}

func newServer(ca *x509.Certificate, caKey *ecdsa.PrivateKey, hosts []string, now time.Time) (*x509.Certificate, []byte, []byte, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, nil, nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: hosts[0]},
		NotBefore: now.Add(-skew), NotAfter: now.Add(ServerLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	cert, certPEM, err := sign(template, ca, key, caKey)
	return cert, certPEM, keyPEM, err
}

func sign(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (*x509.Certificate, []byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		return nil, nil, fmt.Errorf("sign a certificate for the webhooks: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	return cert, encode([]*x509.Certificate{cert}), nil
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func decodeKey(data []byte) *ecdsa.PrivateKey {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil
	}
	k, _ := key.(*ecdsa.PrivateKey)
	return k
}

func encode(certs []*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, c := range certs {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return out.Bytes()
}
