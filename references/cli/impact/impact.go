// Package impact says what a changed definition does to the Applications that
// use it: each is rendered with the definitions that there are and with the
// changed one, and what differs is grouped by equal difference. It stands on
// package preview and writes nothing. The commands are `vela def impact` and
// `vela def apply --dry-run`; the design is docs/design/impact.md.
package impact

import (
	"cmp"
	"context"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/references/cli/planview"
	"github.com/seed-c5f95f19/vela/references/cli/preview"
)

// A Report is what -o json and -o yaml print. Fields are only ever added.
type Report struct {
	Kind         string `json:"kind"`
	Name         string `json:"name"`
	Applications int    `json:"applications"` // that were looked at
	Used         int    `json:"used"`         // that use the definition
	Changed      int    `json:"changed"`
	// Pinned use another version of the definition, or one of their own namespace;
	// nothing changes for them.
	Pinned []string `json:"pinned,omitempty"`

	Broken  []Failure    `json:"broken,omitempty"`  // rendered today, would not any more
	Mended  []string     `json:"mended,omitempty"`  // not rendered today, would be
	Already []Failure    `json:"already,omitempty"` // not rendered today, would not be either
	Groups  []Group      `json:"groups,omitempty"`
	Rules   []string     `json:"rules,omitempty"` // that changed and judge what is there
	Follow  FollowCounts `json:"follow"`
}

// A Failure is one reason why Applications cannot be rendered.
type Failure struct {
	Message      string   `json:"message"`
	Applications []string `json:"applications"`
	Places       []string `json:"places,omitempty"` // FILE:LINE:COL, of Applications that come from files
}

// A Group is one difference and the Applications that have it.
type Group struct {
	Difference   `json:",inline"`
	Applications []string `json:"applications"`
}

// A Difference is what happens to one object. Names of the Application, its
// component and its namespace are written as <application>, <component> and
// <namespace>.
type Difference struct {
	Action  string            `json:"action"` // create, update, delete
	Group   string            `json:"group,omitempty"`
	Kind    string            `json:"kind"`
	Name    string            `json:"name"`
	Trait   string            `json:"trait,omitempty"`
	Changes []planview.Change `json:"changes,omitempty"`
	Object  map[string]any    `json:"object,omitempty"`
}

// FollowCounts say when the Applications that change would do so.
type FollowCounts struct {
	AtOnce     int `json:"atOnce"`     // app.oam.dev/autoUpdate
	NextChange int `json:"nextChange"` // of their spec
	Publish    int `json:"publish"`    // with the next publishVersion
}

// Options are what Of works on.
type Options struct {
	Preview *preview.Preview
	Apps    []preview.App
	// Changed is the new definition; its Namespace is where it will lie.
	Changed definition.Definition
}

