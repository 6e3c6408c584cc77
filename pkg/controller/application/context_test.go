package application

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/seed-c5f95f19/vela/apis"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/policy"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/test/build"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// reconciler returns one on a fake hub with these ConfigMaps.
func reconciler(t *testing.T, maps ...*corev1.ConfigMap) *Reconciler {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, apis.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	b := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1beta1.Application{})
	for _, m := range maps {
		b = b.WithObjects(m)
	}
	c := b.Build()
	return &Reconciler{Client: c, Reader: c, Delivery: &delivery.Delivery{}, Recorder: record.NewFakeRecorder(10)}
}

// restarted is an Application whose workflow has values, as a new process finds
// it.
func restarted() *state {
	app := build.App("default/shop").UID("u").Object()
	app.Status.Workflow = &v1beta1.WorkflowStatus{AppRevision: "shop-v1", ContextBackend: &corev1.ObjectReference{Name: "workflow-shop-context"}}
	return &state{app: app, memory: &remembered{uid: "u", revision: revision.Revision{Name: "shop-v1"}}}
}

func stored(data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "workflow-shop-context"}, Data: data}
}

// What steps have delivered is known after a restart, or known not to be known:
// a sweep that takes the one for the other deletes what is wanted.
func TestWhatStepsDeliveredAfterARestart(t *testing.T) {
	targets := map[string][]delivery.Target{"ship": {{
		Components: []string{"web"}, Place: &policy.Placement{Cluster: "far", Namespace: "shop"},
		Inline: []blueprint.Policy{{Name: "size", Type: "override", Properties: map[string]any{"on": true}}},
	}}}
	kept, err := withTargets(map[string]string{"vars": `{"word":"x"}`}, targets)
	if err != nil {
		t.Fatal(err)
	}
	nothing, err := withTargets(map[string]string{"vars": `{}`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		maps        []*corev1.ConfigMap
		wantLost    bool
		wantTargets map[string][]delivery.Target
	}{
		"what was stored comes back":                   {maps: []*corev1.ConfigMap{stored(kept)}, wantTargets: targets},
		"that there was nothing comes back":            {maps: []*corev1.ConfigMap{stored(nothing)}, wantTargets: map[string][]delivery.Target{}},
		"a ConfigMap that is gone is lost":             {wantLost: true},
		"a ConfigMap that KubeVela wrote says nothing": {maps: []*corev1.ConfigMap{stored(map[string]string{"vars": `{}`})}, wantLost: true},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := reconciler(t, c.maps...), restarted()
			if _, err := r.progress(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			if s.memory.lost != c.wantLost {
				t.Errorf("lost is %v, want %v", s.memory.lost, c.wantLost)
			}
			if diff := cmp.Diff(c.wantTargets, s.memory.targets); diff != "" {
				t.Errorf("targets mismatch (-want +got):\n%s", diff)
			}
			if !c.wantLost {
				return
			}
			// Storing values must not turn not knowing into knowing that there is nothing.
			if _, err := r.storeContext(t.Context(), s, workflow.Vars{Values: map[string]any{"word": "y"}}); err != nil {
				t.Fatal(err)
			}
			if _, told := s.memory.stored[keyTargets]; told {
				t.Errorf("stored %v", s.memory.stored)
			}
		})
	}
}

// Whoever restarts a workflow from a step changes its values too: they are read
// again, although they are in memory.
func TestValuesAreReadAgainAfterPeopleWereAtWork(t *testing.T) {
	cm := stored(map[string]string{"vars": `{"word":"old"}`, keyTargets: `{}`})
	r, s := reconciler(t, cm), restarted()
	if _, err := r.progress(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	cm.Data["vars"] = `{"word":"new"}`
	if err := r.Client.Update(t.Context(), cm); err != nil {
		t.Fatal(err)
	}
	same, err := r.progress(t.Context(), s)
	if err != nil || same.Vars.Values["word"] != "old" {
		t.Fatalf("without a change of the progress: %v, %v; want no request", same.Vars.Values, err)
	}
	s.app.Status.Workflow = s.app.Status.Workflow.DeepCopy()
	s.app.Status.Workflow.Message = "somebody was here"
	again, err := r.progress(t.Context(), s)
	if err != nil || again.Vars.Values["word"] != "new" {
		t.Errorf("after somebody else's change: %v, %v; want the new value", again.Vars.Values, err)
	}
}

// A ConfigMap of somebody else is not overwritten.
func TestValuesAreNotWrittenOverOthers(t *testing.T) {
	foreign := stored(map[string]string{"mine": "yes"})
	r, s := reconciler(t, foreign), restarted()
	s.app.Status.Workflow = nil
	_, err := r.storeContext(t.Context(), s, workflow.Vars{Values: map[string]any{"word": "x"}})
	if fault.Reason(err) != v1beta1.ReasonOwnedByOther {
		t.Errorf("storeContext = %v, want that it belongs to somebody else", err)
	}
	got := &corev1.ConfigMap{}
	if err := r.Client.Get(t.Context(), contextName(s.app), got); err != nil || got.Data["mine"] != "yes" {
		t.Errorf("the ConfigMap is %v, %v", got.Data, err)
	}
}

// A mistake that only an edit can mend does not call off the timers of others.
func TestTerminalErrorKeepsTheTimer(t *testing.T) {
	app := build.App("default/shop").Object()
	mistake := fault.Invalid(v1beta1.ReasonInvalidPolicy, errors.New("wrong"))
	for name, c := range map[string]struct {
		res     ctrl.Result
		err     error
		want    ctrl.Result
		wantErr bool
	}{
		"a mistake with a timer": {res: ctrl.Result{RequeueAfter: time.Minute}, err: mistake, want: ctrl.Result{RequeueAfter: time.Minute}},
		"a mistake alone":        {err: mistake, wantErr: true},
		"something to try again": {res: ctrl.Result{RequeueAfter: time.Minute}, err: errors.New("no"), want: ctrl.Result{RequeueAfter: time.Minute}, wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := reconciler(t)
			s := &state{app: app.DeepCopy(), memory: &remembered{}}
			if err := r.Client.Create(t.Context(), s.app); err != nil {
				t.Fatal(err)
			}
			s.report.Failed = status.Parsed
			res, err := r.reportOn(t.Context(), s, c.res, c.err)
			if res != c.want || (err != nil) != c.wantErr {
				t.Errorf("reportOn = %v, %v; want %v, an error: %v", res, err, c.want, c.wantErr)
			}
		})
	}
}
