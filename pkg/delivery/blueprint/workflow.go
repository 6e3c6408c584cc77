package blueprint

import (
	"cmp"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/fault"
)

// Types that the control plane knows without a definition.
const (
	envBinding = v1alpha1.EnvBindingPolicyType
	debug      = v1alpha1.DebugPolicyType
	// health was the policy of a kind of object that KubeVela has dropped.
	health = "health"

	// envBindingDefinition is the name under which env-binding has a definition.
	envBindingDefinition = "envbinding"

	StepSuspend               = "suspend"
	StepGroup                 = "step-group"
	StepDeploy                = "deploy"
	StepDeployEnv             = "deploy2env"
	StepApplyComponent        = "apply-component"
	StepBuiltinApplyComponent = "builtin-apply-component"
)

// Modes of a workflow.
const (
	DAG        = string(v1beta1.WorkflowModeDAG)
	StepByStep = string(v1beta1.WorkflowModeStepByStep)
)

// workflow fills Draft.Workflow: the written steps, those of the referenced
// Workflow, or generated ones.
func (p *parser) workflow(in *v1beta1.Workflow) {
	w := &p.draft.Workflow
	if in == nil {
		w.Mode, w.SubMode = DAG, DAG
		p.generate()
		return
	}
	mode, steps, origin := in.Mode, in.Steps, Origin{Path: "spec.workflow"}
	switch {
	case in.Ref != "" && len(in.Steps) > 0:
		p.invalid(v1beta1.ReasonInvalidWorkflow, "spec.workflow.ref",
			"ref %q and steps exclude each other: remove one of them", in.Ref)
	case in.Ref != "":
		w.Ref = in.Ref
		obj := p.loadWorkflow(in.Ref)
		if obj == nil {
			return
		}
		p.draft.ReferencedWorkflow = obj.DeepCopy()
		steps, origin = obj.Steps, Origin{Object: "Workflow " + p.key(in.Ref)}
		if mode == nil {
			mode = obj.Mode
		}
	}
	if mode == nil {
		mode = &v1beta1.WorkflowExecuteMode{}
	}
	w.Mode = p.mode(string(mode.Steps), StepByStep, origin.Sub("mode.steps"))
	w.SubMode = p.mode(string(mode.SubSteps), DAG, origin.Sub("mode.subSteps"))
	p.steps(steps, origin)
	if len(w.Steps) == 0 {
		p.generate()
	}
}

func (p *parser) mode(given, otherwise string, o Origin) string {
	switch given {
	case "", DAG, StepByStep:
		return cmp.Or(given, otherwise)
	}
	p.invalid(v1beta1.ReasonInvalidWorkflow, o.String(), "expected mode %s or %s, got %q", StepByStep, DAG, given)
	return otherwise
}

func (p *parser) key(name string) string { return p.draft.App.Namespace + "/" + name }

// loadWorkflow reads the Workflow object; nil means that it failed.
func (p *parser) loadWorkflow(name string) *v1alpha1.Workflow {
	const at = "spec.workflow.ref"
	if p.refs == nil {
		p.fail(fault.Because(v1beta1.ReasonReferenceMissing,
			fmt.Errorf("the Workflow %s is not at hand", p.key(name)), fault.At(at)))
		return nil
	}
	obj, err := p.refs.Workflow(p.ctx, p.draft.App.Namespace, name)
	switch {
	case apierrors.IsNotFound(err):
		p.fail(fault.Because(v1beta1.ReasonReferenceMissing,
			fmt.Errorf("there is no Workflow %s", p.key(name)), fault.At(at)))
		return nil
	case err != nil:
		p.fail(fmt.Errorf("read Workflow %s: %w", p.key(name), err))
		return nil
	}
	return obj
}

