// Package supervisor is the detached process of an installation: it holds the
// store, starts one process per cluster, the nodes and vela-core, keeps them
// running and answers the commands.
//
// Its phases are the list in Supervisor.phases; each reports to the journal
// that `vela local start` follows.
package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/child"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/control"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/hub"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/lock"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/realnode"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/store"
)

const (
	// patience is the longest a phase may take; a loaded machine is slow.
	patience = 3 * time.Minute
	// attempts is how often a process may end before the start has failed.
	attempts = 3
)

// A Supervisor runs one installation once. Make one with New.
type Supervisor struct {
	dir      state.Dir
	self     string // the path of this binary
	state    state.State
	build    string // of the binaries as they were when we started
	journal  *control.Journal
	clusters []controlplane.Cluster
	stop     context.CancelFunc
	started  chan struct{} // closed when the start is over, well or not

	store     *store.Store
	processes *process.Set
	hub       hub.Hub
	// nodes and runtimes are of real nodes only. The runtimes outlive the
	// other processes, so that those do not find them gone.
	nodes    []realnode.Node
	runtimes *process.Set

	mu      sync.Mutex
	current control.Nodes
	cleanup []func() error // run in reverse order at the end
}

// New prepares a supervisor for the installation in dir, as its state says.
func New(dir state.Dir) (*Supervisor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this binary: %w", err)
	}
	st, err := state.Load(dir)
	if err != nil {
		return nil, err
	}
	if len(st.Active()) == 0 {
		return nil, fmt.Errorf("%s holds no clusters: use `vela local start`", dir)
	}
	return &Supervisor{
		dir: dir, self: self, state: st, build: Build(),
		journal: control.NewJournal(), started: make(chan struct{}),
	}, nil
}

// LockFile is held by the supervisor of dir as long as it lives.
func LockFile(dir state.Dir) string { return filepath.Join(dir.String(), "supervisor.lock") }

// Run serves until ctx is done or a command stops it, and leaves nothing
// running. A failed start ends it, unless the clusters themselves run.
func (s *Supervisor) Run(ctx context.Context) error {
	held, err := lock.Try(LockFile(s.dir))
	if err != nil {
		return fmt.Errorf("another supervisor: %w", err)
	}
	defer func() { _ = held.Release() }()
	ctx, s.stop = context.WithCancel(ctx)
	defer s.stop()
	if err := Sweep(ctx, s.dir, s.state.Clusters); err != nil {
		return err
	}
	listener, err := control.Listen(s.dir.Socket())
	if err != nil {
		return err
	}
	defer listener.Close()
	serving := make(chan error, 1)
	srv := control.Server{Journal: s.journal, Status: s.Status, Stop: s.stop}
	go func() { serving <- srv.Serve(listener) }()

	s.processes = process.NewSet(ctx)
	defer s.shutdown()
	go s.start(ctx)
	select {
	case <-ctx.Done():
		return nil
	case err := <-serving:
		return err
	}
}

// A phase is one step of the start. A failed vital phase ends everything.
type phase struct {
	name  string
	vital bool
	run   func(context.Context) error
}

func (s *Supervisor) phases() []phase {
	return []phase{
		{"choose nodes", true, s.chooseNodes},
		{"start the store", true, s.startStore},
		{"start the clusters", true, s.startClusters},
		{"start the nodes", true, s.startNodes},
		{"start the control plane", false, s.startControlPlane},
	}
}

func (s *Supervisor) start(ctx context.Context) {
	defer close(s.started)
	for _, p := range s.phases() {
		bounded, cancel := context.WithTimeout(ctx, patience)
		err := p.run(bounded)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue
		}
		s.journal.Add(control.Failed, fmt.Sprintf("%s: %v", p.name, err))
		if p.vital {
			// The reader of the journal needs a moment to read its last line.
			time.AfterFunc(time.Second, s.stop)
		}
		return
	}
	s.journal.Add(control.Ready, "ready")
}

func (s *Supervisor) shutdown() {
	s.processes.Stop()
	<-s.started
	s.mu.Lock()
	cleanup := s.cleanup
	s.mu.Unlock()
	errs := []error{s.shutdownNodes()}
	for _, f := range slices.Backward(cleanup) {
		errs = append(errs, f())
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintf(os.Stderr, "vela-local: error: clean up: %v\n", err)
	}
}

