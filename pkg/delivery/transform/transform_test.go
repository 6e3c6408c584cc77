package transform_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

// source has definitions in namespaces, and those of the system for all.
type source []*v1beta1.PolicyDefinition

func (s source) Get(_ context.Context, namespace string, ref definition.Ref) (definition.Definition, error) {
	for _, ns := range []string{namespace, oam.SystemNamespace} {
		for _, d := range s {
			if d.Namespace == ns && d.Name == ref.Base() {
				return definition.FromObject(d)
			}
		}
	}
	return definition.Definition{}, &definition.NotFoundError{Ref: ref, Namespace: namespace}
}

func (s source) Names(_ context.Context, namespace string, _ definition.Kind) ([]string, error) {
	names := map[string]bool{}
	for _, d := range s {
		if d.Namespace == namespace || d.Namespace == oam.SystemNamespace {
			names[d.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func policy(name, template string, changes ...func(*v1beta1.PolicyDefinition)) *v1beta1.PolicyDefinition {
	d := build.PolicyDefinition(name, template)
	d.Spec.Scope = v1beta1.PolicyScopeApplication
	for _, change := range changes {
		change(d)
	}
	return d
}

func global(priority int32) func(*v1beta1.PolicyDefinition) {
	return func(d *v1beta1.PolicyDefinition) { d.Spec.Global, d.Spec.Priority = true, priority }
}

func in(ns string) func(*v1beta1.PolicyDefinition) {
	return func(d *v1beta1.PolicyDefinition) { d.Namespace = ns }
}

// trail writes down who has run, after whom.
const trail = `
_before: *context.appLabels.trail | "ran"
output: labels: trail: _before + "." + context.policyName
`

func TestApply(t *testing.T) {
	shop := func() *build.Application {
		return build.App("team/shop").Label("tier", "gold").Component("web", "webservice", "image: nginx")
	}
	both := transform.Gates{Scoped: true, Global: true}
	cases := map[string]struct {
		gates   transform.Gates
		defs    source
		app     *build.Application
		labels  map[string]string // afterwards
		custom  map[string]any
		applied []v1beta1.AppliedApplicationPolicy
		spec    func(v1beta1.ApplicationSpec) string
		want    string // of spec
		wantErr string
	}{
		"an Application that names a policy gets its labels, with what the properties say": {
			gates:  transform.Gates{Scoped: true},
			defs:   source{policy("team-labels", `parameter: team: string, output: labels: team: parameter.team + "-" + context.appLabels.tier`)},
			app:    shop().Policy("labels", "team-labels", "team: a"),
			labels: map[string]string{"tier": "gold", "team": "a-gold"},
			applied: []v1beta1.AppliedApplicationPolicy{
				{Name: "labels", Type: "team-labels", Namespace: "vela-system", Source: "explicit", Applied: true, LabelsCount: 1},
			},
		},
		"global ones run first, by priority and then by name, and each sees the one before": {
			gates:  both,
			defs:   source{policy("own", trail), policy("c", trail, global(1)), policy("b", trail, global(5)), policy("a", trail, global(5))},
			app:    shop().Policy("own", "own", ""),
			labels: map[string]string{"tier": "gold", "trail": "ran.c.a.b.own"},
		},
		"a global one of the namespace goes before one of the same name for all": {
			gates: both,
			defs: source{
				policy("env", `output: labels: env: "production"`, global(0)), policy("env", `output: labels: env: "development"`, global(0), in("team")),
				policy("other", `output: labels: other: "x"`, global(0), in("elsewhere")),
			},
			app:    shop(),
			labels: map[string]string{"tier": "gold", "env": "development"},
		},
		"one of the namespace that is not global hides none that is": {
			gates: both,
			defs: source{
				policy("env", `output: labels: env: "production"`, global(0)), policy("env", `output: labels: env: "none"`, in("team")),
			},
			app:    shop(),
			labels: map[string]string{"tier": "gold", "env": "production"},
		},
		"an Application can keep global ones away": {
			gates:  both,
			defs:   source{policy("env", `output: labels: env: "production"`, global(0))},
			app:    shop().Annotate(oam.AnnotationPolicySkipGlobal, "true"),
			labels: map[string]string{"tier": "gold"},
		},
		"without the gate for global ones there are none": {
			gates:  transform.Gates{Scoped: true},
			defs:   source{policy("env", `output: labels: env: "production"`, global(0))},
			app:    shop(),
			labels: map[string]string{"tier": "gold"},
		},
		"without the gate for all nothing runs": {
			gates:  transform.Gates{Global: true},
			defs:   source{policy("env", `output: labels: env: "x"`, global(0)), policy("own", `output: labels: own: "x"`)},
			app:    shop().Policy("own", "own", ""),
			labels: map[string]string{"tier": "gold"},
		},
		"a global one that fails is left out and the others go on": {
			gates: both,
			defs: source{
				policy("bad", `output: labels: x: context.appLabels.missing`, global(1)), policy("good", `output: labels: good: "yes"`, global(2)),
			},
			app:    shop(),
			labels: map[string]string{"tier": "gold", "good": "yes"},
			applied: []v1beta1.AppliedApplicationPolicy{
				{Name: "bad", Type: "bad", Namespace: "vela-system", Source: "global", Error: true},
				{Name: "good", Type: "good", Namespace: "vela-system", Source: "global", Applied: true, LabelsCount: 1},
			},
		},
		"one that is named and fails stops everything, at its place": {
			gates:   transform.Gates{Scoped: true},
			defs:    source{policy("bad", `parameter: n: int, output: labels: x: "\(parameter.n)"`)},
			app:     shop().Policy("bad", "bad", `n: "one"`),
			wantErr: `spec.policies[0].properties.n: policy "bad"`,
		},
		"one that reports a mistake stops everything with its words": {
			gates:   transform.Gates{Scoped: true},
			defs:    source{policy("bad", `errs: ["the team is unknown"]`)},
			app:     shop().Policy("p", "bad", ""),
			wantErr: `spec.policies[0]: policy "p": the team is unknown`,
		},
		"a field that no policy gives is a mistake": {
			gates:   transform.Gates{Scoped: true},
			defs:    source{policy("bad", `output: component: []`)},
			app:     shop().Policy("p", "bad", ""),
			wantErr: `did you mean "components"?`,
		},
		"a global one whose label no server takes is left out": {
			gates: both,
			defs: source{
				policy("bad", `output: labels: owner: "a b@c"`, global(1)), policy("good", `output: labels: good: "yes"`, global(2)),
			},
			app:    shop(),
			labels: map[string]string{"tier": "gold", "good": "yes"},
		},
		"an annotation that no server takes is a mistake": {
			gates:   transform.Gates{Scoped: true},
			defs:    source{policy("bad", `output: annotations: "a b": "x"`)},
			app:     shop().Policy("p", "bad", ""),
			wantErr: `policy "p": output.annotations: "a b"`,
		},
		"a policy restarts no workflow, it would do so for ever": {
			gates:   transform.Gates{Scoped: true},
			defs:    source{policy("bad", `output: annotations: "app.oam.dev/restart-workflow": "true"`)},
			app:     shop().Policy("p", "bad", ""),
			wantErr: `"app.oam.dev/restart-workflow" is for users`,
		},
		"a policy does not keep policies away, it would take back what they made": {
			gates:   transform.Gates{Scoped: true},
			defs:    source{policy("bad", `output: annotations: "policy.oam.dev/skip-global": "true"`)},
			app:     shop().Policy("p", "bad", ""),
			wantErr: `"policy.oam.dev/skip-global" is for users`,
		},
		"config.enabled and enabled switch one off": {
			gates: transform.Gates{Scoped: true},
			defs: source{
				policy("a", `config: enabled: context.namespace == "other", output: labels: a: "x"`), policy("b", `enabled: false, output: labels: b: "x"`),
				policy("c", `config: enabled: true, output: labels: c: "x"`),
			},
			app:    shop().Policy("a", "a", "").Policy("b", "b", "").Policy("c", "c", ""),
			labels: map[string]string{"tier": "gold", "c": "x"},
		},
		"components, workflow and policies are replaced": {
			gates: transform.Gates{Scoped: true},
			defs: source{policy("rewrite", `
				output: components: [for c in context.appComponents {name: c.name + "-v2", type: c.type, properties: c.properties}]
				output: workflow: steps: [{name: "hold", type: "suspend"}]
				output: policies: [for p in context.appPolicies if p.name != context.policyName {p}]`)},
			app: shop().Policy("rewrite", "rewrite", "").Policy("here", "topology", "clusters: [local]"),
			spec: func(s v1beta1.ApplicationSpec) string {
				return s.Components[0].Name + " " + string(s.Components[0].Properties.Raw) + " " + s.Workflow.Steps[0].Name + " " + s.Policies[0].Name
			},
			want:   `web-v2 {"image":"nginx"} hold here`,
			labels: map[string]string{"tier": "gold"},
			applied: []v1beta1.AppliedApplicationPolicy{
				{Name: "rewrite", Type: "rewrite", Namespace: "vela-system", Source: "explicit", Applied: true, SpecModified: true},
			},
		},
		"values for context.custom add up": {
			gates: both,
			defs: source{
				policy("tenant", `output: ctx: {tenant: "acme", limits: cpu: 2}`, global(0)),
				policy("quota", `output: ctx: quota: context.custom.limits.cpu * 2`),
			},
			app:    shop().Policy("quota", "quota", ""),
			custom: map[string]any{"tenant": "acme", "limits": map[string]any{"cpu": int64(2)}, "quota": int64(4)},
			labels: map[string]string{"tier": "gold"},
		},
		"the template sees which policy it is": {
			gates: transform.Gates{Scoped: true},
			defs: source{policy("who", `output: annotations: who: "\(context.name) \(context.policyName) \(context.policyType) \(context.policyRevisionName) \(context.policyRevision) \(context.policyRevisionHash)"`,
				func(d *v1beta1.PolicyDefinition) {
					d.Status.LatestRevision = &v1beta1.Revision{Name: "who-v3", Revision: 3, RevisionHash: "abc"}
				})},
			app:    shop().Policy("p", "who", ""),
			labels: map[string]string{"tier": "gold"},
			applied: []v1beta1.AppliedApplicationPolicy{{
				Name: "p", Type: "who", Namespace: "vela-system", Source: "explicit", Applied: true, AnnotationsCount: 1,
				DefinitionRevisionName: "who-v3", Revision: 3, RevisionHash: "abc",
			}},
			spec: nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := tc.app.Object()
			app := tc.app.Object()
			got, produced, err := transform.Apply(t.Context(), app, transform.Options{Gates: tc.gates, Definitions: tc.defs, Engine: cue.NewEngine(cue.Options{})})
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(fault.Message(err), tc.wantErr) {
					t.Fatalf("Apply() error = %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(fault.Message(err))
			}
			if diff := cmp.Diff(before, app); diff != "" {
				t.Errorf("Apply() changed its argument (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(tc.labels, got.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if tc.spec != nil && tc.spec(got.Spec) != tc.want {
				t.Errorf("spec = %s, want %s", tc.spec(got.Spec), tc.want)
			}
			custom := blueprint.Draft{Produced: produced}.Custom()
			if diff := cmp.Diff(tc.custom, custom); diff != "" {
				t.Errorf("custom (-want +got):\n%s", diff)
			}
			if tc.applied == nil {
				return
			}
			ignore := cmpopts.IgnoreFields(v1beta1.AppliedApplicationPolicy{}, "Message")
			if tc.applied[0].RevisionHash == "" {
				ignore = cmpopts.IgnoreFields(v1beta1.AppliedApplicationPolicy{}, "Message", "RevisionHash")
			}
			if diff := cmp.Diff(tc.applied, produced.Records(), ignore); diff != "" {
				t.Errorf("applied (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGates(t *testing.T) {
	cases := map[string]struct {
		text, want, wantErr string
	}{
		"both":              {text: "EnableGlobalPolicies=true,EnableApplicationScopedPolicies=true", want: "EnableApplicationScopedPolicies=true,EnableGlobalPolicies=true"},
		"off again":         {text: "EnableGlobalPolicies=true, EnableGlobalPolicies=false", want: ""},
		"an unknown one":    {text: "EnableEverything=true", wantErr: `there is no feature gate "EnableEverything"`},
		"one without value": {text: "EnableGlobalPolicies", wantErr: "want EnableGlobalPolicies=true or EnableGlobalPolicies=false"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var g transform.Gates
			err := g.Set(tc.text)
			if (err == nil) != (tc.wantErr == "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Fatalf("Set(%q) = %v, want %q", tc.text, err, tc.wantErr)
			}
			if got := g.String(); err == nil && got != tc.want {
				t.Errorf("String() = %q, want %q", got, tc.want)
			}
		})
	}
}

// unreachable is a source that cannot be asked.
type unreachable struct{}

func (unreachable) Get(context.Context, string, definition.Ref) (definition.Definition, error) {
	return definition.Definition{}, errors.New("no route to host")
}

func (unreachable) Names(context.Context, string, definition.Kind) ([]string, error) { return nil, nil }

// A definition that cannot be read just now is no reason to go on without what it
// makes: that would be stored.
func TestDefinitionsThatCannotBeRead(t *testing.T) {
	_, _, err := transform.Apply(t.Context(), build.App("shop").Policy("p", "labels", "").Object(), transform.Options{
		Gates: transform.Gates{Scoped: true}, Definitions: unreachable{}, Engine: cue.NewEngine(cue.Options{}),
	})
	if err == nil || fault.Terminal(err) || !strings.Contains(err.Error(), "no route to host") {
		t.Errorf("Apply() error = %v, want one that is tried again", err)
	}
}

// noWorkers is a sandbox that cannot start anything just now.
type noWorkers struct{}

func (noWorkers) Open(context.Context, cue.Place, cue.Source) (cue.Remote, error) {
	return noWorker{}, nil
}

type noWorker struct{ cue.Remote }

func (noWorker) Plain() bool { return false }

func (noWorker) Eval(context.Context, cue.Input) (cue.Reading, error) {
	return nil, errors.New("resource temporarily unavailable")
}

// A policy that could not be asked has made no mistake.
func TestPoliciesThatCannotBeAsked(t *testing.T) {
	for name, tc := range map[string]struct {
		app *build.Application
		def *v1beta1.PolicyDefinition
	}{
		"a named one":  {build.App("shop").Policy("p", "labels", ""), policy("labels", `output: labels: a: "b"`)},
		"a global one": {build.App("shop"), policy("labels", `output: labels: a: "b"`, global(0))},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := transform.Apply(t.Context(), tc.app.Object(), transform.Options{
				Gates: transform.Gates{Scoped: true, Global: true}, Definitions: source{tc.def},
				Engine: cue.NewEngine(cue.Options{Sandbox: noWorkers{}, Plain: true}),
			})
			if err == nil || fault.Terminal(err) || !strings.Contains(err.Error(), "temporarily unavailable") {
				t.Errorf("Apply() error = %v, want one that is tried again", err)
			}
		})
	}
}

func TestLost(t *testing.T) {
	one := func(r v1beta1.AppliedApplicationPolicy) *blueprint.Produced {
		r.Type, r.Source = "sidecar", "global"
		return &blueprint.Produced{Applied: []blueprint.Transformation{{AppliedApplicationPolicy: r}}}
	}
	made, failed := v1beta1.AppliedApplicationPolicy{Applied: true, SpecModified: true}, v1beta1.AppliedApplicationPolicy{Error: true, Message: "no answer"}
	cases := map[string]struct {
		before, now *blueprint.Produced
		want        string
	}{
		"one that made components and fails":         {before: one(made), now: one(failed), want: `global policy "sidecar" fails, and what it made is delivered: no answer`},
		"one that made values for templates":         {before: one(v1beta1.AppliedApplicationPolicy{Applied: true, HasContext: true}), now: one(failed), want: "sidecar"},
		"one that failed before too":                 {before: one(failed), now: one(failed)},
		"one that works":                             {before: one(made), now: one(made)},
		"one that was removed":                       {before: one(made), now: &blueprint.Produced{}},
		"the first time there is nothing to lose":    {now: one(failed)},
		"policies were switched off in the meantime": {before: one(made)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := transform.Lost(tc.before, tc.now)
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("Lost() = %v, want %q", err, tc.want)
			}
			if fault.Terminal(err) {
				t.Error("it is not tried again")
			}
		})
	}
}

func TestWritten(t *testing.T) {
	one := build.App("shop").Component("web", "c", "x: 1").Object()
	other := one.DeepCopy()
	one.Spec.Components[0].Properties.Raw = []byte(`{"a":1,"b":2}`)
	other.Spec.Components[0].Properties.Raw = []byte(`{"b":2, "a":1}`)
	if transform.Written(one) != transform.Written(other) {
		t.Error("the order of fields makes another text")
	}
	other.Spec.Components[0].Properties.Raw = []byte(`{"b":3, "a":1}`)
	if transform.Written(one) == transform.Written(other) {
		t.Error("another value is the same text")
	}
}
