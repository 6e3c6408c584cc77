package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"

	"github.com/seed-c5f95f19/vela/cmd/vela-local/internal/port"
)

// Hub is the name of the cluster that runs the control plane.
const Hub = "hub"

var clusterName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$`)

// A Cluster is what is remembered of one cluster.
type Cluster struct {
	Name string `json:"name"`
	Port int    `json:"port"`
	// Slot picks the cluster's addresses, 10.(100+slot).0.0/16.
	Slot int `json:"slot"`
}

// Settings are what the user chose at the last start.
type Settings struct {
	Members      []string `json:"members"`
	Nodes        string   `json:"nodes"`
	ControlPlane bool     `json:"controlPlane"`
}

// Equal reports whether two starts asked for the same.
func (s Settings) Equal(o Settings) bool {
	return slices.Equal(s.Members, o.Members) && s.Nodes == o.Nodes && s.ControlPlane == o.ControlPlane
}

// State is everything an installation remembers.
type State struct {
	Settings    Settings  `json:"settings"`
	Clusters    []Cluster `json:"clusters"` // all that ever existed, members that were left out too
	MetricsPort int       `json:"metricsPort"`
	HealthPort  int       `json:"healthPort"`
	WebhookPort int       `json:"webhookPort"`
}

// Load reads the state; a new installation has a zero one.
func Load(d Dir) (State, error) {
	data, err := os.ReadFile(d.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("read state: %w", err)
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return State{}, fmt.Errorf("read state %s: %w", d.stateFile(), err)
	}
	return s, nil
}

// Save stores s in one step.
func (s State) Save(d Dir) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	tmp := d.stateFile() + ".tmp"
	if err := os.WriteFile(tmp, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	if err := os.Rename(tmp, d.stateFile()); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// Validate checks what the user asked for.
func (s Settings) Validate() error {
	seen := map[string]bool{Hub: true}
	for _, m := range s.Members {
		switch {
		case m == Hub || m == "local":
			return fmt.Errorf("--members: %q is the name of the hub itself", m)
		case seen[m]:
			return fmt.Errorf("--members: %q is named twice", m)
		case !clusterName.MatchString(m):
			return fmt.Errorf("--members: %q is no cluster name: want a lower case letter, then letters, digits and dashes, 40 at most", m)
		}
		seen[m] = true
	}
	if !slices.Contains([]string{"auto", "real", "simulated"}, s.Nodes) {
		return fmt.Errorf("--nodes: want auto, real or simulated, got %q", s.Nodes)
	}
	return nil
}

// Active returns the clusters of the last start, the hub first.
func (s State) Active() []Cluster {
	var out []Cluster
	for _, name := range append([]string{Hub}, s.Settings.Members...) {
		if i := s.index(name); i >= 0 {
			out = append(out, s.Clusters[i])
		}
	}
	return out
}

func (s State) index(name string) int {
	return slices.IndexFunc(s.Clusters, func(c Cluster) bool { return c.Name == name })
}

// Plan returns the state for a start with these settings: remembered clusters
// keep their slot, and their port unless somebody took it; new ones get free
// ones. taken reports address ranges that the machine already uses.
func (s State) Plan(settings Settings, first int, taken func(slot int) bool) (State, error) {
	next := State{Settings: settings, Clusters: slices.Clone(s.Clusters), MetricsPort: s.MetricsPort, HealthPort: s.HealthPort, WebhookPort: s.WebhookPort}
	given := map[int]bool{} // no port is given twice, though both were free
	for _, name := range append([]string{Hub}, settings.Members...) {
		i := next.index(name)
		if i < 0 {
			slot, err := next.freeSlot(first, taken)
			if err != nil {
				return State{}, err
			}
			next.Clusters = append(next.Clusters, Cluster{Name: name, Slot: slot})
			i = len(next.Clusters) - 1
		}
		if err := keep(&next.Clusters[i].Port, given); err != nil {
			return State{}, err
		}
	}
	return next, errors.Join(keep(&next.MetricsPort, given), keep(&next.HealthPort, given), keep(&next.WebhookPort, given))
}

// keep replaces a port that is not set or not usable any more.
func keep(p *int, given map[int]bool) error {
	for *p == 0 || given[*p] || !port.Usable(*p) {
		free, err := port.Free()
		if err != nil {
			return err
		}
		*p = free
	}
	given[*p] = true
	return nil
}

// Slots is the number of address ranges, 10.100.0.0/16 to 10.199.0.0/16.
const Slots = 100

func (s State) freeSlot(first int, taken func(int) bool) (int, error) {
	for i := range Slots {
		slot := (first + i) % Slots
		used := slices.ContainsFunc(s.Clusters, func(c Cluster) bool { return c.Slot == slot })
		if !used && !taken(slot) {
			return slot, nil
		}
	}
	return 0, errors.New("no free address range for a cluster between 10.100.0.0/16 and 10.199.0.0/16")
}