func (s *Supervisor) onStop(f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cleanup = append(s.cleanup, f)
}

func (s *Supervisor) say(format string, args ...any) {
	s.journal.Add(control.Progress, fmt.Sprintf(format, args...))
}

func (s *Supervisor) startStore(ctx context.Context) error {
	st, err := store.Start(ctx, store.Options{Dir: s.dir.Store(), Durable: true})
	if err != nil {
		return fmt.Errorf("%w (log: %s)", err, s.dir.Log("supervisor"))
	}
	s.store = st
	s.onStop(func() error { st.Close(); return nil })
	s.say("store is ready")
	return nil
}

// startClusters starts every cluster's process and waits for all.
func (s *Supervisor) startClusters(ctx context.Context) error {
	for _, c := range s.state.Active() {
		cluster, err := s.prepare(c)
		if err != nil {
			return err
		}
		s.clusters = append(s.clusters, cluster)
	}
	errs := make([]error, len(s.clusters))
	var wg sync.WaitGroup
	for i, c := range s.clusters {
		spec := child.Spec{Cluster: c}
		if s.mode() == modeSimulated {
			spec.Node = NodeName(c.Name)
		} else {
			spec.NodeNetwork = s.nodes[i].Tag()
		}
		path, err := spec.Save()
		if err != nil {
			return err
		}
		p := s.processes.Start(process.Spec{
			Name: c.Name, Args: []string{s.self, "cluster", "--spec", path},
			Env: []string{process.Mark(s.dir.String())}, Log: s.dir.Log(c.Name), Announces: true,
		})
		wg.Go(func() {
			if errs[i] = p.AwaitReady(ctx, attempts); errs[i] == nil {
				s.say("cluster %s is ready at %s", c.Name, c.Server())
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// NodeName is the name of a cluster's only node, the same for a real and for a
// simulated one, so that a change of kind leaves no dead node behind.
func NodeName(cluster string) string { return cluster + "-node" }

func (s *Supervisor) prepare(c state.Cluster) (controlplane.Cluster, error) {
	cluster := controlplane.Cluster{
		Name: c.Name, Dir: s.dir.Cluster(c.Name), Port: c.Port, Slot: c.Slot,
		Store: s.store.Endpoint(), Controllers: true, Scheduler: true,
	}
	if s.mode() == modeReal {
		cluster.Advertise = cluster.LinkAddress(1)
	}
	return cluster, cluster.Prepare()
}

// startControlPlane runs vela-core on the hub and joins the members. Missing
// binaries are announced and skipped: the clusters are of use without.
func (s *Supervisor) startControlPlane(ctx context.Context) error {
	if !s.state.Settings.ControlPlane {
		s.say("control plane left out, as asked")
		return nil
	}
	s.hub = hub.Hub{
		Kubeconfig:     s.clusters[0].Kubeconfig(),
		Bin:            filepath.Dir(s.self),
		MetricsAddress: loopback(s.state.MetricsPort),
		HealthAddress:  loopback(s.state.HealthPort),
		WebhookAddress: loopback(s.state.WebhookPort),
	}
	if missing := s.hub.Missing(); len(missing) > 0 {
		s.journal.Add(control.Warning, fmt.Sprintf("no %s in %s: the clusters run without a control plane; `make build`, then start again",
			strings.Join(missing, " and no "), s.hub.Bin))
		return nil
	}
	core := s.processes.Start(s.hub.Core(s.dir.Log("vela-core"), process.Mark(s.dir.String())))
	if err := s.hub.AwaitCore(ctx, core, attempts); err != nil {
		return err
	}
	s.say("vela-core is ready")
	for _, c := range s.clusters[1:] {
		joined, err := s.hub.AwaitJoin(ctx, hub.Member{Name: c.Name, Kubeconfig: c.Kubeconfig(), Server: c.Server()})
		if err != nil {
			return err
		}
		if joined {
			s.say("cluster %s is joined", c.Name)
		}
	}
	return nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
