package definition_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	controller "github.com/seed-c5f95f19/vela/pkg/controller/definition"
	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/all"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/test/env"
)

// seen are the requests that the controller has sent.
type seen struct {
	mu  sync.Mutex
	all []string
}

func (s *seen) wrap(next http.RoundTripper) http.RoundTripper { return recorded{s, next} }

// about returns the requests that name something and are no watch.
func (s *seen) about(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, line := range s.all {
		if strings.Contains(line, name) && !strings.Contains(line, "watch=true") {
			out = append(out, line)
		}
	}
	return out
}

type recorded struct {
	to   *seen
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	r.to.mu.Lock()
	r.to.all = append(r.to.all, req.Method+" "+req.URL.RequestURI())
	r.to.mu.Unlock()
	return r.next.RoundTrip(req)
}

const limit = 2

// run starts a controller until the end of the test. Tests follow each other: two
// controllers would do the same work.
func run(t *testing.T) (client.Client, *seen) {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	cfg := env.Config(t)
	requests := &seen{}
	cfg.QPS = -1
	cfg.Wrap(requests.wrap)
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, apis.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: scheme, Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: ptr.To(true)}, // each test has a controller of its own
		Client:     client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&v1beta1.DefinitionRevision{}, &corev1.ConfigMap{}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := controller.Setup(mgr, controller.Options{
		Client: mgr.GetClient(),
		Engines: check.Engines{
			Templates: cue.NewEngine(cue.Options{Packages: all.DefinitionSchemas()}),
			Steps:     cue.NewEngine(cue.Options{Packages: all.WorkflowSchemas()}),
		},
		References: blueprint.FromCluster(mgr.GetClient()),
		Recorder:   mgr.GetEventRecorderFor("vela-core"), //nolint:staticcheck // as vela-core does
		Clock:      clock.RealClock{}, RevisionLimit: limit,
	}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return env.Client(t), requests
}

func scaler(ns, template string) *v1beta1.TraitDefinition {
	def := build.TraitDefinition("scaler", template)
	def.Namespace = ns
	return def
}

// reaches waits until the definition has been looked at and satisfies want.
func reaches(t *testing.T, c client.Client, def *v1beta1.TraitDefinition, what string, want func(*v1beta1.TraitDefinition) bool) *v1beta1.TraitDefinition {
	t.Helper()
	got := &v1beta1.TraitDefinition{}
	env.Eventually(t, what, func() (bool, error) {
		err := c.Get(t.Context(), client.ObjectKeyFromObject(def), got)
		synced := v1beta1.FindCondition(got.Status.Conditions, v1beta1.ConditionSynced)
		return err == nil && synced != nil && synced.ObservedGeneration == got.Generation && want(got), err
	})
	return got
}

func synced(d *v1beta1.TraitDefinition) bool {
	return v1beta1.FindCondition(d.Status.Conditions, v1beta1.ConditionSynced).Status == metav1.ConditionTrue
}

func at(revision string) func(*v1beta1.TraitDefinition) bool {
	return func(d *v1beta1.TraitDefinition) bool {
		return synced(d) && d.Status.LatestRevision != nil && d.Status.LatestRevision.Name == revision
	}
}

// edit gives the definition another template.
func edit(t *testing.T, c client.Client, def *v1beta1.TraitDefinition, change func(*v1beta1.TraitDefinition)) {
	t.Helper()
	env.Eventually(t, "the definition is changed", func() (bool, error) {
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(def), def); err != nil {
			return false, err
		}
		change(def)
		err := c.Update(t.Context(), def)
		return err == nil, err
	})
}

func template(text string) func(*v1beta1.TraitDefinition) {
	return func(d *v1beta1.TraitDefinition) { d.Spec.Schematic.CUE.Template = text }
}

const sound = "patch: spec: replicas: parameter.replicas\nparameter: replicas: *1 | >=0 & <=10 & int\n"

