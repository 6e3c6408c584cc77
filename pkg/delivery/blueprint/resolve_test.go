package blueprint_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
)

func definitions() *definition.Static {
	const any = "parameter: {...}\noutput: {apiVersion: \"v1\", kind: \"ConfigMap\"}"
	return build.Definitions(
		build.ComponentDefinition("webservice", any), build.ComponentDefinition("worker", any),
		build.TraitDefinition("scaler", "parameter: {...}"), build.TraitDefinition("gateway", "parameter: {...}"),
		build.PolicyDefinition("topology", "parameter: {...}"), build.PolicyDefinition("override", "parameter: {...}"),
		build.StepDefinition("deploy", "parameter: {...}"), build.StepDefinition("suspend", "parameter: duration?: string"),
	)
}

func options() blueprint.Options {
	engine := cue.NewEngine(cue.Options{})
	return blueprint.Options{Components: engine, Steps: engine}
}

func resolve(t *testing.T, app *build.Application, defs blueprint.Definitions) (blueprint.Blueprint, error) {
	t.Helper()
	d, err := blueprint.Parse(t.Context(), app.Object(), nil)
	if err != nil {
		t.Fatal(fault.Message(err))
	}
	return blueprint.Resolve(t.Context(), d, defs, options())
}

func TestResolvePinsWhatIsUsed(t *testing.T) {
	cases := map[string]struct {
		app  *build.Application
		want []string
	}{
		"types of components, traits and steps, with their versions": {
			app:  build.App("shop").Component("web", "webservice@v1", "").Trait("scaler", "").Component("api", "webservice", "").Step("go", "deploy", ""),
			want: []string{"component webservice", "component webservice@v1", "trait scaler", "workflow-step deploy"},
		},
		"what an override brings in": {
			app: build.App("shop").Component("web", "webservice", "").Policy("o", "override",
				`components: [{name: bg, type: worker, traits: [{type: gateway}, {type: no-such-trait, disable: true}]}]`),
			want: []string{"component webservice", "component worker", "policy override", "trait gateway", "workflow-step deploy"},
		},
		"what an override inside of a step brings in": {
			app: build.App("shop").Component("web", "webservice", "").Step("go", "deploy",
				`inlinePolicies: [{type: override, properties: {components: [{traits: [{type: scaler}]}]}}]`),
			want: []string{"component webservice", "trait scaler", "workflow-step deploy"},
		},
		"steps inside of groups, and no definition for what is built in": {
			app: build.App("shop").Component("web", "webservice", "").Policy("d", "debug", "").
				Step("one", "builtin-apply-component", "").Step("two", "suspend", "duration: 1h"),
			want: []string{"component webservice", "workflow-step suspend"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b, err := resolve(t, tc.app, definitions())
			if err != nil {
				t.Fatal(fault.Message(err))
			}
			var got []string
			for ref, def := range b.Definitions {
				got = append(got, string(ref.Kind)+" "+ref.Name)
				if def.Digest == "" {
					t.Errorf("definition %s has no digest", ref)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("definitions mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

type unavailable struct{}

func (unavailable) Get(context.Context, string, definition.Ref) (definition.Definition, error) {
	return definition.Definition{}, errors.New("the server is away")
}

func TestResolveRetriesWhenDefinitionsCannotBeRead(t *testing.T) {
	_, err := resolve(t, build.App("shop").Component("web", "webservice", ""), unavailable{})
	if err == nil || fault.Terminal(err) || !strings.Contains(err.Error(), "the server is away") {
		t.Errorf("Resolve() error = %v, want the retryable error of the store", err)
	}
}

// What is remembered of earlier checks must not change what a user reads.
func TestAMemoChangesNothing(t *testing.T) {
	defs := build.Definitions(build.ComponentDefinition("c", "output: {}\nparameter: {image: string, port?: int}"))
	with := options()
	with.Memo = blueprint.NewMemo(1) // forgets all but the last one
	for _, properties := range []string{"port: x", "{image: a, prt: 1}", "port: x", "port: x", "{image: a, prt: 1}"} {
		d, err := blueprint.Parse(t.Context(), build.App("shop").Component("web", "c", properties).Step("w", "suspend", "").Object(), nil)
		if err != nil {
			t.Fatal(err)
		}
		wantBlueprint, wantErr := blueprint.Resolve(t.Context(), d, defs, options())
		gotBlueprint, gotErr := blueprint.Resolve(t.Context(), d, defs, with)
		if diff := cmp.Diff(fault.Message(wantErr), fault.Message(gotErr)); diff != "" {
			t.Errorf("%s: errors without and with a memo:\n%s", properties, diff)
		}
		if diff := cmp.Diff(wantBlueprint.Warnings, gotBlueprint.Warnings); diff != "" {
			t.Errorf("%s: warnings without and with a memo:\n%s", properties, diff)
		}
	}
}
