package helm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"
)

// Bounds of what is fetched.
const (
	maxIndex  = 64 << 20 // the largest public index has half of it
	fetchTime = time.Minute
)

// fetch gets a chart from where it is.
func (s *Store) fetch(ctx context.Context, k kind, src Source) (*Chart, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	client, err := s.client(src.Auth)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	switch k {
	case ociReference:
		return s.fromRegistry(ctx, client, src)
	case archiveURL:
		at, err := url.Parse(src.Location)
		if err != nil {
			return nil, fmt.Errorf("it is no URL: %w", err)
		}
		return fetchArchive(ctx, client, at, src.Auth, "")
	}
	return fromRepository(ctx, client, src)
}

// client connects as auth says, with nothing of the environment: no proxy, no
// netrc, no stored logins.
func (s *Store) client(auth Auth) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: auth.SkipVerify} //nolint:gosec // the user asks for it, for this chart
	if len(auth.CA) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(auth.CA) {
			return nil, errors.New("the CA of chart.auth holds no certificate")
		}
	}
	if len(auth.Cert) > 0 {
		pair, err := tls.X509KeyPair(auth.Cert, auth.Key)
		if err != nil {
			return nil, errors.New("certificate and key of chart.auth are no pair")
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{
		DialContext: s.o.Dial, TLSClientConfig: config, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second, MaxIdleConns: 4, IdleConnTimeout: time.Minute,
	}}, nil
}

// get reads what is at a URL. Credentials go along where auth is given; Go
// drops them when it is sent on to another host.
func get(ctx context.Context, client *http.Client, at *url.URL, auth Auth, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "vela")
	switch {
	case auth.Token != "":
		req.Header.Set("Authorization", "Bearer "+auth.Token)
	case auth.Username != "" || auth.Password != "":
		req.SetBasicAuth(auth.Username, auth.Password)
	}
	resp, err := client.Do(req)
	if err != nil {
		var wrapped *url.Error // its text has the URL with its query
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("get %s: %w", shown(at), err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", shown(at), resp.Status)
	}
	body, err := readBounded(resp.Body, limit)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", shown(at), err)
	}
	return body, nil
}

// shown is a URL without what may be secret.
func shown(at *url.URL) string { return at.Scheme + "://" + at.Host + at.EscapedPath() }

// fetchArchive gets a packed chart; digest, if any, is that of the index.
func fetchArchive(ctx context.Context, client *http.Client, at *url.URL, auth Auth, digest string) (*Chart, error) {
	archive, err := get(ctx, client, at, auth, maxArchive)
	if err != nil {
		return nil, err
	}
	if got := digestOf(archive); digest != "" && got != "sha256:"+strings.TrimPrefix(digest, "sha256:") {
		return nil, fmt.Errorf("%s has the digest %s, and the index of the repository says %s", shown(at), got, digest)
	}
	return Load(archive)
}

// An index lists the charts of a repository.
type index struct {
	Entries map[string][]release `json:"entries"`
}

type release struct {
	Version string   `json:"version"`
	URLs    []string `json:"urls"`
	Digest  string   `json:"digest"`
}

func fromRepository(ctx context.Context, client *http.Client, src Source) (*Chart, error) {
	repo, err := url.Parse(src.Repo)
	if err != nil || (repo.Scheme != "http" && repo.Scheme != "https") || repo.Host == "" {
		return nil, fmt.Errorf("chart.repoURL %q is no http(s) or oci URL", src.Repo)
	}
	raw, err := get(ctx, client, repo.JoinPath("index.yaml"), src.Auth, maxIndex)
	if err != nil {
		return nil, err
	}
	var all index
	if err := yaml.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("the index of %s: %w", shown(repo), err)
	}
	releases, ok := all.Entries[src.Location]
	if !ok {
		return nil, fmt.Errorf("%s has no chart of this name", shown(repo))
	}
	versions := make([]string, len(releases))
	for i, r := range releases {
		versions[i] = r.Version
	}
	version, err := choose(src.Version, versions)
	if err != nil {
		return nil, err
	}
	r := releases[slices.Index(versions, version)]
	if len(r.URLs) == 0 {
		return nil, fmt.Errorf("%s has no URL for version %s", shown(repo), version)
	}
	base := *repo
	base.Path = strings.TrimSuffix(base.Path, "/") + "/"
	at, err := base.Parse(r.URLs[0])
	if err != nil {
		return nil, fmt.Errorf("the URL of version %s: %w", version, err)
	}
	auth := src.Auth
	if at.Host != repo.Host || at.Scheme != repo.Scheme { // the repository must not make us show them elsewhere
		auth = Auth{}
	}
	return fetchArchive(ctx, client, at, auth, r.Digest)
}

// choose returns the version that is wanted: the exact one, or the newest of a
// range. The newest of all is the newest that is not a pre-release.
func choose(want string, versions []string) (string, error) {
	if slices.Contains(versions, want) {
		return want, nil
	}
	constraint := want
	if want == "" || want == "latest" {
		constraint = "*"
	}
	fits, err := semver.NewConstraint(constraint)
	if err != nil {
		return "", fmt.Errorf("there is no version %q, and it is no range either", want)
	}
	var best *semver.Version
	name := ""
	for _, v := range versions {
		parsed, err := semver.NewVersion(v)
		if err != nil || !fits.Check(parsed) || (best != nil && !parsed.GreaterThan(best)) {
			continue
		}
		best, name = parsed, v
	}
	if best == nil {
		return "", fmt.Errorf("no version is %q; there are %s", want, some(versions))
	}
	return name, nil
}

// some names a few of the newest versions.
func some(versions []string) string {
	const few = 5
	if len(versions) == 0 {
		return "none"
	}
	if len(versions) > few {
		return strings.Join(versions[:few], ", ") + fmt.Sprintf(" and %d more", len(versions)-few)
	}
	return strings.Join(versions, ", ")
}
