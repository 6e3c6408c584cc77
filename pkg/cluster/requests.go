package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/seed-c5f95f19/vela/pkg/identity"
)

// ApplyOptions say how an object is sent.
type ApplyOptions struct {
	DryRun bool // everything but the writing
	As     identity.Identity
}

// Apply sends obj by server-side apply, forced, and returns the object as the
// server has it and whether it is new.
func (c *Cluster) Apply(ctx context.Context, obj *unstructured.Unstructured, o ApplyOptions) (*unstructured.Unstructured, bool, error) {
	req, err := c.address(ctx, c.rest.Patch(types.ApplyYAMLPatchType), obj.GroupVersionKind(), keyOf(obj))
	if err != nil {
		return nil, false, err
	}
	obj = c.placed(obj)
	body, err := obj.MarshalJSON()
	if err != nil {
		return nil, false, fmt.Errorf("encode %s %q: %w", obj.GetKind(), obj.GetName(), err)
	}
	req.Param("fieldManager", FieldManager).Param("force", "true").Body(body)
	if o.DryRun {
		req.Param("dryRun", metav1.DryRunAll)
	}
	if o.DryRun {
		raw, code, err := c.do(ctx, acting(req, o.As))
		if err != nil {
			return nil, false, err
		}
		out, err := decode(raw)
		return out, code == http.StatusCreated, err
	}
	out, code, err := c.write(ctx, acting(req, o.As), obj.GroupVersionKind(), keyOf(obj))
	return out, code == http.StatusCreated, err
}

// Replace sends obj as the whole object (PUT). Its resourceVersion, if set, is a
// precondition.
func (c *Cluster) Replace(ctx context.Context, obj *unstructured.Unstructured, as identity.Identity) (*unstructured.Unstructured, error) {
	req, err := c.address(ctx, c.rest.Put(), obj.GroupVersionKind(), keyOf(obj))
	if err != nil {
		return nil, err
	}
	obj = c.placed(obj)
	body, err := obj.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode %s %q: %w", obj.GetKind(), obj.GetName(), err)
	}
	req.Param("fieldManager", FieldManager).SetHeader("Content-Type", "application/json").Body(body)
	out, _, err := c.write(ctx, acting(req, as), obj.GroupVersionKind(), keyOf(obj))
	return out, err
}

// MergePatch changes the fields of patch (JSON merge patch) and returns the
// object as it is then. The fields do not count as ours.
func (c *Cluster) MergePatch(ctx context.Context, gvk schema.GroupVersionKind, key types.NamespacedName, patch any, as identity.Identity) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(patch)
	if err != nil {
		return nil, fmt.Errorf("encode patch of %s %q: %w", gvk.Kind, key.Name, err)
	}
	req, err := c.address(ctx, c.rest.Patch(types.MergePatchType), gvk, key)
	if err != nil {
		return nil, err
	}
	req.Param("fieldManager", FieldManager+"-metadata").Body(body)
	out, _, err := c.write(ctx, acting(req, as), gvk, key)
	return out, err
}

// Get reads one object from the server.
func (c *Cluster) Get(ctx context.Context, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	req, err := c.address(ctx, c.rest.Get(), gvk, key)
	if err != nil {
		return nil, err
	}
	raw, _, err := c.do(ctx, req)
	if err != nil {
		return nil, err
	}
	return decode(raw)
}

// ListOptions narrow a list.
type ListOptions struct {
	Namespace string // "" means all
	Selector  string // of labels; "" means all
}

// List reads the objects of a kind from the server, in its order.
func (c *Cluster) List(ctx context.Context, gvk schema.GroupVersionKind, o ListOptions) ([]unstructured.Unstructured, error) {
	const page = "500"
	var out []unstructured.Unstructured
	for next := ""; ; {
		req, err := c.address(ctx, c.rest.Get(), gvk, types.NamespacedName{Namespace: o.Namespace})
		if err != nil {
			return nil, err
		}
		req.Param("limit", page)
		if o.Selector != "" {
			req.Param("labelSelector", o.Selector)
		}
		if next != "" {
			req.Param("continue", next)
		}
		raw, _, err := c.do(ctx, req)
		if err != nil {
			return nil, err
		}
		var list unstructured.UnstructuredList
		if err := list.UnmarshalJSON(raw); err != nil {
			return nil, fmt.Errorf("decode list of %s: %w", gvk.Kind, err)
		}
		out = append(out, list.Items...)
		if next = list.GetContinue(); next == "" {
			return out, nil
		}
	}
}

