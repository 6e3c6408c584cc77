package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/seed-c5f95f19/vela/pkg/cue"
	provided "github.com/seed-c5f95f19/vela/pkg/cue/provider/config"
	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// made is what becomes of a config.
type made struct {
	secret    *corev1.Secret
	objects   []*unstructured.Unstructured // that come with it
	published *publication                 // to a Nacos server; nil for none
}

// make returns what becomes of a config.
func (s *Store) make(ctx context.Context, c provided.Config) (made, error) {
	m := made{secret: &corev1.Secret{}}
	given, err := properties(c)
	if err != nil {
		return m, err
	}
	var t template
	if c.Template != "" {
		if t, err = s.template(ctx, c.Template); err != nil {
			return m, err
		}
		if m, err = s.render(ctx, t, c); err != nil {
			return m, fmt.Errorf("template %q: %w", t.name, err)
		}
	}
	secret := m.secret
	secret.ObjectMeta = metav1.ObjectMeta{
		Namespace: c.Namespace, Name: c.Name,
		Labels: merged(secret.Labels, map[string]string{oam.LabelConfigCatalog: catalog}), Annotations: merged(secret.Annotations, nil),
	}
	set := func(m map[string]string, key, value string) {
		if value != "" {
			m[key] = value
		}
	}
	set(secret.Labels, oam.LabelConfigType, t.name)
	set(secret.Labels, oam.LabelConfigScope, t.scope)
	set(secret.Annotations, oam.AnnotationConfigTmplNS, t.namespace)
	set(secret.Annotations, oam.AnnotationConfigAlias, c.Alias)
	set(secret.Annotations, oam.AnnotationConfigDesc, c.Description)
	secret.Annotations[oam.AnnotationConfigSecret] = strconv.FormatBool(t.sensitive)
	if secret.Type == "" {
		secret.Type = corev1.SecretTypeOpaque
		if t.name != "" {
			secret.Type = corev1.SecretType(typePrefix + t.name)
		}
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	for key, value := range secret.StringData { // as the API server does, so that equal can be seen to be equal
		secret.Data[key] = []byte(value)
	}
	secret.StringData = nil
	secret.Data[keyProperties] = given
	return m, nil
}

// template reads a template by its name, with or without a namespace.
func (s *Store) template(ctx context.Context, named string) (template, error) {
	namespace, name := s.place(named)
	cm := &corev1.ConfigMap{}
	err := s.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: templatePrefix + name}, cm)
	if apierrors.IsNotFound(err) {
		return template{}, fault.Because(ReasonMissing, fmt.Errorf("there is no config template %q in namespace %q", name, namespace))
	}
	if err != nil {
		return template{}, fmt.Errorf("read config template %q: %w", named, err)
	}
	return templateOf(cm, name)
}

// render evaluates a template. Its mistakes are those of the template's author;
// wrong properties are those of who writes the config.
func (s *Store) render(ctx context.Context, t template, c provided.Config) (made, error) {
	var m made
	tmpl, err := s.Engine.Compile(cue.Source{Kind: "config", Name: t.name, Text: t.text})
	if err != nil {
		return m, fault.Because(ReasonInvalidTemplate, err)
	}
	if err := tmpl.Check(c.Properties); err != nil {
		return m, fault.Invalid(ReasonInvalidConfig, err)
	}
	res, err := tmpl.Eval(ctx, cue.Input{
		Parameter: c.Properties, Context: map[string]any{"name": c.Name, "namespace": c.Namespace},
		Actions: s.Actions, ReadOnly: true,
	})
	if err != nil {
		return m, err
	}
	if err := accepted(res); err != nil {
		return m, err
	}
	m, err = parts(res, c.Namespace)
	if err != nil {
		return m, fault.Because(ReasonInvalidTemplate, err)
	}
	return m, nil
}

// parts reads what a template has made.
func parts(res *cue.Result, namespace string) (m made, err error) {
	if m.secret, err = output(res); err != nil {
		return m, err
	}
	if m.published, err = publicationOf(res); err != nil {
		return m, err
	}
	named, err := res.Outputs()
	if err != nil {
		return m, err
	}
	for _, n := range named {
		o := &unstructured.Unstructured{Object: n.Object}
		if o.GetKind() == "" || o.GetAPIVersion() == "" || o.GetName() == "" {
			return m, fmt.Errorf("outputs.%s is no object: it needs apiVersion, kind and metadata.name", n.Name)
		}
		if o.GetNamespace() == "" {
			o.SetNamespace(namespace)
		}
		m.objects = append(m.objects, o)
	}
	return m, nil
}

// accepted asks the template whether the properties are good.
func accepted(res *cue.Result) error {
	if !res.Exists("validation.$returns.result") {
		return nil
	}
	ok, _, err := res.Bool("validation.$returns.result")
	if err != nil {
		return fault.Because(ReasonInvalidTemplate, err)
	}
	if ok {
		return nil
	}
	message, _, err := res.String("validation.$returns.message")
	if err != nil || message == "" {
		message = "the template does not accept the properties"
	}
	return fault.Because(ReasonInvalidConfig, errors.New(message)) // the server that refused may be back later
}

// output is the Secret of a template.
func output(res *cue.Result) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if !res.Exists("output") {
		return secret, nil
	}
	fields, err := res.Output()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(b, secret); err != nil {
		return nil, fmt.Errorf("output is no Secret: %w", err)
	}
	if secret.Kind != "" && secret.Kind != "Secret" {
		return nil, fmt.Errorf("output is a %s, and has to be a Secret", secret.Kind)
	}
	secret.TypeMeta = metav1.TypeMeta{}
	return secret, nil
}
