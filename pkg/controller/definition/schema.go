package definition

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/cue/schema"
	"github.com/seed-c5f95f19/vela/pkg/definition"
	"github.com/seed-c5f95f19/vela/pkg/definition/check"
	"github.com/seed-c5f95f19/vela/pkg/definition/revisions"
	"github.com/seed-c5f95f19/vela/pkg/oam"
	"github.com/seed-c5f95f19/vela/pkg/version"
)

// Keys of the ConfigMaps.
const (
	SchemaKey = "openapi-v3-json-schema"
	FormKey   = "ui-schema"
)

// madeFrom is the annotation that says what a schema was made from, so that a
// restart compiles nothing.
const madeFrom = "definition.oam.dev/made-from"

// besides are the ConfigMaps of one definition, and what follows from them.
type besides struct {
	definition definition.Definition
	schema     *corev1.ConfigMap // nil when there is none
	form       string            // what a user wrote, "" when nobody did
	madeFrom   string            // what the schema is to be made from
}

// beside reads them.
func (r *reconciler) beside(ctx context.Context, obj client.Object) (besides, error) {
	d, err := definition.FromObject(obj)
	if err != nil {
		return besides{}, err
	}
	b := besides{definition: d}
	if b.schema, err = r.configMap(ctx, d.Namespace, r.kind.SchemaName(d.Name)); err != nil {
		return besides{}, err
	}
	if d.Namespace == definition.SystemNamespace {
		custom, err := r.configMap(ctx, d.Namespace, r.kind.FormName(d.Name))
		if err != nil {
			return besides{}, err
		}
		if custom != nil {
			b.form = custom.Data[FormKey]
		}
	}
	sum := sha256.Sum256([]byte(version.String() + "\n" + d.Digest + "\n" + b.form))
	b.madeFrom = hex.EncodeToString(sum[:8])
	return b, nil
}

func (r *reconciler) configMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	cm := &corev1.ConfigMap{}
	if err := r.configMaps.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, cm); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return cm, nil
}

// settled reports whether everything about this definition was done before.
func (b besides) settled(obj client.Object) bool {
	status := statusOf(obj)
	synced := v1beta1.FindCondition(status.Conditions, v1beta1.ConditionSynced)
	given, err := revisions.Given(b.definition)
	return err == nil && synced != nil && synced.Status == metav1.ConditionTrue && synced.ObservedGeneration == obj.GetGeneration() &&
		status.LatestRevision != nil && (given == "" || status.LatestRevision.Name == given) &&
		b.schema != nil && b.schema.Annotations[madeFrom] == b.madeFrom && status.ConfigMapRef == b.schema.Name
}

// describe writes the schema of a definition and the form that follows from it.
func (r *reconciler) describe(ctx context.Context, obj client.Object, report *check.Report, b besides, status *v1beta1.DefinitionStatus) error {
	if report.Schema == nil {
		status.ConfigMapRef = "" // nothing takes properties
		return nil
	}
	form := report.Schema.Form()
	if b.form != "" {
		custom, err := schema.ParseForm([]byte(b.form))
		if err != nil {
			report.Warnings = append(report.Warnings, fmt.Sprintf("ConfigMap %q, key %s: %v", r.kind.FormName(obj.GetName()), FormKey, err))
		} else {
			form = schema.Customize(form, custom)
		}
	}
	if form == nil {
		form = []schema.Field{}
	}
	data := map[string]string{}
	for key, v := range map[string]any{SchemaKey: report.Schema.OpenAPI(), FormKey: form} {
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("describe %s %q: %w", r.kind, obj.GetName(), err)
		}
		data[key] = string(text)
	}
	want := r.schemaMap(obj, b, data)
	status.ConfigMapRef = want.Name
	return r.store(ctx, b.schema, want)
}

// schemaMap is the ConfigMap that KubeVela's tools look for. It goes with the
// definition.
func (r *reconciler) schemaMap(obj client.Object, b besides, data map[string]string) *corev1.ConfigMap {
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: obj.GetNamespace(), Name: r.kind.SchemaName(obj.GetName()),
			Labels:          map[string]string{oam.LabelDefinition: "schema", oam.LabelDefinitionName: obj.GetName()},
			Annotations:     map[string]string{madeFrom: b.madeFrom},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(obj, v1beta1.GroupVersion.WithKind(r.kind.WireKind()))},
		},
		Data: data,
	}
	if r.kind == definition.Trait {
		cm.Annotations[oam.AnnotationDefinitionAppliesTo] = strings.Join(b.definition.AppliesTo, ",")
	}
	return cm
}

// store creates want, or makes have equal to it. What others added stays.
func (r *reconciler) store(ctx context.Context, have, want *corev1.ConfigMap) error {
	if have == nil {
		if err := r.Client.Create(ctx, want); err != nil {
			return fmt.Errorf("store schema %q: %w", want.Name, err)
		}
		return nil
	}
	next := have.DeepCopy()
	next.Labels = with(next.Labels, want.Labels)
	next.Annotations = with(next.Annotations, want.Annotations)
	next.Data = with(next.Data, want.Data)
	next.OwnerReferences = want.OwnerReferences
	if equality.Semantic.DeepEqual(have, next) {
		return nil
	}
	if err := r.Client.Update(ctx, next); err != nil {
		return fmt.Errorf("store schema %q: %w", want.Name, err)
	}
	return nil
}

func with(have, want map[string]string) map[string]string {
	out := maps.Clone(have)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, want)
	return out
}
