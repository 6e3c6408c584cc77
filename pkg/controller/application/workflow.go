package application

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery"
	"github.com/seed-c5f95f19/vela/pkg/delivery/render"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/workflow"
)

// runWorkflow brings the workflow of the current revision as far as it goes.
func (r *Reconciler) runWorkflow(ctx context.Context, s *state) (outcome, error) {
	m := s.memory
	next, again, err := workflow.Run(ctx, delivery.Workflow(m.blueprint), s.progress, r.environment(s))
	if err != nil {
		return outcome{}, err
	}
	if given := s.run.Given(); len(given) > 0 {
		values := maps.Clone(next.Vars.Values)
		if values == nil {
			values = map[string]any{}
		}
		maps.Copy(values, given)
		next.Vars.Values = values
	}
	s.progress = next
	s.remember()
	backend, err := r.storeContext(ctx, s, next.Vars)
	if err != nil {
		return outcome{}, err
	}
	s.report.Workflow = status.FromProgress(next)
	s.report.Workflow.AppRevision, s.report.Workflow.ContextBackend = m.revision.Name, backend
	return outcome{again: sooner(ctrl.Result{RequeueAfter: r.until(again)}, r.nextRestart(s)).RequeueAfter}, nil
}

// environment is what the engine needs for this run.
func (r *Reconciler) environment(s *state) workflow.Env {
	app, rev := s.memory.blueprint.App, s.memory.revision
	env := workflow.Env{
		Runners: informed(s.run, r.Steps(s.run)),
		Engine:  r.Delivery.Engine,
		Context: map[string]any{
			"name": app.Name, "appName": app.Name, "namespace": app.Namespace,
			"appRevision": rev.Name, "appRevisionNum": rev.Number,
			"appLabels": asAny(app.Labels), "appAnnotations": asAny(app.Annotations),
			"publishVersion": app.PublishVersion, "workflowName": render.WorkflowName(s.memory.blueprint),
		},
		Now: r.Clock.Now,
	}
	if custom := s.memory.blueprint.Custom(); custom != nil {
		env.Context["custom"] = custom
	}
	return env
}

// informed lets the run know what earlier steps have put out, those of this pass
// too, before a step delivers with it.
func informed(run *delivery.Run, runners Runners) Runners {
	return func(stepType string) (workflow.Runner, error) {
		runner, err := runners(stepType)
		return learner{runner, run}, err
	}
}

type learner struct {
	workflow.Runner
	run *delivery.Run
}

// Run implements workflow.Runner.
func (l learner) Run(ctx context.Context, step workflow.StepRun) (workflow.StepResult, error) {
	l.run.Learn(step.Values)
	return l.Runner.Run(ctx, step)
}

func asAny(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}

// until is the time left; a time that has passed is now.
func (r *Reconciler) until(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return max(at.Sub(r.Clock.Now()), time.Millisecond)
}

// progress returns how far the workflow of the current revision is. Another
// revision begins anew.
func (r *Reconciler) progress(ctx context.Context, s *state) (workflow.Progress, error) {
	wf := s.app.Status.Workflow
	m := s.memory
	// Whoever changes the progress may have changed the values too.
	known := m.loaded && equality.Semantic.DeepEqual(wf, m.left)
	if !known && wf != nil && wf.ContextBackend != nil {
		if err := r.load(ctx, s); err != nil {
			return workflow.Progress{}, err
		}
	}
	m.loaded, m.left = true, wf
	if wf == nil || wf.AppRevision != m.revision.Name {
		m.vars, m.targets, m.lost = workflow.Vars{}, nil, false
		return workflow.Restart(workflow.Progress{}), nil
	}
	p := status.ToProgress(wf)
	p.Vars = m.vars
	return p, nil
}

// contextName is the ConfigMap that holds the values between steps.
func contextName(app *v1beta1.Application) client.ObjectKey {
	return client.ObjectKey{Namespace: app.Namespace, Name: "workflow-" + app.Name + "-context"}
}

// keyTargets holds in the ConfigMap what steps of other types than ours have
// delivered, so that it is still known to be wanted after a restart.
const keyTargets = "targets"

