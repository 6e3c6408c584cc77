// Package config keeps configs: named properties in a namespace, such as the
// address of an image registry and who logs in there.
//
// A config is a Secret with labels. Its template, a CUE text in a ConfigMap, says
// which properties there are, what else the Secret holds, which objects come with
// it, what a Nacos server gets, and whether the properties are good. Properties of a sensitive template go
// into the Secret and never come back. Workflow steps reach this through the
// provider package "vela/config"; it knows nothing of Applications.
package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	provided "github.com/seed-c5f95f19/vela/pkg/cue/provider/config"
	velahttp "github.com/seed-c5f95f19/vela/pkg/cue/provider/http"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Reasons of errors, as conditions show them.
const (
	ReasonInvalidTemplate = "InvalidConfigTemplate"
	ReasonInvalidConfig   = "InvalidConfig"
	ReasonMissing         = "ConfigMissing"
	ReasonSensitive       = "ConfigSensitive"
)

// How configs are stored in Secrets.
const (
	catalog       = "velacore-config"
	typePrefix    = "catalog.config.oam.dev/" // of the Secret, when the template names none
	keyProperties = "input-properties"
	keyObjects    = "objects-reference"

	fieldOwner = client.FieldOwner("vela-config")
)

// A Store keeps configs in a control plane. It implements the Store of the
// provider package "vela/config".
type Store struct {
	Client client.Client
	// Engine has the texts that components can import; templates are evaluated
	// with Actions, which validate properties and change nothing.
	Engine  *cue.Engine
	Actions provider.Table
	// System is where templates are that are named without a namespace.
	System string
	// Web reaches Nacos servers; nil reaches none.
	Web *velahttp.Client
}

var _ provided.Store = (*Store)(nil)

// Save implements the Store of vela/config. What a template makes is recorded in
// the Secret before it is there.
func (s *Store) Save(ctx context.Context, c provided.Config) error {
	if c.Name == "" || c.Namespace == "" {
		return fault.Invalid(ReasonInvalidConfig, errors.New("a config needs a name and a namespace"))
	}
	m, err := s.make(ctx, c)
	if err != nil {
		return fmt.Errorf("config %s/%s: %w", c.Namespace, c.Name, err)
	}
	old, err := s.secret(ctx, c.Namespace, c.Name)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("config %s/%s: %w", c.Namespace, c.Name, err)
	}
	if err := s.replace(ctx, old, m); err != nil {
		return fmt.Errorf("config %s/%s: %w", c.Namespace, c.Name, err)
	}
	return nil
}

// replace brings what is stored from old, nil for nothing, to wanted.
func (s *Store) replace(ctx context.Context, old *corev1.Secret, m made) error {
	wanted, objects := m.secret, m.objects
	var before []corev1.ObjectReference
	if old != nil {
		if err := compatible(old, wanted); err != nil {
			return err
		}
		var err error
		if before, err = referencesOf(old); err != nil {
			return err
		}
	}
	now := referTo(objects)
	if m.published != nil {
		wanted.Data[keyPublished] = []byte(m.published.place())
	}
	if old != nil && string(old.Data[keyPublished]) != string(wanted.Data[keyPublished]) {
		if err := s.withdraw(ctx, old); err != nil {
			return err
		}
	}
	gone := slices.DeleteFunc(slices.Clone(before), func(r corev1.ObjectReference) bool { return slices.Contains(now, r) })
	old, err := s.write(ctx, old, wanted, append(slices.Clone(now), gone...))
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := s.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), fieldOwner, client.ForceOwnership); err != nil {
			return fmt.Errorf("apply %s %q: %w", o.GetKind(), o.GetName(), err)
		}
	}
	if m.published != nil {
		if err := s.publish(ctx, wanted.Namespace, m.published); err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := s.remove(ctx, gone); err != nil {
		return err
	}
	_, err = s.write(ctx, old, wanted, now)
	return err
}

// compatible refuses to turn a Secret into another thing.
func compatible(old, wanted *corev1.Secret) error {
	template := func(s *corev1.Secret) string { return s.Labels[oam.LabelConfigType] }
	switch {
	case old.Labels[oam.LabelConfigCatalog] != catalog:
		return fault.Invalid(ReasonInvalidConfig, errors.New("a Secret with this name exists and is no config"), fault.Hint("give the config another name"))
	case template(old) != template(wanted):
		return fault.Invalid(ReasonInvalidConfig,
			fmt.Errorf("it is of the template %q and cannot become one of %q", template(old), template(wanted)), fault.Hint("delete it first, or give the config another name"))
	case old.Type != wanted.Type:
		return fault.Invalid(ReasonInvalidConfig,
			fmt.Errorf("its Secret has the type %q and cannot become one of %q", old.Type, wanted.Type), fault.Hint("delete it first"))
	}
	return nil
}

// write stores wanted with references, if that changes anything, and returns
// what is stored.
func (s *Store) write(ctx context.Context, old, wanted *corev1.Secret, refs []corev1.ObjectReference) (*corev1.Secret, error) {
	secret := wanted.DeepCopy()
	if len(refs) > 0 {
		text, err := yaml.Marshal(refs)
		if err != nil {
			return nil, err
		}
		secret.Data[keyObjects] = text
	}
	if old == nil {
		return secret, s.Client.Create(ctx, secret, fieldOwner)
	}
	next := old.DeepCopy()
	next.Data, next.Immutable = secret.Data, nil
	next.Labels = merged(next.Labels, secret.Labels)
	next.Annotations = merged(next.Annotations, secret.Annotations)
	if equality.Semantic.DeepEqual(old, next) {
		return old, nil
	}
	return next, s.Client.Update(ctx, next, fieldOwner)
}

