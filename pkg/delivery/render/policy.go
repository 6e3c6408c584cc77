package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A PolicyRequest is one policy of an Application, with all that its template
// may see.
type PolicyRequest struct {
	Blueprint *blueprint.Blueprint
	Policy    blueprint.Policy

	RevisionName   string
	RevisionNumber int64

	// Artifacts returns what the components and traits give, as templates read it
	// under context.artifacts. It is asked only for those that do.
	Artifacts func(context.Context) (map[string]any, error)
	// Actions are what templates may read with.
	Actions provider.Table
}

// Policy returns the objects that the template of a policy gives, in the hub
// unless they say otherwise. Most policies give none. The caller must not
// modify them.
func (r *Renderer) Policy(ctx context.Context, req PolicyRequest) ([]manifest.Manifest, error) {
	j, err := r.preparePolicy(ctx, req)
	if err != nil || j.template == nil {
		return nil, err
	}
	key := j.key()
	if kept, ok := r.cache.get(key); ok && r.scoped(kept.parts) {
		return slices.Clone(kept.parts), nil
	}
	out, err := j.run(ctx)
	if err != nil {
		return nil, err
	}
	r.cache.put(key, result{parts: out})
	return slices.Clone(out), nil
}

// A policyJob is the rendering of one policy.
type policyJob struct {
	*Renderer
	unit
	req    PolicyRequest
	fields map[string]any // context that the template reads
}

// preparePolicy compiles the template and picks the context that it reads. What
// gives no objects has no template.
func (r *Renderer) preparePolicy(ctx context.Context, req PolicyRequest) (*policyJob, error) {
	p := req.Policy
	j := &policyJob{Renderer: r, req: req, unit: unit{what: fmt.Sprintf("policy %q", p.Name), origin: p.Origin, properties: p.Properties}}
	def, ok := req.Blueprint.Definitions[definition.Ref{Kind: definition.Policy, Name: p.Type}]
	if !ok || def.Template == "" || blueprint.Scoped(def) {
		return j, nil
	}
	j.def = def
	var err error
	j.template, err = r.engine.Compile(cue.Source{Kind: string(def.Kind), Name: def.Name, Text: def.Template})
	if err != nil {
		return j, fault.Because(v1beta1.ReasonInvalidDefinition,
			fmt.Errorf("%s definition %q does not compile: %w", def.Kind, def.Name, err), fault.At(p.Origin.Sub("type").String()))
	}
	names, all := j.template.ContextFields()
	j.fields = map[string]any{}
	for name, value := range req.context() {
		if all || slices.Contains(names, name) {
			j.fields[name] = value
		}
	}
	if (all || slices.Contains(names, "artifacts")) && req.Artifacts != nil {
		if j.fields["artifacts"], err = req.Artifacts(ctx); err != nil {
			return j, err
		}
	}
	return j, nil
}

// context is what the template of a policy sees, artifacts apart.
func (req PolicyRequest) context() map[string]any {
	b := req.Blueprint
	out := map[string]any{
		"name": req.Policy.Name, "namespace": b.App.Namespace, "appName": b.App.Name,
		"appRevision": req.RevisionName, "appRevisionNum": req.RevisionNumber,
		"appLabels": stringMap(b.App.Labels), "appAnnotations": stringMap(b.App.Annotations),
		"publishVersion": b.App.PublishVersion, "workflowName": WorkflowName(b),
		"components": components(b.Components), "parameter": nonNil(req.Policy.Properties),
	}
	if custom := b.Custom(); custom != nil {
		out["custom"] = custom
	}
	return out
}

// key is the content address of all that the result depends on; "" when it also
// depends on what the template reads from outside.
func (j *policyJob) key() string {
	if j.template.Calls() {
		return ""
	}
	app := j.req.Blueprint.App
	return manifest.Digest([]any{"policy", j.req.Policy.Name, j.def.Name, j.template.Digest(), j.properties, j.fields, app.Name, app.Namespace})
}

func (j *policyJob) run(ctx context.Context) ([]manifest.Manifest, error) {
	res, err := j.template.Eval(ctx, cue.Input{
		Parameter: nonNil(j.properties), Context: j.fields, Actions: j.req.Actions.ReadOnly(), ReadOnly: true,
	})
	if err != nil {
		return nil, j.fail(err)
	}
	if err := j.reported(res); err != nil {
		return nil, err
	}
	var objects []cue.Named
	if res.Exists("output") {
		output, err := res.Output()
		if err != nil {
			return nil, j.fail(err)
		}
		if len(output) > 0 {
			objects = append(objects, cue.Named{Object: output})
		}
	}
	if res.Exists("outputs") {
		named, err := res.Outputs()
		if err != nil {
			return nil, j.fail(err)
		}
		objects = append(objects, named...)
	}
	return j.manifests(objects)
}

func (j *policyJob) manifests(objects []cue.Named) ([]manifest.Manifest, error) {
	var out []manifest.Manifest
	var errs []error
	first := map[manifest.Key]string{}
	for _, o := range objects {
		path := strings.TrimSuffix("outputs."+o.Name, "s.")
		m, err := j.manifest(o, path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other, twice := first[m.Key]; twice {
			errs = append(errs, fault.Invalid(v1beta1.ReasonDuplicateOutput,
				fmt.Errorf("%s gives %s twice, under %s and %s of its template", j.what, m.Key, other, path), fault.At(j.origin.String())))
		}
		first[m.Key] = path
		out = append(out, m)
	}
	return out, errors.Join(errs...)
}

// manifest names and labels an object and says where it goes.
func (j *policyJob) manifest(o cue.Named, path string) (manifest.Manifest, error) {
	app := j.req.Blueprint.App
	obj := &unstructured.Unstructured{Object: deepCopyMeta(o.Object)}
	if obj.GetAPIVersion() == "" || obj.GetKind() == "" {
		return manifest.Manifest{}, fault.Invalid(v1beta1.ReasonRenderFailed,
			fmt.Errorf("%s: %s definition %q: %s has no apiVersion or kind", j.what, j.def.Kind, j.def.Name, path), fault.At(j.origin.String()))
	}
	if obj.GetName() == "" {
		obj.SetName(strings.TrimSuffix(j.req.Policy.Name+"-"+o.Name, "-"))
	}
	switch {
	case !j.namespaced(obj.GroupVersionKind()):
		obj.SetNamespace("")
	case obj.GetNamespace() == "":
		obj.SetNamespace(app.Namespace)
	}
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[oam.LabelAppName], labels[oam.LabelAppNamespace] = app.Name, app.Namespace
	obj.SetLabels(labels)
	m := manifest.New(cmp.Or(labels[oam.LabelCluster], manifest.Local), obj)
	m.Policy, m.Output = j.req.Policy.Name, o.Name
	return m, nil
}

// Artifacts arranges what components gave as templates read it: for each
// component its workload, and the objects of its traits by type and name.
func Artifacts(parts []manifest.Manifest) map[string]any {
	out := map[string]any{}
	for _, m := range parts {
		c, ok := out[m.Component].(map[string]any)
		if !ok {
			c = map[string]any{}
			out[m.Component] = c
		}
		if m.Workload() {
			c["workload"] = m.Object.Object
			continue
		}
		traits := child(c, "traits")
		child(traits, cmp.Or(m.Trait, oam.AuxiliaryWorkload))[m.Output] = m.Object.Object
	}
	return out
}

func child(m map[string]any, key string) map[string]any {
	c, ok := m[key].(map[string]any)
	if !ok {
		c = map[string]any{}
		m[key] = c
	}
	return c
}
