// Package control is how the commands talk to the supervisor: HTTP over a unix
// socket in the data directory, whose permissions are the access control.
//
//	GET  /status   what runs
//	GET  /events   progress of the start, one JSON object per line, until the
//	               start has succeeded or failed
//	POST /stop     end everything
package control

import "github.com/seed-c5f95f19/vela/cmd/vela-local/internal/process"

// Status is what `vela local status -o json` prints.
type Status struct {
	Running bool   `json:"running"`
	DataDir string `json:"dataDir"`
	// Start is how far the start got: progress, ready, failed, or warning when
	// it is done but something was left out.
	Start Phase `json:"start,omitempty"`
	// Build identifies the binaries that run.
	Build     string           `json:"build,omitempty"`
	Nodes     Nodes            `json:"nodes"`
	Clusters  []Cluster        `json:"clusters"`
	Processes []process.Status `json:"processes"`
}

// Nodes says which kind of node was chosen and why.
type Nodes struct {
	Mode   string `json:"mode,omitempty"` // real or simulated
	Reason string `json:"reason,omitempty"`
}

// Cluster is one cluster's state.
type Cluster struct {
	Name       string `json:"name"`
	Kubeconfig string `json:"kubeconfig"`
	Server     string `json:"server"`
	Ready      bool   `json:"ready"`
	Nodes      string `json:"nodes"` // real or simulated
}

// Phase says what an event means for the start as a whole.
type Phase string

// The phases. Exactly one event of a start is Ready or Failed, the last one.
const (
	Progress Phase = "progress"
	Warning  Phase = "warning"
	Ready    Phase = "ready"
	Failed   Phase = "failed"
)

// An Event is one line of progress.
type Event struct {
	Phase   Phase   `json:"phase"`
	Seconds float64 `json:"seconds"` // since the start
	Text    string  `json:"text"`
}

// Last reports whether no event follows.
func (e Event) Last() bool { return e.Phase == Ready || e.Phase == Failed }
