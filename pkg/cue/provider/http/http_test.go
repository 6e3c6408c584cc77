package http_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/op"
)

func anyAddress(netip.Addr) error { return nil }

type secrets map[string]map[string][]byte

func (s secrets) Secret(_ context.Context, namespace, name string) (map[string][]byte, error) {
	data, ok := s[namespace+"/"+name]
	if !ok {
		return nil, errors.New("there is no such secret")
	}
	return data, nil
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/slow":
		<-r.Context().Done()
	case "/huge":
		_, _ = io.WriteString(w, strings.Repeat("x", 5<<20))
	case "/away":
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	default:
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprintf(w, "%s %s type=%s token=%s trailer=%s body=%s", r.Method, r.URL.Path,
			r.Header.Get("Content-Type"), r.Header.Get("Authorization"), r.Trailer.Get("X-Sum"), body)
	}
}

type testCase struct {
	text      string
	guard     func(netip.Addr) error
	want      string // of the field got
	wantErr   string
	wantWait  bool
	secrets   secrets
	namespace string
}

func TestRequests(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(echo))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer secure.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})

	cases := map[string]testCase{
		"the method is GET, the type JSON": {
			text: `import "vela/http"
				r: http.#HTTPDo & {$params: url: "URL/a"}
				got: "\(r.$returns.statusCode) \(r.$returns.body) \(r.$returns.header["X-Answer"][0])"`,
			want: "418 GET /a type=application/json token= trailer= body= yes",
		},
		"the short forms send their method": {
			text: `import "vela/http"
				r: http.#HTTPPost & {$params: {url: "URL/a", request: {body: "x", header: "Content-Type": "text/plain", trailer: "X-Sum": "1"}}}
				got: r.$returns.body`,
			want: "POST /a type=text/plain token= trailer=1 body=x",
		},
		"the older dialect": {
			text: `import "vela/op"
				r: op.#HTTPPut & {url: "URL/a", request: body: "x"}
				got: "\(r.response.statusCode) \(r.response.body)"`,
			want: "418 PUT /a type=application/json token= trailer= body=x",
		},
		"headers out of a secret": {
			text: `import "vela/http"
				r: http.#HTTPGet & {$params: {url: "URL/a", request: headersFromSecret: [{header: "Authorization", secret: "s", key: "t"}]}}
				got: r.$returns.body`,
			secrets: secrets{"team/s": {"t": []byte("abc\n")}}, namespace: "team",
			want: "GET /a type=application/json token=abc trailer= body=",
		},
		"a secret that is absent": {
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: {url: "URL/a", tls_config: secret: "s"}}`,
			secrets: secrets{},
			wantErr: `r: read secret "s": there is no such secret`,
		},
		"a secret where there are none": {
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: {url: "URL/a", tls_config: secret: "s"}}`,
			wantErr: `r: secret "s" cannot be used here`,
		},
		"a certificate of one's own": {
			text: `import "vela/http"
				r: http.#HTTPGet & {$params: {url: "TLS/a", tls_config: {secret: "s", namespace: "other"}}}
				got: r.$returns.body`,
			secrets: secrets{"other/s": {"ca.crt": ca}},
			want:    "GET /a type=application/json token= trailer= body=",
		},
		"an unknown certificate": {
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: url: "TLS/a?token=secret"}`,
			wantErr: "r: GET TLS: tls: failed to verify certificate: x509: certificate signed by unknown authority",
		},
		"an answer that takes too long": {
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: {url: "URL/slow?token=secret", request: timeout: "20ms"}}`,
			wantErr: "r: GET URL: no answer in time",
		},
		"an answer that is too big": {
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: url: "URL/huge"}`,
			wantErr: "r: GET URL: the answer has more than 4194304 bytes",
		},
		"the own machine": {
			guard:   velahttp.Guard,
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: url: "URL/a"}`,
			wantErr: "r: GET URL: dial tcp HOST: the address 127.0.0.1 is not allowed",
		},
		"a redirection to the metadata service": {
			guard: func(ip netip.Addr) error {
				if ip.IsLoopback() {
					return nil
				}
				return velahttp.Guard(ip)
			},
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: url: "URL/away"}`,
			wantErr: "r: GET URL: dial tcp 169.254.169.254:80: the address 169.254.169.254 is not allowed",
		},
		"a file": {
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: url: "file:///etc/passwd"}`,
			wantErr: "r: url: expected one that begins with http:// or https://",
		},
		"a timeout that is none": {
			text:    `import "vela/http"` + "\n" + `r: http.#HTTPGet & {$params: {url: "URL/a", request: timeout: "soon"}}`,
			wantErr: `r: request.timeout: expected a duration such as 5s, got "soon"`,
		},
		"one request too many waits": {
			text: `import "vela/http"
				one: http.#HTTPGet & {$params: {url: "URL/a", request: ratelimiter: {limit: 1, period: "10s"}}}
				two: http.#HTTPGet & {$params: {url: "URL/a", request: ratelimiter: {limit: 1, period: "10s"}}}`,
			wantWait: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			fixed := strings.NewReplacer("URL", plain.URL, "TLS", secure.URL, "HOST", strings.TrimPrefix(plain.URL, "http://"))
			res, err := eval(t, fixed.Replace(tc.text), tc)
			var wait provider.Wait
			switch {
			case tc.wantWait:
				if !errors.As(err, &wait) {
					t.Errorf("error = %v, want a Wait", err)
				}
			case tc.wantErr != "":
				if want := fixed.Replace(tc.wantErr) + " (line 2 of the definition)"; err == nil || err.Error() != want {
					t.Errorf("error = %v\nwant %s", err, want)
				}
			case err != nil:
				t.Error(err)
			default:
				got, err := res.Expr("got")
				if diff := cmp.Diff(any(tc.want), got); diff != "" || err != nil {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
		})
	}
}

