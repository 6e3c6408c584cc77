// Package apis lists the API groups of this project in one place. The types are
// in the packages below it; nothing here has behaviour.
package apis

import (
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha1"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1alpha2"
	"github.com/seed-c5f95f19/vela/apis/core.oam.dev/v1beta1"
	cuev1alpha1 "github.com/seed-c5f95f19/vela/apis/cue.oam.dev/v1alpha1"
)

// AddToScheme registers every kind of every group.
func AddToScheme(scheme *runtime.Scheme) error {
	return errors.Join(
		v1beta1.AddToScheme(scheme),
		v1alpha2.AddToScheme(scheme),
		v1alpha1.AddToScheme(scheme),
		cuev1alpha1.AddToScheme(scheme),
	)
}

// NewScheme returns a scheme with every kind of every group and those of core/v1.
// The caller may add to it.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), AddToScheme(scheme)); err != nil {
		return nil, err
	}
	return scheme, nil
}
