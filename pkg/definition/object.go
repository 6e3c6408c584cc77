package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
)

// SystemNamespace holds the definitions that every namespace can use.
const SystemNamespace = "vela-system"

// FromObject returns the Definition that a wire object holds: one of the
// typed objects of apis, or the same as unstructured. Of the object it keeps
// what an ApplicationRevision has to remember; obj itself is not kept.
func FromObject(obj runtime.Object) (Definition, error) {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		typed, err := typedOf(u)
		if err != nil {
			return Definition{}, err
		}
		obj = typed
	}
	d, spec, err := read(obj)
	if err != nil {
		return Definition{}, err
	}
	data, err := json.Marshal(spec)
	if err != nil {
		return Definition{}, fmt.Errorf("%s definition %q: %w", d.Kind, d.Name, err)
	}
	sum := sha256.Sum256(append([]byte(d.Kind+"\n"), data...))
	d.Digest = "sha256:" + hex.EncodeToString(sum[:])
	return d, nil
}

// read fills a Definition from a typed object and returns the spec that its
// digest is computed over.
func read(obj runtime.Object) (Definition, any, error) {
	switch o := obj.(type) {
	case *v1beta1.ComponentDefinition:
		d := Definition{
			Kind: Component, Name: o.Name, Namespace: o.Namespace,
			WorkloadAPIVersion: o.Spec.Workload.Definition.APIVersion,
			WorkloadKind:       o.Spec.Workload.Definition.Kind,
			WorkloadType:       o.Spec.Workload.Type,
			Object:             &v1beta1.ComponentDefinition{TypeMeta: typeMeta(v1beta1.ComponentDefinitionKind), ObjectMeta: keep(o.ObjectMeta), Spec: *o.Spec.DeepCopy()},
		}
		d.setSchematic(o.Spec.Schematic)
		d.setExtension(o.Spec.Extension)
		d.setRules(o.Spec.Status)
		return d, o.Spec, nil
	case *v1beta1.TraitDefinition:
		d := Definition{
			Kind: Trait, Name: o.Name, Namespace: o.Namespace,
			Stage:            string(o.Spec.Stage),
			ManageWorkload:   o.Spec.ManageWorkload,
			ControlPlaneOnly: o.Spec.ControlPlaneOnly,
			AppliesTo:        o.Spec.AppliesToWorkloads,
			ConflictsWith:    o.Spec.ConflictsWith,
			Object:           &v1beta1.TraitDefinition{TypeMeta: typeMeta(v1beta1.TraitDefinitionKind), ObjectMeta: keep(o.ObjectMeta), Spec: *o.Spec.DeepCopy()},
		}
		d.setSchematic(o.Spec.Schematic)
		d.setExtension(o.Spec.Extension)
		d.setRules(o.Spec.Status)
		return d, o.Spec, nil
	case *v1beta1.PolicyDefinition:
		kept := &v1beta1.PolicyDefinition{TypeMeta: typeMeta(v1beta1.PolicyDefinitionKind), ObjectMeta: keep(o.ObjectMeta), Spec: *o.Spec.DeepCopy()}
		if o.Spec.Scope == v1beta1.PolicyScopeApplication { // its template sees which revision it is
			kept.Status.LatestRevision = o.Status.LatestRevision.DeepCopy()
		}
		d := Definition{
			Kind: Policy, Name: o.Name, Namespace: o.Namespace,
			ManageHealthCheck: o.Spec.ManageHealthCheck,
			Object:            kept,
		}
		d.setSchematic(o.Spec.Schematic)
		d.setRules(o.Spec.Status)
		return d, o.Spec, nil
	case *v1beta1.WorkflowStepDefinition:
		d := Definition{
			Kind: WorkflowStep, Name: o.Name, Namespace: o.Namespace,
			Object: &v1beta1.WorkflowStepDefinition{TypeMeta: typeMeta(v1beta1.WorkflowStepDefinitionKind), ObjectMeta: keep(o.ObjectMeta), Spec: *o.Spec.DeepCopy()},
		}
		d.setSchematic(o.Spec.Schematic)
		return d, o.Spec, nil
	case *v1beta1.WorkloadDefinition: // older than ComponentDefinition, usable like one
		d := Definition{
			Kind: Component, Name: o.Name, Namespace: o.Namespace, WorkloadType: o.Spec.Reference.Name,
			Object: &v1beta1.WorkloadDefinition{TypeMeta: typeMeta(v1beta1.WorkloadDefinitionKind), ObjectMeta: keep(o.ObjectMeta), Spec: *o.Spec.DeepCopy()},
		}
		if s := o.Spec.Schematic; s != nil {
			d.setSchematic(&v1beta1.Schematic{CUE: s.CUE, Helm: s.Helm, Kube: s.Kube, Terraform: s.Terraform})
		}
		d.setExtension(o.Spec.Extension)
		if r := o.Spec.Status; r != nil {
			d.setRules(&v1beta1.StatusRules{CustomStatus: r.CustomStatus, HealthPolicy: r.HealthPolicy})
		}
		return d, o.Spec, nil
	case nil:
		return Definition{}, nil, fmt.Errorf("no object given")
	}
	return Definition{}, nil, fmt.Errorf("%T is not a definition", obj)
}