// DeleteOptions say what is deleted and how.
type DeleteOptions struct {
	UID    types.UID // precondition: another object of this name is not touched
	Orphan bool      // leave dependents
	As     identity.Identity
}

// Delete removes one object. It reports whether the object is gone; an object
// with finalizers or a grace period is not yet. One that does not exist is gone.
func (c *Cluster) Delete(ctx context.Context, gvk schema.GroupVersionKind, key types.NamespacedName, o DeleteOptions) (bool, error) {
	req, err := c.address(ctx, c.rest.Delete(), gvk, key)
	if err != nil {
		return false, err
	}
	propagation := metav1.DeletePropagationBackground
	if o.Orphan {
		propagation = metav1.DeletePropagationOrphan
	}
	options := metav1.DeleteOptions{PropagationPolicy: &propagation}
	if o.UID != "" {
		options.Preconditions = &metav1.Preconditions{UID: &o.UID}
	}
	options.Kind, options.APIVersion = "DeleteOptions", "v1"
	body, err := json.Marshal(options)
	if err != nil {
		return false, fmt.Errorf("encode delete options: %w", err)
	}
	raw, _, err := c.do(ctx, acting(req.SetHeader("Content-Type", "application/json").Body(body), o.As))
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	gone := removed(raw)
	if gone {
		c.owned.deleted(gvk, key, o.UID)
	}
	return gone, nil
}

// removed judges the answer to a delete: a status means gone, an object is on
// its way when something still holds it.
func removed(raw []byte) bool {
	obj := &unstructured.Unstructured{}
	if err := json.Unmarshal(raw, &obj.Object); err != nil || obj.GetKind() == "Status" {
		return err == nil
	}
	if obj.GetDeletionTimestamp() == nil {
		return true
	}
	grace := obj.GetDeletionGracePeriodSeconds()
	held := obj.GetKind() == "Namespace" || len(obj.GetFinalizers()) > 0 || (grace != nil && *grace > 0)
	return !held
}

// write sends a request that changes an object and returns it as it is then.
func (c *Cluster) write(ctx context.Context, req *rest.Request, gvk schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, int, error) {
	var answer *unstructured.Unstructured
	done := c.owned.writing(gvk, key)
	defer func() { done(answer) }()
	raw, code, err := c.do(ctx, req)
	if err != nil {
		return nil, code, err
	}
	answer, err = decode(raw)
	return answer, code, err
}

// address points req to an object, or to a collection without a name.
func (c *Cluster) address(ctx context.Context, req *rest.Request, gvk schema.GroupVersionKind, key types.NamespacedName) (*rest.Request, error) {
	for _, segment := range []string{key.Namespace, key.Name} { // it must not lead to another resource
		if segment != "" && len(content.IsPathSegmentName(segment)) > 0 {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("%q is not the name of a %s", segment, gvk.Kind))
		}
	}
	m, err := c.Mapping(ctx, gvk)
	if err != nil {
		return nil, err
	}
	at := []string{"/apis", gvk.Group, gvk.Version}
	if gvk.Group == "" {
		at = []string{"/api", gvk.Version}
	}
	if key.Namespace != "" && m.Scope.Name() == meta.RESTScopeNameNamespace {
		at = append(at, "namespaces", key.Namespace)
	}
	at = append(at, m.Resource.Resource)
	if key.Name != "" {
		at = append(at, key.Name)
	}
	return req.AbsPath(at...), nil
}

// placed returns obj, without its namespace when its kind has none: who rendered
// it may not have known the kind.
func (c *Cluster) placed(obj *unstructured.Unstructured) *unstructured.Unstructured {
	if obj.GetNamespace() == "" || !c.mapper.clusterScoped(obj.GroupVersionKind()) {
		return obj
	}
	out := maps.Clone(obj.Object)
	meta, _ := out["metadata"].(map[string]any)
	meta = maps.Clone(meta)
	delete(meta, "namespace")
	out["metadata"] = meta
	return &unstructured.Unstructured{Object: out}
}

// acting makes the API server treat req as sent by that identity.
func acting(req *rest.Request, as identity.Identity) *rest.Request {
	if as.ControlPlane() {
		return req
	}
	req.SetHeader("Impersonate-User", as.User)
	if len(as.Groups) > 0 {
		req.SetHeader("Impersonate-Group", as.Groups...)
	}
	return req
}

func decode(raw []byte) (*unstructured.Unstructured, error) {
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(raw); err != nil {
		return nil, fmt.Errorf("decode answer: %w", err)
	}
	return obj, nil
}

func keyOf(obj *unstructured.Unstructured) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}
