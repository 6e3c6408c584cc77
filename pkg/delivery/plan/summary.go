package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
)

// Bounds of a Summary, which is stored in a status.
const (
	maxItems   = 200
	maxChanges = 20
	maxText    = 200
)

// A Summary is a plan as it is shown and stored: masked and small.
type Summary struct {
	Digest  string        `json:"digest"`
	Items   []SummaryItem `json:"items,omitempty"`
	Omitted int           `json:"omitted,omitempty"` // items that did not fit
	Counts  Counts        `json:"counts"`
}

// A SummaryItem is what happens to one object.
type SummaryItem struct {
	Cluster   string          `json:"cluster"`
	Object    string          `json:"object"` // kind and name
	Component string          `json:"component,omitempty"`
	Action    string          `json:"action"`
	Changes   []SummaryChange `json:"changes,omitempty"`
	Omitted   int             `json:"omitted,omitempty"`
	Content   string          `json:"content,omitempty"` // of the masked object
	Reason    string          `json:"reason,omitempty"`  // of a refusal
}

// A SummaryChange is one field; values are shortened JSON.
type SummaryChange struct {
	Path string `json:"path"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// Counts are the numbers of objects by what happens to them.
type Counts struct {
	Create  int `json:"create,omitempty"`
	Update  int `json:"update,omitempty"` // any change of an object that exists
	Delete  int `json:"delete,omitempty"`
	Refused int `json:"refused,omitempty"`
}

// String returns the counts as one short sentence.
func (c Counts) String() string {
	text := fmt.Sprintf("%d to create, %d to change, %d to delete", c.Create, c.Update, c.Delete)
	if c.Refused > 0 {
		text += fmt.Sprintf(", %d refused", c.Refused)
	}
	return text
}

// Names of what happens that is no Action.
const (
	summaryDelete  = "delete"
	summaryRelease = "release"
	summaryRefuse  = "refuse"
)

// Summary returns p masked and small. The same plan gives the same bytes.
func (p Plan) Summary() Summary {
	s := Summary{Digest: p.Digest}
	for _, a := range p.Applies {
		if !a.Writes() {
			continue
		}
		if a.Action == Create {
			s.Counts.Create++
		} else {
			s.Counts.Update++
		}
		s.add(itemOf(a))
	}
	for _, d := range p.Deletes {
		item := itemFor(d.Entry.Key, d.Entry.Component, summaryDelete)
		if s.Counts.Delete++; d.Release != nil {
			item.Action = summaryRelease
		}
		s.add(item)
	}
	for _, r := range p.Refusals {
		s.Counts.Refused++
		item := itemFor(r.Key, r.Component, summaryRefuse)
		item.Reason = short(r.Reason)
		s.add(item)
	}
	return s
}

func (s *Summary) add(item SummaryItem) {
	if len(s.Items) >= maxItems {
		s.Omitted++
		return
	}
	s.Items = append(s.Items, item)
}

func itemFor(key manifest.Key, component, action string) SummaryItem {
	return SummaryItem{Cluster: key.Cluster, Object: key.Object(), Component: component, Action: action}
}

func itemOf(a Apply) SummaryItem {
	item := itemFor(a.Manifest.Key, a.Manifest.Component, string(a.Action))
	item.Content = manifest.Digest(Masked(a.Manifest.Object).Object)[:12]
	for n, c := range a.Changes {
		if n == maxChanges {
			item.Omitted = len(a.Changes) - n
			break
		}
		item.Changes = append(item.Changes, SummaryChange{Path: c.Path, From: text(c.From), To: text(c.To)})
	}
	return item
}

// text returns a value as short JSON; "" for none.
func text(v any) string {
	if v == nil {
		return ""
	}
	if s, ok := v.(string); ok {
		return short(s)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return short(fmt.Sprint(v))
	}
	return short(string(data))
}

func short(s string) string {
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText]) + "…"
	}
	return s
}

// Diff says in what b differs from a, one line for each object, for somebody who
// approved a and is asked about b. Plans with one digest do not differ.
func Diff(a, b Summary) []string {
	if a.Digest == b.Digest {
		return nil
	}
	before := map[string]SummaryItem{}
	for _, item := range a.Items {
		before[item.name()] = item
	}
	var lines []string
	for _, item := range b.Items {
		old, known := before[item.name()]
		delete(before, item.name())
		if line := item.since(old, known); line != "" {
			lines = append(lines, item.name()+": "+line)
		}
	}
	for name, item := range before {
		lines = append(lines, fmt.Sprintf("%s: %s is not part of the plan any more", name, item.Action))
	}
	if len(lines) == 0 { // masked values, or what was omitted
		lines = append(lines, "values that are not shown differ")
	}
	slices.Sort(lines)
	return lines
}

func (i SummaryItem) name() string { return i.Cluster + ": " + i.Object }

// since says what is new about i; "" when nothing is.
func (i SummaryItem) since(old SummaryItem, known bool) string {
	switch {
	case !known:
		return cmp.Or(i.fields(i.Changes), i.Action) + " is new in the plan"
	case old.Action != i.Action:
		return fmt.Sprintf("%s instead of %s", i.Action, old.Action)
	}
	var changed []SummaryChange
	for _, c := range i.Changes {
		if !slices.Contains(old.Changes, c) {
			changed = append(changed, c)
		}
	}
	for _, c := range old.Changes {
		if !slices.ContainsFunc(i.Changes, func(n SummaryChange) bool { return n.Path == c.Path }) {
			changed = append(changed, SummaryChange{Path: c.Path, From: c.To, To: "as it is"})
		}
	}
	switch {
	case len(changed) > 0:
		return "now " + i.fields(changed)
	case old.Content != i.Content:
		return i.Action + " with other content"
	}
	return ""
}

// Text says which fields change, on one line; "" for an object that is new or
// goes.
func (i SummaryItem) Text() string { return i.fields(i.Changes) }

func (i SummaryItem) fields(changes []SummaryChange) string {
	var out []string
	for _, c := range changes {
		switch {
		case c.From == "" && c.To == "":
			out = append(out, c.Path)
		case c.From == "":
			out = append(out, fmt.Sprintf("%s: %s", c.Path, c.To))
		case c.To == "":
			out = append(out, fmt.Sprintf("%s: %s is removed", c.Path, c.From))
		default:
			out = append(out, fmt.Sprintf("%s: %s -> %s", c.Path, c.From, c.To))
		}
	}
	return strings.Join(out, ", ")
}

// With returns the plan that does what p and then o do: a delivery and what is
// swept after it, as one plan with one digest.
func (p Plan) With(o Plan) Plan {
	out := Plan{
		Applies:  slices.Concat(p.Applies, o.Applies),
		Deletes:  slices.Concat(p.Deletes, o.Deletes),
		Keeps:    slices.Concat(p.Keeps, o.Keeps),
		Forgets:  slices.Concat(p.Forgets, o.Forgets),
		Refusals: slices.Concat(p.Refusals, o.Refusals),
		Final:    p.Final || o.Final,
	}
	slices.SortStableFunc(out.Applies, func(a, b Apply) int { return a.Wave - b.Wave })
	slices.SortStableFunc(out.Deletes, func(a, b Delete) int { return a.Wave - b.Wave })
	out.Digest = digest(out)
	return out
}