func merged(old, wanted map[string]string) map[string]string {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, wanted)
	return out
}

// remove deletes objects that a template has made.
func (s *Store) remove(ctx context.Context, refs []corev1.ObjectReference) error {
	for _, r := range refs {
		o := &unstructured.Unstructured{}
		o.SetAPIVersion(r.APIVersion)
		o.SetKind(r.Kind)
		o.SetNamespace(r.Namespace)
		o.SetName(r.Name)
		if err := s.Client.Delete(ctx, o); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete %s %q: %w", r.Kind, r.Name, err)
		}
	}
	return nil
}

func referTo(objects []*unstructured.Unstructured) []corev1.ObjectReference {
	out := make([]corev1.ObjectReference, 0, len(objects))
	for _, o := range objects {
		out = append(out, corev1.ObjectReference{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName()})
	}
	return out
}

func referencesOf(secret *corev1.Secret) ([]corev1.ObjectReference, error) {
	var out []corev1.ObjectReference
	if err := yaml.Unmarshal(secret.Data[keyObjects], &out); err != nil {
		return nil, fmt.Errorf("what belongs to it (%s) cannot be read: %w", keyObjects, err)
	}
	return out, nil
}

// secret reads a Secret, nil and the error of the API server when it is absent.
func (s *Store) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if err := s.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret); err != nil {
		return nil, err
	}
	return secret, nil
}

// Delete implements the Store of vela/config.
func (s *Store) Delete(ctx context.Context, namespace, name string) error {
	secret, err := s.secret(ctx, namespace, name)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("config %s/%s: %w", namespace, name, err)
	case secret.Labels[oam.LabelConfigCatalog] != catalog:
		return fault.Invalid(ReasonInvalidConfig, fmt.Errorf("the Secret %s/%s is no config and is not deleted", namespace, name))
	}
	refs, err := referencesOf(secret)
	if err != nil {
		return fmt.Errorf("config %s/%s: %w", namespace, name, err)
	}
	if err := errors.Join(s.withdraw(ctx, secret), s.remove(ctx, refs)); err != nil {
		return fmt.Errorf("config %s/%s: %w", namespace, name, err)
	}
	return client.IgnoreNotFound(s.Client.Delete(ctx, secret, client.Preconditions{UID: &secret.UID}))
}

// Read implements the Store of vela/config.
func (s *Store) Read(ctx context.Context, namespace, name string) (provided.Config, error) {
	secret, err := s.secret(ctx, namespace, name)
	if apierrors.IsNotFound(err) || err == nil && secret.Labels[oam.LabelConfigCatalog] != catalog {
		return provided.Config{}, fault.Because(ReasonMissing, fmt.Errorf("there is no config %q in namespace %q", name, namespace))
	}
	if err != nil {
		return provided.Config{}, fmt.Errorf("config %s/%s: %w", namespace, name, err)
	}
	if sensitive(secret) {
		return provided.Config{}, fault.Invalid(ReasonSensitive, fmt.Errorf("config %s/%s is sensitive and cannot be read", namespace, name))
	}
	return configOf(secret)
}

// List implements the Store of vela/config.
func (s *Store) List(ctx context.Context, namespace, template string) ([]provided.Config, error) {
	_, name := s.place(template)
	secrets := &corev1.SecretList{}
	if err := s.Client.List(ctx, secrets, client.InNamespace(namespace),
		client.MatchingLabels{oam.LabelConfigCatalog: catalog, oam.LabelConfigType: name}); err != nil {
		return nil, fmt.Errorf("list configs in namespace %q: %w", namespace, err)
	}
	slices.SortFunc(secrets.Items, func(a, b corev1.Secret) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) })
	out := make([]provided.Config, 0, len(secrets.Items))
	for i := range secrets.Items {
		c, err := configOf(&secrets.Items[i])
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// place splits the name of a template.
func (s *Store) place(template string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(template, "/"); ok {
		return namespace, name
	}
	return s.System, template
}

func sensitive(secret *corev1.Secret) bool {
	yes, _ := strconv.ParseBool(secret.Annotations[oam.AnnotationConfigSecret]) // anything else is no
	return yes
}

// configOf reads a config, without the properties of a sensitive one.
func configOf(secret *corev1.Secret) (provided.Config, error) {
	c := provided.Config{
		Namespace: secret.Namespace, Name: secret.Name, Template: secret.Labels[oam.LabelConfigType],
		Alias: secret.Annotations[oam.AnnotationConfigAlias], Description: secret.Annotations[oam.AnnotationConfigDesc],
	}
	if namespace := secret.Annotations[oam.AnnotationConfigTmplNS]; namespace != "" && c.Template != "" {
		c.Template = namespace + "/" + c.Template
	}
	if sensitive(secret) || len(secret.Data[keyProperties]) == 0 {
		return c, nil
	}
	v, err := provider.Unmarshal(secret.Data[keyProperties])
	if err != nil {
		return c, fmt.Errorf("config %s/%s: its properties are not JSON", c.Namespace, c.Name)
	}
	c.Properties, _ = v.(map[string]any)
	return c, nil
}

// properties returns the stored form of what a user gave.
func properties(c provided.Config) ([]byte, error) {
	if c.Properties == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(c.Properties)
}
