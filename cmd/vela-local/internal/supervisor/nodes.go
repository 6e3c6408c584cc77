package supervisor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/control"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/realnode"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

// The kinds of nodes, and the wish that leaves the choice to us.
const (
	modeAuto      = "auto"
	modeReal      = "real"
	modeSimulated = "simulated"
)

// askNodeEvery is how often a real node is asked whether it is ready.
const askNodeEvery = 200 * time.Millisecond

func (s *Supervisor) mode() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Mode
}

// chooseNodes decides between real and simulated nodes. Real ones are
// prepared up to a container that ran, because only that shows whether this
// machine can; what did not work is undone before nodes are simulated instead.
func (s *Supervisor) chooseNodes(ctx context.Context) error {
	wish := s.state.Settings.Nodes
	if wish == modeSimulated {
		s.chose(modeSimulated, "asked for")
		return nil
	}
	err := realnode.Possible(s.images())
	if err == nil {
		err = s.prepareNodes(ctx)
	}
	switch {
	case err == nil && wish == modeReal:
		s.chose(modeReal, "asked for")
	case err == nil:
		s.chose(modeReal, "this machine can run containers")
	case wish == modeReal:
		return fmt.Errorf("real nodes are not possible here: %w", err)
	default:
		s.chose(modeSimulated, "real nodes are not possible here: "+err.Error())
	}
	return nil
}

func (s *Supervisor) chose(mode, reason string) {
	s.mu.Lock()
	s.current = control.Nodes{Mode: mode, Reason: reason}
	s.mu.Unlock()
	s.say("nodes are %s: %s", mode, reason)
}

func (s *Supervisor) images() string { return filepath.Join(filepath.Dir(s.self), "images") }

// prepareNodes brings every cluster's node up to a working container runtime.
func (s *Supervisor) prepareNodes(ctx context.Context) error {
	s.mu.Lock()
	s.runtimes = process.NewSet(context.WithoutCancel(ctx))
	s.mu.Unlock()
	for _, c := range s.state.Active() {
		s.nodes = append(s.nodes, realnode.Node{
			Name:    NodeName(c.Name),
			Cluster: controlplane.Cluster{Name: c.Name, Dir: s.dir.Cluster(c.Name), Port: c.Port, Slot: c.Slot},
			Owner:   s.dir, Self: s.self, Images: s.images(), Log: s.dir.Log,
		})
	}
	errs := make([]error, len(s.nodes))
	var wg sync.WaitGroup
	for i, n := range s.nodes {
		wg.Go(func() { errs[i] = s.prepareNode(ctx, n) })
	}
	wg.Wait()
	err := errors.Join(errs...)
	if err == nil {
		err = s.nodes[0].Try(ctx)
	}
	if err != nil {
		err = errors.Join(err, s.dropNodes(ctx))
	}
	return err
}

func (s *Supervisor) prepareNode(ctx context.Context, n realnode.Node) error {
	if err := n.Cluster.Prepare(); err != nil {
		return err
	}
	if err := errors.Join(n.PrepareCgroup(), n.Connect()); err != nil {
		return err
	}
	if err := n.Configure(); err != nil {
		return err
	}
	f, err := n.Forward()
	if err != nil {
		return err
	}
	s.onStop(f.Close)
	s.runtimes.Start(n.Containerd())
	if err := n.AwaitContainerd(ctx); err != nil {
		return err
	}
	return n.Import(ctx)
}

// dropNodes undoes prepareNodes.
func (s *Supervisor) dropNodes(ctx context.Context) error {
	s.runtimes.Stop()
	err := sweepNodes(ctx, s.dir, s.state.Clusters)
	s.mu.Lock()
	s.runtimes, s.nodes = nil, nil
	s.mu.Unlock()
	return err
}

// startNodes runs kubelet and kube-proxy on real nodes; simulated ones came
// with their clusters.
func (s *Supervisor) startNodes(ctx context.Context) error {
	errs := make([]error, len(s.nodes))
	var wg sync.WaitGroup
	for i, n := range s.nodes {
		kubelet := s.processes.Start(n.Kubelet())
		s.processes.Start(n.Proxy())
		wg.Go(func() {
			if errs[i] = awaitNode(ctx, n, kubelet); errs[i] == nil {
				s.say("node %s is ready", n.Name)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// awaitNode returns when the node says that it is ready.
func awaitNode(ctx context.Context, n realnode.Node, kubelet *process.Process) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", n.Cluster.Kubeconfig())
	if err != nil {
		return fmt.Errorf("node %q: %w", n.Name, err)
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("node %q: %w", n.Name, err)
	}
	since := time.Now().Truncate(time.Second) // the precision of heartbeats
	tick := time.NewTicker(askNodeEvery)
	defer tick.Stop()
	for {
		node, err := client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
		if err == nil && isReady(node, since) {
			return nil
		}
		status := kubelet.Status()
		failure := &process.Failure{Name: status.Name, Log: status.Log, Restarts: status.Restarts}
		if status.Restarts >= attempts {
			return failure
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			failure.Err = ctx.Err()
			return failure
		}
	}
}

// isReady reports a node that has said so since: what a killed one said last
// stays on the server for a while.
func isReady(node *corev1.Node, since time.Time) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue && !c.LastHeartbeatTime.Time.Before(since)
		}
	}
	return false
}

// shutdownNodes ends the containers after the processes that would restart
// them, and takes the networks down.
func (s *Supervisor) shutdownNodes() error {
	if s.runtimes == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepPatience)
	defer cancel()
	s.runtimes.Stop()
	return sweepNodes(ctx, s.dir, s.state.Clusters)
}

// sweepNodes ends what the runtimes leave running by design: the shims, which
// carry the mark, and with them the containers.
func sweepNodes(ctx context.Context, dir state.Dir, clusters []state.Cluster) error {
	shims := func(pid int) bool { return process.Marked(dir.String())(pid) && process.Runs(pid, "containerd-shim") }
	if _, err := process.Reap(ctx, shims); err != nil {
		return fmt.Errorf("end container shims: %w", err)
	}
	return realnode.Clean(ctx, dir, clusters)
}
