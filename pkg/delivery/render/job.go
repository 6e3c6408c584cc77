package render

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/patch"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/manifest"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// A unit is the component or one of its traits, with the definition to render
// it by.
type unit struct {
	what       string // `trait "scaler" of component "web"`, for messages
	origin     blueprint.Origin
	properties map[string]any
	def        definition.Definition
	template   *cue.Template // nil: a Terraform module, or a definition without template
}

// A job is the rendering of one request.
type job struct {
	*Renderer
	req         Request
	component   unit
	traits      []unit
	fields      map[string]any // context that any template reads
	moving      bool           // what templates read from outside may change any time
	readsConfig bool           // a template reads context.config
	managed     bool           // a trait brings the workload into the cluster

	workload map[string]any
	owners   *patch.Owners // who wrote which field of the workload
	objects  []*object     // beside the workload, in order
}

// An object is one that the component or a trait gives beside the workload.
type object struct {
	name   string // under outputs
	trait  string // type with version, "" for the component
	what   string // who gave it
	def    definition.Definition
	fields map[string]any
}

// prepare finds and compiles the definitions of a request and picks the context
// that they read.
func (r *Renderer) prepare(req Request) (*job, error) {
	c := req.Component
	what := fmt.Sprintf("component %q", c.Name)
	j := &job{Renderer: r, req: req}
	var errs []error
	reads, all := map[string]bool{}, false
	load := func(kind definition.Kind, typ, what string, o blueprint.Origin, properties map[string]any) unit {
		u, err := j.load(definition.Ref{Kind: kind, Name: typ}, what, o)
		u.properties = properties
		if err != nil {
			errs = append(errs, err)
		} else if u.template != nil {
			names, whole := u.template.ContextFields()
			for _, n := range names {
				reads[n] = true
			}
			all = all || whole
			j.moving = j.moving || u.template.Calls()
		}
		return u
	}
	properties, err := req.properties()
	if err != nil {
		return nil, err
	}
	j.component = load(definition.Component, c.Type, what, c.Origin, properties)
	for _, t := range c.Traits {
		u := load(definition.Trait, t.Type, fmt.Sprintf("trait %q of %s", t.Type, what), t.Origin, t.Properties)
		j.managed = j.managed || u.def.ManageWorkload
		j.traits = append(j.traits, u)
	}
	j.fields, j.readsConfig = req.fields(reads, all), all || reads[propertyConfig]
	return j, errors.Join(errs...)
}

func (j *job) load(ref definition.Ref, what string, o blueprint.Origin) (unit, error) {
	u := unit{what: what, origin: o}
	def, ok := j.req.Blueprint.Definitions[ref]
	if !ok {
		return u, fault.Because(v1beta1.ReasonDefinitionMissing,
			fmt.Errorf("%s: %s is not part of the revision %q", what, ref, j.req.RevisionName), fault.At(o.Sub("type").String()))
	}
	u.def = def
	if def.Template == "" {
		return u, nil
	}
	var err error
	u.template, err = j.engine.Compile(cue.Source{Kind: string(def.Kind), Name: def.Name, Text: def.Template})
	if err != nil {
		return u, fault.Because(v1beta1.ReasonInvalidDefinition,
			fmt.Errorf("%s definition %q does not compile: %w", def.Kind, def.Name, err), fault.At(o.Sub("type").String()))
	}
	return u, nil
}

