package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// renderTrait lets one trait work on what was rendered so far.
func (j *job) renderTrait(ctx context.Context, u unit, typ string) error {
	if u.template == nil {
		return nil // only controllers look at it
	}
	err := j.trait(ctx, u, typ)
	if err == nil || j.waits(u, err) {
		return nil
	}
	return u.fail(err)
}

// waits reports whether a trait failed because it reads what only the live
// workload has: the workload is there, but not its status. Whatever else is wrong
// with it shows when the workload is live.
func (j *job) waits(u unit, err error) bool {
	if u.def.Stage != string(manifest.PostDispatch) || j.req.Live != nil {
		return false
	}
	errs := cue.Errors(err)
	return u.readsObjects() && len(errs) > 0 && !slices.ContainsFunc(errs, func(e *cue.Error) bool {
		return e.InParameter || e.Kind != cue.Missing && e.Kind != cue.TemplateK
	})
}

// readsObjects reports whether a template reads other objects of its component.
func (u unit) readsObjects() bool {
	reads, all := u.template.ContextFields()
	return all || slices.Contains(reads, "output") || slices.Contains(reads, "outputs")
}

// ReadsLive reports whether a trait of the stage PostDispatch reads the objects
// of a component: it is rendered again once they are live.
func (r *Renderer) ReadsLive(b *blueprint.Blueprint, c blueprint.Component) bool {
	j := &job{Renderer: r, req: Request{Blueprint: b, Component: c}}
	return slices.ContainsFunc(c.Traits, func(t blueprint.Trait) bool {
		ref := definition.Ref{Kind: definition.Trait, Name: t.Type}
		if b.Definitions[ref].Stage != string(manifest.PostDispatch) {
			return false
		}
		u, err := j.load(ref, "", t.Origin)
		return err == nil && u.template != nil && u.readsObjects() // mistakes show where it is rendered
	})
}

func (j *job) trait(ctx context.Context, u unit, typ string) error {
	res, err := j.evaluate(ctx, u.template, u, j.traitFields(u))
	if err != nil {
		return err
	}
	if res.Exists("processing.http") {
		if res, err = j.process(ctx, res, u); err != nil {
			return err
		}
	}
	if err := u.reported(res); err != nil {
		return err
	}
	named, err := res.Outputs()
	if err != nil {
		return err
	}
	c, err := changesOf(res)
	if err != nil {
		return err
	}
	if err := j.add(named, u, typ); err != nil {
		return err
	}
	return j.change(c, u)
}

// changes are what a trait wants of objects that are there, its own too.
type changes struct {
	workload *patch.Patch
	others   map[string]patch.Patch // by name under outputs
}

func changesOf(res *cue.Result) (changes, error) {
	var c changes
	p, ok, err := res.Patch()
	if err != nil {
		return c, err
	}
	if ok {
		c.workload = &p
	}
	c.others, err = res.PatchOutputs()
	return c, err
}

// traitFields are the context fields that only traits see.
func (j *job) traitFields(u unit) map[string]any {
	out := map[string]any{"componentType": j.req.Component.Type, "output": any(j.workload)}
	objects := map[string]any{}
	for _, o := range j.objects {
		objects[o.name] = o.fields
	}
	if live := j.req.Live; live != nil && u.def.Stage == string(manifest.PostDispatch) {
		if live.Output != nil {
			out["output"] = content(live.Output)
		}
		for name, o := range live.Outputs {
			objects[name] = content(o)
		}
	}
	if len(objects) > 0 {
		out["outputs"] = objects
	}
	return out
}

// content is a live object as templates see it: without what only the API server
// needs.
func content(o *unstructured.Unstructured) map[string]any {
	fields := maps.Clone(o.Object)
	if meta, ok := fields["metadata"].(map[string]any); ok {
		meta = maps.Clone(meta)
		delete(meta, "managedFields")
		fields["metadata"] = meta
	}
	return fields
}

// change applies patch, then patchOutputs.
func (j *job) change(c changes, u unit) error {
	var err error
	if c.workload != nil {
		if j.workload, err = patch.Apply(j.workload, c.workload.By(u.what, j.owners)); err != nil {
			return u.conflict("the workload", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.others)) {
		o := j.find(name)
		if o == nil {
			continue // KubeVela ignores a patch of an object that is not there
		}
		if o.fields, err = patch.Apply(o.fields, c.others[name].By(u.what, patch.NewOwners(o.what))); err != nil {
			return u.conflict(fmt.Sprintf("object %q", name), err)
		}
	}
	return nil
}

// conflict says which field two writers want to have differently.
func (u unit) conflict(what string, err error) error {
	if len(cue.Errors(err)) > 0 {
		return err
	}
	return fault.Invalid(v1beta1.ReasonRenderFailed,
		fmt.Errorf("%s cannot patch %s: %w", u.what, what, err), fault.At(u.origin.Property("")))
}

// process sends the HTTP request that a trait asks for under processing.http and
// evaluates the trait again with the answer in processing.output.
func (j *job) process(ctx context.Context, res *cue.Result, u unit) (*cue.Result, error) {
	j.moving = true
	request, _, err := res.Lookup("processing.http")
	if err != nil {
		return nil, err
	}
	do, _, ok := j.req.Actions.ReadOnly().Lookup("http", "do")
	if !ok {
		return nil, fault.Because(v1beta1.ReasonRenderFailed,
			fmt.Errorf("%s asks for an HTTP request, which cannot be sent from here", u.what), fault.At(u.origin.String()))
	}
	answer, err := do(ctx, provider.Call{Provider: "http", Do: "do", Path: "processing.http", Params: request})
	if err != nil {
		return nil, fault.Because(v1beta1.ReasonRenderFailed, fmt.Errorf("%s: HTTP request: %w", u.what, err), fault.At(u.origin.String()))
	}
	body, err := bodyOf(answer)
	if err != nil {
		return nil, fault.Because(v1beta1.ReasonRenderFailed, fmt.Errorf("%s: HTTP request: %w", u.what, err), fault.At(u.origin.String()))
	}
	// The answer goes in as text: it may conflict with what the template expects
	// there, and then the template is where the mistake shows.
	t, err := j.engine.Compile(cue.Source{
		Kind: string(u.def.Kind), Name: u.def.Name, Text: fmt.Sprintf("%s\nprocessing: output: %s\n", u.def.Template, body),
	})
	if err != nil {
		return nil, err
	}
	return j.evaluate(ctx, t, u, j.traitFields(u))
}

// bodyOf returns the JSON text in the answer of the HTTP provider.
func bodyOf(answer any) (string, error) {
	m, _ := answer.(map[string]any)
	if r, ok := m["response"].(map[string]any); ok {
		m = r
	}
	body, _ := m["body"].(string)
	if code, ok := m["statusCode"].(int64); ok && code >= 400 {
		return "", fmt.Errorf("the server answered with status %d", code)
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return "", errors.New("the answer is not a JSON object")
	}
	text, err := json.Marshal(v) // canonical, so that equal answers compile once
	return string(text), err
}
