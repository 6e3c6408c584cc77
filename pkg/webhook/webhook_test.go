package webhook_test

import (
	"bytes"
	"cmp"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	gocmp "github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
	"github.com/seed-c5f95f19/vela/pkg/webhook"
	"github.com/seed-c5f95f19/vela/pkg/webhook/certs"
)

// A replica is one vela-core, as far as admission goes.
type replica struct {
	url    string
	listen string // "" means at the url
	strict bool
	asks   bool // for permissions
	gates  transform.Gates
	policy admissionregistrationv1.FailurePolicyType
	server string      // of pkg/test/env
	clock  clock.Clock // nil means that of the machine
}

func (r replica) time() clock.Clock {
	if r.clock != nil {
		return r.clock
	}
	return clock.RealClock{}
}

// start runs a replica and returns a client of the API server that asks it, which
// notes warnings. The API server asks the webhooks when it returns.
func start(t *testing.T, r replica) (client.Client, *warnings) {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	hub := env.Cluster(t, r.server)
	seen := &warnings{}
	scheme := schemeOf(t)
	c := clientOf(t, hub.Config(), scheme, seen)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: definition.SystemNamespace}}
	if err := c.Create(t.Context(), ns); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	run(t, hub.Config(), scheme, r)
	await(t, c)
	return c, seen
}

func schemeOf(t *testing.T) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apis.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return scheme
}

func clientOf(t *testing.T, cfg *rest.Config, scheme *runtime.Scheme, seen *warnings) client.Client {
	t.Helper()
	cfg.WarningHandlerWithContext = seen
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run starts what vela-core starts for admission.
func run(t *testing.T, cfg *rest.Config, scheme *runtime.Scheme, r replica) {
	t.Helper()
	keeper := &webhook.Keeper{}
	server, err := webhook.Server(strings.TrimPrefix(cmp.Or(r.listen, r.url), "https://"), keeper)
	if err != nil {
		t.Fatal(err)
	}
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0", WebhookServer: server,
		Controller: config.Controller{SkipNameValidation: ptr.To(true)},
		Client:     client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&v1beta1.DefinitionRevision{}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := definition.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	hub, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	definitions := definition.Chain(definition.Cluster(mgr.GetClient()), builtin)
	templates := cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()})
	ctx, stop := context.WithCancel(context.Background())
	if err := webhook.Setup(ctx, mgr, keeper, webhook.Options{
		References:  blueprint.FromCluster(mgr.GetClient()),
		Definitions: definitions,
		Transform:   transform.Options{Gates: r.gates, Definitions: definitions, Engine: templates},
		Check: blueprint.Options{
			Components: templates,
			Steps:      cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()}),
		},
		Strict: r.strict, Permissions: r.asks, Hub: hub, Clock: r.time(),
		Registration: webhook.Registration{URL: r.url, Namespace: definition.SystemNamespace, Name: "vela-admission", Policy: r.policy},
	}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// await returns when the API server refuses what cannot be.
func await(t *testing.T, c client.Client) {
	t.Helper()
	app := &v1beta1.Application{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "probe"}}
	app.Spec.Components = []v1beta1.ApplicationComponent{{Name: "", Type: ""}}
	env.Eventually(t, "the webhooks are asked", func() (bool, error) {
		err := c.Create(t.Context(), app.DeepCopy(), client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), "denied the request"), err
	})
}

// address is free on this machine.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return "https://" + l.Addr().String()
}

// warnings are what the API server has warned of.
type warnings struct {
	mu  sync.Mutex
	all []string
}

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, _ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, text)
}

// take returns them and forgets them.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.all
	w.all = nil
	return out
}

// refusal is what a user reads, without what the API server puts before it.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	_, text, ok := strings.Cut(err.Error(), "denied the request: ")
	if !ok {
		return "ANOTHER ERROR: " + err.Error()
	}
	return text
}

func parse[T any](t *testing.T, ns, text string) *T {
	t.Helper()
	obj := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), obj); err != nil {
		t.Fatal(err)
	}
	any(obj).(client.Object).SetNamespace(ns)
	return obj
}

