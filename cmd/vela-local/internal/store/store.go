// Package store runs the one etcd that all embedded clusters share, each under
// its own key prefix.
//
// It listens on a unix socket in a private directory, so that no other user of
// the machine can read the clusters' Secrets through it; etcd's peer port is
// bound because etcd insists, but a single member never dials it.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
)

// maxSocketPath is the longest path a unix socket can have on Linux.
const maxSocketPath = 107

const (
	electionTick    = 10  // ms
	electionTimeout = 100 // ms
)

// Options configure a store.
type Options struct {
	Dir string
	// Durable syncs every write to disk. Tests do without.
	Durable bool
}

// A Store is a running etcd.
type Store struct {
	etcd     *embed.Etcd
	endpoint string
}

// Endpoint returns the address of a store kept in dir, running or not.
func Endpoint(dir string) string { return "unix://" + socketPath(dir) }

// Start runs etcd until Close and returns when it serves.
func Start(ctx context.Context, o Options) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(socketPath(o.Dir)), 0o700); err != nil {
		return nil, fmt.Errorf("store directory: %w", err)
	}
	cfg, err := config(o)
	if err != nil {
		return nil, err
	}
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, fmt.Errorf("start etcd in %s: %w", o.Dir, err)
	}
	select {
	case <-e.Server.ReadyNotify():
		return &Store{etcd: e, endpoint: Endpoint(o.Dir)}, nil
	case err := <-e.Err():
		return nil, fmt.Errorf("etcd in %s stopped while starting: %w", o.Dir, err)
	case <-ctx.Done():
		e.Close()
		return nil, ctx.Err()
	}
}

// Endpoint returns the URL for --etcd-servers.
func (s *Store) Endpoint() string { return s.endpoint }

// Failed reports an etcd that stopped by itself.
func (s *Store) Failed() <-chan error { return s.etcd.Err() }

// Close stops etcd and waits for it.
func (s *Store) Close() { s.etcd.Close() }

func config(o Options) (*embed.Config, error) {
	client, err := url.Parse(Endpoint(o.Dir))
	if err != nil {
		return nil, fmt.Errorf("store address: %w", err)
	}
	// etcd wants host and port where nobody will ever dial.
	nowhere := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(o.Dir, "data")
	cfg.ListenClientUrls = []url.URL{*client}
	cfg.AdvertiseClientUrls = []url.URL{nowhere}
	cfg.ListenPeerUrls = []url.URL{nowhere}
	cfg.AdvertisePeerUrls = []url.URL{nowhere}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.UnsafeNoFsync = !o.Durable
	cfg.LogLevel = "error"
	// A lone member elects itself; there is no network to be patient with.
	cfg.TickMs, cfg.ElectionMs = electionTick, electionTimeout
	// The API servers' own compaction is off: one store, one compactor.
	cfg.AutoCompactionMode = "periodic"
	cfg.AutoCompactionRetention = "5m"
	return cfg, nil
}

// socketPath lies in dir unless the kernel's limit forbids it; then it is in a
// private directory of the system's temporary one, named by dir's digest.
func socketPath(dir string) string {
	path := filepath.Join(dir, "etcd.sock")
	if len(path) <= maxSocketPath {
		return path
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(os.TempDir(), "vela-local-"+hex.EncodeToString(sum[:8]), "etcd.sock")
}
