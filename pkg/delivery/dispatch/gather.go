package dispatch

import (
	"context"
	"errors"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/seed-c5f95f19/vela/pkg/cluster"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// GatherInput says whose live state is wanted.
type GatherInput struct {
	Desired []manifest.Manifest
	Owned   []inventory.Entry // only read: what may have to go
	As      identity.Identity
	// ReadOnly reads what is not in the cache; otherwise the server is asked by a
	// dry run whether it would accept the manifest.
	ReadOnly bool
}

// Gather finds out what is live. The owned cache costs nothing; what is not in it
// is asked for. A cluster that does not answer makes its objects unknown and does
// not hold up the others. The error is that of ctx.
func (d *Dispatcher) Gather(ctx context.Context, in GatherInput) (map[manifest.Key]plan.Live, error) {
	g := gatherer{Dispatcher: d, in: in, live: map[manifest.Key]plan.Live{}}
	parts := map[string]*part{}
	at := func(name string) *part {
		if parts[name] == nil {
			parts[name] = &part{name: name}
		}
		return parts[name]
	}
	for _, m := range in.Desired {
		p := at(m.Key.Cluster)
		p.desired = append(p.desired, m)
	}
	for _, e := range in.Owned {
		p := at(e.Key.Cluster)
		p.owned = append(p.owned, e)
	}
	var wg sync.WaitGroup
	for _, p := range parts {
		wg.Go(func() { g.gather(ctx, p) })
	}
	wg.Wait()
	return g.live, ctx.Err()
}

// part is what concerns one cluster.
type part struct {
	name    string
	cluster *cluster.Cluster
	desired []manifest.Manifest
	owned   []inventory.Entry
}

type gatherer struct {
	*Dispatcher
	in GatherInput

	mu   sync.Mutex
	live map[manifest.Key]plan.Live
}

func (g *gatherer) found(key manifest.Key, l plan.Live) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live[key] = l
}

func (g *gatherer) gather(ctx context.Context, p *part) {
	c, err := g.clusters.Get(ctx, p.name)
	if err != nil {
		lost := plan.Live{Reason: err.Error(), Detached: cluster.IsNotJoined(err)}
		for _, m := range p.desired {
			g.found(m.Key, lost)
		}
		for _, e := range p.owned {
			g.found(e.Key, lost)
		}
		return
	}
	p.cluster = c
	g.watch(ctx, p)
	// What makes places and kinds comes first: nothing can be in a namespace that
	// does not exist yet.
	var first, rest []manifest.Manifest
	for _, m := range p.desired {
		if isNamespace(m.Key) || isCRD(m.Key) {
			first = append(first, m)
			continue
		}
		rest = append(rest, m)
	}
	g.each(len(first), func(i int) { g.found(first[i].Key, g.wanted(ctx, p, first[i], nil)) })
	coming := g.coming(first)
	g.each(len(rest), func(i int) { g.found(rest[i].Key, g.wanted(ctx, p, rest[i], coming)) })
	g.each(len(p.owned), func(i int) {
		if e := p.owned[i]; !g.has(e.Key) {
			g.found(e.Key, g.owned(ctx, c, e))
		}
	})
}

func (g *gatherer) has(key manifest.Key) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.live[key]
	return ok
}

func (g *gatherer) each(n int, do func(int)) {
	slots := make(chan struct{}, g.parallel)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}

// watch lets the cache catch up with every kind. What cannot be watched is asked
// for one by one.
func (g *gatherer) watch(ctx context.Context, p *part) {
	kinds := map[schema.GroupVersionKind]bool{}
	for _, m := range p.desired {
		kinds[m.Object.GroupVersionKind()] = true
	}
	for _, e := range p.owned {
		kinds[e.GroupVersionKind()] = true
	}
	list := make([]schema.GroupVersionKind, 0, len(kinds))
	for gvk := range kinds {
		list = append(list, gvk)
	}
	g.each(len(list), func(i int) {
		_ = p.cluster.Watch(ctx, list[i]) // Live says what is known
	})
}

// coming is what does not exist yet and will be made by the same plan.
type coming struct {
	namespaces map[string]bool
	kinds      map[schema.GroupKind]bool
}

