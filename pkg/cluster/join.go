package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/seed-c5f95f19/vela/pkg/fault"
	"github.com/seed-c5f95f19/vela/pkg/identity"
	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// ReasonCluster is the reason of errors about joining, renaming and detaching.
const ReasonCluster = "InvalidCluster"

// JoinOptions say which cluster joins under which name.
type JoinOptions struct {
	Name       string
	Kubeconfig string // path of the file
	Context    string // "" is its current one
	Alias      string
	Labels     map[string]string
}

// Join stores how to reach a cluster, after it was reached.
func (r *Registry) Join(ctx context.Context, o JoinOptions) (Info, error) {
	if err := errors.Join(checkName(o.Name), checkLabels(o.Labels)); err != nil {
		return Info{}, err
	}
	cred, err := credentialFrom(o.Kubeconfig, o.Context)
	if err != nil {
		return Info{}, err
	}
	if err := r.unused(ctx, o.Name); err != nil {
		return Info{}, err
	}
	candidate, err := cred.connect(o.Name, r.settings)
	if err != nil {
		return Info{}, fault.Invalid(ReasonKubeconfig, err, fault.In(o.Kubeconfig, 0))
	}
	version, err := candidate.Probe(ctx)
	if err != nil {
		return Info{}, fmt.Errorf("join cluster %q: %w", o.Name, err)
	}
	uid, err := r.identify(ctx, candidate)
	if err != nil {
		return Info{}, err
	}
	secret := cred.secret(r.namespace, o, uid)
	if err := r.store(ctx, secret); err != nil {
		return Info{}, fmt.Errorf("join cluster %q: %w", o.Name, err)
	}
	info := describeSecret(secret)
	info.Version = version
	return info, nil
}

// Rename gives a member another name. Trackers and topologies name clusters, so
// it is refused while Applications have objects there.
func (r *Registry) Rename(ctx context.Context, from, to string) error {
	if err := errors.Join(checkName(from), checkName(to)); err != nil {
		return err
	}
	secret, err := r.secret(ctx, from)
	if err != nil {
		return err
	}
	if err := r.unused(ctx, to); err != nil {
		return err
	}
	used, err := r.usedBy(ctx, from)
	if err != nil {
		return err
	}
	if len(used) > 0 {
		return fault.Because(ReasonCluster, fmt.Errorf("rename cluster %q: %s", from, inUse(used)),
			fault.Hint("take them away from the cluster first, or join it again under the new name"))
	}
	renamed := secret.DeepCopy()
	renamed.ObjectMeta = metav1.ObjectMeta{
		Namespace: r.namespace, Name: to, Labels: secret.Labels, Annotations: secret.Annotations,
	}
	if err := r.store(ctx, renamed); err != nil {
		return fmt.Errorf("rename cluster %q: %w", from, err)
	}
	return r.remove(ctx, secret)
}

// DetachOptions say how a cluster leaves.
type DetachOptions struct {
	// Force detaches although Applications have objects there. The objects stay in
	// the cluster and the Applications forget them.
	Force bool
}

// Detach removes a member. It needs no connection to it. It returns what
// Applications forgot, as "namespace/name (n objects)".
func (r *Registry) Detach(ctx context.Context, name string, o DetachOptions) ([]string, error) {
	if name == Local {
		return nil, fault.Invalid(ReasonCluster, errors.New("the hub itself cannot be detached"))
	}
	secret, err := r.secret(ctx, name)
	if err != nil && (!o.Force || !IsNotJoined(err)) { // force cleans up after a Secret that was deleted by hand
		return nil, err
	}
	used, err := r.usedBy(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(used) > 0 && !o.Force {
		return used, fault.Because(ReasonCluster, fmt.Errorf("detach cluster %q: %s", name, inUse(used)),
			fault.Hint("delete them or change their topology; --force leaves the objects behind"))
	}
	if secret != nil {
		if err := r.remove(ctx, secret); err != nil {
			return nil, err
		}
	}
	return used, r.prune(ctx, name)
}

// SetLabels changes the labels that topologies select clusters by; an empty
// value removes a label.
func (r *Registry) SetLabels(ctx context.Context, name string, labels map[string]string) error {
	if name == Local {
		return fault.Invalid(ReasonCluster, errors.New("the hub's labels are fixed"))
	}
	if err := checkLabels(labels); err != nil {
		return err
	}
	return r.patchMetadata(ctx, name, "labels", labels)
}

// SetAlias changes the name that users see.
func (r *Registry) SetAlias(ctx context.Context, name, alias string) error {
	return r.patchMetadata(ctx, name, "annotations", map[string]string{oam.AnnotationClusterAlias: alias})
}

func (r *Registry) patchMetadata(ctx context.Context, name, field string, values map[string]string) error {
	if _, err := r.secret(ctx, name); err != nil {
		return err
	}
	patch := map[string]any{}
	for key, value := range values {
		if patch[key] = nil; value != "" {
			patch[key] = value
		}
	}
	_, err := r.hub.MergePatch(ctx, secretKind(), types.NamespacedName{Namespace: r.namespace, Name: name},
		map[string]any{"metadata": map[string]any{field: patch}}, identity.Identity{})
	if err != nil {
		return fmt.Errorf("change %s of cluster %q: %w", field, name, err)
	}
	return nil
}

func checkName(name string) error {
	if name == Local {
		return fault.Invalid(ReasonCluster, fmt.Errorf("%q is the name of the hub itself", Local), fault.Hint("choose another name"))
	}
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
		return fault.Invalid(ReasonCluster, fmt.Errorf("%q cannot be the name of a cluster: %s", name, strings.Join(problems, "; ")),
			fault.Hint("choose one with --name"))
	}
	return nil
}

