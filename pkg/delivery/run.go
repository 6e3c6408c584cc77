package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/dispatch"
	"github.com/seed-c5f95f19/vela/pkg/delivery/inventory"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/delivery/observe"
	"github.com/seed-c5f95f19/vela/pkg/delivery/plan"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// A Run is one pass over one Application: what its steps deliver now, and what
// was learnt from it. Its methods are safe for concurrent use; a Run is used
// once.
type Run struct {
	delivery  *Delivery
	Blueprint *blueprint.Blueprint
	Revision  string
	Number    int64
	Owner     inventory.Owner
	As        identity.Identity
	Actions   provider.Table // that templates may read with
	// Values are the outputs of earlier steps and components by name.
	Values map[string]any

	rules plan.Rules

	mu      sync.Mutex
	seen    map[string][]observe.Health // by unit
	targets map[string][]Target         // by step
	given   map[string]any              // what components of this run put out
	joined  []policy.Cluster
	index   index

	ofPolicies []manifest.Manifest // no step may want these
	partial    bool                // and they are not all
}

// An index finds the entries of one state of an inventory.
type index struct {
	of    []inventory.Entry
	byKey map[manifest.Key]inventory.Entry
}

// entries returns those of objects that are owned.
func (r *Run) entries(ctx context.Context) (map[manifest.Key]inventory.Entry, error) {
	inv, err := r.delivery.Ledger.Load(ctx, r.Owner)
	if err != nil || inv.Len() == 0 {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.index.of) != inv.Len() || &r.index.of[0] != &inv.Entries[0] { // inventories are values: the same memory is the same content
		r.index = index{of: inv.Entries, byKey: make(map[manifest.Key]inventory.Entry, inv.Len())}
		for _, e := range inv.Entries {
			r.index.byKey[e.Key] = e
		}
	}
	return r.index.byKey, nil
}

// Given returns what the components of this run have put out, under the names
// that Values has them by.
func (r *Run) Given() map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.given)
}

// Learn takes over what steps have put out since the run began. What components
// have put out in it is newer.
func (r *Run) Learn(values map[string]any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, value := range values {
		if _, own := r.given[name]; !own {
			r.Values[name] = value
		}
	}
}

// An Outcome is how far a target has come.
type Outcome struct {
	Plan    plan.Plan // of everything, without what is done already
	Later   []Later   // what could not be planned yet
	Done    bool      // everything is sent and healthy
	Message string    // what it waits for, one sentence, without times
	// Again says that a value has become known: what needs it can be planned now,
	// and no event will say so.
	Again bool

	manifests []manifest.Manifest
}

// after is when to look again, 0 leaves it to events.
func (out Outcome) after() time.Duration {
	if out.Again {
		return time.Millisecond
	}
	return 0
}

// A Later is a component that cannot be rendered before something else is
// there.
type Later struct {
	Component string
	Place     policy.Placement
	Inputs    []string // by name, that are not known yet
	Digest    string   // of the component as it is now
}

// Plan computes what delivering t would change, and sends nothing.
func (r *Run) Plan(ctx context.Context, t Target) (Outcome, error) {
	units, err := r.units(ctx, t)
	if err != nil {
		return Outcome{}, err
	}
	return r.plan(ctx, units, false)
}

// Deliver sends what t wants, as far as dependencies and stages allow now.
// allow, if not nil, sees the whole plan before the first write and can stop it.
func (r *Run) Deliver(ctx context.Context, t Target, allow func(Outcome) error) (Outcome, error) {
	units, err := r.units(ctx, t)
	if err != nil {
		return Outcome{}, err
	}
	out, err := r.plan(ctx, units, false)
	if err != nil {
		return out, err
	}
	if allow != nil {
		if err := allow(out); err != nil {
			return out, err
		}
	}
	err = r.send(ctx, units, &out, t.NoWait)
	return out, err
}