// The life of a definition: it gets a revision for each content and a schema,
// broken content is said on it, and nothing is asked when nothing changes.
func TestLife(t *testing.T) {
	c, requests := run(t)
	ns := env.Namespace(t)
	def := scaler(ns, sound)
	def.Spec.AppliesToWorkloads = []string{"deployments.apps", "statefulsets.apps"}
	if err := c.Create(t.Context(), def); err != nil {
		t.Fatal(err)
	}
	got := reaches(t, c, def, "it has its first revision", at("scaler-v1"))
	if got.Status.ConfigMapRef != "trait-schema-scaler" || got.Status.LatestRevision.Revision != 1 || got.Status.LatestRevision.RevisionHash == "" {
		t.Errorf("status = %+v", got.Status)
	}
	cm := &corev1.ConfigMap{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "trait-schema-scaler"}, cm); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"definition.oam.dev": "schema", "definition.oam.dev/name": "scaler"}; !cmp.Equal(want, cm.Labels) {
		t.Errorf("labels of the schema: %v", cm.Labels)
	}
	if cm.Annotations[oam.AnnotationDefinitionAppliesTo] != "deployments.apps,statefulsets.apps" {
		t.Errorf("annotations of the schema: %v", cm.Annotations)
	}
	if owner := metav1.GetControllerOf(cm); owner == nil || owner.UID != got.UID || owner.Kind != "TraitDefinition" {
		t.Errorf("owner of the schema: %v", owner)
	}
	want := `{"properties":{"replicas":{"default":1,"maximum":10,"minimum":0,"title":"replicas","type":"integer"}},"type":"object","x-vela-order":["replicas"]}`
	if diff := cmp.Diff(want, cm.Data["openapi-v3-json-schema"]); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}

	edit(t, c, def, template("patch: {}\nparameter: {\n  count: int\n  x: missing\n}\n"))
	broken := reaches(t, c, def, "it says that it is broken", func(d *v1beta1.TraitDefinition) bool { return !synced(d) })
	cond := v1beta1.FindCondition(broken.Status.Conditions, v1beta1.ConditionSynced)
	if cond.Reason != v1beta1.ReasonInvalidDefinition || !strings.HasPrefix(cond.Message, "spec.schematic.cue.template: line 4:6: ") {
		t.Errorf("condition = %s: %s", cond.Reason, cond.Message)
	}
	if broken.Status.LatestRevision.Name != "scaler-v1" || broken.Status.ConfigMapRef == "" {
		t.Errorf("what was there before is gone: %+v", broken.Status)
	}
	env.Eventually(t, "an event tells it", func() (bool, error) {
		events := &corev1.EventList{}
		err := c.List(t.Context(), events, client.InNamespace(ns))
		return len(events.Items) == 1 && events.Items[0].Reason == v1beta1.ReasonInvalidDefinition, err
	})

	edit(t, c, def, template("patch: {}\nparameter: {\n  count: int\n}\n"))
	reaches(t, c, def, "it is repaired", at("scaler-v2"))
	edit(t, c, def, template(sound))
	reaches(t, c, def, "it is back at its first content", at("scaler-v3"))

	before := len(requests.about(ns))
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(def), def); err != nil {
		t.Fatal(err)
	}
	def.Labels = map[string]string{"touched": "true"}
	if err := c.Update(t.Context(), def); err != nil {
		t.Fatal(err)
	}
	other := scaler(ns, sound)
	other.Name = "other"
	if err := c.Create(t.Context(), other); err != nil { // the queue is done with what came before it
		t.Fatal(err)
	}
	reaches(t, c, other, "another one is done", at("other-v1"))
	for _, line := range requests.about(ns)[before:] {
		if strings.Contains(line, "scaler") {
			t.Errorf("nothing changed, and yet: %s", line)
		}
	}

	if err := c.Delete(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the schema is there again", func() (bool, error) {
		err := c.Get(t.Context(), client.ObjectKeyFromObject(cm), cm)
		return err == nil, client.IgnoreNotFound(err)
	})
}

