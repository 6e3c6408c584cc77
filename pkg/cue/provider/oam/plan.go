package oam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Plan is what a delivery is going to do, as an approval shows and remembers
// it. Secrets must be masked in Text.
type Plan struct {
	Digest  string  `json:"digest"`
	Entries []Entry `json:"entries,omitempty"` // every write, in order
}

// An Entry is one write of a plan.
type Entry struct {
	Object    string `json:"object"`              // "production: Deployment.apps default/web"
	Component string `json:"component,omitempty"` // that it belongs to
	Action    string `json:"action"`              // create, update, recreate, adopt, share, delete or Later
	Wanted    string `json:"wanted,omitempty"`    // digest of the wanted content, of the real values
	Text      string `json:"text,omitempty"`      // what changes, masked: "spec.replicas: 2 -> 3"
}

// Later is the action of a component whose objects are not known yet, because
// they depend on what the same delivery does before.
const Later = "later"

// cluster is what Object begins with.
func (e Entry) cluster() string {
	cluster, _, _ := strings.Cut(e.Object, ": ")
	return cluster
}

// Summary counts the writes by action in one line.
func (p Plan) Summary() string {
	if len(p.Entries) == 0 {
		return "nothing to change"
	}
	var order []string
	count := map[string]int{}
	clusters := map[string]bool{}
	for _, e := range p.Entries {
		if count[e.Action] == 0 {
			order = append(order, e.Action)
		}
		count[e.Action]++
		clusters[e.cluster()] = true
	}
	slices.Sort(order)
	parts := make([]string, len(order))
	for i, action := range order {
		parts[i] = fmt.Sprintf("%d to %s", count[action], action)
		if action == Later {
			parts[i] = fmt.Sprintf("%d known later", count[action])
		}
	}
	names := make([]string, 0, len(clusters))
	for name := range clusters {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(parts, ", ") + " in " + strings.Join(names, ", ")
}

// Covers reports whether everything that rest does was part of p: a delivery
// that was interrupted, or that goes on in stages, has less to do than what was
// approved, and never anything else.
func (p Plan) Covers(rest Plan) bool {
	return !slices.ContainsFunc(rest.Entries, func(e Entry) bool { return !p.has(e) })
}

func (p Plan) has(e Entry) bool {
	return slices.ContainsFunc(p.Entries, func(a Entry) bool {
		switch {
		case a.Action == Later && e.Action != Later:
			return a.Component != "" && a.Component == e.Component && a.cluster() == e.cluster()
		case a.Object != e.Object || a.Wanted != e.Wanted:
			return false
		}
		// A recreation that was interrupted after the delete is a creation.
		return a.Action == e.Action && a.Text == e.Text || a.Action == "recreate" && e.Action == "create"
	})
}

// Difference says what now does that p did not, and the other way round, one
// line for each object.
func (p Plan) Difference(now Plan) []string {
	var out []string
	for _, e := range now.Entries {
		old := slices.IndexFunc(p.Entries, func(a Entry) bool { return a.Object == e.Object })
		switch {
		case old < 0:
			out = append(out, fmt.Sprintf("new: %s", e))
		case p.Entries[old].Action != e.Action || p.Entries[old].Text != e.Text:
			out = append(out, fmt.Sprintf("changed: %s; before: %s", e, p.Entries[old].what()))
		case p.Entries[old].Wanted != e.Wanted:
			out = append(out, fmt.Sprintf("changed: %s, with other content", e))
		}
	}
	for _, a := range p.Entries {
		if !slices.ContainsFunc(now.Entries, func(e Entry) bool { return a.Object == e.Object }) {
			out = append(out, fmt.Sprintf("gone: %s", a))
		}
	}
	return out
}

// String returns "production: Deployment.apps default/web: update (spec.replicas: 2 -> 3)".
func (e Entry) String() string { return e.Object + ": " + e.what() }

func (e Entry) what() string {
	if e.Text == "" {
		return e.Action
	}
	return e.Action + " (" + e.Text + ")"
}

// Bounds of what is remembered of a plan: it is stored in a ConfigMap.
const (
	maxText    = 400 // bytes of one text
	maxEncoded = 256 << 10
)

// Encode returns the plan as text that DecodePlan reads. A plan that is too big
// to be kept is kept without its entries: an approval then holds for exactly its
// digest.
func (p Plan) Encode() string {
	p.Entries = slices.Clone(p.Entries)
	for i, e := range p.Entries {
		p.Entries[i].Text = cut(e.Text)
	}
	b, err := json.Marshal(p)
	if err != nil || len(b) > maxEncoded {
		b, _ = json.Marshal(Plan{Digest: p.Digest}) // a struct of strings
	}
	return string(b)
}

// cut shortens a text to a form that is the same for the same text.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "..."
}

// DecodePlan reads what Encode wrote; anything else is the empty plan.
func DecodePlan(text string) Plan {
	var p Plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Plan{}
	}
	return p
}

// Kept returns the plan in the form in which it is remembered, to compare with
// one that was.
func (p Plan) Kept() Plan { return DecodePlan(p.Encode()) }