// Of renders every Application twice and compares. An error means that nothing
// can be said; Applications that do not render are part of the report.
func Of(ctx context.Context, o Options) (*Report, error) {
	definitions := (*memory)(nil)
	base, err := o.Preview.With(func(s definition.Source) definition.Source {
		definitions = remember(s)
		return definitions
	})
	if err != nil {
		return nil, err
	}
	c := &collector{report: &Report{Kind: string(o.Changed.Kind), Name: o.Changed.Name, Applications: len(o.Apps)}}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, app := range o.Apps {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			found, err := one(ctx, base, o.Changed, app)
			if err != nil {
				return err
			}
			c.add(app, found)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	report := c.finish()
	if now, err := definitions.Get(ctx, o.Changed.Namespace, definition.Ref{Kind: o.Changed.Kind, Name: o.Changed.Name}); err == nil {
		report.Rules = rules(now, o.Changed)
	}
	return report, nil
}

// rules names the texts that judge live objects and differ.
func rules(now, changed definition.Definition) []string {
	var out []string
	for _, r := range []struct{ name, before, after string }{
		{"healthPolicy", now.HealthPolicy, changed.HealthPolicy},
		{"customStatus", now.CustomStatus, changed.CustomStatus},
		{"details", now.Details, changed.Details},
	} {
		if r.before != r.after {
			out = append(out, r.name)
		}
	}
	return out
}

// An outcome is what the change does to one Application.
type outcome struct {
	used, pinned  bool
	before, after error // why it cannot be rendered
	differences   []Difference
}

// one renders app with the definitions that are there and with the changed one.
// The error is that of ctx; everything else belongs to the outcome.
func one(ctx context.Context, base *preview.Preview, changed definition.Definition, app preview.App) (outcome, error) {
	now := &lens{changed: changed}
	before, errBefore := rendered(ctx, base, now, app)
	out := outcome{used: now.used, pinned: now.pinned, before: errBefore}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	if !now.used {
		return out, nil
	}
	then := &lens{changed: changed, replace: true}
	after, errAfter := rendered(ctx, base, then, app)
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	out.after = errAfter
	if errBefore == nil && errAfter == nil {
		out.differences = differences(app, before, after)
	}
	return out, nil
}

func rendered(ctx context.Context, base *preview.Preview, l *lens, app preview.App) ([]manifest.Manifest, error) {
	p, err := base.With(func(s definition.Source) definition.Source {
		l.source = s
		return l
	})
	if err != nil {
		return nil, err
	}
	b, err := p.Blueprint(ctx, app)
	if err != nil {
		return nil, err
	}
	all, _, err := p.Render(ctx, app, b)
	if err != nil {
		return nil, err
	}
	var out []manifest.Manifest
	for _, r := range all {
		out = append(out, r.Manifests...)
	}
	return out, nil
}

// A collector gathers outcomes of Applications that come in any order.
type collector struct {
	mu     sync.Mutex
	report *Report
	groups map[string]*Group
	broken map[string]*Failure
	before map[string]*Failure
}

func (c *collector) add(app preview.App, o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := app.Namespace + "/" + app.Name
	if !o.used {
		if o.pinned {
			c.report.Pinned = append(c.report.Pinned, name)
		}
		return
	}
	c.report.Used++
	switch {
	case o.before == nil && o.after != nil:
		c.broken = note(c.broken, app, o.after)
	case o.before != nil && o.after == nil:
		c.report.Mended = append(c.report.Mended, name)
	case o.before != nil:
		c.before = note(c.before, app, o.after)
	case len(o.differences) > 0:
		c.change(app, name, o.differences)
	}
}

func (c *collector) change(app preview.App, name string, found []Difference) {
	c.report.Changed++
	switch {
	case app.Annotations[oam.AnnotationPublishVersion] != "":
		c.report.Follow.Publish++
	case app.Annotations[oam.AnnotationAutoUpdate] == "true":
		c.report.Follow.AtOnce++
	default:
		c.report.Follow.NextChange++
	}
	if c.groups == nil {
		c.groups = map[string]*Group{}
	}
	for _, d := range found {
		key := d.key()
		if c.groups[key] == nil {
			c.groups[key] = &Group{Difference: d}
		}
		c.groups[key].Applications = append(c.groups[key].Applications, name)
	}
}

// place is where a message says that something is, at the start of a line.
var place = regexp.MustCompile(`(?m)^\S+:\d+:\d+: `)

// note adds the reason why app does not render, without its own names and
// without its place in a file, to those that are known.
func note(m map[string]*Failure, app preview.App, err error) map[string]*Failure {
	if m == nil {
		m = map[string]*Failure{}
	}
	text := fault.Message(err)
	message := anonymous(app.Name, app.Namespace, "")(place.ReplaceAllString(text, ""))
	if m[message] == nil {
		m[message] = &Failure{Message: message}
	}
	m[message].Applications = append(m[message].Applications, app.Namespace+"/"+app.Name)
	for _, at := range place.FindAllString(text, -1) {
		m[message].Places = append(m[message].Places, strings.TrimSuffix(at, ": "))
	}
	return m
}

// finish sorts everything, what concerns most Applications first.
func (c *collector) finish() *Report {
	r := c.report
	slices.Sort(r.Pinned)
	slices.Sort(r.Mended)
	r.Broken, r.Already = failures(c.broken), failures(c.before)
	for _, g := range c.groups {
		slices.Sort(g.Applications)
		r.Groups = append(r.Groups, *g)
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(-cmp.Compare(len(a.Applications), len(b.Applications)), cmp.Compare(a.key(), b.key()))
	})
	return r
}

func failures(m map[string]*Failure) []Failure {
	var out []Failure
	for _, f := range m {
		slices.Sort(f.Applications)
		slices.Sort(f.Places)
		f.Places = slices.Compact(f.Places)
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Failure) int {
		return cmp.Or(-cmp.Compare(len(a.Applications), len(b.Applications)), cmp.Compare(a.Message, b.Message))
	})
	return out
}

// BrokenCount is how many Applications could not be rendered any more.
func (r *Report) BrokenCount() int { return count(r.Broken) }
