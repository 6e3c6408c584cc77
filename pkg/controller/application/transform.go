package application

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	"github.com/seed-c5f95f19/vela/pkg/delivery/blueprint"
	"github.com/seed-c5f95f19/vela/pkg/delivery/revision"
	"github.com/seed-c5f95f19/vela/pkg/delivery/status"
	"github.com/seed-c5f95f19/vela/pkg/delivery/transform"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// transform returns the Application as Application-scoped policies make it: as
// they left it for the current revision, unless the user has written something
// new or wants to follow the policies.
func (r *Reconciler) transform(ctx context.Context, s *state, store revision.Store) (*v1beta1.Application, *blueprint.Produced, error) {
	m, written := s.memory, transform.Written(s.app)
	frozen := !transform.Follows(s.app)
	var before *blueprint.Produced
	switch {
	case m.blueprint == nil:
		left, p, ok, err := revision.Produced(ctx, store, s.app, written, s.app.Status.LatestRevision)
		if ok && frozen || err != nil {
			return left, p, err
		}
		before = p
	case frozen && m.asked == written && m.blueprint.Produced == nil:
		return s.app, nil, nil
	case frozen && m.asked == written:
		p := m.blueprint.Produced
		return revision.Restore(s.app, &v1beta1.Application{Spec: m.blueprint.Spec}, p), p, nil
	default:
		before = m.blueprint.Produced
	}
	app, produced, err := transform.Apply(ctx, s.app, r.Transform)
	if err == nil {
		err = transform.Lost(before, produced)
	}
	return app, produced, err
}

// recordProduced shows what policies made of the Application: in its labels and
// annotations, in its status, and with all details in a ConfigMap.
func (r *Reconciler) recordProduced(ctx context.Context, s *state) error {
	p := s.memory.blueprint.Produced
	s.report.Scoped = &status.Scoped{Applied: p.Records()}
	if p == nil || len(p.Applied) == 0 {
		return nil
	}
	if err := r.label(ctx, s, p); err != nil {
		return err
	}
	key := client.ObjectKey{Namespace: s.app.Namespace, Name: recordName(s.app)}
	s.report.Scoped.ConfigMap = key.Name
	if s.memory.recorded == s.memory.revision.Name {
		return nil
	}
	data, err := recordData(p)
	if err != nil {
		return err
	}
	there := &corev1.ConfigMap{}
	err = r.Reader.Get(ctx, key, there)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read the record of policies: %w", err)
	}
	if err != nil || !maps.Equal(there.Data, data) {
		cm := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name,
				Labels: map[string]string{oam.LabelAppName: s.app.Name, oam.LabelAppNamespace: s.app.Namespace},
				OwnerReferences: []metav1.OwnerReference{
					*metav1.NewControllerRef(s.app, v1beta1.GroupVersion.WithKind(v1beta1.ApplicationKind)),
				}},
			Data: data,
		}
		if err := r.put(ctx, cm, !apierrors.IsNotFound(err) && metav1.IsControlledBy(there, s.app)); err != nil {
			return fmt.Errorf("store the record of policies: %w", err)
		}
	}
	s.memory.recorded = s.memory.revision.Name
	return nil
}

// recordName is the ConfigMap that says what each policy did.
func recordName(app *v1beta1.Application) string {
	return "application-policies-" + app.Namespace + "-" + app.Name
}

// recordData has an entry for each policy, in the order in which they ran.
func recordData(p *blueprint.Produced) (map[string]string, error) {
	out := map[string]string{}
	for i, t := range p.Applied {
		data, err := json.MarshalIndent(map[string]any{
			"name": t.Name, "type": t.Type, "namespace": t.Namespace, "source": t.Source, "enabled": t.Applied, "message": t.Message,
			"definitionRevisionName": t.DefinitionRevisionName, "revision": t.Revision, "revisionHash": t.RevisionHash,
			"output": t.Output,
		}, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("encode the record of policy %q: %w", t.Name, err)
		}
		out[recordKey(i, t.Name)] = string(data)
	}
	return out, nil
}

// recordKey is the name of a policy with its place, as far as it can be a key of a
// ConfigMap: policies are called as users like.
func recordKey(i int, name string) string {
	const most = 200
	key := strings.Map(func(r rune) rune {
		if r == '.' || r == '_' || r == '-' || r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '-'
	}, name)
	return fmt.Sprintf("%03d-%s", i+1, key[:min(most, len(key))])
}

// label gives the Application the labels and annotations that policies gave it,
// as KubeVela does.
func (r *Reconciler) label(ctx context.Context, s *state, p *blueprint.Produced) error {
	if holds(s.app.Labels, p.Labels) && holds(s.app.Annotations, p.Annotations) {
		return nil
	}
	before := s.app.DeepCopy()
	for k, v := range p.Labels {
		metav1.SetMetaDataLabel(&s.app.ObjectMeta, k, v)
	}
	for k, v := range p.Annotations {
		metav1.SetMetaDataAnnotation(&s.app.ObjectMeta, k, v)
	}
	if err := r.Client.Patch(ctx, s.app, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("label the Application as its policies say: %w", err)
	}
	s.memory.wrote(s.app)
	return nil
}

func holds(all, some map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return true
}