func (d *Definition) setSchematic(s *v1beta1.Schematic) {
	if s == nil {
		return
	}
	if s.CUE != nil {
		d.Template = s.CUE.Template
	}
	d.Terraform, d.Helm, d.Kube = s.Terraform, s.Helm, s.Kube
}

// setExtension takes the template from where it stood before there were
// schematics; a schematic wins.
func (d *Definition) setExtension(raw *runtime.RawExtension) {
	if raw == nil || d.Template != "" || d.Terraform != nil || d.Helm != nil || d.Kube != nil {
		return
	}
	var extension struct {
		Template any `json:"template"`
	}
	if json.Unmarshal(raw.Raw, &extension) != nil {
		return // free-form: what is no object has no template
	}
	d.Template, _ = extension.Template.(string)
}

func (d *Definition) setRules(r *v1beta1.StatusRules) {
	if r == nil {
		return
	}
	d.HealthPolicy, d.CustomStatus, d.Details = r.HealthPolicy, r.CustomStatus, r.Details
}

// keep drops from the metadata what changes without the definition changing.
func keep(m metav1.ObjectMeta) metav1.ObjectMeta {
	annotations := maps.Clone(m.Annotations)
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
	return metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace, Labels: maps.Clone(m.Labels), Annotations: annotations}
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: kind}
}

// typedOf converts an unstructured definition to its typed form.
func typedOf(u *unstructured.Unstructured) (client.Object, error) {
	obj := emptyOf(u.GetKind())
	if obj == nil || u.GroupVersionKind().Group != v1beta1.Group {
		return nil, fmt.Errorf("%s %s is not a definition", u.GetAPIVersion(), u.GetKind())
	}
	// Through JSON and not the reflecting converter: definitions come from
	// files too, where a number may be of any Go type.
	data, err := json.Marshal(u.Object)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", u.GetKind(), u.GetName(), err)
	}
	if err := json.Unmarshal(data, obj); err != nil {
		return nil, fmt.Errorf("%s %q: %w", u.GetKind(), u.GetName(), err)
	}
	obj.GetObjectKind().SetGroupVersionKind(v1beta1.GroupVersion.WithKind(u.GetKind()))
	return obj, nil
}

// emptyOf returns a new typed object of a wire kind, nil when the kind is not
// one of a definition.
func emptyOf(wireKind string) client.Object {
	switch wireKind {
	case v1beta1.ComponentDefinitionKind:
		return &v1beta1.ComponentDefinition{}
	case v1beta1.TraitDefinitionKind:
		return &v1beta1.TraitDefinition{}
	case v1beta1.PolicyDefinitionKind:
		return &v1beta1.PolicyDefinition{}
	case v1beta1.WorkflowStepDefinitionKind:
		return &v1beta1.WorkflowStepDefinition{}
	case v1beta1.WorkloadDefinitionKind:
		return &v1beta1.WorkloadDefinition{}
	}
	return nil
}

// wireKind returns the name of the wire kind of definitions of kind k.
func (k Kind) wireKind() string {
	switch k {
	case Component:
		return v1beta1.ComponentDefinitionKind
	case Trait:
		return v1beta1.TraitDefinitionKind
	case Policy:
		return v1beta1.PolicyDefinitionKind
	case WorkflowStep:
		return v1beta1.WorkflowStepDefinitionKind
	}
	return ""
}
