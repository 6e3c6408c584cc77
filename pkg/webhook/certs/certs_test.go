package certs_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/seed-c5f95f19/vela/pkg/webhook/certs"
)

var hosts = []string{"vela-core-webhook.vela-system.svc", "localhost", "127.0.0.1"}

func renew(t *testing.T, have certs.Set, now time.Time) (certs.Set, time.Time) {
	t.Helper()
	next, again, err := certs.Renew(have, hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	return next, again
}

// trusts reports whether who holds the bundle of a accepts the server of b.
func trusts(t *testing.T, a, b certs.Set, host string, now time.Time) bool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.Bundle) {
		t.Fatal("the bundle holds no certificate")
	}
	c, err := b.TLS()
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: now})
	return err == nil
}

func TestRenew(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first, again := renew(t, certs.Set{}, start)
	for _, h := range hosts {
		if !trusts(t, first, first, h, start) {
			t.Errorf("%s is not trusted", h)
		}
	}
	if same, _ := renew(t, first, start.Add(time.Hour)); !same.Equal(first) {
		t.Error("a new set is made without need")
	}
	if left := start.Add(certs.ServerLife).Sub(again); left < certs.ServerLife/4 {
		t.Errorf("renewal is at %s, when only %s are left", again, left)
	}

	second, _ := renew(t, first, again.Add(time.Minute))
	if second.Equal(first) || string(second.Bundle) != string(first.Bundle) {
		t.Error("a certificate that ends is to be replaced under the same authority")
	}

	late := start.Add(certs.AuthorityLife * 3 / 4)
	third, _ := renew(t, second, late)
	if !trusts(t, third, third, hosts[0], late) {
		t.Error("the server under a new authority is not trusted")
	}
	before, _ := renew(t, second, start.Add(certs.AuthorityLife/2))
	if !trusts(t, third, before, hosts[0], start.Add(certs.AuthorityLife/2)) {
		t.Error("a replica that serves the old certificate is not trusted any more")
	}
	end, _ := renew(t, third, start.Add(certs.AuthorityLife+time.Hour))
	if trusts(t, end, before, hosts[0], start.Add(certs.AuthorityLife/2)) {
		t.Error("an authority that has ended is still in the bundle")
	}
}

func TestOtherHosts(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first, _ := renew(t, certs.Set{}, now)
	other, _, err := certs.Renew(first, []string{"10.0.0.7"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if !trusts(t, first, other, "10.0.0.7", now) || trusts(t, first, other, "localhost", now) {
		t.Error("a new host needs a certificate of its own, under the same authority")
	}
}

func TestDamage(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	good, _ := renew(t, certs.Set{}, now)
	other, _ := renew(t, certs.Set{}, now)
	cases := map[string]func(*certs.Set){
		"no certificate":                func(s *certs.Set) { s.Cert = nil },
		"a certificate of somebody":     func(s *certs.Set) { s.Cert, s.Key = other.Cert, other.Key },
		"a key that does not fit":       func(s *certs.Set) { s.Key = other.Key },
		"no key of the authority":       func(s *certs.Set) { s.AuthorityKey = nil },
		"nonsense instead of authority": func(s *certs.Set) { s.Bundle = []byte("nonsense") },
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			s := good
			damage(&s)
			repaired, _ := renew(t, s, now)
			if !trusts(t, repaired, repaired, hosts[0], now) {
				t.Error("it is not repaired")
			}
		})
	}
}
