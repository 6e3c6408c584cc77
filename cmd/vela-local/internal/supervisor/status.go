package supervisor

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/control"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/controlplane"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"
	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/state"
)

// Status tells what runs; every API server is asked whether it is ready.
func (s *Supervisor) Status(ctx context.Context) control.Status {
	s.mu.Lock()
	nodes, runtimes := s.current, s.runtimes
	s.mu.Unlock()
	out := Describe(s.dir, s.state)
	out.Running, out.Nodes, out.Start, out.Build = true, nodes, s.journal.Phase(), s.build
	var wg sync.WaitGroup
	for i := range out.Clusters {
		out.Clusters[i].Nodes = nodes.Mode
		wg.Go(func() {
			out.Clusters[i].Ready = controlplane.Probe(ctx, out.Clusters[i].Kubeconfig) == nil
		})
	}
	wg.Wait()
	own := process.Status{Name: "supervisor", PID: os.Getpid(), Log: s.dir.Log("supervisor"), Ready: true}
	out.Processes = slices.Concat([]process.Status{own}, s.processes.Status())
	if runtimes != nil {
		out.Processes = slices.Concat(out.Processes, runtimes.Status())
	}
	return out
}

// Describe is the status of an installation that does not run.
func Describe(dir state.Dir, st state.State) control.Status {
	out := control.Status{DataDir: dir.String(), Clusters: []control.Cluster{}, Processes: []process.Status{}}
	for _, c := range st.Active() {
		cluster := controlplane.Cluster{Name: c.Name, Dir: dir.Cluster(c.Name), Port: c.Port}
		out.Clusters = append(out.Clusters, control.Cluster{
			Name: c.Name, Kubeconfig: cluster.Kubeconfig(), Server: cluster.Server(),
		})
	}
	return out
}

// Build identifies the binaries on disk, this one and the control plane's, by
// their build IDs: a build that changes nothing still touches the files.
func Build() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	sum := sha256.New()
	for _, path := range []string{self, filepath.Join(filepath.Dir(self), "vela-core")} {
		fmt.Fprintf(sum, "%s %x\n", path, buildID(path))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// buildID returns what Go's linker wrote about the content, or nil.
func buildID(path string) []byte {
	f, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	note := f.Section(".note.go.buildid")
	if note == nil {
		return nil
	}
	id, err := note.Data()
	if err != nil {
		return nil
	}
	return id
}