// load reads what storeContext wrote.
func (r *Reconciler) load(ctx context.Context, s *state) error {
	cm := &corev1.ConfigMap{}
	err := r.Reader.Get(ctx, contextName(s.app), cm)
	m := s.memory
	switch {
	case apierrors.IsNotFound(err):
		m.lost, m.stored = m.lost || !m.loaded, nil // what is in memory is as good
		return nil
	case err != nil:
		return fmt.Errorf("read the values of the workflow: %w", err)
	}
	vars, err := workflow.DecodeVars(cm.Data, r.Delivery.Engine)
	if err != nil {
		return err
	}
	text, ok := cm.Data[keyTargets]
	if ok {
		m.targets = nil
		if err := json.Unmarshal([]byte(text), &m.targets); err != nil {
			return fmt.Errorf("read what the steps have delivered: %w", err)
		}
	}
	m.lost = !ok && (m.lost || !m.loaded) // KubeVela wrote it, or somebody has edited it
	m.vars, m.stored = vars, cm.Data
	return nil
}

// storeContext makes what changed durable before the status tells of the steps
// that it comes from. What nobody needs is not stored.
func (r *Reconciler) storeContext(ctx context.Context, s *state, vars workflow.Vars) (*corev1.ObjectReference, error) {
	m := s.memory
	data, err := vars.Encode()
	if err != nil {
		return nil, err
	}
	if !m.lost {
		if data, err = withTargets(data, m.targets); err != nil {
			return nil, err
		}
	}
	key := contextName(s.app)
	var ref *corev1.ObjectReference
	if len(data) > 0 {
		ref = &corev1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: key.Namespace, Name: key.Name}
	}
	if maps.Equal(data, m.stored) {
		m.vars = vars
		return ref, nil
	}
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(s.app, v1beta1.GroupVersion.WithKind(v1beta1.ApplicationKind)),
		}},
		Data: data,
	}
	if err := r.put(ctx, cm, m.stored != nil); err != nil {
		return nil, fmt.Errorf("store the values of the workflow: %w", err)
	}
	m.vars, m.stored = vars, data
	return ref, nil
}

// withTargets adds what the steps have delivered, nothing too: that must be
// known from not knowing.
func withTargets(data map[string]string, targets map[string][]delivery.Target) (map[string]string, error) {
	if len(data) == 0 && len(targets) == 0 {
		return nil, nil
	}
	if targets == nil {
		targets = map[string][]delivery.Target{}
	}
	text, err := json.Marshal(targets)
	if err != nil {
		return nil, fmt.Errorf("encode what the steps have delivered: %w", err)
	}
	out := maps.Clone(data)
	if out == nil {
		out = map[string]string{}
	}
	out[keyTargets] = string(text)
	return out, nil
}

// remember keeps what steps asked for, unless what is written tells it.
func (s *state) remember() {
	asked := s.run.Targets()
	if len(asked) == 0 {
		return
	}
	kept := maps.Clone(s.memory.targets)
	if kept == nil {
		kept = map[string][]delivery.Target{}
	}
	for _, step := range s.memory.blueprint.Workflow.AllSteps() {
		if targets, ok := asked[step.Name]; ok {
			kept[step.Name] = targets
		}
		if equality.Semantic.DeepEqual(kept[step.Name], delivery.TargetsOf(step)) {
			delete(kept, step.Name) // what is written says the same
		}
	}
	s.memory.targets = kept
}

// put writes cm over what is there, unless that is of somebody else.
func (r *Reconciler) put(ctx context.Context, cm *corev1.ConfigMap, known bool) error {
	if known {
		if err := r.Client.Update(ctx, cm); !apierrors.IsNotFound(err) {
			return err
		}
	}
	err := r.Client.Create(ctx, cm)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	there := &corev1.ConfigMap{}
	if err := r.Reader.Get(ctx, client.ObjectKeyFromObject(cm), there); err != nil {
		return err
	}
	wanted, owner := cm.OwnerReferences[0], metav1.GetControllerOf(there)
	if owner == nil || owner.Kind != wanted.Kind || owner.Name != wanted.Name {
		return fault.Because(v1beta1.ReasonOwnedByOther, fmt.Errorf("ConfigMap %q is not of this Application", cm.Name),
			fault.Hint("rename it, or the Application"))
	}
	return r.Client.Update(ctx, cm)
}
