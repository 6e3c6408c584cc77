package helm

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// A certificate is what templates get, with its key, in PEM.
type certificate struct {
	Cert string
	Key  string
}

// lifetime is how long certificates are valid, whatever a template asks: one
// that is always the same cannot be renewed by rendering again, and must not
// run out.
const lifetime = 100 * 365 * 24 * time.Hour

// A subject says what a certificate is for.
type subject struct {
	name       string
	ips, names []any
	authority  bool
}

func (r *random) ca(cn string, days int) (certificate, error) {
	return r.issue("genCA", subject{name: cn, authority: true}, days, nil, "")
}

func (r *random) caWithKey(cn string, days int, key string) (certificate, error) {
	return r.issue("genCA", subject{name: cn, authority: true}, days, nil, key)
}

func (r *random) selfSigned(cn string, ips, names []any, days int) (certificate, error) {
	return r.issue("genSelfSignedCert", subject{name: cn, ips: ips, names: names}, days, nil, "")
}

func (r *random) selfSignedWithKey(cn string, ips, names []any, days int, key string) (certificate, error) {
	return r.issue("genSelfSignedCert", subject{name: cn, ips: ips, names: names}, days, nil, key)
}

func (r *random) signed(cn string, ips, names []any, days int, ca certificate) (certificate, error) {
	return r.issue("genSignedCert", subject{name: cn, ips: ips, names: names}, days, &ca, "")
}

func (r *random) signedWithKey(cn string, ips, names []any, days int, ca certificate, key string) (certificate, error) {
	return r.issue("genSignedCert", subject{name: cn, ips: ips, names: names}, days, &ca, key)
}

// issue makes a certificate: signed by ca, or by its own key when there is none.
func (r *random) issue(function string, s subject, days int, ca *certificate, keyText string) (certificate, error) {
	fail := func(err error) (certificate, error) { return certificate{}, fmt.Errorf("%s: %w", function, err) }
	key, keyText, err := r.keyOf(function, s, days, keyText)
	if err != nil {
		return fail(err)
	}
	template, err := r.template(function, s)
	if err != nil {
		return fail(err)
	}
	parent, signer := template, key
	if ca != nil {
		if parent, signer, err = ca.parse(); err != nil {
			return fail(err)
		}
	}
	der, err := x509.CreateCertificate(nil, template, parent, key.Public(), signer) // without randomness: RFC 6979
	if err != nil {
		return fail(err)
	}
	return certificate{Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), Key: keyText}, nil
}

// keyOf reads a key, or makes one.
func (r *random) keyOf(function string, s subject, days int, text string) (crypto.Signer, string, error) {
	if text != "" {
		key, err := parseKey(text)
		return key, text, err
	}
	key, err := r.ecdsaKey(function, s.name, s.ips, s.names, days)
	if err != nil {
		return nil, "", err
	}
	text, err = keyPEM(key)
	return key, text, err
}

func (r *random) template(function string, s subject) (*x509.Certificate, error) {
	serial, err := r.bytes(16, function+" serial", s.name)
	if err != nil {
		return nil, err
	}
	serial[0] &= 0x7f
	t := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial), Subject: pkix.Name{CommonName: s.name},
		NotBefore: moment, NotAfter: moment.Add(lifetime),
		KeyUsage:    x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	if s.authority {
		t.IsCA, t.KeyUsage = true, t.KeyUsage|x509.KeyUsageCertSign
	}
	for _, ip := range s.ips {
		parsed := net.ParseIP(fmt.Sprint(ip))
		if parsed == nil {
			return nil, fmt.Errorf("%q is no IP address", ip)
		}
		t.IPAddresses = append(t.IPAddresses, parsed)
	}
	for _, n := range s.names {
		t.DNSNames = append(t.DNSNames, fmt.Sprint(n))
	}
	return t, nil
}

// customCert makes a certificate of what a user gives in base64.
func customCert(cert, key string) (certificate, error) {
	c, err := base64.StdEncoding.DecodeString(cert)
	if err != nil {
		return certificate{}, errors.New("buildCustomCert: the certificate is not base64")
	}
	k, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return certificate{}, errors.New("buildCustomCert: the key is not base64")
	}
	out := certificate{Cert: string(c), Key: string(k)}
	_, _, err = out.parse()
	return out, err
}

// parse reads the certificate and the key of an authority.
func (c *certificate) parse() (*x509.Certificate, crypto.Signer, error) {
	block, _ := pem.Decode([]byte(c.Cert))
	if block == nil {
		return nil, nil, errors.New("the authority's certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("the authority's certificate: %w", err)
	}
	key, err := parseKey(c.Key)
	return cert, key, err
}

func parseKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("the key is of a kind that cannot sign")
	}
	return key, nil
}