// A restart with nothing to do asks for nothing.
func TestRestart(t *testing.T) {
	ns := env.Namespace(t)
	t.Run("first", func(t *testing.T) {
		c, _ := run(t)
		def := scaler(ns, sound)
		if err := c.Create(t.Context(), def); err != nil {
			t.Fatal(err)
		}
		reaches(t, c, def, "it is kept", at("scaler-v1"))
	})
	t.Run("again", func(t *testing.T) {
		c, requests := run(t)
		other := scaler(ns, sound)
		other.Name = "other"
		if err := c.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		reaches(t, c, other, "the controller works", at("other-v1"))
		for _, line := range requests.about(ns) {
			if strings.Contains(line, "scaler") {
				t.Errorf("nothing changed, and yet: %s", line)
			}
		}
	})
}

func TestRevisions(t *testing.T) {
	c, _ := run(t)

	t.Run("a version names the revision, and stays what it is", func(t *testing.T) {
		ns := env.Namespace(t)
		def := scaler(ns, sound)
		def.Spec.Version = "1.2.3"
		if err := c.Create(t.Context(), def); err != nil {
			t.Fatal(err)
		}
		reaches(t, c, def, "it is kept", at("scaler-v1.2.3"))
		edit(t, c, def, template("patch: {}\nparameter: {}\n"))
		got := reaches(t, c, def, "it is refused", func(d *v1beta1.TraitDefinition) bool { return !synced(d) })
		want := `keep revision "scaler-v1.2.3"`
		cond := v1beta1.FindCondition(got.Status.Conditions, v1beta1.ConditionSynced)
		if !strings.Contains(cond.Message, `"scaler-v1.2.3"`) || !strings.Contains(cond.Message, "give this content another version") {
			t.Errorf("message = %q, want one about %s", cond.Message, want)
		}
		edit(t, c, def, func(d *v1beta1.TraitDefinition) { d.Spec.Version = "1.3.0" })
		reaches(t, c, def, "the next version is kept", at("scaler-v1.3.0"))
	})

	t.Run("an annotation names the revision", func(t *testing.T) {
		ns := env.Namespace(t)
		def := scaler(ns, sound)
		if err := c.Create(t.Context(), def); err != nil {
			t.Fatal(err)
		}
		reaches(t, c, def, "it is kept", at("scaler-v1"))
		edit(t, c, def, func(d *v1beta1.TraitDefinition) {
			d.Annotations = map[string]string{oam.AnnotationDefinitionRevision: "4.4"}
		})
		reaches(t, c, def, "it is kept under the name", at("scaler-v4.4"))
	})

	t.Run("old revisions go, except for those that Applications name", func(t *testing.T) {
		ns := env.Namespace(t)
		def := scaler(ns, sound)
		if err := c.Create(t.Context(), def); err != nil {
			t.Fatal(err)
		}
		reaches(t, c, def, "it is kept", at("scaler-v1"))
		app := build.App(ns+"/shop").Component("web", "webservice", "").Trait("scaler@v1", "replicas: 1").Object()
		if err := c.Create(t.Context(), app); err != nil {
			t.Fatal(err)
		}
		for i := 2; i <= 5; i++ {
			edit(t, c, def, template(sound+"// "+strings.Repeat("x", i)+"\n"))
			reaches(t, c, def, "it is kept again", at("scaler-v"+string(rune('0'+i))))
		}
		env.Eventually(t, "the limit holds", func() (bool, error) {
			list := &v1beta1.DefinitionRevisionList{}
			err := c.List(t.Context(), list, client.InNamespace(ns), client.MatchingLabels{oam.LabelTraitDefinition: "scaler"})
			var names []string
			for _, r := range list.Items {
				names = append(names, r.Name)
			}
			return cmp.Equal([]string{"scaler-v1", "scaler-v4", "scaler-v5"}, names), err
		})
		store := definition.Cluster(c, ns)
		d, err := store.Get(t.Context(), ns, definition.Ref{Kind: definition.Trait, Name: "scaler@v1"})
		if err != nil || d.Template != sound {
			t.Errorf("scaler@v1 is %q, %v", d.Template, err)
		}
	})

	t.Run("content that KubeVela kept is not kept again", func(t *testing.T) {
		ns := env.Namespace(t)
		def := scaler(ns, sound)
		rev := &v1beta1.DefinitionRevision{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "scaler-v7", Labels: map[string]string{oam.LabelTraitDefinition: "scaler"}},
			Spec:       v1beta1.DefinitionRevisionSpec{Revision: 7, RevisionHash: "from-kubevela", DefinitionType: v1beta1.DefinitionTrait, TraitDefinition: *def.DeepCopy()},
		}
		for _, o := range []client.Object{rev, def} {
			if err := c.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		reaches(t, c, def, "it is known", at("scaler-v7"))
	})
}

