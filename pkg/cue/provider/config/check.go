package config

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
)

type verdict struct {
	Result  bool   `json:"result"`
	Message string `json:"message"`
}

func no(format string, args ...any) verdict { return verdict{Message: fmt.Sprintf(format, args...)} }

var yes = verdict{Result: true}

type login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// begin is as much of an answer as a check looks at.
const begin = 64 << 10

type registryIn struct {
	Registry string `json:"registry"`
	Auth     *login `json:"auth"`
	Insecure bool   `json:"insecure"`
	UseHTTP  bool   `json:"useHTTP"`
}

// imageRegistry logs in as clients of registries do: the registry says where a
// token can be had, and the credentials have to be good for one.
func (o Options) imageRegistry(ctx context.Context, in registryIn) (verdict, error) {
	scheme := "https"
	if in.UseHTTP {
		scheme = "http"
	}
	base := in.Registry
	if !strings.Contains(base, "://") {
		base = scheme + "://" + base
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return no("registry: expected a host such as ghcr.io, got %q", in.Registry), nil
	}
	trust := velahttp.FetchOptions{Insecure: in.Insecure, Begin: begin}
	u.Path = "/v2/"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return no("registry: expected a host such as ghcr.io, got %q", in.Registry), nil
	}
	if in.Auth != nil {
		req.SetBasicAuth(in.Auth.Username, in.Auth.Password)
	}
	answer, err := o.Client.Fetch(ctx, req, trust)
	switch status := answer.Status; {
	case err != nil:
		return no("the registry cannot be reached: %v", err), nil
	case status == http.StatusOK:
		return yes, nil
	case status != http.StatusUnauthorized && status != http.StatusForbidden:
		return no("the registry answers with status %d", status), nil
	case in.Auth == nil:
		return yes, nil // it is one, and without credentials there is nothing to check
	}
	return o.token(ctx, in, answer.Header.Get("WWW-Authenticate"), trust), nil
}

// token asks for a token with the credentials.
func (o Options) token(ctx context.Context, in registryIn, challenge string, trust velahttp.FetchOptions) verdict {
	wrong := no("the registry refuses the user name or the password")
	kind, rest, _ := strings.Cut(challenge, " ")
	if !strings.EqualFold(kind, "Bearer") {
		return wrong
	}
	fields := challengeFields(rest)
	u, err := url.Parse(fields["realm"])
	if err != nil || u.Host == "" || u.Scheme != "https" && !in.UseHTTP {
		return no("the registry names no place to log in")
	}
	q := u.Query()
	q.Set("account", in.Auth.Username)
	if fields["service"] != "" {
		q.Set("service", fields["service"])
	}
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return no("the registry names no place to log in")
	}
	req.SetBasicAuth(in.Auth.Username, in.Auth.Password)
	answer, err := o.Client.Fetch(ctx, req, trust)
	switch status := answer.Status; {
	case err != nil:
		return no("the registry's log-in cannot be reached: %v", err)
	case status == http.StatusOK:
		return yes
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return wrong
	}
	return no("the registry's log-in answers with status %d", answer.Status)
}

// challengeFields reads `realm="…",service="…"`.
func challengeFields(text string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		out[strings.ToLower(key)] = strings.Trim(value, `"`)
	}
	return out
}

type repositoryIn struct {
	URL      string `json:"url"`
	Username string `json:"username"`
	Password string `json:"password"`
	CAFile   string `json:"caFile"`
}

// helmRepository reads the index of a repository.
func (o Options) helmRepository(ctx context.Context, in repositoryIn) (verdict, error) {
	u, err := url.Parse(in.URL)
	if err != nil || u.Host == "" {
		return no("url: expected an address such as https://charts.example.com, got %q", in.URL), nil
	}
	if u.Scheme == "oci" {
		auth := registryIn{Registry: u.Host}
		if in.Username != "" {
			auth.Auth = &login{in.Username, in.Password}
		}
		return o.imageRegistry(ctx, auth)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.JoinPath("index.yaml").String(), nil)
	if err != nil {
		return no("url: expected an address such as https://charts.example.com"), nil
	}
	if in.Username != "" {
		req.SetBasicAuth(in.Username, in.Password)
	}
	answer, err := o.Client.Fetch(ctx, req, velahttp.FetchOptions{CA: []byte(in.CAFile), Begin: begin})
	text := string(answer.Body)
	switch status := answer.Status; {
	case err != nil:
		return no("the repository cannot be reached: %v", err), nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return no("the repository refuses the user name or the password"), nil
	case status != http.StatusOK:
		return no("the repository answers with status %d", status), nil
	case !strings.Contains(text, "apiVersion:") && !strings.Contains(text, "entries:"):
		return no("the address has no index.yaml of a Helm repository"), nil
	}
	return yes, nil
}
