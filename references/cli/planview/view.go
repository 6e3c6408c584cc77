// Package planview says what a plan of package plan does: to people, cluster by
// cluster, and to programs as stable JSON. Sensitive values are masked before
// they get here or here; nothing is computed.
package planview

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/references/cli/console"
)

// A View is what -o json and -o yaml print. Fields are only ever added.
type View struct {
	Application string `json:"application"`
	Namespace   string `json:"namespace"`
	Steps       []Step `json:"steps"`
}

// A Step is one delivery of the workflow.
type Step struct {
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	Digest  string `json:"digest,omitempty"`  // of what would be done now
	Waiting bool   `json:"waiting,omitempty"` // for an approval
	// WaitsFor is the digest that the step shows; when it is not Digest the world
	// has changed since, and the step will wait again.
	WaitsFor string `json:"waitsFor,omitempty"`
	Summary  string `json:"summary"`

	Clusters []Cluster `json:"clusters,omitempty"`
	// KnownAfter are the parts that cannot be planned yet.
	KnownAfter []After   `json:"knownAfter,omitempty"`
	Refusals   []Refusal `json:"refusals,omitempty"`
	// Error says why the step cannot be planned now, for example because a
	// cluster is away.
	Error string `json:"error,omitempty"`
}

// A Cluster is what happens in one cluster.
type Cluster struct {
	Name      string   `json:"name"`
	Objects   []Object `json:"objects,omitempty"`
	Unchanged int      `json:"unchanged"`
}

// An Object is what happens to one object.
type Object struct {
	Action    string   `json:"action"` // create, update, recreate, adopt, share, delete, release, keep or forget
	Group     string   `json:"group,omitempty"`
	Kind      string   `json:"kind"`
	Namespace string   `json:"namespace,omitempty"`
	Name      string   `json:"name"`
	Component string   `json:"component,omitempty"`
	Trait     string   `json:"trait,omitempty"`
	Policy    string   `json:"policy,omitempty"`
	Reason    string   `json:"reason,omitempty"`
	Changes   []Change `json:"changes,omitempty"`
	// Object is the whole object with secrets masked, when it is created.
	Object map[string]any `json:"object,omitempty"`
}

// A Change is one field; From or To is null when the field is new or goes.
type Change struct {
	Path string `json:"path"`
	From any    `json:"from"`
	To   any    `json:"to"`
}

// An After is a component that needs what an earlier step or component puts
// out.
type After struct {
	Component string   `json:"component"`
	Cluster   string   `json:"cluster"`
	Namespace string   `json:"namespace,omitempty"`
	Inputs    []string `json:"inputs"`
	Step      string   `json:"step,omitempty"` // that puts them out, when it is a step
}

// A Refusal is an object that the plan cannot touch.
type Refusal struct {
	Cluster   string `json:"cluster"`
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Component string `json:"component,omitempty"`
	Policy    string `json:"policy,omitempty"`
	Reason    string `json:"reason"`
}

