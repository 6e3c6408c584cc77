package email_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/email"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/op"
)

// memory is what a step remembers.
type memory map[string]string

func (m memory) Now() time.Time             { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
func (m memory) Recall(key string) string   { return m[key] }
func (m memory) Remember(key, value string) { m[key] = value }

const call = `import "vela/email"
	mail: email.#SendEmail & {$params: {
		from: {address: "ci@example.com", alias: "Ünser CI", password: "secret", host: "127.0.0.1", port: PORT}
		to: ["a@example.com", "B <b@example.com>"]
		content: {subject: "Ready:\nX-Injected: yes", body: "<b>Ünlimited</b>"}
	}}`

const flat = `import "vela/op"
	mail: op.#SendEmail & {
		from: {address: "ci@example.com", password: "secret", host: "127.0.0.1", port: PORT}
		to: ["a@example.com"]
		content: {subject: "Ready", body: "x"}
	}`

const want = "secure=true ci@example.com:secret FROM:<ci@example.com> [TO:<a@example.com> TO:<b@example.com>]\n" +
	"From: =?utf-8?q?=C3=9Cnser_CI?= <ci@example.com>\r\n" +
	"To: <a@example.com>,\r\n \"B\" <b@example.com>\r\n" +
	"Subject: =?utf-8?q?Ready:=0AX-Injected:_yes?=\r\n" +
	"Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n" +
	"Message-ID: <ID@example.com>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/html; charset=\"utf-8\"\r\n" +
	"Content-Transfer-Encoding: base64\r\n\r\n" +
	"PGI+w5xubGltaXRlZDwvYj4=\r\n"

func TestSendEmail(t *testing.T) {
	cases := map[string]struct {
		text    string
		port    string
		server  *mailServer
		strange bool // nobody trusts the certificate of the server
		times   int
		want    int // mails
		wantErr string
	}{
		"encrypted by STARTTLS":                {text: call, port: "587", server: &mailServer{}, want: 1},
		"encrypted from the beginning":         {text: call, port: "465", server: &mailServer{implicit: true}, want: 1},
		"a step that is tried again":           {text: call, port: "587", server: &mailServer{}, times: 3, want: 1},
		"the older dialect":                    {text: flat, port: "587", server: &mailServer{}, times: 2, want: 1},
		"without encryption nothing is sent":   {text: call, port: "25", server: &mailServer{plain: true}, wantErr: "offers no encryption (STARTTLS)"},
		"a certificate that nobody trusts":     {text: call, port: "587", server: &mailServer{}, strange: true, wantErr: "certificate"},
		"a password that is wrong":             {text: call, port: "587", server: &mailServer{refuse: "login"}, wantErr: `log in: 535 "wrong password"`},
		"a recipient that the server refuses":  {text: call, port: "587", server: &mailServer{refuse: "recipient"}, wantErr: `to "a@example.com": 550 "nobody here"`},
		"a recipient that is none":             {text: strings.Replace(call, `"a@example.com"`, `"a"`, 1), port: "587", server: &mailServer{}, wantErr: "to[0]: expected an address"},
		"a mail that nobody gets":              {text: strings.Replace(flat, `["a@example.com"]`, `[]`, 1), port: "587", server: &mailServer{}, wantErr: "to: expected at least one address"},
		"a server that is not there":           {text: call, port: "587", wantErr: "send mail through 127.0.0.1:587: "},
		"an error does not tell the passwords": {text: call, port: "587", server: &mailServer{refuse: "login"}, wantErr: "mail"},
	}
	certificates := httptest.NewTLSServer(nil)
	defer certificates.Close()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := "127.0.0.1:1" // where nobody listens
			if tc.server != nil {
				tc.server.tls = &tls.Config{Certificates: certificates.TLS.Certificates, MinVersion: tls.VersionTLS12}
				tc.server.start(t)
				address = tc.server.listener.Addr().String()
			}
			trust := &tls.Config{MinVersion: tls.VersionTLS12}
			if !tc.strange {
				trust.RootCAs = x509.NewCertPool()
				trust.RootCAs.AddCert(certificates.Certificate())
			}
			sender := email.NewSender(func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, address)
			}, trust)
			m := memory{}
			var err error
			for range max(tc.times, 1) {
				err = send(t, strings.ReplaceAll(tc.text, "PORT", tc.port), email.Options{Sender: sender, Memory: m})
			}
			switch {
			case tc.wantErr == "" && err != nil:
				t.Fatal(err)
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Fatalf("error = %v, want %q", err, tc.wantErr)
			case err != nil && (strings.Contains(err.Error(), "secret") || len(m) > 0):
				t.Fatalf("error = %v, memory %v", err, m)
			}
			if tc.server == nil {
				return
			}
			got := tc.server.received()
			if len(got) != tc.want {
				t.Fatalf("%d mails, want %d", len(got), tc.want)
			}
			if tc.want == 1 && tc.text == call {
				if diff := cmp.Diff(want, withoutID(got[0])); diff != "" {
					t.Errorf("mail mismatch (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// Another mail of the same step is not the one that was sent.
func TestAnotherMailIsSent(t *testing.T) {
	certificates := httptest.NewTLSServer(nil)
	defer certificates.Close()
	s := &mailServer{tls: &tls.Config{Certificates: certificates.TLS.Certificates, MinVersion: tls.VersionTLS12}}
	s.start(t)
	trust := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}
	trust.RootCAs.AddCert(certificates.Certificate())
	sender := email.NewSender(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.listener.Addr().String())
	}, trust)
	m := memory{}
	for _, body := range []string{"x", "x", "y"} {
		text := strings.NewReplacer("PORT", "587", `body: "x"`, `body: "`+body+`"`).Replace(flat)
		if err := send(t, text, email.Options{Sender: sender, Memory: m}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.received()); got != 2 {
		t.Errorf("%d mails, want 2: x once and y", got)
	}
}

func send(t *testing.T, text string, o email.Options) error {
	t.Helper()
	engine := cue.NewEngine(cue.Options{Packages: append(op.Schemas(), email.Schema())})
	tmpl, err := engine.Compile(cue.Source{Kind: "test", Name: "it", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	_, err = tmpl.Eval(t.Context(), cue.Input{Actions: provider.NewTable(email.New(o))})
	return err
}

func withoutID(mail string) string {
	before, rest, _ := strings.Cut(mail, "Message-ID: <")
	_, after, _ := strings.Cut(rest, "@")
	return before + "Message-ID: <ID@" + after
}
