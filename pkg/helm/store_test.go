package helm_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/helm"
)

// A repository serves the chart shop in several versions and counts requests.
type repository struct {
	*httptest.Server
	mu        sync.Mutex
	requests  []string
	down      bool
	user      string // that may read; "" everybody
	elsewhere string // host of the archives
	versions  []string
}

func newRepository(t *testing.T, versions ...string) *repository {
	t.Helper()
	r := &repository{versions: versions}
	archives := map[string][]byte{}
	for _, v := range versions {
		archives[v] = packed(t, "shop", v)
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		user, _, _ := q.BasicAuth()
		r.requests = append(r.requests, q.URL.Path+" "+user)
		switch version, ok := strings.CutPrefix(q.URL.Path, "/charts/shop-"); {
		case r.down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.user != "" && user != r.user:
			w.WriteHeader(http.StatusUnauthorized)
		case q.URL.Path == "/charts/index.yaml":
			fmt.Fprintln(w, "entries:\n  shop:")
			for _, v := range r.versions {
				fmt.Fprintf(w, "  - {version: %q, digest: %q, urls: [%q]}\n", v, digest(archives[v]), r.elsewhere+"shop-"+v+".tgz")
			}
		case ok:
			w.Write(archives[strings.TrimSuffix(version, ".tgz")])
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (r *repository) source(version string) helm.Source {
	return helm.Source{Location: "shop", Repo: r.URL + "/charts", Version: version}
}

func (r *repository) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.requests
	r.requests = nil
	return out
}

func store(now *time.Time) *helm.Store {
	o := helm.Options{Dial: (&net.Dialer{}).DialContext}
	if now != nil {
		o.Now = func() time.Time { return *now }
	}
	return helm.NewStore(o)
}

func TestVersions(t *testing.T) {
	r := newRepository(t, "2.0.0-rc.1", "1.10.0", "1.9.0", "0.1.0", "notes")
	cases := map[string]struct{ version, want string }{
		"none is the newest that is no candidate": {"", "1.10.0"},
		"latest is the same":                      {"latest", "1.10.0"},
		"an exact one":                            {"1.9.0", "1.9.0"},
		"a candidate by its name":                 {"2.0.0-rc.1", "2.0.0-rc.1"},
		"a range":                                 {"~1.9", "1.9.0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := store(nil).Chart(t.Context(), r.source(tc.version))
			if err != nil {
				t.Fatal(err)
			}
			if c.Version != tc.want {
				t.Errorf("Chart(%q) has version %s, want %s", tc.version, c.Version, tc.want)
			}
		})
	}
	_, err := store(nil).Chart(t.Context(), r.source("^3"))
	if want := `chart "shop": no version is "^3"; there are 2.0.0-rc.1, 1.10.0, 1.9.0, 0.1.0, notes`; err == nil || err.Error() != want {
		t.Errorf("Chart(^3) error = %v, want %s", err, want)
	}
}

// An exact version is believed for a day, a range for five minutes; a
// repository that does not answer leaves what it gave last.
func TestWhatIsKnownIsNotAskedForAgain(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, r := store(&now), newRepository(t, "1.0.0")
	ask := func(version string) {
		t.Helper()
		if _, err := s.Chart(t.Context(), r.source(version)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want int) {
		t.Helper()
		if got := r.seen(); len(got) != want {
			t.Errorf("%s: requests %q, want %d", what, got, want)
		}
	}
	ask("1.0.0")
	ask("^1")
	check("for the first time", 4)
	now = now.Add(4 * time.Minute)
	ask("1.0.0")
	ask("^1")
	check("after four minutes", 0)
	now = now.Add(2 * time.Minute)
	ask("1.0.0")
	ask("^1")
	check("after six minutes", 2)
	now = now.Add(25 * time.Hour)
	r.mu.Lock()
	r.down = true
	r.mu.Unlock()
	ask("1.0.0")
	check("when the repository is down", 1)
}

// Several that need a chart at the same time cause one request.
func TestOneAsksForAll(t *testing.T) {
	s, r := store(nil), newRepository(t, "1.0.0")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Chart(t.Context(), r.source("1.0.0")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := r.seen(); len(got) != 2 {
		t.Errorf("requests %q, want the index and the chart", got)
	}
}

// Credentials stay with the host that they are for, and whoever shows others
// asks anew.
func TestCredentials(t *testing.T) {
	r, other := newRepository(t, "1.0.0"), newRepository(t, "1.0.0")
	r.user, r.elsewhere = "me", other.URL+"/charts/"
	s, src := store(nil), r.source("1.0.0")
	src.Auth = helm.Auth{Username: "me", Password: "secret"}
	if _, err := s.Chart(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/charts/index.yaml me"}, r.seen()); diff != "" {
		t.Errorf("requests to the repository (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/charts/shop-1.0.0.tgz "}, other.seen()); diff != "" {
		t.Errorf("requests to the other host (-want +got):\n%s", diff)
	}
	_, err := s.Chart(t.Context(), r.source("1.0.0"))
	if err == nil || !strings.Contains(err.Error(), "401 Unauthorized") {
		t.Errorf("Chart() without credentials: error = %v, want 401", err)
	}
}

func TestWhatIsFetchedIsChecked(t *testing.T) {
	r := newRepository(t, "1.0.0")
	c, err := store(nil).Chart(t.Context(), helm.Source{Location: r.URL + "/charts/shop-1.0.0.tgz"})
	if err != nil || c.Digest != "sha256:"+digest(packed(t, "shop", "1.0.0")) {
		t.Errorf("Chart() by URL = %v, %v", c, err)
	}
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "index.yaml") {
			fmt.Fprintln(w, "entries: {shop: [{version: 1.0.0, digest: 'sha256:00', urls: [x.tgz]}]}")
			return
		}
		w.Write(packed(t, "shop", "1.0.0"))
	}))
	t.Cleanup(wrong.Close)
	_, err = store(nil).Chart(t.Context(), helm.Source{Location: "shop", Repo: wrong.URL})
	if err == nil || !strings.Contains(err.Error(), "the index of the repository says sha256:00") {
		t.Errorf("Chart() of other bytes: error = %v", err)
	}
}