// Of returns the view of the plan of one step. The summary is the count of
// what it does.
func Of(name, kind string, p plan.Plan) Step {
	step := Step{Name: name, Type: kind, Digest: p.Digest}
	for _, a := range p.Applies {
		c := step.cluster(a.Manifest.Key.Cluster)
		if !a.Writes() {
			c.Unchanged++
			continue
		}
		object := objectOf(string(a.Action), a.Manifest.Key)
		object.Component, object.Trait, object.Policy = a.Manifest.Component, a.Manifest.Trait, a.Manifest.Policy
		for _, change := range a.Changes {
			object.Changes = append(object.Changes, Change(change))
		}
		if a.Action == plan.Create {
			object.Object = plan.Masked(a.Manifest.Object).Object
		}
		c.Objects = append(c.Objects, object)
	}
	for _, d := range p.Deletes {
		object := objectOf("delete", d.Entry.Key)
		object.Component, object.Trait = d.Entry.Component, d.Entry.Trait
		switch {
		case d.Release != nil:
			object.Action, object.Reason = "release", "it stays and is no longer owned"
		case d.Orphan:
			object.Reason = "what depends on it stays"
		}
		c := step.cluster(d.Entry.Key.Cluster)
		c.Objects = append(c.Objects, object)
	}
	for _, k := range p.Keeps {
		object := objectOf("keep", k.Key)
		object.Reason = k.Reason
		c := step.cluster(k.Key.Cluster)
		c.Objects = append(c.Objects, object)
	}
	for _, r := range p.Refusals {
		step.Refusals = append(step.Refusals, Refusal{
			Cluster: r.Key.Cluster, Group: r.Key.Group, Kind: r.Key.Kind, Namespace: r.Key.Namespace, Name: r.Key.Name,
			Component: r.Component, Policy: r.Policy, Reason: r.Reason,
		})
	}
	slices.SortStableFunc(step.Clusters, func(a, b Cluster) int { return cmp.Compare(a.Name, b.Name) })
	step.Summary = step.count()
	return step
}

func objectOf(action string, key manifest.Key) Object {
	return Object{Action: action, Group: key.Group, Kind: key.Kind, Namespace: key.Namespace, Name: key.Name}
}

// cluster returns the entry of that name, made on first use.
func (s *Step) cluster(name string) *Cluster {
	i := slices.IndexFunc(s.Clusters, func(c Cluster) bool { return c.Name == name })
	if i < 0 {
		i = len(s.Clusters)
		s.Clusters = append(s.Clusters, Cluster{Name: name})
	}
	return &s.Clusters[i]
}

// Nothing is the summary of a step that changes nothing.
const Nothing = "nothing to do"

// count is "2 to create, 1 to change, 1 to delete".
func (s *Step) count() string {
	counts := map[string]int{}
	for _, c := range s.Clusters {
		counts["unchanged"] += c.Unchanged
		for _, o := range c.Objects {
			counts[o.Action]++
		}
	}
	var parts []string
	for _, p := range []struct{ action, text string }{
		{"create", "to create"}, {"update", "to change"}, {"recreate", "to delete and create again"}, {"adopt", "to adopt"},
		{"share", "to share"}, {"delete", "to delete"}, {"release", "to leave behind"}, {"keep", "kept"}, {"unchanged", "as wanted"},
	} {
		if n := counts[p.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, p.text))
		}
	}
	if n := len(s.Refusals); n > 0 {
		parts = append(parts, fmt.Sprintf("%d that cannot be delivered", n))
	}
	if len(parts) == 0 {
		return Nothing
	}
	return strings.Join(parts, ", ")
}

// value is a field as one line of JSON; text without quotes where that is
// clear.
func value(v any) string {
	text, ok := v.(string)
	if ok && (text == plan.SecretChanged || text != "" && !strings.ContainsAny(text, " \n\t\"")) {
		return text
	}
	var data strings.Builder
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // it is for people
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	const most = 120
	if runes := []rune(strings.TrimSpace(data.String())); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return strings.TrimSpace(data.String())
}

// Only returns the view with one step.
func (v View) Only(name string) (View, error) {
	var names []string
	for _, s := range v.Steps {
		if s.Name == name {
			v.Steps = []Step{s}
			return v, nil
		}
		names = append(names, s.Name)
	}
	return v, fmt.Errorf("step %q delivers nothing that is still to come; those that do: %s", name, strings.Join(names, ", "))
}

// Problem says what of the view cannot be delivered, "" when all can.
func (v View) Problem() string {
	refused := 0
	for _, s := range v.Steps {
		if s.Error != "" {
			return "step " + s.Name + " cannot be planned: " + s.Error
		}
		refused += len(s.Refusals)
	}
	if refused > 0 {
		return console.Count(refused, "object") + " cannot be delivered; nothing of such a plan is sent"
	}
	return ""
}