// send carries out the plan of units as far as dependencies and stages allow.
func (r *Run) send(ctx context.Context, units []*unit, out *Outcome, noWait bool) error {
	if err := r.record(ctx, out.Plan); err != nil {
		return err
	}
	done := map[string]bool{}
	for {
		moved, err := r.advance(ctx, units, done, out.Plan)
		if err != nil {
			return err
		}
		if !moved {
			break
		}
		if out.Again, err = r.unblock(units); err != nil {
			return err
		}
		if out.Again {
			break // what was missing is there: plan it in the next pass
		}
	}
	out.Done, out.Message = r.verdict(units, done, noWait)
	return nil
}

// record makes everything of p owned before any of it is sent.
func (r *Run) record(ctx context.Context, p plan.Plan) error {
	if p.Writes() == 0 {
		owned, err := r.entries(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(p.Applies, func(a plan.Apply) bool { _, ours := owned[a.Manifest.Key]; return !ours }) {
			return nil
		}
	}
	return r.delivery.Dispatcher.Record(ctx, p, r.Owner)
}

// plan renders all units that can be rendered and compares them with what is
// live.
func (r *Run) plan(ctx context.Context, units []*unit, repair bool) (Outcome, error) {
	var out Outcome
	var errs []error
	for _, u := range units {
		if len(u.missing) > 0 {
			out.Later = append(out.Later, Later{Component: u.component.Name, Place: u.place, Inputs: u.missing, Digest: manifest.Digest(u.component)})
			continue
		}
		if err := r.render(ctx, u); err != nil {
			errs = append(errs, err)
			continue
		}
		out.manifests = append(out.manifests, u.manifests...)
	}
	if err := errors.Join(errs...); err != nil {
		return out, err
	}
	r.mu.Lock()
	all := slices.Concat(r.ofPolicies, out.manifests)
	r.mu.Unlock()
	if err := r.claimedTwice(all); err != nil {
		return out, err
	}
	p, err := r.compute(ctx, out.manifests, repair)
	out.Plan = p
	if err == nil {
		err = r.refused(p)
	}
	return out, err
}

// refused says of every refusal which part of the Application asks for the object.
func (r *Run) refused(p plan.Plan) error {
	var errs []error
	for _, refusal := range p.Refusals {
		err := dispatch.Refused(plan.Plan{Refusals: []plan.Refusal{refusal}})
		errs = append(errs, fault.With(err, fault.At(r.origin(refusal.Policy, refusal.Component, refusal.Trait))))
	}
	return errors.Join(errs...)
}

// origin is where the Application has a policy, or a component or a trait of it,
// "" for what a step made itself.
func (r *Run) origin(policy, component, trait string) string {
	for _, p := range r.Blueprint.Policies {
		if policy != "" && p.Name == policy {
			return p.Origin.String()
		}
	}
	for _, c := range r.Blueprint.Components {
		if c.Name != component {
			continue
		}
		for _, t := range c.Traits {
			if trait != "" && (definition.Ref{Name: t.Type}).Base() == (definition.Ref{Name: trait}).Base() {
				return t.Origin.String()
			}
		}
		return c.Origin.String()
	}
	return ""
}

// compute gathers what is live and judges it.
func (r *Run) compute(ctx context.Context, desired []manifest.Manifest, repair bool) (plan.Plan, error) {
	all, err := r.entries(ctx)
	if err != nil {
		return plan.Plan{}, err
	}
	var owned inventory.Inventory
	for _, m := range desired {
		if e, ok := all[m.Key]; ok {
			owned.Entries = append(owned.Entries, e)
		}
	}
	live, err := r.delivery.Dispatcher.Gather(ctx, dispatch.GatherInput{Desired: desired, As: r.As, ReadOnly: r.delivery.ReadOnly})
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Compute(plan.Input{
		Owner: r.Owner, Desired: desired, Owned: owned, Live: live, Rules: r.rules, Repair: repair,
	}), nil
}

// claimedTwice refuses two manifests for one object: the second would undo the
// first.
func (r *Run) claimedTwice(manifests []manifest.Manifest) error {
	first := map[manifest.Key]manifest.Manifest{}
	var errs []error
	for _, m := range manifests {
		if o, taken := first[m.Key]; taken && o.Digest() != m.Digest() {
			errs = append(errs, fault.Invalid(v1beta1.ReasonDuplicateOutput,
				fmt.Errorf("%s and %s both give %s", source(o), source(m), m.Key),
				fault.At(r.origin(m.Policy, m.Component, m.Trait)), fault.Hint("give one of them another name")))
			continue
		}
		first[m.Key] = m
	}
	return errors.Join(errs...)
}

// source says what part of the Application a manifest comes from.
func source(m manifest.Manifest) string {
	switch {
	case m.Policy != "":
		return fmt.Sprintf("policy %q", m.Policy)
	case m.Trait == "":
		return fmt.Sprintf("component %q", m.Component)
	}
	return fmt.Sprintf("trait %q of component %q", m.Trait, m.Component)
}

// render fills in the manifests of u. A trait that needs the live workload is
// rendered once that is healthy.
func (r *Run) render(ctx context.Context, u *unit) error {
	u.rendered = false
	req, err := r.request(ctx, u)
	if err != nil {
		return err
	}
	if u.manifests, err = r.delivery.Renderer.Component(ctx, req); err != nil {
		return err
	}
	if err := u.finish(); err != nil {
		return err
	}
	u.rendered, u.late = true, false
	u.pending = r.unrendered(u)
	if r.delivery.Offline || !r.delivery.Renderer.ReadsLive(r.Blueprint, u.component) {
		return nil
	}
	objects, healthy, err := r.before(ctx, u)
	if u.late = !healthy; u.late {
		return err
	}
	req.Live = liveOf(objects)
	if u.manifests, err = r.delivery.Renderer.Component(ctx, req); err != nil {
		return err
	}
	u.pending = nil
	return u.finish()
}

// request is what the renderer is asked for u.
func (r *Run) request(ctx context.Context, u *unit) (render.Request, error) {
	version, err := r.delivery.version(ctx, u.place.Cluster)
	if err != nil {
		return render.Request{}, fault.With(err, fault.At(u.component.Origin.String()))
	}
	u.version = version
	return render.Request{
		Blueprint: r.Blueprint, Component: u.component,
		Cluster: u.place.Cluster, Namespace: u.place.Namespace, ClusterVersion: version,
		RevisionName: r.Revision, RevisionNumber: r.Number, Actions: r.Actions, Config: r.config,
	}, nil
}

// finish brings the manifests in the order of their stages and merges in what
// a step changes in the workload.
func (u *unit) finish() error {
	inStages(u.manifests)
	if u.patch == nil {
		return nil
	}
	for i, m := range u.manifests {
		if !m.Workload() {
			continue
		}
		merged, err := patch.Apply(m.Object.Object, patch.Of(u.patch))
		if err != nil {
			return fault.Invalid(v1beta1.ReasonRenderFailed, fmt.Errorf("patch of component %q: %w", u.component.Name, err))
		}
		u.manifests[i] = m.With(&unstructured.Unstructured{Object: merged})
	}
	return nil
}

// liveOf gives templates the live objects by the names that they know.
func liveOf(objects []observe.Object) *render.Live {
	live := &render.Live{Outputs: map[string]*unstructured.Unstructured{}}
	for _, o := range objects {
		if o.Manifest.Workload() {
			live.Output = o.Live
			continue
		}
		live.Outputs[o.Manifest.Output] = o.Live
	}
	return live
}

// target is what the observer is asked about.
func (r *Run) target(u *unit, objects []observe.Object) observe.Target {
	return observe.Target{
		Component: u.component, Cluster: u.place.Cluster, Namespace: u.place.Namespace,
		Objects: objects, Pending: u.pending, Context: map[string]any{
			"appRevision": r.Revision, "appRevisionNum": r.Number, "clusterVersion": u.version.Fields(),
			"workflowName": render.WorkflowName(r.Blueprint),
		},
	}
}

// allHealthy reports whether everything that is there works; what is pending
// is not there yet.
func allHealthy(health []observe.Health) bool {
	return !slices.ContainsFunc(health, func(h observe.Health) bool { return !h.Known || !h.Healthy && !h.Pending })
}

// advance sends the next part of the plan: the units that are ready, each up
// to the stage that its health allows. It reports whether a unit got done.
func (r *Run) advance(ctx context.Context, units []*unit, done map[string]bool, p plan.Plan) (bool, error) {
	var now []*unit
	send := map[manifest.Key]bool{}
	for _, u := range units {
		if done[u.name()] || !ready(u, units, done) {
			continue
		}
		now = append(now, u)
		for _, m := range r.due(ctx, u) {
			send[m.Key] = true
		}
	}
	part := p
	part.Applies = nil
	for _, a := range p.Applies {
		if a.Writes() && send[a.Manifest.Key] {
			part.Applies = append(part.Applies, a)
		}
	}
	_, err := r.execute(ctx, part)
	moved := false
	for _, u := range now {
		healthy, oerr := r.observe(ctx, u)
		if err = errors.Join(err, oerr); err != nil || !healthy {
			continue
		}
		if err = r.takeOutputs(ctx, u); err == nil {
			done[u.name()], moved = true, true
		}
	}
	return moved && err == nil, err
}

// execute carries out a plan; a plan without writes costs nothing.
func (r *Run) execute(ctx context.Context, p plan.Plan) (dispatch.ChangeSet, error) {
	return r.delivery.Dispatcher.Execute(ctx, p, r.Owner, r.As)
}

// takeOutputs evaluates what the component puts out, over its live objects.
func (r *Run) takeOutputs(ctx context.Context, u *unit) error {
	if len(u.component.Outputs) == 0 {
		return nil
	}
	scope, outputs := map[string]any{}, map[string]any{}
	for _, o := range r.delivery.objects(ctx, u.manifests) {
		switch {
		case o.Live == nil:
		case o.Manifest.Workload():
			scope["output"] = o.Live.Object
		default:
			outputs[o.Manifest.Output] = o.Live.Object
		}
	}
	scope["outputs"] = outputs
	for _, o := range u.component.Outputs {
		value, err := r.delivery.Engine.Expr(o.ValueFrom, scope)
		if err != nil {
			return fault.Because(v1beta1.ReasonInvalidProperties, fmt.Errorf("output %q of component %q: %w", o.Name, u.component.Name, err))
		}
		r.mu.Lock()
		key := outputKey(u.place, u.component.ReplicaKey, o.Name)
		r.Values[key], r.given[key] = value, value
		r.mu.Unlock()
	}
	return nil
}

// unblock sets inputs that became known and reports whether there were any.
func (r *Run) unblock(units []*unit) (bool, error) {
	again := false
	for _, u := range units {
		if len(u.missing) == 0 {
			continue
		}
		u.missing = nil
		if err := r.setInputs(u); err != nil {
			return false, err
		}
		again = again || len(u.missing) == 0
	}
	return again, nil
}

// verdict says whether everything is done, and what is not.
func (r *Run) verdict(units []*unit, done map[string]bool, noWait bool) (bool, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var waits []string
	for _, u := range units {
		switch {
		case done[u.name()] || noWait && len(r.seen[u.name()]) > 0:
		case len(u.missing) > 0:
			waits = append(waits, fmt.Sprintf("%s (%s)", u, r.needs(u)))
		default:
			waits = append(waits, u.String())
		}
	}
	if len(waits) == 0 {
		return true, ""
	}
	const most = 5
	if more := len(waits) - most; more > 0 {
		waits = append(waits[:most], fmt.Sprintf("%d more", more))
	}
	return false, "waits for " + strings.Join(waits, ", ")
}

// needs says which values a unit waits for, and which of them will never come.
func (r *Run) needs(u *unit) string {
	var parts []string
	for _, name := range u.missing {
		text := fmt.Sprintf("it needs the value %q", name)
		if !r.putsOut(name) {
			text += ", which nothing declares as an output"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// putsOut reports whether a component or a step declares an output.
func (r *Run) putsOut(name string) bool {
	for _, c := range r.Blueprint.Components {
		if slices.ContainsFunc(c.Outputs, func(o blueprint.Output) bool { return o.Name == name }) {
			return true
		}
	}
	for _, s := range r.Blueprint.Workflow.AllSteps() {
		if slices.ContainsFunc(s.Outputs, func(o blueprint.Output) bool { return o.Name == name }) {
			return true
		}
	}
	return false
}
