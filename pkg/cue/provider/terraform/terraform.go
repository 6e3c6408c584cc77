// Package terraform is the provider package "vela/terraform": workflow steps see
// which components of their Application are Terraform modules, and how far their
// Configurations are.
package terraform

import (
	"context"
	_ "embed"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seed-c5f95f19/vela/pkg/cue/provider"
	"github.com/seed-c5f95f19/vela/pkg/cue/provider/kube"
)

//go:embed terraform.cue
var text string

// Modules knows which components are Terraform modules.
type Modules interface {
	// TerraformComponents returns them in their order, in the JSON form that the
	// user wrote.
	TerraformComponents(ctx context.Context) ([]map[string]any, error)
}

// Options are what the package needs; actions of a part that is nil are not
// offered.
type Options struct {
	Modules   Modules
	Reader    kube.Reader
	Namespace string // of the Application
}

// Schema is the text that templates import.
func Schema() provider.Schema { return provider.Schema{Path: "vela/terraform", Text: text} }

// New returns the package.
func New(o Options) provider.Package {
	p := provider.Package{Name: "terraform", Schema: text, Read: provider.Actions{}}
	if o.Modules != nil {
		p.Read["load-terraform-components"] = provider.Func(o.load)
	}
	if o.Reader != nil {
		p.Read["get-connection-status"] = provider.Func(o.status)
	}
	return p
}

type loadOut struct {
	Outputs struct {
		Components []map[string]any `json:"components"`
	} `json:"outputs"`
}

func (o Options) load(ctx context.Context, _ struct{}) (loadOut, error) {
	list, err := o.Modules.TerraformComponents(ctx)
	var out loadOut
	out.Outputs.Components = list
	if list == nil {
		out.Outputs.Components = []map[string]any{}
	}
	return out, err
}

type statusIn struct {
	Inputs struct {
		ComponentName string `json:"componentName"`
	} `json:"inputs"`
}

type statusOut struct {
	Outputs struct {
		Healthy bool `json:"healthy"`
	} `json:"outputs"`
}

// available is the state of a module that is applied.
const available = "Available"

// status reads the Configuration of a component; one that is not there yet is
// not healthy yet.
func (o Options) status(ctx context.Context, in statusIn) (statusOut, error) {
	var out statusOut
	obj, err := o.configuration(ctx, in.Inputs.ComponentName)
	if apierrors.IsNotFound(err) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("read the Configuration %q: %w", in.Inputs.ComponentName, err)
	}
	state, _, _ := unstructured.NestedString(obj.Object, "status", "apply", "state")
	out.Outputs.Healthy = state == available
	return out, nil
}

// configuration reads it in the version that the cluster has.
func (o Options) configuration(ctx context.Context, name string) (obj *unstructured.Unstructured, err error) {
	key := types.NamespacedName{Namespace: o.Namespace, Name: name}
	for _, version := range []string{"v1beta2", "v1beta1"} {
		obj, err = o.Reader.Get(ctx, "", schema.GroupVersionKind{Group: "terraform.core.oam.dev", Version: version, Kind: "Configuration"}, key)
		if !meta.IsNoMatchError(err) {
			return obj, err
		}
	}
	return nil, err
}