// A form that a user wrote changes the generated one, before or after.
func TestForms(t *testing.T) {
	c, _ := run(t)
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: definition.SystemNamespace}}
	if err := c.Create(t.Context(), system); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	def := scaler(definition.SystemNamespace, sound)
	def.Name = env.Namespace(t) // forms are for all namespaces
	if err := c.Create(t.Context(), def); err != nil {
		t.Fatal(err)
	}
	reaches(t, c, def, "it is kept", at(def.Name+"-v1"))
	form := func() schema.Field {
		cm := &corev1.ConfigMap{}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: definition.SystemNamespace, Name: "trait-schema-" + def.Name}, cm); err != nil {
			t.Fatal(err)
		}
		var fields []schema.Field
		if err := json.Unmarshal([]byte(cm.Data["ui-schema"]), &fields); err != nil || len(fields) != 1 {
			t.Fatalf("%d fields, %v", len(fields), err)
		}
		return fields[0]
	}
	if f := form(); f.UIType != "Number" || f.Label != "Replicas" {
		t.Errorf("the generated form is %+v", f)
	}
	custom := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: definition.SystemNamespace, Name: "trait-uischema-" + def.Name},
		Data:       map[string]string{"ui-schema": `[{"jsonKey": "replicas", "label": "How many", "uiType": "Select"}]`},
	}
	if err := c.Create(t.Context(), custom); err != nil {
		t.Fatal(err)
	}
	env.Eventually(t, "the form is the user's", func() (bool, error) {
		f := form()
		return f.Label == "How many" && f.UIType == "Select" && f.Validate != nil && *f.Validate.Max == 10, nil
	})
	custom.Data["ui-schema"] = "no list"
	if err := c.Update(t.Context(), custom); err != nil {
		t.Fatal(err)
	}
	got := reaches(t, c, def, "a form that cannot be read is said", func(d *v1beta1.TraitDefinition) bool {
		return v1beta1.FindCondition(d.Status.Conditions, controller.ConditionWarning) != nil
	})
	if m := v1beta1.FindCondition(got.Status.Conditions, controller.ConditionWarning).Message; !strings.HasPrefix(m, `ConfigMap "trait-uischema-`+def.Name+`", key ui-schema: `) {
		t.Errorf("message = %q", m)
	}
	if f := form(); f.UIType != "Number" {
		t.Errorf("the form is %+v, want the generated one", f)
	}
}

// What newer CUE has another word for is said on the definition, with that word.
func TestOldCUE(t *testing.T) {
	c, _ := run(t)
	ns := env.Namespace(t)
	def := scaler(ns, "patch: {}\nparameter: {}\nx: [1] + [2]\n")
	if err := c.Create(t.Context(), def); err != nil {
		t.Fatal(err)
	}
	got := reaches(t, c, def, "it is kept", at("scaler-v1"))
	cond := v1beta1.FindCondition(got.Status.Conditions, controller.ConditionWarning)
	if cond == nil || cond.Reason != controller.ReasonOldCUE || !strings.Contains(cond.Message, "line 3") || !strings.Contains(cond.Message, "list.Concat") {
		t.Errorf("condition = %+v", cond)
	}
	edit(t, c, def, template("patch: {}\nparameter: {}\n"))
	got = reaches(t, c, def, "it is kept", at("scaler-v2"))
	if cond := v1beta1.FindCondition(got.Status.Conditions, controller.ConditionWarning); cond != nil {
		t.Errorf("the warning stays: %+v", cond)
	}
}