// steps reads and names the steps; names are unique over all levels because
// dependsOn reaches across them.
func (p *parser) steps(in []v1beta1.WorkflowStep, parent Origin) {
	seen := map[string]string{}
	for i, s := range in {
		o := parent.Sub(fmt.Sprintf("steps[%d]", i))
		step := p.step(s.WorkflowStepBase, fmt.Sprintf("step-%d", i), o, seen)
		step.Mode = p.mode(string(s.Mode), "", o.Sub("mode"))
		for j, sub := range s.SubSteps {
			so := o.Sub(fmt.Sprintf("subSteps[%d]", j))
			if sub.Type == StepGroup {
				p.invalid(v1beta1.ReasonInvalidWorkflow, so.String()+".type", "a step group cannot be inside a step group")
			}
			step.SubSteps = append(step.SubSteps, p.step(sub, fmt.Sprintf("step-%d-%d", i, j), so, seen))
		}
		p.draft.Workflow.Steps = append(p.draft.Workflow.Steps, step)
	}
}

func (p *parser) step(s v1beta1.WorkflowStepBase, generated string, o Origin, seen map[string]string) Step {
	name := cmp.Or(s.Name, generated)
	p.unique(seen, "step", name, o.String())
	if s.Type == "" {
		p.invalid(v1beta1.ReasonInvalidWorkflow, o.String()+".type", "step %q has no type", name)
	}
	if s.Timeout != "" {
		if _, err := time.ParseDuration(s.Timeout); err != nil {
			p.invalid(v1beta1.ReasonInvalidWorkflow, o.String()+".timeout",
				"step %q: expected a duration such as 30s, 10m or 1h30m, got %q", name, s.Timeout)
		}
	}
	step := Step{
		Name: name, Type: s.Type, If: s.If, Timeout: s.Timeout, DependsOn: s.DependsOn,
		Inputs: inputs(s.Inputs), Outputs: outputs(s.Outputs),
		Properties: p.properties(s.Properties, o), Origin: o,
	}
	if s.Meta != nil {
		step.Alias = s.Meta.Alias
	}
	return step
}

// generate writes the steps that nobody wrote: a deployment for each topology,
// or else one step for each component.
func (p *parser) generate() {
	var topologies, overrides []any
	for _, pol := range p.draft.Policies {
		switch pol.Type {
		case v1alpha1.TopologyPolicyType:
			topologies = append(topologies, pol.Name)
		case v1alpha1.OverridePolicyType:
			overrides = append(overrides, pol.Name)
		}
	}
	w := &p.draft.Workflow
	w.Generated = true
	deploy := func(name string, policies []any) {
		w.Steps = append(w.Steps, Step{
			Name: name, Type: StepDeploy, Properties: map[string]any{"policies": policies}, Origin: Origin{Path: "spec.policies"},
		})
	}
	for _, t := range topologies {
		deploy(fmt.Sprintf("deploy-%s", t), append(append([]any{}, overrides...), t))
	}
	if len(topologies) > 0 {
		return
	}
	if len(overrides) > 0 || p.copiesObjects() {
		deploy("deploy", append([]any{}, overrides...))
		return
	}
	if p.generateEnvs(); len(w.Steps) > 0 {
		return
	}
	for _, c := range p.draft.Components {
		w.Steps = append(w.Steps, Step{
			Name: c.Name, Type: StepApplyComponent, DependsOn: c.DependsOn, Inputs: c.Inputs, Outputs: c.Outputs,
			Properties: map[string]any{"component": c.Name}, Origin: c.Origin,
		})
	}
}

// generateEnvs writes a step for each environment of an env-binding policy.
func (p *parser) generateEnvs() {
	for _, pol := range p.draft.Policies {
		list, _ := pol.Properties["envs"].([]any)
		if pol.Type != envBinding {
			continue
		}
		for i, v := range list {
			env, _ := v.(map[string]any)
			name, _ := env["name"].(string)
			p.draft.Workflow.Steps = append(p.draft.Workflow.Steps, Step{
				Name: "deploy-" + pol.Name + "-" + name, Type: StepDeployEnv,
				Properties: map[string]any{"policy": pol.Name, "env": name},
				Origin:     pol.Origin.Sub(fmt.Sprintf("properties.envs[%d]", i)),
			})
		}
	}
}

func (p *parser) copiesObjects() bool {
	for _, c := range p.draft.Components {
		if c.Type == v1alpha1.RefObjectsComponentType {
			return true
		}
	}
	return false
}
