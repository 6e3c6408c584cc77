// Package v1alpha1 holds Package: CUE definitions that templates can import, and
// the server that executes them.
//
// +kubebuilder:object:generate=true
// +groupName=cue.oam.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind and version of Packages.
const (
	Group       = "cue.oam.dev"
	Version     = "v1alpha1"
	PackageKind = "Package"
)

// GroupVersion is cue.oam.dev/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: Group, Version: Version}

// AddToScheme registers every kind of this version.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Package{}, &PackageList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

// Package makes definitions importable. Its name is the #provider of its
// functions.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Namespaced,shortName={pkg,cpkg,cuepkg,cuepackage}
// +kubebuilder:printcolumn:name="PATH",type=string,JSONPath=`.spec.path`
// +kubebuilder:printcolumn:name="PROTO",type=string,JSONPath=`.spec.provider.protocol`
// +kubebuilder:printcolumn:name="ENDPOINT",type=string,JSONPath=`.spec.provider.endpoint`
type Package struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec PackageSpec `json:"spec"`
}

// PackageList is a list of Packages.
//
// +kubebuilder:object:root=true
type PackageList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Package `json:"items"`
}

// PackageSpec is where a package is imported from and what it consists of.
type PackageSpec struct {
	// Path is how templates import the package, such as ext/utils.
	Path string `json:"path"`
	// Provider executes the functions. Without one there are only values.
	Provider *Provider `json:"provider,omitempty"`
	// Templates are the CUE files of the package by name.
	Templates map[string]string `json:"templates"`
}

// A Provider is a server that executes functions.
type Provider struct {
	Protocol Protocol `json:"protocol"`
	// Endpoint is what the name of a function (#do) is appended to.
	Endpoint string `json:"endpoint"`
}

// A Protocol is how functions are called.
type Protocol string

// ProtocolHTTP sends POST {endpoint}/{do} with $params as JSON, and takes the
// JSON of the answer as $returns. It is the only one.
const ProtocolHTTP Protocol = "http"