// key is the content address of all that the result depends on; "" when it also
// depends on what templates read from outside.
func (j *job) key() string {
	if j.moving {
		return ""
	}
	type part struct {
		Name, Template, Stage string
		Hub                   bool
		Terraform             *v1beta1.Terraform
		Helm                  *v1beta1.Helm
		Kube                  *v1beta1.Kube
		Properties            map[string]any
	}
	of := func(u unit) part {
		p := part{Name: u.def.Name, Stage: u.def.Stage, Hub: u.def.ControlPlaneOnly, Properties: u.properties}
		p.Terraform, p.Helm, p.Kube = u.def.Terraform, u.def.Helm, u.def.Kube
		if u.template != nil {
			p.Template = u.template.Digest()
		}
		return p
	}
	parts := []part{of(j.component)}
	post := false
	for _, t := range j.traits {
		parts = append(parts, of(t))
		post = post || t.def.Stage == string(manifest.PostDispatch)
	}
	app := j.req.Blueprint.App
	in := []any{
		j.req.Component.Name, j.req.Component.ReplicaKey, parts, j.fields, j.req.Cluster, j.req.Namespace,
		app.Name, app.Namespace, inherited(app.Labels, app, oam.AnnotationFilterLabelKeys), inherited(app.Annotations, app, oam.AnnotationFilterAnnotationKeys),
	}
	if post {
		in = append(in, j.req.Live)
	}
	return manifest.Digest(in)
}

// run renders.
func (j *job) run(ctx context.Context) ([]manifest.Manifest, error) {
	if err := j.renderComponent(ctx); err != nil {
		return nil, err
	}
	for i, t := range j.traits {
		if err := j.renderTrait(ctx, t, j.req.Component.Traits[i].Type); err != nil {
			return nil, err
		}
	}
	return j.assemble()
}

// evaluate fills properties and context into the template of a unit. extra are
// context fields of this unit alone.
func (j *job) evaluate(ctx context.Context, t *cue.Template, u unit, extra map[string]any) (*cue.Result, error) {
	fields := maps.Clone(extra)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["parameter"] = nonNil(u.properties)
	maps.Copy(fields, j.fields)
	if names, all := t.ContextFields(); !all {
		read := make(map[string]any, len(names))
		for _, n := range names {
			if v, ok := fields[n]; ok {
				read[n] = v
			}
		}
		fields = read
	}
	return t.Eval(ctx, cue.Input{Parameter: nonNil(u.properties), Context: fields, Actions: j.req.Actions.ReadOnly(), ReadOnly: true})
}

func nonNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func (j *job) renderComponent(ctx context.Context) error {
	u := j.component
	if ok, err := j.foreign(); ok {
		return err
	}
	if u.template == nil {
		return fault.Because(v1beta1.ReasonInvalidDefinition,
			fmt.Errorf("%s: component definition %q has no template", u.what, u.def.Name), fault.At(u.origin.Sub("type").String()))
	}
	res, err := j.evaluate(ctx, u.template, u, nil)
	if err != nil {
		return u.fail(err)
	}
	if err := u.reported(res); err != nil {
		return err
	}
	j.workload, err = res.Output()
	if err != nil {
		return u.fail(err)
	}
	if len(j.workload) == 0 {
		return fault.Invalid(v1beta1.ReasonRenderFailed,
			fmt.Errorf("%s: component definition %q gives no output for these properties", u.what, u.def.Name), fault.At(u.origin.Property("")))
	}
	j.owners = patch.NewOwners(u.what)
	named, err := res.Outputs()
	if err != nil {
		return u.fail(err)
	}
	return j.add(named, u, "")
}

// add takes over what a template has under outputs. Two of one name would be one
// object that changes all the time.
func (j *job) add(named []cue.Named, u unit, trait string) error {
	for _, n := range named {
		if other := j.find(n.Name); other != nil {
			return fault.Invalid(v1beta1.ReasonDuplicateOutput,
				fmt.Errorf("%s and %s both give an object named %q under outputs", other.what, u.what, n.Name),
				fault.At(u.origin.String()), fault.Hint("remove one of them, or give its output another name in the definition"))
		}
	}
	for _, n := range named {
		j.objects = append(j.objects, &object{name: n.Name, trait: trait, what: u.what, def: u.def, fields: n.Object})
	}
	return nil
}

func (j *job) find(name string) *object {
	for _, o := range j.objects {
		if o.name == name {
			return o
		}
	}
	return nil
}