func TestSourcesThatAreNotAllowed(t *testing.T) {
	for name, tc := range map[string]struct {
		s   *helm.Store
		src helm.Source
	}{
		"a path in the control plane": {store(nil), helm.Source{Location: "/etc"}},
		"a URL where nothing is fetched": {
			helm.NewStore(helm.Options{Local: "testdata"}), helm.Source{Location: "https://example.com/x.tgz"},
		},
	} {
		if _, err := tc.s.Chart(t.Context(), tc.src); !errors.Is(err, helm.ErrNotAllowed) {
			t.Errorf("%s: error = %v, want %v", name, err, helm.ErrNotAllowed)
		}
	}
}

func TestLocalCharts(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "shop.tgz")
	write(t, archive, string(packed(t, "shop", "1.3.0")))
	for location, want := range map[string]string{"./shop": "1.2.0", "shop": "1.2.0", "file://shop": "1.2.0", archive: "1.3.0", "file://" + archive: "1.3.0"} {
		c, err := helm.NewStore(helm.Options{Local: "testdata"}).Chart(t.Context(), helm.Source{Location: location})
		if err != nil || c.Version != want {
			t.Errorf("Chart(%q) = %v, %v, want version %s", location, c, err, want)
		}
	}
	if _, err := helm.NewStore(helm.Options{Local: "testdata"}).Chart(t.Context(), helm.Source{Location: "./gone"}); err == nil {
		t.Error("a chart that is not there was read")
	}
}

// A registry has the chart team/shop and wants a login.
func registry(t *testing.T, versions ...string) string {
	t.Helper()
	blobs := map[string][]byte{}
	manifests := map[string][]byte{}
	for _, v := range versions {
		archive := packed(t, "shop", v)
		layer := map[string]any{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": "sha256:" + digest(archive), "size": len(archive)}
		m, err := json.Marshal(map[string]any{
			"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []any{layer},
			"config": map[string]any{"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "sha256:" + digest([]byte("{}")), "size": 2},
		})
		if err != nil {
			t.Fatal(err)
		}
		blobs["sha256:"+digest(archive)] = archive
		manifests[strings.ReplaceAll(v, "+", "_")], manifests["sha256:"+digest(m)] = m, m
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if user, password, _ := q.BasicAuth(); user != "me" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		what, name, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/v2/team/shop/"), "/")
		body := blobs[name]
		switch what {
		case "tags":
			body, _ = json.Marshal(map[string]any{"name": "team/shop", "tags": []string{"1.0.0", "1.1.0_build"}})
		case "manifests":
			body = manifests[name]
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Docker-Content-Digest", "sha256:"+digest(body))
		}
		if body == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		if q.Method == http.MethodGet {
			w.Write(body)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestRegistry(t *testing.T) {
	host := registry(t, "1.0.0", "1.1.0+build")
	auth := helm.Auth{Username: "me", Password: "secret", PlainHTTP: true}
	cases := map[string]struct {
		src  helm.Source
		want string
	}{
		"a tag":                        {helm.Source{Location: "oci://" + host + "/team/shop", Version: "1.0.0"}, "1.0.0"},
		"a tag in the reference":       {helm.Source{Location: "oci://" + host + "/team/shop:1.0.0"}, "1.0.0"},
		"a version with a plus sign":   {helm.Source{Location: "oci://" + host + "/team/shop", Version: "1.1.0+build"}, "1.1.0+build"},
		"a range":                      {helm.Source{Location: "oci://" + host + "/team/shop", Version: "~1.0"}, "1.0.0"},
		"latest without such a tag":    {helm.Source{Location: "oci://" + host + "/team/shop", Version: "latest"}, "1.1.0+build"},
		"a name in a registry as repo": {helm.Source{Location: "shop", Repo: "oci://" + host + "/team", Version: "1.0.0"}, "1.0.0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.src.Auth = auth
			c, err := store(nil).Chart(t.Context(), tc.src)
			if err != nil {
				t.Fatal(err)
			}
			if c.Version != tc.want {
				t.Errorf("Chart() has version %s, want %s", c.Version, tc.want)
			}
		})
	}
	for name, tc := range map[string]struct {
		auth helm.Auth
		want string
	}{
		"no login": {helm.Auth{PlainHTTP: true}, "credential not found"},
		"a token":  {helm.Auth{Token: "x", PlainHTTP: true}, "not a token"},
	} {
		_, err := store(nil).Chart(t.Context(), helm.Source{Location: "oci://" + host + "/team/shop", Version: "1.0.0", Auth: tc.auth})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want %q", name, err, tc.want)
		}
	}
}
