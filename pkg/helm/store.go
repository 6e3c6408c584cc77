package helm

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/Masterminds/semver/v3"
)

// A Source says where a chart is.
type Source struct {
	Location string // oci://…, http(s)://….tgz, a path, or a name in the repository
	Repo     string // URL of the repository that has the name
	Version  string // exact, a range, or "" and "latest" for the newest
	Auth     Auth
	Keep     Keep
}

// Auth is what a repository or registry is shown.
type Auth struct {
	Username, Password string
	Token              string // bearer
	CA, Cert, Key      []byte // PEM
	SkipVerify         bool   // of the certificate of the server
	PlainHTTP          bool   // for OCI
}

// Keep says how long an answer of a repository is believed. Zero means the
// default, negative not at all.
type Keep struct {
	Immutable time.Duration // of an exact version (24h)
	Mutable   time.Duration // of ranges and names such as latest (5m)
}

// Options configure a Store.
type Options struct {
	// Dial opens the connections; nil: no chart is fetched.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Local allows paths of this machine, relative ones below this directory; ""
	// refuses them.
	Local string
	Seed  Seed // of what templates make up; nil: a public one, for previews
	Now   func() time.Time
	Bytes int64 // of charts that are kept (128 MiB)
}

// A Store fetches charts and keeps them by digest. It is safe for concurrent
// use.
type Store struct {
	o Options

	mu      sync.Mutex
	answers map[string]answer        // by what was asked
	asking  map[string]chan struct{} // that somebody asks right now; closed when done
	charts  map[string]*list.Element
	order   *list.List // of *Chart, last used first
	held    int64

	rendered map[string]*Result // by chart and request
	recent   []string           // their keys, last rendered last
}

// An answer is which chart a repository gave.
type answer struct {
	digest string
	until  time.Time
}

// maxAnswers bounds what is remembered beside the charts.
const maxAnswers = 10_000

// ErrNotAllowed is a source that cannot be used here, whatever it holds.
var ErrNotAllowed = errors.New("not allowed")

// NewStore returns a store that has nothing yet.
func NewStore(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Bytes == 0 {
		o.Bytes = 128 << 20
	}
	return &Store{
		o: o, answers: map[string]answer{}, asking: map[string]chan struct{}{},
		charts: map[string]*list.Element{}, order: list.New(), rendered: map[string]*Result{},
	}
}

// Chart returns the chart of a source. What is known and not too old costs no
// request; one of several that ask for the same at the same time asks. When a
// repository does not answer, what it gave last is used.
func (s *Store) Chart(ctx context.Context, src Source) (*Chart, error) {
	kind := src.kind()
	if kind == local {
		return s.local(src)
	}
	if s.o.Dial == nil {
		return nil, fmt.Errorf("chart %q: %w: charts are not fetched here: name a directory or a .tgz file", src.Location, ErrNotAllowed)
	}
	key := src.key()
	known, fresh, err := s.begin(ctx, key)
	if fresh || err != nil {
		return known, err
	}
	defer s.end(key)
	chart, err := s.fetch(ctx, kind, src)
	if err != nil {
		if known != nil && ctx.Err() == nil {
			return known, nil
		}
		return nil, fmt.Errorf("chart %q: %w", src.Location, err)
	}
	return s.learn(key, chart, src.ttl()), nil
}

func (s *Store) local(src Source) (*Chart, error) {
	if s.o.Local == "" {
		return nil, fmt.Errorf("chart %q: %w: the control plane has no charts of its own: name an OCI reference, the URL of a .tgz file, or set chart.repoURL", src.Location, ErrNotAllowed)
	}
	path := strings.TrimPrefix(src.Location, "file://")
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.o.Local, path)
	}
	return openLocal(path)
}

// begin returns what is known for a key. When that is not fresh the caller must
// ask, and call end.
func (s *Store) begin(ctx context.Context, key string) (known *Chart, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.asking[key] != nil {
		other := s.asking[key]
		s.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		s.mu.Lock()
		if err != nil {
			return nil, false, err
		}
	}
	if a, ok := s.answers[key]; ok {
		if e := s.charts[a.digest]; e != nil {
			s.order.MoveToFront(e)
			known, fresh = e.Value.(*Chart), s.o.Now().Before(a.until)
		}
	}
	if !fresh {
		s.asking[key] = make(chan struct{})
	}
	return known, fresh, nil
}

func (s *Store) end(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.asking[key])
	delete(s.asking, key)
}

// learn keeps a chart and returns it, or the equal one that is kept already.
func (s *Store) learn(key string, chart *Chart, ttl time.Duration) *Chart {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.charts[chart.Digest]; e != nil {
		s.order.MoveToFront(e)
		chart = e.Value.(*Chart)
	} else {
		s.charts[chart.Digest] = s.order.PushFront(chart)
		s.held += chart.size
	}
	if len(s.answers) >= maxAnswers {
		clear(s.answers)
	}
	s.answers[key] = answer{chart.Digest, s.o.Now().Add(ttl)}
	for s.held > s.o.Bytes && s.order.Len() > 1 {
		last := s.order.Remove(s.order.Back()).(*Chart)
		delete(s.charts, last.Digest)
		s.held -= last.size
	}
	return chart
}

type kind int

const (
	local kind = iota
	archiveURL
	ociReference
	inRepository
)

func (s Source) kind() kind {
	switch l := s.Location; {
	case strings.HasPrefix(l, "oci://"):
		return ociReference
	case strings.HasPrefix(l, "http://"), strings.HasPrefix(l, "https://"):
		return archiveURL
	case strings.HasPrefix(s.Repo, "oci://"):
		return ociReference
	case s.Repo != "" && !strings.HasPrefix(l, "file://"):
		return inRepository
	}
	return local
}

// key is what an answer depends on. Whoever shows other credentials asks anew.
func (s Source) key() string {
	b, err := json.Marshal([]any{s.Location, s.Repo, s.Version, s.Auth})
	if err != nil {
		return s.Location
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (s Source) ttl() time.Duration {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(s.Version, "v"))
	if err == nil {
		return orDefault(s.Keep.Immutable, 24*time.Hour)
	}
	return orDefault(s.Keep.Mutable, 5*time.Minute)
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return max(d, 0)
}