const disk = `
metadata: {name: disk}
spec:
  workload: {type: autodetects.core.oam.dev}
  schematic:
    cue:
      template: |
        output: {apiVersion: "v1", kind: "ConfigMap"}
        parameter: {
          // +immutable
          class: *"fast" | "slow"
          size: int
        }
`

const rollout = `
metadata: {name: rollout}
spec:
  appliesToWorkloads: [deployments.apps]
  schematic: {cue: {template: "patch: {}\nparameter: {}"}}
`

func TestApplications(t *testing.T) {
	c, warned := start(t, replica{url: address(t), policy: admissionregistrationv1.Fail, server: "lenient"})
	ns := env.Cluster(t, "lenient").Namespace(t)
	for _, o := range []client.Object{parse[v1beta1.ComponentDefinition](t, ns, disk), parse[v1beta1.TraitDefinition](t, ns, rollout)} {
		if err := c.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	eventuallyKnown(t, c, ns)
	warned.take()
	cases := map[string]struct {
		app      string
		want     string
		warnings []string
	}{
		"a sound Application": {app: `components: [{name: web, type: webservice, properties: {image: nginx}}]`},
		"every mistake in one answer": {
			app:  `components: [{name: web, type: webservice, properties: {imgae: nginx, ports: [{port: x}]}}, {name: web, type: worker, properties: {image: a}}]`,
			want: `spec.components[1].name: component name "web" is used twice; the first is spec.components[0]`,
		},
		"properties of a wrong type, and missing ones": {
			app: `components: [{name: web, type: webservice, properties: {ports: [{port: x}]}}]`,
			want: `spec.components[0].properties.image: component "web": the property "image" is missing: expected string` + "\n" +
				`spec.components[0].properties.ports[0].port: component "web": expected int, got string "x"`,
		},
		"a type that does not exist may still come": {
			app:      `components: [{name: web, type: webservcie, properties: {image: nginx}}]`,
			warnings: []string{`spec.components[0].type: component "web": component type "webservcie" is not installed (did you mean "webservice"?)`},
		},
		"a property that nothing reads": {
			app:      `components: [{name: web, type: webservice, properties: {image: nginx, imgae: x}}]`,
			warnings: []string{`spec.components[0].properties.imgae: component "web": type "webservice" has no such property (did you mean "image"?)`},
		},
		"a trait on a workload that it is not made for": {
			app:      `components: [{name: web, type: statefulset, properties: {image: nginx}, traits: [{type: rollout}]}]`,
			warnings: []string{`spec.components[0].traits[0].type: trait "rollout" of component "web" does not apply to a workload of type "statefulset" (statefulsets.apps) (its definition says appliesToWorkloads: deployments.apps)`},
		},
		"steps with one name": {
			app:  `{components: [{name: web, type: webservice, properties: {image: nginx}}], workflow: {steps: [{name: a, type: suspend}, {name: a, type: suspend}]}}`,
			want: `spec.workflow.steps[1].name: step name "a" is used twice; the first is spec.workflow.steps[0]`,
		},
		"a timeout that is none": {
			app:  `{components: [{name: web, type: webservice, properties: {image: nginx}}], workflow: {steps: [{name: a, type: suspend, timeout: soon}]}}`,
			want: `spec.workflow.steps[0].timeout: step "a": expected a duration such as 30s, 10m or 1h30m, got "soon"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if !strings.HasPrefix(tc.app, "{") {
				tc.app = "{" + tc.app + "}"
			}
			app := parse[v1beta1.Application](t, ns, "metadata: {name: shop}\nspec: "+tc.app)
			got := refusal(c.Create(t.Context(), app, client.DryRunAll))
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(tc.warnings, warned.take()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("steps get their names", func(t *testing.T) {
		app := build.App(ns+"/steps").Component("web", "webservice", "image: nginx").Step("", "suspend", "").
			Step("", "step-group", "", func(s *v1beta1.WorkflowStep) {
				s.SubSteps = []v1beta1.WorkflowStepBase{{Type: "suspend"}, {Name: "mine", Type: "suspend"}}
			}).Object()
		if err := c.Create(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range app.Spec.Workflow.Steps {
			names = append(names, s.Name)
			for _, sub := range s.SubSteps {
				names = append(names, sub.Name)
			}
		}
		if diff := gocmp.Diff([]string{"step-0", "step-1", "step-1-0", "mine"}, names); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})

	t.Run("what is marked immutable stays", func(t *testing.T) {
		app := build.App(ns+"/disks").Component("data", "disk", "{class: slow, size: 1}").Object()
		if err := c.Create(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		change := func(properties string) error {
			next := app.DeepCopy()
			next.Spec.Components[0].Properties = build.Raw(properties)
			return c.Update(t.Context(), next, client.DryRunAll)
		}
		if err := change("{class: slow, size: 2}"); err != nil {
			t.Errorf("another property: %v", err)
		}
		want := `spec.components[0].properties.class: component "data": the property may not change after creation ` +
			`(put the old value back, or set the annotation app.oam.dev/force-param-mutations: "true" to change it all the same)`
		for _, properties := range []string{"{class: fast, size: 1}", "{size: 1}"} {
			if diff := gocmp.Diff(want, refusal(change(properties))); diff != "" {
				t.Errorf("%s: refusal (-want +got):\n%s", properties, diff)
			}
		}
		app.Annotations = map[string]string{"app.oam.dev/force-param-mutations": "true"}
		if err := change("{class: fast, size: 1}"); err != nil {
			t.Errorf("by force: %v", err)
		}
	})

	t.Run("what does not change is not judged", func(t *testing.T) {
		app := build.App(ns+"/later").Component("data", "later", "").Object()
		if err := c.Create(t.Context(), app); err != nil { // the definition may still come
			t.Fatal(err)
		}
		warned.take()
		app.Finalizers = []string{"example.com/wait"}
		app.Labels = map[string]string{"a": "b"}
		app.Annotations = map[string]string{"oam.dev/kubevela-version": "v9"}
		if err := c.Update(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		if err := c.Delete(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		app.Finalizers = nil
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(app), app); err != nil {
			t.Fatal(err)
		}
		app.Finalizers = nil
		if err := c.Update(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		if w := warned.take(); len(w) > 0 {
			t.Errorf("warnings: %v", w)
		}
	})
}

// eventuallyKnown waits until the replica has seen the definitions of a test.
func eventuallyKnown(t *testing.T, c client.Client, ns string) {
	t.Helper()
	env.Eventually(t, "the definitions are known", func() (bool, error) {
		app := build.App(ns+"/probe").Component("data", "disk", "size: x").Trait("rollout", "x: 1").Object()
		err := c.Create(t.Context(), app, client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), "spec.components[0].properties.size"), err
	})
}

// In strict mode what is otherwise a warning is refused, definitions that are
// missing too.
func TestStrict(t *testing.T) {
	c, _ := start(t, replica{url: address(t), strict: true, policy: admissionregistrationv1.Fail, server: "strict"})
	cases := map[string]struct{ app, want string }{
		"a type that does not exist": {
			`{components: [{name: web, type: webservcie, properties: {image: nginx}}]}`,
			`spec.components[0].type: component "web": component type "webservcie" is not installed (did you mean "webservice"?)`,
		},
		"a property that nothing reads": {
			`{components: [{name: web, type: webservice, properties: {image: nginx, imgae: x}}]}`,
			`spec.components[0].properties.imgae: component "web": type "webservice" has no such property (did you mean "image"?)`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			app := parse[v1beta1.Application](t, "default", "metadata: {name: shop}\nspec: "+tc.app)
			if diff := gocmp.Diff(tc.want, refusal(c.Create(t.Context(), app, client.DryRunAll))); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
		})
	}
}

// What policies make of an Application is what is judged: here one gives the
// image that its author left out.
func TestPoliciesComeFirst(t *testing.T) {
	c, warned := start(t, replica{url: address(t), gates: transform.Gates{Scoped: true}, policy: admissionregistrationv1.Fail, server: "strict"})
	ns := env.Cluster(t, "strict").Namespace(t)
	def := parse[v1beta1.PolicyDefinition](t, ns, `
metadata: {name: image}
spec:
  scope: Application
  schematic: {cue: {template: "parameter: {}\noutput: components: [for c in context.appComponents {name: c.name, type: c.type, properties: image: \"nginx\"}]"}}
`)
	if err := c.Create(t.Context(), def); err != nil {
		t.Fatal(err)
	}
	app := build.App(ns+"/shop").Component("web", "webservice", "").Policy("image", "image", "").Object()
	env.Eventually(t, "the policy is known, and gives the image", func() (bool, error) {
		warned.take()
		err := c.Create(t.Context(), app.DeepCopy(), client.DryRunAll)
		return err == nil, err
	})
	if w := warned.take(); len(w) > 0 {
		t.Errorf("warnings: %v", w)
	}
	app.Spec.Policies = nil
	want := `spec.components[0].properties.image: component "web": the property "image" is missing: expected string`
	if got := refusal(c.Create(t.Context(), app, client.DryRunAll)); got != want {
		t.Errorf("without the policy: %q, want %q", got, want)
	}
}

// Who may not read a definition may not use it, whatever else is wrong.
func TestPermissions(t *testing.T) {
	admin, _ := start(t, replica{url: address(t), asks: true, policy: admissionregistrationv1.Fail, server: "permissions"})
	hub := env.Cluster(t, "permissions")
	ns := hub.Namespace(t)
	rule := func(resource string, verbs ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{v1beta1.Group}, Resources: []string{resource}, Verbs: verbs}
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "dev"}, Rules: []rbacv1.PolicyRule{rule("applications", "create", "update", "get")}}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "dev"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "dev"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.GroupKind, Name: "developers", APIGroup: rbacv1.GroupName}},
	}
	for _, o := range []client.Object{parse[v1beta1.TraitDefinition](t, ns, rollout), role, binding} {
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	cfg := hub.Config()
	cfg.Impersonate = rest.ImpersonationConfig{UserName: "jane", Groups: []string{"developers"}}
	jane := clientOf(t, cfg, schemeOf(t), &warnings{})
	app := build.App(ns+"/shop").Component("web", "webservice", "image: nginx").Trait("rollout", "").Object()
	want := `user "jane" may not use trait "rollout" (that takes the right to get traitdefinitions.core.oam.dev "rollout" in namespace "` + ns + `")`
	env.Eventually(t, "the definition is known, and not for jane", func() (bool, error) {
		err := jane.Create(t.Context(), app.DeepCopy(), client.DryRunAll)
		return refusal(err) == want, err
	})
	if err := admin.Create(t.Context(), app.DeepCopy(), client.DryRunAll); err != nil {
		t.Errorf("who may do everything: %v", err)
	}
	hidden := build.App(ns+"/shop").Component("web", "later", "").Trait("rollout", "").Object()
	if got := refusal(jane.Create(t.Context(), hidden, client.DryRunAll)); !strings.Contains(got, want) || !strings.Contains(got, `component type "later" is not installed`) {
		t.Errorf("beside a definition that is missing: %q", got)
	}
	role.Rules = append(role.Rules, rule("traitdefinitions", "get"))
	if err := admin.Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "jane may use it", func() (bool, error) {
		err := jane.Create(t.Context(), app.DeepCopy(), client.DryRunAll)
		return err == nil, err
	})
}

func TestDefinitions(t *testing.T) {
	c, warned := start(t, replica{url: address(t), policy: admissionregistrationv1.Fail, server: "lenient"})
	ns := env.Cluster(t, "lenient").Namespace(t)
	kept := parse[v1beta1.TraitDefinition](t, ns, "metadata: {name: kept}\nspec: {version: 1.0.0, schematic: {cue: {template: \"patch: {}\"}}}")
	rev := &v1beta1.DefinitionRevision{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "kept-v1.0.0"},
		Spec:       v1beta1.DefinitionRevisionSpec{Revision: 1, RevisionHash: "x", DefinitionType: v1beta1.DefinitionTrait, TraitDefinition: *kept},
	}
	if err := c.Create(t.Context(), rev); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		def      client.Object
		want     string
		warnings []string
	}{
		"a sound one": {def: parse[v1beta1.TraitDefinition](t, ns, rollout)},
		"a template that does not compile": {
			def:  parse[v1beta1.TraitDefinition](t, ns, "metadata: {name: x}\nspec: {schematic: {cue: {template: \"patch: {\\n  a: b.c\\n}\\n\"}}}"),
			want: `spec.schematic.cue.template: line 2:6: patch.a: refers to "b", which does not exist`,
		},
		"a step that does not compile": {
			def:  parse[v1beta1.WorkflowStepDefinition](t, ns, "metadata: {name: x}\nspec: {schematic: {cue: {template: \"import \\\"vela/no\\\"\\na: no.#X\\n\"}}}"),
			want: `spec.schematic.cue.template: line 1:8: imports "vela/no", which does not exist here`,
		},
		"a policy for every Application that changes none": {
			def:  parse[v1beta1.PolicyDefinition](t, ns, "metadata: {name: x}\nspec: {global: true}"),
			want: "spec.global: only a policy with scope: Application can apply to every Application",
		},
		"a workload that contradicts itself": {
			def:  parse[v1beta1.ComponentDefinition](t, ns, "metadata: {name: x}\nspec: {workload: {type: jobs.batch, definition: {apiVersion: apps/v1, kind: Deployment}}}"),
			want: `spec.workload: type is "jobs.batch", but the definition apps/v1 Deployment is "deployments.apps" (leave one of them out)`,
		},
		"a workload that says the same twice": {
			def: parse[v1beta1.ComponentDefinition](t, ns, "metadata: {name: x}\nspec: {workload: {type: deployments.apps, definition: {apiVersion: apps/v1, kind: Deployment}}}"),
		},
		"a version that stands for the same content": {def: kept},
		"a version that stands for other content": {
			def:  parse[v1beta1.TraitDefinition](t, ns, "metadata: {name: kept}\nspec: {version: 1.0.0, schematic: {cue: {template: \"patch: {a: 1}\"}}}"),
			want: `DefinitionRevision "kept-v1.0.0": the revision exists with other content (revisions never change: give this content another version)`,
		},
		"what newer CUE calls otherwise": {
			def:      parse[v1beta1.TraitDefinition](t, ns, "metadata: {name: x}\nspec: {schematic: {cue: {template: \"patch: {}\\nparameter: {}\\nx: [1] + [2]\\n\"}}}"),
			warnings: []string{"spec.schematic.cue.template: line 3: lists are joined with list.Concat: list.Concat([[1], [2]])"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			warned.take()
			got := refusal(c.Create(t.Context(), tc.def.DeepCopyObject().(client.Object), client.DryRunAll))
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(tc.warnings, warned.take()); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// What ships passes its own admission.
func TestBuiltins(t *testing.T) {
	c, _ := start(t, replica{url: address(t), policy: admissionregistrationv1.Fail, server: "lenient"})
	for _, o := range definition.BuiltinObjects() {
		if err := c.Create(t.Context(), o, client.DryRunAll); err != nil {
			t.Errorf("%s: %v", o.GetName(), err)
		}
	}
}

// Two replicas share a certificate and a registration; whoever writes, what is
// written stays the same, and what somebody breaks is put right.
func TestReplicas(t *testing.T) {
	url := address(t)
	c, _ := start(t, replica{url: url, policy: admissionregistrationv1.Ignore, server: "replicas"})
	configuration := func() *admissionregistrationv1.ValidatingWebhookConfiguration {
		got := &admissionregistrationv1.ValidatingWebhookConfiguration{}
		if err := c.Get(t.Context(), client.ObjectKey{Name: "vela-admission"}, got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	before := configuration()
	secret := &corev1.Secret{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: definition.SystemNamespace, Name: webhook.SecretName}, secret); err != nil {
		t.Fatal(err)
	}
	version := secret.ResourceVersion

	// The second one is another process behind the same address.
	cfg := env.Cluster(t, "replicas").Config()
	var requests counted
	cfg.Wrap(requests.wrap)
	run(t, cfg, schemeOf(t), replica{url: url, listen: address(t), policy: admissionregistrationv1.Ignore})
	env.Eventually(t, "the second replica has looked at everything", func() (bool, error) {
		return requests.count("GET", "/mutatingwebhookconfigurations/vela-admission") > 0, nil
	})
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
		t.Fatal(err)
	}
	if secret.ResourceVersion != version || configuration().ResourceVersion != before.ResourceVersion {
		t.Error("the second replica has written what was there already")
	}
	for _, method := range []string{"POST", "PUT", "PATCH"} {
		if n := requests.count(method, ""); n > 0 {
			t.Errorf("the second replica sent %d requests with %s", n, method)
		}
	}

	bundle := before.Webhooks[0].ClientConfig.CABundle
	broken := before.DeepCopy()
	broken.Webhooks[0].ClientConfig.CABundle = nil
	if err := c.Update(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the registration is put right", func() (bool, error) {
		return string(configuration().Webhooks[0].ClientConfig.CABundle) == string(bundle), nil
	})
	if err := c.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "there is a certificate again, and it is the one that is trusted", func() (bool, error) {
		err := c.Get(t.Context(), client.ObjectKeyFromObject(secret), secret)
		return err == nil && string(configuration().Webhooks[0].ClientConfig.CABundle) == string(secret.Data["ca.crt"]), client.IgnoreNotFound(err)
	})
}

// A certificate is replaced before it ends, while the API server goes on asking.
func TestRotation(t *testing.T) {
	now := time.Now()
	then := clocktesting.NewFakeClock(now.Add(-certs.ServerLife * 3 / 4))
	c, _ := start(t, replica{url: address(t), clock: then, policy: admissionregistrationv1.Fail, server: "rotation"})
	key := client.ObjectKey{Namespace: definition.SystemNamespace, Name: webhook.SecretName}
	before := &corev1.Secret{}
	if err := c.Get(t.Context(), key, before); err != nil {
		t.Fatal(err)
	}
	then.SetTime(now)
	woken := before.DeepCopy()
	woken.Labels = map[string]string{"look": "again"}
	if err := c.Update(t.Context(), woken); err != nil {
		t.Fatal(err)
	}
	after := &corev1.Secret{}
	env.Eventually(t, "the certificate is another one", func() (bool, error) {
		err := c.Get(t.Context(), key, after)
		return err == nil && !bytes.Equal(before.Data["tls.crt"], after.Data["tls.crt"]), err
	})
	if !bytes.Equal(before.Data["ca.crt"], after.Data["ca.crt"]) {
		t.Error("the authority has changed without need")
	}
	bad := build.App("default/bad").Component("", "", "").Object()
	for range 5 {
		if err := c.Create(t.Context(), bad.DeepCopy(), client.DryRunAll); refusal(err) == "" || strings.Contains(refusal(err), "ANOTHER ERROR") {
			t.Errorf("after the rotation: %v", err)
		}
	}
}

type counted struct {
	mu    sync.Mutex
	lines []string
}

func (c *counted) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		c.mu.Lock()
		c.lines = append(c.lines, req.Method+" "+req.URL.Path)
		c.mu.Unlock()
		return next.RoundTrip(req)
	})
}

// count is how many requests there were with a method, to paths that end so.
func (c *counted) count(method, suffix string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, l := range c.lines {
		if strings.HasPrefix(l, method+" ") && strings.HasSuffix(l, suffix) {
			n++
		}
	}
	return n
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"127.0.0.1", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:70000"} {
		if _, err := webhook.Server(bad, &webhook.Keeper{}); err == nil {
			t.Errorf("Server took the address %q", bad)
		}
	}
	err := webhook.Setup(t.Context(), nil, &webhook.Keeper{}, webhook.Options{Clock: clock.RealClock{}, Registration: webhook.Registration{URL: "http://127.0.0.1:1"}})
	if err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("Setup() error = %v, want one about https", err)
	}
}
