// Package install brings what vela needs into the hub before the controllers
// start: the CRDs, the system namespace and the built-in definitions. It only
// adds and updates; nothing is ever removed here.
package install

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/seed-c5f95f19/vela/pkg/oam"
)

// Manager is the field manager of what is installed.
const Manager = client.FieldOwner("vela-install")

// Everything installs the CRDs found in crds, waits until the API server
// serves them, and then applies the namespace and objects.
func Everything(ctx context.Context, cfg *rest.Config, crds fs.FS, objects []client.Object) error {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{apiextensionsv1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	names, err := applyCRDs(ctx, c, crds)
	if err != nil {
		return err
	}
	if err := waitServed(ctx, c, names); err != nil {
		return err
	}
	ns := &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: oam.SystemNamespace}}
	if err := c.Create(ctx, ns); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create namespace %q: %w", oam.SystemNamespace, err)
	}
	return applyDefinitions(ctx, cfg, objects)
}

func applyCRDs(ctx context.Context, c client.Client, crds fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(crds, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(crds, path)
		if err != nil {
			return err
		}
		want := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.UnmarshalStrict(data, want); err != nil {
			return fmt.Errorf("read CRD %s: %w", path, err)
		}
		names = append(names, want.Name)
		return applyCRD(ctx, c, want)
	})
	return names, err
}

// applyCRD creates want or updates what is there, and does not write when the
// stored form is the wanted one.
func applyCRD(ctx context.Context, c client.Client, want *apiextensionsv1.CustomResourceDefinition) error {
	live := &apiextensionsv1.CustomResourceDefinition{}
	err := c.Get(ctx, client.ObjectKeyFromObject(want), live)
	switch {
	case apierrors.IsNotFound(err):
		err = c.Create(ctx, want, Manager)
	case err == nil:
		want.ResourceVersion = live.ResourceVersion
		err = c.Update(ctx, want, Manager) // the API server does not store an equal object again
	}
	if err != nil {
		return fmt.Errorf("install CRD %q: %w", want.Name, err)
	}
	return nil
}

// waitServed waits until the API server has established every CRD.
func waitServed(ctx context.Context, c client.Client, names []string) error {
	const every, most = 50 * time.Millisecond, time.Minute
	for _, name := range names {
		err := wait.PollUntilContextTimeout(ctx, every, most, true, func(ctx context.Context) (bool, error) {
			crd := &apiextensionsv1.CustomResourceDefinition{}
			if err := c.Get(ctx, client.ObjectKey{Name: name}, crd); err != nil {
				return false, client.IgnoreNotFound(err)
			}
			for _, cond := range crd.Status.Conditions {
				if cond.Type == apiextensionsv1.Established && cond.Status == apiextensionsv1.ConditionTrue {
					return true, nil
				}
			}
			return false, nil
		})
		if err != nil {
			return fmt.Errorf("CRD %q is installed but not served after %s: %w", name, most, err)
		}
	}
	return nil
}

// applyDefinitions applies the built-in definitions. The built-in names are
// ours: fields that somebody else changed in them are set back.
func applyDefinitions(ctx context.Context, cfg *rest.Config, objects []client.Object) error {
	c, err := client.New(cfg, client.Options{})
	if err != nil {
		return err
	}
	for _, o := range objects {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return err
		}
		u := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: fields})
		err = applyRetry(ctx, c, u)
		if err != nil {
			return fmt.Errorf("install definition %q: %w", o.GetName(), err)
		}
	}
	ctrl.LoggerFrom(ctx).Info("Installed", "definitions", len(objects))
	return nil
}

// applyRetry applies once more when discovery has not seen a new kind yet.
func applyRetry(ctx context.Context, c client.Client, u runtime.ApplyConfiguration) error {
	return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		err := c.Apply(ctx, u, Manager, client.ForceOwnership)
		if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
}