func checkLabels(labels map[string]string) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		problems := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(labels[key])...)
		if key == oam.LabelClusterCredentialType || key == oam.LabelClusterEndpointType {
			problems = append(problems, "it says how to log in and cannot be set")
		}
		if len(problems) > 0 {
			errs = append(errs, fault.Invalid(ReasonCluster, fmt.Errorf("label %q: %s", key, strings.Join(problems, "; "))))
		}
	}
	return errors.Join(errs...)
}

// unused refuses a name that a cluster or another Secret has.
func (r *Registry) unused(ctx context.Context, name string) error {
	_, err := r.hub.Get(ctx, secretKind(), types.NamespacedName{Namespace: r.namespace, Name: name})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("read clusters from namespace %q: %w", r.namespace, err)
	}
	return fault.Invalid(ReasonCluster, fmt.Errorf("the name %q is taken", name), fault.Hint("choose another one or detach that cluster first"))
}

// identify refuses a cluster that is the hub or joined already, and returns what
// tells clusters apart.
func (r *Registry) identify(ctx context.Context, c *Cluster) (string, error) {
	uid, err := clusterUID(ctx, c)
	if err != nil {
		return "", fmt.Errorf("join cluster %q: %w", c.name, err)
	}
	hub, err := clusterUID(ctx, r.hub)
	if err != nil {
		return "", fmt.Errorf("identify the hub: %w", err)
	}
	if uid == hub {
		return "", fault.Invalid(ReasonCluster, fmt.Errorf("this cluster is the hub itself, which is always there as %q", Local))
	}
	if err := r.read(ctx); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(r.members)) {
		if r.members[name].secret.Annotations[annotationUID] == uid {
			return "", fault.Invalid(ReasonCluster, fmt.Errorf("this cluster has joined already as %q", name))
		}
	}
	return uid, nil
}

// clusterUID returns the UID of the namespace that every cluster has.
func clusterUID(ctx context.Context, c *Cluster) (string, error) {
	ns, err := c.Get(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, types.NamespacedName{Name: metav1.NamespaceSystem})
	if err != nil {
		return "", fmt.Errorf("read namespace %q: %w", metav1.NamespaceSystem, err)
	}
	return string(ns.GetUID()), nil
}

// store creates the Secret, and the namespace for it if need be.
func (r *Registry) store(ctx context.Context, secret *corev1.Secret) error {
	ns := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": r.namespace},
	}}
	if _, err := r.hub.Get(ctx, ns.GroupVersionKind(), types.NamespacedName{Name: r.namespace}); apierrors.IsNotFound(err) {
		if _, _, err := r.hub.Apply(ctx, ns, ApplyOptions{}); err != nil {
			return err
		}
	}
	secret.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(secret)
	if err != nil {
		return err
	}
	_, _, err = r.hub.Apply(ctx, &unstructured.Unstructured{Object: content}, ApplyOptions{})
	return err
}

func (r *Registry) remove(ctx context.Context, secret *corev1.Secret) error {
	key := types.NamespacedName{Namespace: r.namespace, Name: secret.Name}
	if _, err := r.hub.Delete(ctx, secretKind(), key, DeleteOptions{UID: secret.UID}); err != nil {
		return fmt.Errorf("remove credential of cluster %q: %w", secret.Name, err)
	}
	r.forget(secret.Name)
	return nil
}

func inUse(used []string) string {
	const most = 5
	shown, more := used, ""
	if len(used) > most {
		shown, more = used[:most], fmt.Sprintf(" and %d more", len(used)-most)
	}
	return "Applications have objects there: " + strings.Join(shown, ", ") + more
}