func eval(t *testing.T, text string, tc testCase) (*cue.Result, error) {
	t.Helper()
	if tc.guard == nil {
		tc.guard = anyAddress
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	o := velahttp.Options{Client: velahttp.NewClient(tc.guard, func() time.Time { return now }), Namespace: tc.namespace}
	if tc.secrets != nil {
		o.Secrets = tc.secrets
	}
	engine := cue.NewEngine(cue.Options{Packages: append(op.Schemas(), velahttp.WorkflowSchema())})
	tmpl, err := engine.Compile(cue.Source{Kind: "test", Name: t.Name(), Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return tmpl.Eval(t.Context(), cue.Input{Actions: provider.NewTable(velahttp.Workflow(o))})
}

// The rate limit starts anew with every period.
func TestRateLimit(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := velahttp.Definition(velahttp.Options{Client: velahttp.NewClient(anyAddress, func() time.Time { return now })})
	send := func() bool {
		t.Helper()
		var params any
		if err := json.Unmarshal([]byte(`{"url": "`+server.URL+`", "request": {"ratelimiter": {"limit": 2, "period": "10s"}}}`), &params); err != nil {
			t.Fatal(err)
		}
		_, err := p.Read["do"](t.Context(), provider.Call{Provider: "http", Do: "do", Params: params})
		var wait provider.Wait
		if err != nil && !errors.As(err, &wait) {
			t.Fatal(err)
		}
		return err == nil
	}
	var got []bool
	for range 3 {
		got = append(got, send())
	}
	now = now.Add(10 * time.Second)
	got = append(got, send())
	if diff := cmp.Diff([]bool{true, true, false, true}, got); diff != "" {
		t.Errorf("requests that were sent (-want +got):\n%s", diff)
	}
}

func TestGuard(t *testing.T) {
	for address, allowed := range map[string]bool{
		"10.0.0.1": true, "192.168.1.1": true, "8.8.8.8": true, "2001:db8::1": true, "fd12::1": true,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "169.254.169.254": false,
		"fe80::1": false, "224.0.0.1": false, "fd00:ec2::254": false,
		"100.100.100.200": false, "192.0.0.192": false, "168.63.129.16": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::808:808": true,
	} {
		if err := velahttp.Guard(netip.MustParseAddr(address)); (err == nil) != allowed {
			t.Errorf("Guard(%s) = %v, want allowed %v", address, err, allowed)
		}
	}
}

// A rendering asks and does not act, whatever name the request has in the text.
func TestRenderingsOnlyAsk(t *testing.T) {
	var methods []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { methods = append(methods, r.Method) }))
	defer server.Close()
	cases := map[string]struct {
		call    string
		effects bool
		want    string // method that arrives; "" is refused
	}{
		"get":                    {call: "http.#Get", want: "GET"},
		"do":                     {call: "http.#Do", want: "GET"},
		"options":                {call: "http.#OPTIONS", want: "OPTIONS"},
		"post":                   {call: "http.#Post"},
		"put":                    {call: "http.#Put"},
		"patch":                  {call: "http.#Patch"},
		"delete":                 {call: "http.#Delete"},
		"do with a method":       {call: `http.#Do & {$params: method: "DELETE"}`},
		"post, which is allowed": {call: "http.#Post", effects: true, want: "POST"},
		"delete, allowed too":    {call: "http.#Delete", effects: true, want: "DELETE"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			methods = nil
			engine := cue.NewEngine(cue.Options{Packages: []provider.Schema{velahttp.DefinitionSchema()}})
			tmpl, err := engine.Compile(cue.Source{Kind: "component", Name: "it", Text: fmt.Sprintf("import \"vela/http\"\nr: %s & {$params: url: %q}", tc.call, server.URL)})
			if err != nil {
				t.Fatal(err)
			}
			table := provider.NewTable(velahttp.Definition(velahttp.Options{Client: velahttp.NewClient(anyAddress, nil), Effects: tc.effects}))
			_, err = tmpl.Eval(t.Context(), cue.Input{Actions: table.ReadOnly(), ReadOnly: true})
			if tc.want == "" {
				if err == nil || !strings.Contains(err.Error(), "a rendering must not change the world") || len(methods) > 0 {
					t.Errorf("sent %v, error %v", methods, err)
				}
				return
			}
			if diff := cmp.Diff([]string{tc.want}, methods); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