func (g *gatherer) coming(first []manifest.Manifest) *coming {
	out := &coming{namespaces: map[string]bool{}, kinds: map[schema.GroupKind]bool{}}
	for _, m := range first {
		if isNamespace(m.Key) {
			g.mu.Lock()
			l := g.live[m.Key]
			g.mu.Unlock()
			out.namespaces[m.Key.Name] = l.Known && l.Object == nil && l.Refused == ""
			continue
		}
		group, _, _ := unstructured.NestedString(m.Object.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(m.Object.Object, "spec", "names", "kind")
		out.kinds[schema.GroupKind{Group: group, Kind: kind}] = true
	}
	return out
}

// wanted finds out about a manifest.
func (g *gatherer) wanted(ctx context.Context, p *part, m manifest.Manifest, c *coming) plan.Live {
	if m.Key.Name == "" {
		return plan.Live{} // that would ask for all; plan refuses it
	}
	gvk := m.Object.GroupVersionKind()
	if obj, known := p.cluster.Live(gvk, nameOf(m.Key)); known && obj != nil {
		return g.judged(m, obj)
	}
	if c != nil && c.namespaces[m.Key.Namespace] {
		return plan.Live{Known: true}
	}
	if !g.in.ReadOnly {
		_, created, err := p.cluster.Apply(ctx, m.Object, cluster.ApplyOptions{DryRun: true, As: g.in.As})
		if err == nil && created {
			return plan.Live{Known: true}
		}
		if err != nil {
			return g.refused(ctx, p.cluster, m, c, err)
		}
	}
	obj, err := p.cluster.Get(ctx, gvk, nameOf(m.Key))
	if err != nil {
		return g.missing(m, c, err)
	}
	return g.judged(m, obj)
}

func (g *gatherer) judged(m manifest.Manifest, obj *unstructured.Unstructured) plan.Live {
	l := plan.Live{Object: obj, Known: true}
	l.Converged, l.Drifted = g.memory.judge(m, obj)
	return l
}

// missing interprets the error of a read.
func (g *gatherer) missing(m manifest.Manifest, c *coming, err error) plan.Live {
	switch {
	case meta.IsNoMatchError(err):
		if c != nil && c.kinds[schema.GroupKind{Group: m.Key.Group, Kind: m.Key.Kind}] {
			return plan.Live{Known: true}
		}
		return plan.Live{Known: true, Refused: message(err, m.Key), Waiting: true}
	case apierrors.IsNotFound(err):
		return plan.Live{Known: true}
	case apierrors.IsBadRequest(err):
		return plan.Live{Known: true, Refused: message(err, m.Key)}
	}
	return plan.Live{Reason: plan.Redact(m, err.Error())}
}

// refused interprets the error of a dry run. An object that exists anyway is of
// interest: the refusal may be because it is somebody else's.
func (g *gatherer) refused(ctx context.Context, cl *cluster.Cluster, m manifest.Manifest, c *coming, err error) plan.Live {
	var status apierrors.APIStatus
	if meta.IsNoMatchError(err) {
		return g.missing(m, c, err)
	}
	if why, ok := unreadable(err); ok {
		return plan.Live{Known: true, Refused: why}
	}
	if !errors.As(err, &status) || transient(err) {
		return plan.Live{Reason: plan.Redact(m, err.Error())}
	}
	l := plan.Live{Known: true, Refused: message(err, m.Key), Waiting: !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err)}
	if obj, gerr := cl.Get(ctx, m.Object.GroupVersionKind(), nameOf(m.Key)); gerr == nil {
		l.Object = obj
	}
	return l
}

// unreadable recognises how a server says, as a mistake of its own, that it cannot
// read an object: data of a Secret that is not base64, for example.
func unreadable(err error) (string, bool) {
	if !apierrors.IsInternalError(err) && apierrors.ReasonForError(err) != metav1.StatusReasonUnknown {
		return "", false
	}
	text := err.Error()
	i := strings.LastIndex(text, "decoding from json: ")
	if i < 0 || !strings.HasPrefix(text, "failed to convert new object") {
		return "", false
	}
	return "the server cannot read it: " + strings.TrimPrefix(text[i:], "decoding from json: "), true
}

// transient reports whether the same request may be answered otherwise soon.
func transient(err error) bool {
	return apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsInternalError(err) || apierrors.IsUnauthorized(err)
}

// owned finds out about an entry of the inventory. That something is gone is only
// believed when the server says so: what is forgotten wrongly leaks.
func (g *gatherer) owned(ctx context.Context, c *cluster.Cluster, e inventory.Entry) plan.Live {
	if obj, known := c.Live(e.GroupVersionKind(), nameOf(e.Key)); known && obj != nil {
		return plan.Live{Object: obj, Known: true}
	}
	gvk, err := c.Served(ctx, e.GroupVersionKind())
	if meta.IsNoMatchError(err) {
		return plan.Live{Known: true}
	}
	if err == nil {
		var obj *unstructured.Unstructured
		if obj, err = c.Get(ctx, gvk, nameOf(e.Key)); err == nil {
			return plan.Live{Object: obj, Known: true}
		}
	}
	if apierrors.IsNotFound(err) {
		return plan.Live{Known: true}
	}
	return plan.Live{Reason: err.Error()}
}

func isNamespace(key manifest.Key) bool { return key.Group == "" && key.Kind == "Namespace" }

func isCRD(key manifest.Key) bool {
	return key.Group == "apiextensions.k8s.io" && key.Kind == "CustomResourceDefinition"
}
